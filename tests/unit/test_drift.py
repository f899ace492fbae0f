"""Population stability against a direct computation, with ties, empty bins and rows of another model."""

from __future__ import annotations

from math import log

import pytest

from pipeline.core.drift import FLOOR, LEAST_ROWS, NO_BINS, ROWS_FULL, TOO_FEW, FeatureDrift

EDGES = tuple(range(10, 100, 10))


def test_values_as_in_training_have_no_index() -> None:
    drift = FeatureDrift([EDGES])
    for value in range(LEAST_ROWS):
        drift.note([value % 100])
    assert drift.index_e6() == (0,)


def test_all_in_one_bin_is_far_off() -> None:
    drift = FeatureDrift([EDGES, ()])
    for _ in range(LEAST_ROWS):
        drift.note([55, 1])
    wanted = 0.9 * log(10) + 9 * (FLOOR - 0.1) * log(FLOOR / 0.1)
    assert drift.index_e6()[0] == pytest.approx(wanted * 1e6, abs=1)
    assert drift.index_e6()[1] == NO_BINS


def test_deciles_that_coincide_are_one_bin() -> None:
    drift = FeatureDrift([(0,) * 5 + (10, 20, 30, 40)])
    for step in range(LEAST_ROWS):
        drift.note([-1 if step % 10 < 5 else (step % 10 - 5) * 10])
    assert drift.index_e6() == (0,)


def test_too_few_rows_and_rows_of_another_width_say_nothing() -> None:
    drift = FeatureDrift([EDGES])
    for _ in range(LEAST_ROWS):
        drift.note([1, 2])
    drift.note([1])
    assert (drift.rows, drift.index_e6()) == (1, (TOO_FEW,))


def test_half_a_minute_of_rows_has_no_index_and_halving_leaves_one() -> None:
    drift = FeatureDrift([EDGES])
    for _ in range(330):
        drift.note([5])
    assert drift.index_e6() == (TOO_FEW,)
    for _ in range(ROWS_FULL - 330):
        drift.note([5])
    assert drift.rows < ROWS_FULL
    assert drift.index_e6()[0] > 0


def test_counts_halve_when_full() -> None:
    drift = FeatureDrift([EDGES])
    for _ in range(ROWS_FULL):
        drift.note([5])
    assert drift.state() == (ROWS_FULL // 2, ((ROWS_FULL // 2, *[0] * 9),))
    other = FeatureDrift([EDGES[:3]])
    other.restore(*drift.state())
    assert other.rows == 0
