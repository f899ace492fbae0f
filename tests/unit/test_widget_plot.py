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


def test_a_column_is_drawn_once_it_is_whole_and_never_changes_again() -> None:
    values = tuple(range(100, 130))
    seen = [plot.whole_columns((*values, *range(130, 130 + more)), 3, 29 + more) for more in range(4)]
    assert [each[-1] for each in seen] == [129, 129, 129, 132]
    assert plot.whole_columns((1, 2), 3, 1) == ()


def test_a_path_that_slides_changes_only_when_a_column_is_whole() -> None:
    path = tuple(range(1_000))
    windows = [plot.whole_columns(path[n : n + 240], 3, n + 239) for n in range(30)]
    assert len(set(windows)) == 10
    assert all(len(window) % 3 == 0 for window in windows)


def test_columns_average_what_is_there() -> None:
    assert plot.averages([1, 3, None, None, None, 8], 2) == [2, None, 8]


def test_a_sparkline_is_as_wide_as_asked() -> None:
    assert plot.sparkline([-10, None, 10], -10, 10, 5) == "  ▁ █"
    assert plot.sparkline([1] * 50, 0, 1, 5) == "█████"
    assert plot.sparkline([], 0, 1, 3) == "   "


@pytest.mark.parametrize(("least", "step"), [(-3, 1), (1, 1), (2, 2), (3, 5), (51, 100)])
def test_steps_are_one_two_five(least: int, step: int) -> None:
    assert plot.nice_step(least) == step
