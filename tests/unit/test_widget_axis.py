"""The ladder's axis: it stands still until it must move."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pipeline.core.snapshot import LadderView
from tests.fakes.snapshots import FakeMarket
from widgets.axis import LadderAxis, ask_row, bid_row

SECOND = 1_000_000_000
ROWS = 20


def ladder(mid_ticks: int = 1_000, range_ticks: int = 10) -> LadderView:
    """Give a book with a level at every tick."""
    return replace(
        FakeMarket().ladder(),
        bids=tuple((mid_ticks - place, 5) for place in range(100)),
        asks=tuple((mid_ticks + 1 + place, 5) for place in range(100)),
        mid_half_ticks=2 * mid_ticks,
        range_10s_ticks=range_ticks,
    )


def started(**changes: int) -> LadderAxis:
    return LadderAxis().follow(ladder(**changes), ROWS, 100 * SECOND)


def test_before_a_book_there_is_no_axis() -> None:
    assert LadderAxis().follow(ladder(mid_ticks=0), ROWS, 0).step == 0


def test_the_step_spans_twice_the_ten_second_range_in_1_2_5() -> None:
    assert started(range_ticks=10).step == 1
    assert started(range_ticks=30).step == 5
    assert started(range_ticks=2_466).step == 500


def test_the_step_is_never_below_one_tick() -> None:
    axis = started(range_ticks=0)
    assert axis.step == 1
    assert axis.stepped(-1, ladder(), 101 * SECOND).step == 1


def sparse(every: int, levels: int = 300) -> LadderView:
    """Give a book that does not move, with one level each `every` ticks."""
    return replace(
        ladder(mid_ticks=100_000, range_ticks=0),
        bids=tuple((100_000 - every * place, 5) for place in range(levels)),
        asks=tuple((100_001 + every * place, 5) for place in range(levels)),
    )


def held_rows(book: LadderView, step: int) -> int:
    centre = book.mid_half_ticks // (2 * step)
    shown = range(centre + ROWS // 2 - ROWS + 1, centre + ROWS // 2 + 1)
    rows = {bid_row(price, step) for price, _ in book.bids} | {ask_row(price, step) for price, _ in book.asks}
    return len(rows & set(shown))


@given(every=st.integers(1, 3_000), levels=st.integers(40, 300))
def test_a_book_that_stands_still_fills_half_the_rows(every: int, levels: int) -> None:
    book = sparse(every, levels)
    step = LadderAxis().follow(book, ROWS, 0).step
    assert held_rows(book, step) * 2 >= ROWS
    assert step <= 2.5 * every


def test_a_book_of_few_levels_is_not_merged_into_one_row() -> None:
    assert LadderAxis().follow(sparse(2, levels=2), ROWS, 0).step == 1


def test_an_axis_of_one_row_ends_its_search() -> None:
    assert LadderAxis().follow(replace(sparse(4), bids=()), 1, 0).step > 0


def test_a_step_gets_finer_only_where_clearly_enough_rows_hold_a_level() -> None:
    axis = LadderAxis().follow(sparse(8), ROWS, 0)
    assert axis.step == 5
    assert LadderAxis().follow(sparse(4), ROWS, 0).step == 2
    assert axis.follow(sparse(4), ROWS, 40 * SECOND).step == 5
    assert axis.follow(sparse(3), ROWS, 40 * SECOND).step == 2


def test_the_axis_stands_while_the_touch_stays_in_the_middle_half() -> None:
    axis = started()
    assert axis.follow(ladder(mid_ticks=1_005), ROWS, 105 * SECOND).centre == axis.centre


def test_the_axis_recentres_when_the_touch_leaves_the_middle_half() -> None:
    assert started().follow(ladder(mid_ticks=1_006), ROWS, 105 * SECOND).centre == 1_006


def test_recentring_happens_at_most_once_a_second() -> None:
    axis = started().follow(ladder(mid_ticks=1_006), ROWS, 105 * SECOND)
    moved = ladder(mid_ticks=1_020)
    assert axis.follow(moved, ROWS, 105 * SECOND + SECOND // 2).centre == 1_006
    assert axis.follow(moved, ROWS, 106 * SECOND).centre == 1_020


def test_an_order_cursor_holds_the_axis() -> None:
    assert started().follow(ladder(mid_ticks=1_020), ROWS, 105 * SECOND, held=True).centre == 1_000


def test_the_step_changes_at_most_every_thirty_seconds() -> None:
    axis = started(range_ticks=10)
    wild = ladder(range_ticks=100)
    assert axis.follow(wild, ROWS, 115 * SECOND).step == 1
    assert axis.follow(wild, ROWS, 130 * SECOND).step == 10


def test_the_step_grows_at_once_while_the_range_is_still_forming() -> None:
    assert started(range_ticks=0).follow(ladder(range_ticks=100), ROWS, 103 * SECOND).step == 10


def test_a_step_taken_by_hand_stays() -> None:
    axis = started().stepped(1, ladder(), 101 * SECOND)
    assert axis.step == 2
    later = axis.follow(ladder(range_ticks=500), ROWS, 200 * SECOND)
    assert later.step == 2
    assert later.automatic().follow(ladder(range_ticks=500), ROWS, 201 * SECOND).step == 50


def test_steps_by_hand_go_through_1_2_5_and_back() -> None:
    axis, seen = started(), []
    for _ in range(4):
        axis = axis.stepped(1, ladder(), 101 * SECOND)
        seen.append(axis.step)
    for _ in range(4):
        axis = axis.stepped(-1, ladder(), 101 * SECOND)
        seen.append(axis.step)
    assert seen == [2, 5, 10, 20, 10, 5, 2, 1]


def test_time_that_jumps_back_does_not_hold_the_axis() -> None:
    axis = started().follow(ladder(mid_ticks=1_006), ROWS, 105 * SECOND)
    assert axis.follow(ladder(mid_ticks=1_050), ROWS, 3 * SECOND).centre == 1_050


def test_grouping_never_makes_a_level_look_better_than_it_is() -> None:
    assert bid_row(1_009, 10) * 10 <= 1_009
    assert ask_row(1_001, 10) * 10 >= 1_001
    assert bid_row(1_010, 10) == ask_row(1_010, 10) == 101
