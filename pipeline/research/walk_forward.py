"""Test only on what comes after the training: expanding folds in time, purged by the end of the label."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]

FOLDS = 4
FIRST_TRAIN_SHARE = 0.35
EMBARGO_NS = 1_000_000_000


def folds(ts_ns: Times, label_ns: int) -> Iterator[tuple[Flags, Flags]]:
    """Yield (train, test) masks over rows in order of time.

    `label_ns` is from decision to the end of the label; a training row whose label ends less than the
    embargo before the test starts is left out.
    """
    start, end = int(ts_ns[0]), int(ts_ns[-1])
    shares = FIRST_TRAIN_SHARE + (1.0 - FIRST_TRAIN_SHARE) * np.arange(FOLDS + 1) / FOLDS
    edges = [start + int(share * (end - start)) for share in shares]
    edges[-1] = end + 1
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        yield ts_ns + label_ns + EMBARGO_NS <= low, (ts_ns >= low) & (ts_ns < high)


def out_of_sample(
    ts_ns: Times, label_ns: int, fit_and_answer: Callable[[Flags, Flags], Floats]
) -> tuple[Flags, Floats]:
    """Give the rows that were tested, and P(up) of each of them from a model that had not seen them."""
    answers = np.full(len(ts_ns), np.nan)
    for train, test in folds(ts_ns, label_ns):
        answers[test] = fit_and_answer(train, test)
    tested = ~np.isnan(answers)
    return tested, answers[tested]
