"""Scores of P(up | a move): discrimination, log-loss, Brier, calibration; and a block bootstrap of one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from pipeline.models.contract import Score

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

BINS = 10


def auc(p_up: Floats, up: Flags) -> float:
    """Give the area under the ROC curve, ties counting half; 0.5 when one class is missing."""
    ones = int(up.sum())
    zeros = len(up) - ones
    if ones == 0 or zeros == 0:
        return 0.5
    _, place, counts = np.unique(p_up, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return float((ranks[up].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def logloss(p_up: Floats, up: Flags) -> float:
    """Give the mean log-loss in nats."""
    return float(-np.log(np.clip(np.where(up, p_up, 1.0 - p_up), 1e-12, 1.0)).mean())


def calibration_error(p_up: Floats, up: Flags) -> float:
    """Give the mean |hit rate - mean probability| over 10 bins of equal count; one bin for a constant."""
    if (p_up == p_up[:1]).all():
        return abs(float(up.mean() - p_up.mean()))
    order = np.argsort(p_up, kind="stable")
    bins = [part for part in np.array_split(order, BINS) if len(part)]
    return float(sum(len(part) * abs(up[part].mean() - p_up[part].mean()) for part in bins) / len(up))


def score(p_up: Floats, up: Flags, decimals: int = 4) -> Score:
    """Give all four scores, rounded."""
    brier = float(((p_up - up) ** 2).mean())
    values = auc(p_up, up), logloss(p_up, up), brier, calibration_error(p_up, up)
    return Score(*(round(value, decimals) for value in values))


def class_score(p: Floats, place: npt.NDArray[np.intp], binary: bool, decimals: int = 4) -> Score:
    """Score [n, 3] probabilities of down, flat, up against the class that came; binary ones by P(up).

    For three classes the area is that of the score among rows that moved, log-loss and Brier are over the
    three classes, and the calibration error is the mean of those of up and down.
    """
    if binary:
        return score(p[:, 2], place == 2, decimals)
    moved = place != 1
    area = auc((p[:, 2] - p[:, 0])[moved], place[moved] == 2)
    loss = float(-np.log(np.clip(p[np.arange(len(p)), place], 1e-12, 1.0)).mean())
    brier = float(((p - np.eye(3)[place]) ** 2).sum(axis=1).mean())
    error = (calibration_error(p[:, 2], place == 2) + calibration_error(p[:, 0], place == 0)) / 2
    return Score(*(round(value, decimals) for value in (area, loss, brier, error)))


def block_interval(
    ts_ns: npt.NDArray[np.int64],
    statistic: Callable[[npt.NDArray[np.int64]], float],
    block_s: int = 10,
    draws: int = 400,
) -> tuple[float, float]:
    """Give the 95 % interval of a statistic of row indices under a bootstrap of whole blocks of time.

    Rows of neighbouring instants share their outcome, so rows one by one would look far too certain.
    """
    blocks = ts_ns // (block_s * 1_000_000_000)
    members = [np.flatnonzero(blocks == block) for block in np.unique(blocks)]
    chance = np.random.default_rng(1)
    values = [
        statistic(np.concatenate([members[at] for at in chance.integers(0, len(members), len(members))]))
        for _ in range(draws)
    ]
    return float(np.quantile(values, 0.025)), float(np.quantile(values, 0.975))
