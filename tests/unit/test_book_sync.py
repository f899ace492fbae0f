"""The synchronisation of a book, situation by situation (VENUES 1.4 and 2.3)."""

from collections.abc import Iterable

import pytest

from pipeline.core.inputs import DepthSnapshot, DepthUpdate
from pipeline.core.sync import SyncedBook
from pipeline.core.sync_step import SyncEvent, SyncStep
from pipeline.core.types import BookState
from tests.fakes.market_builders import SECOND, SPOT, USDM, book_ticker, depth_snapshot, depth_update

MS = 1_000_000


def spot() -> SyncedBook:
    return SyncedBook(SPOT)


def usdm() -> SyncedBook:
    return SyncedBook(USDM)


def feed(book: SyncedBook, inputs: Iterable[DepthUpdate | DepthSnapshot]) -> list[SyncStep]:
    return [
        book.on_update(event) if isinstance(event, DepthUpdate) else book.on_snapshot(event)
        for event in inputs
    ]


def synced_spot() -> SyncedBook:
    book = spot()
    feed(book, [depth_update(159, 162), depth_snapshot(160)])
    assert book.state is BookState.SYNCED
    return book


def numbers(book: SyncedBook) -> tuple[int, int, int, int, int]:
    return book.gaps, book.resyncs, book.crossed, book.ignored, book.updates


# --- spot -------------------------------------------------------------------------------------------------


def test_worked_example_of_spot() -> None:
    book = spot()
    steps = feed(
        book,
        [
            depth_update(150, 158, bids=[(100, 1)]),
            depth_update(157, 161, bids=[(99, 7)]),
            depth_snapshot(160),
            depth_update(162, 165, asks=[(101, 9)]),
        ],
    )
    assert [step.event for step in steps] == [
        SyncEvent.BUFFERED,
        SyncEvent.BUFFERED,
        SyncEvent.SYNCED,
        SyncEvent.APPLIED,
    ]
    assert book.book.top(2) == (((100, 5), (99, 7)), ((101, 9), (102, 4)))
    assert (book.last_update_id, book.gaps) == (165, 0)
    gap = book.on_update(depth_update(167, 170))
    assert gap == SyncStep(SyncEvent.GAP, False, "gap")
    assert (book.state, book.gaps, book.last_update_id) == (BookState.GAP, 1, 165)


def test_first_update_of_an_empty_book_asks_for_a_snapshot_once() -> None:
    steps = feed(spot(), [depth_update(1, 2), depth_update(3, 4)])
    assert [step.snapshot_reason for step in steps] == ["start", ""]


def test_snapshot_before_the_bridging_update_waits_for_it() -> None:
    book = spot()
    steps = feed(book, [depth_snapshot(160), depth_update(155, 160), depth_update(161, 163)])
    assert [step.event for step in steps] == [SyncEvent.LOADED, SyncEvent.IGNORED, SyncEvent.SYNCED]
    assert numbers(book) == (0, 0, 0, 1, 1)


def test_snapshot_that_ends_just_before_the_first_update_joins_it() -> None:
    book = spot()
    feed(book, [depth_update(161, 163), depth_snapshot(160)])
    assert book.state is BookState.SYNCED


def test_snapshot_too_old_for_the_buffer_is_asked_for_again_after_a_pause() -> None:
    book = spot()
    steps = feed(book, [depth_update(162, 163), depth_update(164, 165), depth_snapshot(160)])
    assert steps[-1] == SyncStep(SyncEvent.TOO_OLD)
    assert (book.state, book.gaps) == (BookState.SYNCING, 0)
    assert book.on_beat(SECOND + 99 * MS).event is SyncEvent.NOTHING
    assert book.on_beat(SECOND + 100 * MS) == SyncStep(SyncEvent.RESYNC, False, "retry")
    assert book.on_snapshot(depth_snapshot(163)).event is SyncEvent.SYNCED
    assert book.last_update_id == 165


def test_missing_bridging_update_is_no_gap() -> None:
    book = spot()
    steps = feed(book, [depth_snapshot(160), depth_update(162, 163)])
    assert steps[-1].event is SyncEvent.TOO_OLD
    assert (book.state, book.gaps) == (BookState.SYNCING, 0)


def test_lost_answer_is_asked_for_again() -> None:
    book = spot()
    feed(book, [depth_update(1, 2)])
    assert book.on_beat(5 * SECOND).event is SyncEvent.NOTHING
    assert book.on_beat(6 * SECOND).snapshot_reason == "retry"
    assert book.on_beat(15 * SECOND).event is SyncEvent.NOTHING
    assert book.on_beat(16 * SECOND).snapshot_reason == "retry"


def test_old_and_repeated_updates_are_ignored() -> None:
    book = synced_spot()
    before = book.book.top(5)
    steps = feed(book, [depth_update(161, 162, bids=[(100, 77)]), depth_update(150, 151)])
    assert {step.event for step in steps} == {SyncEvent.IGNORED}
    assert book.book.top(5) == before
    assert book.ignored == 2


def test_update_that_overlaps_what_is_known_joins() -> None:
    book = synced_spot()
    assert book.on_update(depth_update(160, 170)).event is SyncEvent.APPLIED
    assert book.last_update_id == 170


def test_gap_ends_with_a_new_snapshot_and_counts_one_resync() -> None:
    book = synced_spot()
    steps = feed(
        book,
        [depth_update(165, 170), depth_update(171, 172, bids=[(97, 1)]), depth_snapshot(169, bids=[(90, 1)])],
    )
    assert [step.event for step in steps] == [SyncEvent.GAP, SyncEvent.BUFFERED, SyncEvent.SYNCED]
    assert book.book.top(3)[0] == ((97, 1), (90, 1))
    assert (book.gaps, book.resyncs, book.last_update_id) == (1, 1, 172)


def test_hole_among_the_buffered_updates_is_a_gap_and_keeps_the_rest() -> None:
    book = spot()
    feed(book, [depth_update(160, 161), depth_update(164, 165), depth_update(166, 167)])
    assert book.on_snapshot(depth_snapshot(160)).snapshot_reason == "gap"
    assert (book.state, book.gaps) == (BookState.GAP, 1)
    assert book.on_snapshot(depth_snapshot(164)).event is SyncEvent.SYNCED
    assert book.last_update_id == 167


def test_hole_older_than_the_snapshot_is_no_gap() -> None:
    book = spot()
    feed(book, [depth_update(150, 151), depth_update(158, 161), depth_snapshot(160)])
    assert (book.state, book.gaps) == (BookState.SYNCED, 0)


def test_snapshot_while_the_chain_holds_is_ignored() -> None:
    book = synced_spot()
    before = book.book.top(5)
    assert book.on_snapshot(depth_snapshot(500, bids=[(1, 1)])).event is SyncEvent.IGNORED
    assert (book.book.top(5), book.state) == (before, BookState.SYNCED)


def test_newer_snapshot_replaces_one_that_waits_for_its_bridge() -> None:
    book = spot()
    feed(book, [depth_snapshot(160), depth_snapshot(170, bids=[(95, 1)]), depth_update(171, 172)])
    assert book.book.top(1)[0] == ((95, 1),)
    assert (book.state, book.last_update_id) == (BookState.SYNCED, 172)


def test_buffer_drops_the_oldest_and_says_so() -> None:
    book = spot()
    feed(book, [depth_update(n, n) for n in range(1, 600)])
    assert book.overflowed == 599 - 512
    assert book.on_snapshot(depth_snapshot(10)).event is SyncEvent.TOO_OLD
    assert book.on_snapshot(depth_snapshot(300)).event is SyncEvent.SYNCED


# --- futures ----------------------------------------------------------------------------------------------


def test_worked_example_of_futures() -> None:
    book = usdm()
    steps = feed(
        book,
        [
            depth_update(140, 149, 139),
            depth_snapshot(160),
            depth_update(150, 161, 149),
            depth_update(163, 170, 161),
        ],
    )
    assert [step.event for step in steps][1:] == [SyncEvent.LOADED, SyncEvent.SYNCED, SyncEvent.APPLIED]
    assert book.on_update(depth_update(172, 180, 171)).event is SyncEvent.GAP
    assert (book.gaps, book.state) == (1, BookState.GAP)


def test_snapshot_at_the_very_end_of_an_update_seeds_a_futures_book() -> None:
    book = usdm()
    feed(
        book, [depth_update(140, 149, 139), depth_update(150, 160, 149, bids=[(100, 9)]), depth_snapshot(160)]
    )
    assert book.state is BookState.SYNCING
    assert book.on_update(depth_update(163, 170, 160)).event is SyncEvent.SYNCED
    assert (book.gaps, book.last_update_id, book.book.l1[1]) == (0, 170, 5)


def test_futures_snapshot_between_two_updates_seeds_a_book() -> None:
    book = usdm()
    feed(book, [depth_snapshot(160), depth_update(163, 170, 155)])
    assert (book.state, book.gaps) == (BookState.SYNCED, 0)


def test_futures_update_after_a_missed_one_does_not_seed() -> None:
    book = usdm()
    steps = feed(book, [depth_snapshot(160), depth_update(163, 170, 161)])
    assert steps[-1].event is SyncEvent.TOO_OLD
    assert book.gaps == 0


def test_futures_ids_need_not_be_consecutive_but_the_link_must_hold() -> None:
    book = usdm()
    feed(book, [depth_snapshot(160), depth_update(150, 161, 149)])
    assert book.on_update(depth_update(900, 950, 161)).event is SyncEvent.APPLIED
    assert book.on_update(depth_update(951, 960, 949)).event is SyncEvent.GAP


# --- connections ------------------------------------------------------------------------------------------


def test_new_connection_starts_anew_and_drops_what_the_old_one_left() -> None:
    book = synced_spot()
    step = book.on_update(depth_update(163, 164, epoch=1))
    assert step == SyncStep(SyncEvent.RESYNC, False, "epoch")
    assert book.state is BookState.SYNCING
    steps = feed(book, [depth_update(163, 170), depth_snapshot(163, epoch=0), depth_snapshot(163, epoch=1)])
    assert [s.event for s in steps] == [SyncEvent.IGNORED, SyncEvent.IGNORED, SyncEvent.SYNCED]
    assert (book.last_update_id, book.gaps, book.resyncs) == (164, 0, 1)


def test_first_connection_may_have_any_number() -> None:
    book = spot()
    assert book.on_update(depth_update(161, 162, epoch=4)).snapshot_reason == "start"
    assert book.on_snapshot(depth_snapshot(160, epoch=4)).event is SyncEvent.SYNCED


def test_snapshot_may_be_the_first_word_of_a_connection() -> None:
    book = synced_spot()
    book.on_update(depth_update(200, 201, epoch=1))
    assert book.on_snapshot(depth_snapshot(300, epoch=2)).event is SyncEvent.LOADED
    assert book.on_update(depth_update(301, 302, epoch=2)).event is SyncEvent.SYNCED


def test_connection_down_makes_the_book_stale_until_an_update_joins() -> None:
    book = synced_spot()
    assert book.on_feed_down().event is SyncEvent.STALE
    assert book.on_feed_down().event is SyncEvent.NOTHING
    assert book.on_update(depth_update(163, 164)).event is SyncEvent.RECOVERED
    assert book.is_synced
    assert spot().on_feed_down().event is SyncEvent.NOTHING


# --- crossed, locked, silent ------------------------------------------------------------------------------


def test_crossed_book_is_not_believed_until_it_uncrosses() -> None:
    book = synced_spot()
    steps = feed(
        book,
        [
            depth_update(163, 163, bids=[(103, 1)]),
            depth_update(164, 164, bids=[(98, 1)]),
            depth_update(165, 165, bids=[(103, 0)]),
        ],
    )
    assert [s.event for s in steps] == [SyncEvent.CROSSED, SyncEvent.CROSSED, SyncEvent.RECOVERED]
    assert (book.crossed, book.gaps, book.state) == (1, 0, BookState.SYNCED)


def test_locked_book_is_tolerated_for_the_grace_time() -> None:
    book = synced_spot()
    lock = depth_update(163, 163, bids=[(101, 1)], ts_ns=SECOND)
    assert book.on_update(lock).event is SyncEvent.APPLIED
    assert book.on_beat(SECOND + 99 * MS).event is SyncEvent.NOTHING
    assert book.is_synced
    assert book.on_beat(SECOND + 100 * MS).event is SyncEvent.CROSSED
    assert (book.crossed, book.state) == (1, BookState.CROSSED)


def test_update_that_finds_the_book_locked_too_long_says_crossed() -> None:
    book = synced_spot()
    book.on_update(depth_update(163, 163, bids=[(101, 1)], ts_ns=SECOND))
    still = depth_update(164, 164, bids=[(99, 1)], ts_ns=SECOND + 100 * MS)
    assert book.on_update(still).event is SyncEvent.CROSSED


def test_lock_that_ends_in_time_starts_the_grace_anew() -> None:
    book = synced_spot()
    for n, size in enumerate([1, 0, 1]):
        book.on_update(depth_update(163 + n, 163 + n, bids=[(101, size)], ts_ns=SECOND + n * 60 * MS))
    assert book.on_beat(SECOND + 200 * MS).event is SyncEvent.NOTHING
    assert book.crossed == 0


def test_book_crossed_for_a_second_is_asked_for_anew_with_growing_patience() -> None:
    book = synced_spot()
    crossing = [(103, 1)]
    book.on_update(depth_update(163, 163, bids=crossing, ts_ns=SECOND))
    assert book.on_beat(2 * SECOND - 1).event is SyncEvent.NOTHING
    assert book.on_beat(2 * SECOND).snapshot_reason == "crossed"
    assert book.state is BookState.CROSSED
    book.on_update(depth_update(164, 164, ts_ns=2 * SECOND))
    again = depth_snapshot(163, bids=[(103, 1)], ts_ns=2 * SECOND)
    assert book.on_snapshot(again).event is SyncEvent.CROSSED
    assert book.crossed == 2
    assert book.on_beat(4 * SECOND - 1).event is SyncEvent.NOTHING
    assert book.on_beat(4 * SECOND).snapshot_reason == "crossed"
    feed(book, [depth_snapshot(164), depth_update(165, 165)])
    assert (book.state, book.resyncs) == (BookState.SYNCED, 2)


def test_one_sided_book_is_not_crossed() -> None:
    book = synced_spot()
    book.on_update(depth_update(163, 163, asks=[(101, 0), (102, 0)]))
    assert (book.state, book.crossed, book.l1) == (BookState.SYNCED, 0, (100, 5, 0, 0))


def test_silence_makes_a_book_stale_and_the_next_update_ends_it() -> None:
    book = synced_spot()
    assert book.on_beat(3 * SECOND - 1).event is SyncEvent.NOTHING
    assert book.on_beat(3 * SECOND).event is SyncEvent.STALE
    assert book.on_beat(4 * SECOND).event is SyncEvent.NOTHING
    assert book.on_update(depth_update(163, 164, ts_ns=5 * SECOND)).event is SyncEvent.RECOVERED
    assert book.gaps == 0


def test_stale_book_that_missed_an_update_is_a_gap() -> None:
    book = synced_spot()
    book.on_beat(3 * SECOND)
    assert book.on_update(depth_update(164, 165)).event is SyncEvent.GAP


def test_tickers_do_not_hide_silent_depth() -> None:
    book = synced_spot()
    book.on_ticker(book_ticker(170, ts_ns=3 * SECOND))
    assert book.on_beat(3 * SECOND).event is SyncEvent.STALE


def test_beats_mean_nothing_to_an_empty_book_and_one_that_waits_for_its_bridge() -> None:
    book = spot()
    assert book.on_beat(100 * SECOND).event is SyncEvent.NOTHING
    book.on_snapshot(depth_snapshot(160))
    assert book.on_beat(200 * SECOND).event is SyncEvent.NOTHING


# --- best levels ------------------------------------------------------------------------------------------


def test_l1_is_of_the_fresher_by_update_id() -> None:
    book = synced_spot()
    assert book.on_ticker(book_ticker(162, bid=(1, 1), ask=(2, 2))) is False
    assert book.l1 == (100, 5, 101, 5)
    assert book.on_ticker(book_ticker(163, bid=(100, 9), ask=(101, 1))) is True
    assert book.l1 == (100, 9, 101, 1)
    assert not book.l1_disagrees
    book.on_update(depth_update(163, 163, bids=[(100, 9)], asks=[(101, 1)]))
    assert book.l1 == (100, 9, 101, 1)
    assert (book.check.shared, book.check.equal) == (2, 1)


@pytest.mark.parametrize(("bid", "ask"), [((101, 1), (101, 1)), ((100, 1), (102, 1))])
def test_fresher_ticker_with_other_prices_disagrees(bid: tuple[int, int], ask: tuple[int, int]) -> None:
    book = synced_spot()
    assert not book.l1_disagrees
    book.on_ticker(book_ticker(163, bid=bid, ask=ask))
    assert book.l1_disagrees
    book.on_update(depth_update(163, 164))
    assert not book.l1_disagrees


def test_older_ticker_does_not_replace_a_newer_one() -> None:
    book = synced_spot()
    book.on_ticker(book_ticker(170, bid=(100, 8)))
    assert book.on_ticker(book_ticker(169, bid=(100, 7))) is False
    assert book.l1 == (100, 8, 101, 5)


def test_ticker_of_a_new_connection_counts_even_with_a_lower_id() -> None:
    book = spot()
    book.on_ticker(book_ticker(170))
    assert book.on_ticker(book_ticker(5, bid=(90, 1), epoch=1)) is True
    assert book.l1 == (90, 1, 101, 5)


def test_nothing_known_is_zeros() -> None:
    assert spot().l1 == (0, 0, 0, 0)
    assert not spot().l1_disagrees


def test_buffered_updates_are_compared_with_tickers_once_they_are_applied() -> None:
    book = spot()
    book.on_ticker(book_ticker(162))
    feed(book, [depth_update(159, 162), depth_snapshot(160)])
    assert (book.check.shared, book.check.equal) == (1, 1)
