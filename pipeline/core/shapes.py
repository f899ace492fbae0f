"""How size grows with the score: the four shapes of MODELS 3.3, each from a score's magnitude to [0, 1].

Every shape is 0 up to the entry threshold, starts there without a jump, never falls as the score grows and
reaches at most 1. The sign of the score is put back by the caller, so all of them are exactly odd. Results
are integers of 1e-9, rounded down, so that the last bits of libm cannot reach an order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import assert_never

from pipeline.core.params import Shape, SizingParams
from pipeline.core.types import E6

E9 = 1_000_000_000
"""Shares of full size are integers of 1e-9."""


@dataclass(frozen=True, slots=True)
class ShapeCurve:
    """One shape with its numbers checked; built once a symbol by `shape_curve`."""

    shape: Shape
    tau_e6: int
    """Score magnitude (twice the threshold on |p - 0.5|) up to which the size is 0, in [0, 1e6)."""
    gamma: float
    kelly_win: float
    """Favourable move in units of the mean of the favourable and the adverse move."""
    kelly_loss: float
    kelly_unit_e9: float
    """That mean move in 1e-9 of the price; costs are divided by it."""
    kelly_scale: float
    """Share of Kelly over the share that counts as full size."""
    tail_tau: float
    """One minus the z-CDF at the threshold, which becomes its zero."""


def shape_curve(params: SizingParams, entry_e6: int) -> ShapeCurve:
    """Build the curve the parameters ask for; `entry_e6` is the threshold on |p - 0.5|.

    Raises:
        ValueError: a number is outside its range; the message names it, the value and the range.

    """
    require(0 <= entry_e6 < E6 // 2, "decision.entry_e6", entry_e6, "in [0, 500000)")
    require(1.0 <= params.power_gamma <= 100.0, "sizing.power_gamma", params.power_gamma, "in [1, 100]")
    require(0.0 < params.kelly_fraction <= 1.0, "sizing.kelly_fraction", params.kelly_fraction, "in (0, 1]")
    require(
        0.0 < params.kelly_reference <= 1.0, "sizing.kelly_reference", params.kelly_reference, "in (0, 1]"
    )
    require(params.kelly_win_e6 > 0, "sizing.kelly_win_e6", params.kelly_win_e6, "above 0")
    require(params.kelly_loss_e6 > 0, "sizing.kelly_loss_e6", params.kelly_loss_e6, "above 0")
    tail_tau = _z_tail(2 * entry_e6)
    steep = params.shape is Shape.Z_CDF and tail_tau == 0.0
    require(
        not steep, "decision.entry_e6", entry_e6, "below 499000 with the Z_CDF shape, which is flat there"
    )
    mean_e6 = (params.kelly_win_e6 + params.kelly_loss_e6) / 2
    return ShapeCurve(
        shape=params.shape,
        tau_e6=2 * entry_e6,
        gamma=params.power_gamma,
        kelly_win=params.kelly_win_e6 / mean_e6,
        kelly_loss=params.kelly_loss_e6 / mean_e6,
        kelly_unit_e9=mean_e6 * 1_000,
        kelly_scale=params.kelly_fraction / params.kelly_reference,
        tail_tau=tail_tau,
    )


def share_e9(curve: ShapeCurve, magnitude_e6: int, cost_e9: int) -> int:
    """Give the share of full size, in [0, 1e9], at a score of this magnitude in [0, 1e6].

    `cost_e9` is the round-trip cost in 1e-9 of the price; only Kelly looks at it.
    """
    above = magnitude_e6 - curve.tau_e6
    if above <= 0:
        return 0
    match curve.shape:
        case Shape.LINEAR:
            return above * E9 // (E6 - curve.tau_e6)
        case Shape.POWER:
            share = (above / (E6 - curve.tau_e6)) ** curve.gamma
        case Shape.Z_CDF:
            share = (curve.tail_tau - _z_tail(magnitude_e6)) / curve.tail_tau
        case Shape.KELLY:
            share = _kelly(curve, magnitude_e6, cost_e9)
        case _:
            assert_never(curve.shape)
    return min(E9, int(share * E9))


def _z_tail(magnitude_e6: int) -> float:
    """2 - 2 * Phi((p - 0.5) / sqrt(p * (1 - p))) at p = (1 + magnitude) / 2: one minus the z-CDF."""
    if magnitude_e6 >= E6:
        return 0.0
    score = magnitude_e6 / E6
    return math.erfc(score / math.sqrt(2.0 * (1.0 - score * score)))


def _kelly(curve: ShapeCurve, magnitude_e6: int, cost_e9: int) -> float:
    """Fractional Kelly for partial wins and losses, eased in between the threshold and its double.

    Moves count in units of the mean move: at the scale of basis points the textbook fraction asks for
    hundreds of times the equity and every score would be full size. Without the ease the size would jump
    at the threshold.
    """
    cost = cost_e9 / curve.kelly_unit_e9
    win, loss = curve.kelly_win - cost, curve.kelly_loss + cost
    if win <= 0.0:
        return 0.0
    if loss <= 0.0:
        fraction = 1.0 / curve.kelly_scale
    else:
        p_win = (E6 + magnitude_e6) / (2 * E6)
        fraction = max(0.0, p_win / loss - (1.0 - p_win) / win)
    above = magnitude_e6 - curve.tau_e6
    ease = 1.0 if above >= curve.tau_e6 else above / curve.tau_e6
    return min(1.0, curve.kelly_scale * fraction) * ease


def require(holds: bool, name: str, value: float, wanted: str) -> None:
    """Refuse a setting that is out of its range, in one line.

    Raises:
        ValueError: `holds` is False.

    """
    if not holds:
        raise ValueError(f"{name} is {value}; it must be {wanted}")
