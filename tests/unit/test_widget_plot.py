"""Bars, sparklines and braille charts."""

from __future__ import annotations

import pytest

from widgets import plot


def test_bars_from_both_sides_mirror_each_other() -> None:
    assert plot.bar_from_right(3, 8, 4) == "  ▐█"
    assert plot.half_bar(3, 8, 4) == "█▌  "


def test_whatever_is_there_shows() -> None:
    assert plot.bar(1, 10**9, 4).strip()
    assert plot.half_bar(1, 10**9, 4).strip()
    assert not plot.bar(0, 10, 4).strip()


def test_a_bar_never_leaves_its_cells() -> None:
    assert plot.bar(10**9, 1, 3) == "███"
    assert plot.bar(5, 10, 0) == ""
    assert plot.bar(5, 0, 3) == "   "


def test_a_centre_bar_shows_its_sign_by_its_side() -> None:
    assert plot.centre_bar(-500, 1_000, 4) == ("  ██", "    ")
    assert plot.centre_bar(500, 1_000, 4) == ("    ", "██  ")


def test_a_rising_line_rises() -> None:
    rows = plot.braille_chart([0, 10, 20, 30], 0, 30, 2, 2)
    assert rows[0][0] == " "
    assert rows[0][1] != " "
    assert rows[1][0] != " "


def test_a_missing_value_breaks_the_line() -> None:
    whole = plot.braille_chart([0, 15, 30], 0, 30, 2, 2)
    broken = plot.braille_chart([0, None, 30], 0, 30, 2, 2)
    assert whole != broken


def test_old_columns_do_not_change_as_time_goes_on() -> None:
    """Columns end at fixed moments: when one more value comes, all finished columns stay what they were."""
    values = list(range(100, 130))
    before = plot.columns_of(values, 3, phase=29)
    after = plot.columns_of([*values, 130], 3, phase=30)
    assert before[:-1] == after[: len(before) - 1]


def test_columns_hold_every_value_once() -> None:
    values = [1] * 7
    for phase in range(6):
        assert all(column == 1 for column in plot.columns_of(values, 3, phase))


def test_a_sparkline_is_as_wide_as_asked() -> None:
    assert plot.sparkline([-10, None, 10], -10, 10, 5) == "  ▁ █"
    assert plot.sparkline([1] * 50, 0, 1, 5) == "█████"
    assert plot.sparkline([], 0, 1, 3) == "   "


@pytest.mark.parametrize(("least", "step"), [(-3, 1), (1, 1), (2, 2), (3, 5), (51, 100)])
def test_steps_are_one_two_five(least: int, step: int) -> None:
    assert plot.nice_step(least) == step
