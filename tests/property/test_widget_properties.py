"""Whatever comes in, at whatever size: widths are exact, numbers are whole, nothing raises."""

from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pipeline.core.snapshot import ConsoleSnapshot
from tests.fakes import snapshots
from tests.fakes.wild import wild
from widgets import cells, glyphs, plot, times
from widgets.layout import PANELS
from widgets.lines import Line, changed_runs, exact, fit, flow, line_text, line_width
from widgets.plan import PAGES, plan
from widgets.roles import ROLES

STATES = {
    "ok": snapshots.make_snapshot(),
    "stale": snapshots.stale_snapshot(),
    "empty": snapshots.empty_snapshot(),
    "killed": snapshots.killed_snapshot(),
    "confirmed": snapshots.killed_snapshot(confirmed=True),
    "many": snapshots.many_ideas_snapshot(),
    "live": snapshots.live_snapshot(),
    "replay": snapshots.replay_snapshot(),
    "states": replace(snapshots.make_snapshot(), orders=snapshots.every_order_state()),
    "spot": snapshots.make_snapshot(snapshots.FakeMarket(snapshots.SPOT, 6_421_010)),
    "tiny": snapshots.make_snapshot(snapshots.FakeMarket(snapshots.TINY, 1_234)),
}
words = st.text(max_size=12)
roles = st.sampled_from(sorted(ROLES))
segments = st.tuples(words.map(cells.clean), roles)
lines = st.lists(segments, max_size=6).map(tuple)
integers = st.integers(-(10**18), 10**18)
whole = st.integers(0, 10**18)


@given(whole, st.integers(0, 8), st.integers(3, 5))
def test_every_size_fits_its_cell_and_has_no_exponent(units: int, decimals: int, places: int) -> None:
    shown = cells.size_text(units, decimals, places)
    assert len(shown) <= max(6, places + 2)
    assert "e" not in shown
    assert (shown == "0") == (units == 0)


@given(st.integers(1, 10**15), st.integers(0, 8))
def test_a_size_is_within_half_of_its_last_digit(units: int, decimals: int) -> None:
    shown = cells.size_text(units, decimals, 5)
    if shown[0] in "<>":
        return
    factor = {"k": 10**3, "M": 10**6, "G": 10**9}.get(shown[-1], 1)
    digits = shown.rstrip("kMG")
    unit = factor / 10 ** len(digits.partition(".")[2])
    assert abs(float(digits) * factor - units / 10**decimals) <= unit / 2 * (1 + 1e-9)


@given(integers, st.integers(0, 8))
def test_a_scaled_number_is_exact_after_grouping(value: int, decimals: int) -> None:
    shown = cells.grouped(cells.signed(value, decimals))
    assert int(shown.replace(",", "").replace(".", "").replace("+", "")) == value


@given(st.integers(-1, 10**15))
def test_ages_and_delays_keep_to_their_cells(value: int) -> None:
    assert len(times.age_text(value)) <= 6
    assert len(times.delay_text(value)) <= 5


@given(st.text(max_size=40))
def test_cleaned_text_is_safe_to_draw(raw: str) -> None:
    shown = cells.clean(raw)
    assert all(character == "\ufffd" or character.isprintable() for character in shown)
    assert cells.cell_width(shown) == sum(cells.cell_width(character) for character in shown)
    assert cells.clean(shown) == shown


@given(st.text(max_size=30), st.integers(0, 40))
def test_padding_gives_exact_widths(raw: str, width: int) -> None:
    shown = cells.clean(raw)
    assert cells.cell_width(cells.left(shown, width)) == width
    assert cells.cell_width(cells.right(shown, width)) == width


@given(integers, integers, st.integers(0, 30))
def test_bars_have_exact_widths(value: int, full: int, width: int) -> None:
    assert len(plot.bar(value, full, width)) == width
    assert len(plot.half_bar(value, full, width)) == width
    assert len(plot.bar_from_right(value, full, width)) == width
    assert [len(half) for half in plot.centre_bar(value, full, width)] == [width, width]


@given(
    st.lists(st.none() | st.integers(-1000, 1000), max_size=300),
    st.integers(-1000, 1000),
    st.integers(-1000, 1000),
    st.integers(1, 60),
    st.integers(1, 12),
)
def test_charts_have_exact_sizes(
    values: list[int | None], low: int, high: int, width: int, height: int
) -> None:
    rows = plot.braille_chart(values, low, high, width, height)
    assert [len(row) for row in rows] == [width] * height
    assert len(plot.sparkline(values, low, high, width)) == width


@given(lines, st.integers(0, 60))
def test_lines_are_made_exact(line: Line, width: int) -> None:
    assert line_width(exact(line, width)) == width


@given(st.lists(st.tuples(st.integers(0, 3), lines), max_size=6), st.integers(0, 60), st.integers(0, 3))
def test_fitted_and_flowed_lines_keep_to_the_width(
    items: list[tuple[int, Line]], width: int, gap: int
) -> None:
    assert line_width(fit(items, width, gap)) <= width
    widest = max((line_width(line) for _, line in items), default=0)
    for line in flow([line for _, line in items], width, gap):
        assert line_width(line) <= max(width, widest)


def painted(line: Line) -> list[tuple[str, str]]:
    """Give a line cell by cell; a wide character is repeated."""
    return [(ch, role) for words, role in line for ch in words for _ in range(cells.cell_width(ch))]


@given(lines, lines, st.integers(1, 40))
def test_repainting_the_changed_runs_gives_the_new_line(before: Line, after: Line, width: int) -> None:
    before, after = exact(before, width), exact(after, width)
    old, new = painted(before), painted(after)
    for start, end in changed_runs(before, after):
        assert 0 <= start < end <= width
        old[start:end] = new[start:end]
    assert old == new


@given(st.text(max_size=30))
def test_plain_text_is_ascii_of_the_same_length(raw: str) -> None:
    shown = glyphs.to_ascii(raw)
    assert shown.isascii()
    assert len(shown) == len(raw)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 260), st.integers(1, 90), st.sampled_from(sorted(PAGES)))
def test_a_plan_fills_the_screen_without_overlap(width: int, height: int, page: str) -> None:
    covered = [[0] * width for _ in range(height)]
    for place in plan(width, height, page).values():
        assert place.width > 0
        assert place.height > 0
        for row in covered[place.y : place.y + place.height]:
            for column in range(place.x, place.x + place.width):
                row[column] += 1
    assert all(cell == 1 for row in covered for cell in row)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(STATES)), st.integers(20, 200), st.integers(1, 60), st.booleans())
def test_no_panel_is_wider_or_higher_than_its_place(state: str, width: int, height: int, old: bool) -> None:
    for name, kind in PANELS.items():
        panel = kind(id=name)
        panel.keep(STATES[state], 5_000 if old else 0)
        drawn = panel.framed(width, height)
        assert len(drawn) == height
        assert [line_width(line) for line in drawn] == [width] * height
        assert all(role in ROLES for line in drawn for _, role in line)


WORDY = ("status", "proposals", "permits", "position", "orders", "alerts", "chain", "why", "imbalance")
NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?")


def numbers(snapshot: ConsoleSnapshot, name: str, width: int, height: int) -> set[str]:
    panel = PANELS[name](id=name)
    panel.keep(snapshot)
    found: set[str] = set()
    for line in panel.content(snapshot, width, height):
        found |= set(NUMBER.findall(line_text(line)))
    return found


@pytest.mark.parametrize("state", sorted(STATES))
def test_a_narrow_panel_leaves_numbers_out_but_never_cuts_one(state: str) -> None:
    """Every number on a narrow panel stands on a wide one too; what says `n more` is the one exception."""
    snapshot = STATES[state]
    for name in WORDY:
        heights = (3,) if name == "status" else (2, 7, 12)
        whole: set[str] = set()
        for height in (3,) if name == "status" else (2, 7, 12, 40):
            for width in (60, 90, 109, 115, 139, 240):
                whole |= numbers(snapshot, name, width, height)
        for width in range(20, 120, 3):
            for height in heights:
                strange = numbers(snapshot, name, width, height) - whole
                assert not {number for number in strange if len(number) > 2}, (name, width, height)


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(sorted(STATES)),
    st.sampled_from(sorted(PANELS)),
    st.integers(0, 2**32),
    st.sampled_from((0.05, 0.4, 1.0)),
    st.integers(1, 200),
    st.integers(1, 60),
)
def test_any_snapshot_is_drawn_at_any_size_in_harmless_exact_lines(
    state: str, name: str, seed: int, share: float, width: int, height: int
) -> None:
    random = Random(seed)  # one number instead of hundreds of choices: a failure names it
    panel = PANELS[name](id=name)
    for turn in range(2):  # the second picture meets what the panel remembers of the first
        panel.keep(wild(STATES[state], random, share), random.choice((0, 5_000)))
        drawn = panel.framed(max(1, width - turn), height)
        assert len(drawn) == height
        for line in drawn:
            assert line_width(line) == max(1, width - turn)
            assert line_text(line).isprintable(), line
            assert all(role in ROLES for _, role in line)
