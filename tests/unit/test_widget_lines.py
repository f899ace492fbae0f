"""Lines of segments: fitting, flowing and comparing."""

from __future__ import annotations

from widgets.lines import (
    BLANK,
    Line,
    changed_runs,
    exact,
    fit,
    flow,
    join,
    line_text,
    overprint,
    pick_rows,
    spread,
    text,
    wrap,
)


def line(*words: str) -> Line:
    return tuple((word, "text") for word in words)


def test_the_least_important_item_goes_first_and_goes_whole() -> None:
    items = [(0, text("pos +0.020")), (2, text("day -1.04")), (1, text("alerts 0"))]
    assert line_text(fit(items, 40)) == "pos +0.020  day -1.04  alerts 0"
    assert line_text(fit(items, 22)) == "pos +0.020  alerts 0"
    assert line_text(fit(items, 12)) == "pos +0.020"
    assert fit(items, 5) == BLANK


def test_empty_items_leave_no_gap() -> None:
    assert line_text(fit([(0, text("a")), (1, text("")), (2, text("b"))], 10)) == "a  b"
    assert line_text(join([text("a"), BLANK, text("b")], 1)) == "a b"


def test_a_part_is_never_split_over_lines() -> None:
    lines = flow([text("one two"), text("three"), text("four")], 9, gap=1, indent=1)
    assert [line_text(each) for each in lines] == ["one two", " three", " four"]


def test_the_end_of_a_spread_line_gives_way() -> None:
    assert line_text(spread(text("left"), text("right"), 12)) == "left   right"
    assert line_text(spread(text("left"), text("right"), 9)) == "left"


def test_an_overlong_line_loses_whole_segments_and_says_so() -> None:
    assert line_text(exact(line("price ", "64,210.10"), 12)) == "price …     "
    assert line_text(exact(line("ab"), 4)) == "ab  "


def test_rows_are_dropped_by_importance_and_keep_their_order() -> None:
    rows = [(1, text("a")), (0, text("b")), (2, text("c"))]
    assert [line_text(row) for row in pick_rows(rows, 2)] == ["a", "b"]


def test_an_overprint_takes_the_middle_line() -> None:
    lines = overprint([text("x" * 9)] * 3, "GAP", "overprint", 9)
    assert [line_text(each).strip() for each in lines] == ["x" * 9, "GAP", "x" * 9]


def test_words_wrap_at_blanks() -> None:
    assert [line_text(each) for each in wrap("one two three", "text", 7)] == ["one two", "three"]


def test_only_changed_cells_are_repainted() -> None:
    before = line("price ", "64210.1", "     ", "1.234")
    assert changed_runs(before, before) == []
    assert changed_runs(before, line("price ", "64210.3", "     ", "1.234")) == [(12, 13)]
    far_apart = changed_runs(line("a", " " * 10, "b"), line("x", " " * 10, "y"))
    assert far_apart == [(0, 1), (11, 12)]
    close = changed_runs(line("a", "  ", "b"), line("x", "  ", "y"))
    assert close == [(0, 4)]


def test_a_change_of_role_alone_is_a_change() -> None:
    assert changed_runs((("ab", "bid"),), (("ab", "ask"),)) == [(0, 2)]


def test_how_a_line_is_cut_into_segments_does_not_matter() -> None:
    assert changed_runs(line("ab", "cd", "ef"), line("ab", "c", "d", "ef")) == []
    assert changed_runs(line("ab", "cd", "ef"), line("abc", "x", "ef")) == [(3, 4)]


def test_a_blank_is_a_blank_in_every_quiet_role() -> None:
    before, after = (("a", "text"), (" ", "rule")), (("a", "text"), (" ", "path"))
    assert changed_runs(before, after) == [(1, 2)]
    assert changed_runs(before, after, frozenset({"rule", "path"})) == []


def test_a_line_with_wide_characters_is_repainted_whole() -> None:
    assert changed_runs(line("王 1"), line("王 2")) == [(0, 4)]
