"""Test only on what comes after the training: expanding folds in time, purged by the end of each label."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]

FOLDS = 4
FIRST_TRAIN_SHARE = 0.35
EMBARGO_NS = 1_000_000_000
LONGEST_GAP_NS = 60 * 1_000_000_000
"""Time without rows counts as at most this when the folds are cut, so that two days make fair folds."""


@dataclass(frozen=True, slots=True)
class FoldPlan:
    """How the time of the rows is cut."""

    count: int = FOLDS
    first_train_share: float = FIRST_TRAIN_SHARE
    """Share of the time before the first test."""
    embargo_ns: int = EMBARGO_NS
    """Least time from the end of a training label to the first test row."""


def folds(ts_ns: Times, end_ns: Times, plan: FoldPlan | None = None) -> Iterator[tuple[Flags, Flags]]:
    """Yield (train, test) masks over rows in order of time.

    `end_ns` is when each row's label is settled: the end of its horizon, or the touch of a barrier. A
    training row whose label is settled less than the embargo before the first test row is left out. A fold
    without a row on either side is not given.
    """
    plan = plan or FoldPlan()
    active = np.concatenate(([0], np.cumsum(np.minimum(np.diff(ts_ns), LONGEST_GAP_NS))))
    shares = np.linspace(plan.first_train_share, 1.0, plan.count + 1)
    edges = [int(share * active[-1]) for share in shares]
    edges[-1] = int(active[-1]) + 1
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        test = (active >= low) & (active < high)
        if not test.any():
            continue
        train = (end_ns + plan.embargo_ns <= ts_ns[test][0]) & (active < low)
        if train.any():
            yield train, test


def out_of_sample(
    ts_ns: Times,
    end_ns: Times,
    fit_and_answer: Callable[[Flags, Flags], Floats],
    plan: FoldPlan | None = None,
) -> tuple[Flags, Floats]:
    """Give the rows that were tested, and the answer to each of them of a model that had not seen them.

    An answer is one number a row, or several: [tested] or [tested, k].
    """
    tested = np.zeros(len(ts_ns), dtype=bool)
    answers: list[Floats] = []
    for train, test in folds(ts_ns, end_ns, plan):
        answers.append(fit_and_answer(train, test))
        tested |= test
    return tested, np.concatenate(answers) if answers else np.zeros(0)
