"""What a model is taught: a class for each row, and when it is settled.

`direction` is the sign of the mid's move, rows that did not move apart; `three_class` the same with flat as a
class; `executable` the side a taker would have been paid for before fees; `barrier` the barrier that is
reached first. Every class is -1, 0 or 1.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.models.contract import Label
from pipeline.research.labels import Floats, Signs, Times, Window, three_classes
from pipeline.research.rows import Rows

FLAT = 1
"""Place of the flat class among down, flat, up."""


class TargetKind(enum.StrEnum):
    """What the classes mean."""

    DIRECTION = "direction"
    THREE_CLASS = "three_class"
    EXECUTABLE = "executable"
    BARRIER = "barrier"


@dataclass(frozen=True, slots=True)
class Target:
    """A class for every row of a dataset, in order of time."""

    kind: TargetKind
    usable: npt.NDArray[np.bool_]
    """Rows whose future is known and that have a class, [n]."""
    place: npt.NDArray[np.intp]
    """0, 1 or 2: down, flat, up; of no meaning where the row is not usable, [n]."""
    end_ns: Times
    """When each class is settled, [n]."""

    @property
    def binary(self) -> bool:
        """Say whether the model gives P(up | a move)."""
        return self.kind is TargetKind.DIRECTION


def target_of(rows: Rows, kind: TargetKind, window: Window) -> Target:
    """Give the class of every row whose future is known."""
    signs, usable, end_ns = _signs(rows, kind, window)
    if kind is TargetKind.DIRECTION:
        usable &= signs != 0
    return Target(kind, usable, signs.astype(np.intp) + FLAT, end_ns)


def label_of(kind: TargetKind, barrier_sigmas: float) -> Label:
    """Give how a contract names the target."""
    match kind:
        case TargetKind.DIRECTION:
            return Label("direction_given_move", 0.0, "ticks", "mid")
        case TargetKind.THREE_CLASS:
            return Label("three_class", 0.0, "ticks", "mid")
        case TargetKind.EXECUTABLE:
            return Label("three_class", 0.0, "return of a taker before fees", "touch")
        case TargetKind.BARRIER:
            return Label("three_class", barrier_sigmas, "trailing volatilities, first touch", "mid")


def _signs(rows: Rows, kind: TargetKind, window: Window) -> tuple[Signs, npt.NDArray[np.bool_], Times]:
    end_ns = rows.ts_ns + window.delay_ns + window.horizon_ns
    if kind is TargetKind.BARRIER:
        found = rows.barriers(window, rows.recipe.barrier_sigmas)
        known = found.end_ns > 0
        return found.outcome, known, np.where(known, found.end_ns, end_ns)
    if kind is TargetKind.EXECUTABLE:
        long, short = rows.executable(window)
        sides = np.where(long > 0.0, 1, np.where(short > 0.0, -1, 0)).astype(np.int8)
        return sides, ~np.isnan(long), end_ns
    moves: Floats = rows.returns(window)
    return three_classes(moves, 0.0), ~np.isnan(moves), end_ns
