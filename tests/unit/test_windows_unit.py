"""Rolling structures: the cases a property test would not name."""

from __future__ import annotations

import math

import pytest

from pipeline.core.windows import INT64_MAX, DecayedSum, EwmaLevel, EwmaMoments, WindowSum

SECOND = 1_000_000_000


def test_item_leaves_the_window_exactly_when_it_is_as_old_as_the_window() -> None:
    window = WindowSum((SECOND,), 8)
    window.add(5 * SECOND, 7)
    assert window.total(0, 6 * SECOND - 1) == 7
    assert window.total(0, 6 * SECOND) == 0


def test_two_windows_share_one_ring() -> None:
    windows = WindowSum((SECOND, 5 * SECOND), 8)
    windows.add(0, 1)
    windows.add(2 * SECOND, 10)
    assert windows.total(1, 2 * SECOND) == 11
    assert windows.total(0, 2 * SECOND) == 10


def test_full_window_gives_up_its_oldest_item_and_counts_it() -> None:
    window = WindowSum((SECOND,), 3)
    for ts_ns in range(5):
        window.add(ts_ns, 10**ts_ns)
    assert window.total(0, 5) == 11_100
    assert window.overflows == 2


def test_expired_items_make_room_without_an_overflow() -> None:
    window = WindowSum((SECOND,), 3)
    for k in range(100):
        window.add(k * SECOND, 1)
    assert window.total(0, 99 * SECOND) == 1
    assert window.overflows == 0


def test_short_window_that_nobody_read_survives_turns_of_the_ring() -> None:
    windows = WindowSum((SECOND, 2 * SECOND), 4)
    for k in range(50):
        windows.add(k * SECOND, k)
        assert windows.total(1, k * SECOND) == k + max(k - 1, 0)
    assert windows.total(0, 49 * SECOND) == 49


def test_sums_far_beyond_64_bits_stay_exact() -> None:
    window = WindowSum((SECOND,), 8)
    for _ in range(4):
        window.add(0, INT64_MAX)
    assert window.total(0, 1) == 4 * INT64_MAX
    assert window.total(0, SECOND) == 0


@pytest.mark.parametrize("x", [1 << 63, -(1 << 70)])
def test_item_beyond_64_bits_is_cut_and_counted(x: int) -> None:
    window = WindowSum((SECOND,), 8)
    window.add(0, x)
    assert window.total(0, 0) == (INT64_MAX if x > 0 else -INT64_MAX)
    assert window.total(0, SECOND) == 0
    assert window.overflows == 1


@pytest.mark.parametrize(("windows_ns", "capacity"), [((), 1), ((0,), 1), ((2, 1), 1), ((1,), 0)])
def test_impossible_windows_are_refused(windows_ns: tuple[int, ...], capacity: int) -> None:
    with pytest.raises(ValueError, match="capacity"):
        WindowSum(windows_ns, capacity)


def test_decayed_sum_halves_after_ln_2_tau() -> None:
    decayed = DecayedSum(SECOND)
    decayed.add(0, 8.0)
    assert decayed.at(round(SECOND * math.log(2))) == pytest.approx(4.0, rel=1e-8)
    assert decayed.value == 8.0


def test_ewma_weighs_levels_by_the_time_they_stood() -> None:
    ewma = EwmaLevel(SECOND)
    ewma.update(0, 0.0)
    for k in range(1, 101):
        ewma.update(SECOND + k, 100.0)  # a burst of a hundred updates within 100 ns
    assert ewma.at(SECOND + 100) == pytest.approx(0.0, abs=1e-4)
    assert ewma.at(100 * SECOND) == pytest.approx(100.0)


def test_ewma_starts_at_its_first_level() -> None:
    ewma = EwmaLevel(SECOND)
    assert not ewma.started
    ewma.update(5, 3.0)
    assert ewma.started
    assert ewma.at(5) == 3.0


def test_score_uses_what_was_known_before_the_sample() -> None:
    moments = EwmaMoments(300 * SECOND)
    for k in range(2_000):
        moments.add(k * SECOND, 1.0 if k % 2 else -1.0)
    before = (moments.mean, moments.variance)
    assert moments.score(2.0) == pytest.approx(2.0, rel=0.02)
    assert (moments.mean, moments.variance) == before
    assert moments.score(1e9) == 5.0
    assert moments.score(-1e9) == -5.0


def test_score_without_any_deviation_is_zero() -> None:
    moments = EwmaMoments(SECOND)
    assert moments.score(3.0) == 0.0
    moments.add(0, 3.0)
    assert moments.score(4.0) == 0.0


def test_cleared_structures_are_as_new() -> None:
    window, decayed = WindowSum((SECOND,), 2), DecayedSum(SECOND)
    ewma, moments = EwmaLevel(SECOND), EwmaMoments(SECOND)
    window.add(1, 1)
    decayed.add(1, 1.0)
    ewma.update(1, 1.0)
    moments.add(1, 1.0)
    for cleared in (window, decayed, ewma, moments):
        cleared.clear()
    assert (window.total(0, 1), decayed.at(1), ewma.started, moments.started) == (0, 0.0, False, False)
