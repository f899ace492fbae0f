"""A book whose snapshot comes in its stream, situation by situation (VENUES 6.3)."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from pipeline.core.inputs import DepthSnapshot, DepthUpdate
from pipeline.core.sync import SyncedBook
from pipeline.core.sync_step import SyncEvent, SyncStep
from pipeline.core.sync_streamed import StreamedBook, synced_book
from pipeline.core.types import BookState
from tests.fakes.bybit_market import LINEAR, delta, snapshot
from tests.fakes.market_builders import SECOND, SPOT, USDM


def feed(book: SyncedBook, inputs: Iterable[DepthUpdate | DepthSnapshot]) -> list[SyncStep]:
    return [
        book.on_update(event) if isinstance(event, DepthUpdate) else book.on_snapshot(event)
        for event in inputs
    ]


def events(book: SyncedBook, *inputs: DepthUpdate | DepthSnapshot) -> list[SyncEvent]:
    return [step.event for step in feed(book, inputs)]


def synced(at: int = 10) -> StreamedBook:
    book = StreamedBook(LINEAR)
    feed(book, [snapshot(at, at_ms=at)])
    assert (book.state, book.last_update_id) == (BookState.SYNCED, at)
    return book


def test_the_venues_rule_chooses_the_book() -> None:
    assert [type(synced_book(one)) for one in (SPOT, USDM, LINEAR)] == [SyncedBook, SyncedBook, StreamedBook]


def test_a_snapshot_alone_makes_the_book_believable_and_updates_follow_it() -> None:
    book = StreamedBook(LINEAR)
    assert events(book, snapshot(7), delta(8, bids=[(100, 0)], at_ms=1)) == [
        SyncEvent.SYNCED,
        SyncEvent.APPLIED,
    ]
    assert book.book.top(5) == (((99, 4),), ((101, 5), (102, 4)))
    assert (book.updates, book.gaps, book.resyncs, book.last_update_id) == (1, 0, 0, 8)


def test_update_with_gap_requests_a_snapshot_and_only_one_ends_it() -> None:
    book = synced(10)
    (gap,) = feed(book, [delta(12, at_ms=12)])
    assert (gap.event, gap.snapshot_reason, book.state) == (SyncEvent.GAP, "gap", BookState.GAP)
    assert events(book, delta(13, at_ms=13), delta(11, at_ms=13)) == [SyncEvent.IGNORED] * 2
    assert events(book, snapshot(20, at_ms=20), delta(21, at_ms=21)) == [SyncEvent.SYNCED, SyncEvent.APPLIED]
    assert (book.gaps, book.resyncs, book.state) == (1, 1, BookState.SYNCED)


def test_updates_before_the_first_snapshot_are_not_joined_to_it() -> None:
    book = StreamedBook(LINEAR)
    (first, second) = feed(book, [delta(5, bids=[(90, 1)], at_ms=1), delta(6, at_ms=2)])
    assert (first.snapshot_reason, second.snapshot_reason) == ("start", "")
    assert book.state is BookState.SYNCING
    assert events(book, snapshot(3, at_ms=3), delta(4, at_ms=4)) == [SyncEvent.SYNCED, SyncEvent.APPLIED]


def test_a_restarted_service_replaces_the_book_and_counts_from_one() -> None:
    book = synced(5_000)
    restart = snapshot(1, bids=[(50, 1)], asks=[(60, 1)], at_ms=6_000)
    assert events(book, restart, delta(2, at_ms=6_001)) == [SyncEvent.REPLACED, SyncEvent.APPLIED]
    assert book.book.top(1) == (((50, 1),), ((60, 1),))
    assert (book.gaps, book.resyncs) == (0, 1)


def test_a_book_far_ahead_is_a_new_one() -> None:
    book = synced(10)
    assert events(book, snapshot(12, at_ms=12)) == [SyncEvent.REPLACED]


def test_a_restart_whose_snapshot_was_lost_is_a_gap() -> None:
    book = synced(5_000)
    assert events(book, delta(2, at_ms=6_000)) == [SyncEvent.GAP]
    assert book.gaps == 1


def test_repeats_of_updates_are_ignored() -> None:
    book = synced(10)
    feed(book, [delta(11, at_ms=11), delta(12, at_ms=12)])
    assert events(book, delta(12, at_ms=12), delta(11, at_ms=11)) == [SyncEvent.IGNORED] * 2
    assert (book.state, book.ignored) == (BookState.SYNCED, 2)


@pytest.mark.parametrize("lost", [False, True])
def test_a_snapshot_older_than_what_was_seen_is_ignored(lost: bool) -> None:
    book = synced(10)
    feed(book, [delta(12 if lost else 11, at_ms=12)])
    assert events(book, snapshot(10, at_ms=10)) == [SyncEvent.IGNORED]
    assert book.state is (BookState.GAP if lost else BookState.SYNCED)


def test_snapshots_that_join_are_updates_as_on_a_level_one_stream() -> None:
    book = synced(10)
    repeat = snapshot(10, at_ms=3_010)
    following = snapshot(11, bids=[(98, 1)], asks=[(99, 1)], at_ms=3_020)
    assert events(book, repeat, following) == [SyncEvent.APPLIED] * 2
    assert book.book.top(1) == (((98, 1),), ((99, 1),))
    assert (book.resyncs, book.updates) == (0, 2)


def test_a_repeated_snapshot_ends_silence() -> None:
    book = synced(10)
    assert book.on_beat(4 * SECOND).event is SyncEvent.STALE
    assert events(book, snapshot(10, at_ms=3_010)) == [SyncEvent.RECOVERED]


def test_a_crossed_snapshot_is_not_believed_and_the_next_joining_update_ends_it() -> None:
    book = StreamedBook(LINEAR)
    assert events(book, snapshot(7, bids=[(102, 1)])) == [SyncEvent.CROSSED]
    assert events(book, delta(8, bids=[(102, 0), (100, 1)], at_ms=1)) == [SyncEvent.RECOVERED]


def test_a_new_connection_begins_with_its_own_snapshot_whatever_its_clock() -> None:
    book = synced(10)
    assert events(book, snapshot(4, at_ms=3, epoch=1), delta(11, at_ms=11)) == [
        SyncEvent.REPLACED,
        SyncEvent.IGNORED,
    ]
    assert events(book, delta(5, at_ms=4, epoch=1), snapshot(11, at_ms=12)) == [
        SyncEvent.APPLIED,
        SyncEvent.IGNORED,
    ]
    assert (book.epoch, book.last_update_id) == (1, 5)


def test_an_update_of_a_new_connection_before_its_snapshot_ends_the_old_book() -> None:
    book = synced(10)
    (step,) = feed(book, [delta(11, at_ms=11, epoch=1)])
    assert (step.event, step.snapshot_reason, book.state) == (SyncEvent.RESYNC, "epoch", BookState.SYNCING)
    assert events(book, snapshot(11, at_ms=12, epoch=1)) == [SyncEvent.SYNCED]


def test_a_snapshot_that_does_not_come_is_asked_for_again() -> None:
    book = synced(10)
    feed(book, [delta(12, at_ms=12)])
    assert book.on_beat(2 * SECOND).event is SyncEvent.NOTHING
    assert book.on_beat(7 * SECOND).snapshot_reason == "retry"


def test_a_venue_whose_clock_went_back_is_believed_again_after_a_silence() -> None:
    book = synced(5_000)
    assert events(book, snapshot(1, at_ms=3_000), delta(2, at_ms=3_100)) == [SyncEvent.IGNORED] * 2
    assert book.on_beat(4 * SECOND).event is SyncEvent.STALE
    assert book.on_beat(5 * SECOND).event is SyncEvent.NOTHING
    step = book.on_beat(6 * SECOND)
    assert (step.event, step.snapshot_reason, book.state) == (SyncEvent.RESYNC, "retry", BookState.GAP)
    assert events(book, snapshot(7, at_ms=3_500), delta(8, at_ms=3_600)) == [
        SyncEvent.SYNCED,
        SyncEvent.APPLIED,
    ]


def test_an_answer_that_was_asked_for_twice_counts_whatever_its_time() -> None:
    book = synced(5_000)
    feed(book, [delta(5_002, at_ms=5_002)])
    assert events(book, snapshot(1, at_ms=3_000)) == [SyncEvent.IGNORED]
    assert book.on_beat(7 * SECOND).snapshot_reason == "retry"
    assert events(book, snapshot(9, at_ms=3_900)) == [SyncEvent.SYNCED]


def test_mere_silence_asks_for_nothing() -> None:
    book = synced(10)
    assert book.on_beat(4 * SECOND).event is SyncEvent.STALE
    assert book.on_beat(60 * SECOND).event is SyncEvent.NOTHING
