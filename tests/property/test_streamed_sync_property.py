"""A streamed book under loss, repeats, reordering and restarts: right, or it does not call itself SYNCED."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import event, given, settings
from hypothesis import strategies as st

from pipeline.core.inputs import DepthSnapshot, DepthUpdate
from pipeline.core.sync_step import SyncStep
from pipeline.core.sync_streamed import StreamedBook
from pipeline.core.types import BookState, Level
from tests.fakes.bybit_market import LINEAR, delta, snapshot

Book = tuple[tuple[Level, ...], tuple[Level, ...]]


@dataclass(frozen=True)
class Sent:
    """One message and the book after it."""

    message: DepthUpdate | DepthSnapshot
    truth: Book


@st.composite
def histories(draw: st.DrawFn) -> list[Sent]:
    """One or two lives of a service: each begins with a snapshot, the second at 1, and ids rise by one.

    The first life's ids are far beyond what the second reaches, as in life: ids that meet by chance could
    not be told apart where the snapshot between them is lost.
    """
    sent: list[Sent] = []
    now_ms = 0
    for last in (1_000, 1)[: draw(st.integers(1, 2))]:
        bids = {price: draw(st.integers(1, 2)) for price in draw(st.sets(st.integers(90, 94), max_size=3))}
        asks = {price: draw(st.integers(1, 2)) for price in draw(st.sets(st.integers(100, 104), max_size=3))}
        sent.append(Sent(snapshot(last, [*bids.items()], [*asks.items()], now_ms), _book(bids, asks)))
        for _ in range(draw(st.integers(0, 8))):
            now_ms += draw(st.integers(1, 3))
            last += 1
            changes = draw(st.lists(st.tuples(st.integers(90, 94), st.integers(0, 2)), max_size=3))
            bids |= dict(changes)
            raised = [(price + 10, size) for price, size in changes]
            asks |= dict(raised)
            sent.append(Sent(delta(last, changes, raised, now_ms), _book(bids, asks)))
        now_ms += 1_000
    return sent


def _book(bids: dict[int, int], asks: dict[int, int]) -> Book:
    below, above = (sorted(one for one in side.items() if one[1]) for side in (bids, asks))
    return tuple(reversed(below)), tuple(above)


@st.composite
def faulty(draw: st.DrawFn) -> list[Sent]:
    feed: list[Sent] = []
    for one in draw(histories()):
        feed += [one] * draw(st.sampled_from([1, 1, 1, 1, 1, 0, 2]))
    for _ in range(draw(st.integers(0, 3))):
        if len(feed) > 1:
            taken = feed.pop(draw(st.integers(0, len(feed) - 1)))
            feed.insert(draw(st.integers(0, len(feed))), taken)
    return feed


def take(book: StreamedBook, message: DepthUpdate | DepthSnapshot) -> SyncStep:
    return book.on_update(message) if isinstance(message, DepthUpdate) else book.on_snapshot(message)


@given(faulty())
@settings(max_examples=250)
def test_a_faulty_stream_never_makes_a_wrong_book_synced(feed: list[Sent]) -> None:
    book = StreamedBook(LINEAR)
    newest_ns = -1
    truth: tuple[int, Book] = 0, ((), ())
    ever_synced = False
    for one in feed:
        message = one.message
        if take(book, message).book_changed:
            assert message.ts_event_ns >= newest_ns, "an older state replaced a newer one"
            truth = message.last_update_id, one.truth
        newest_ns = max(newest_ns, message.ts_event_ns)
        book.book._check()
        if book.state is BookState.SYNCED:
            ever_synced = True
            assert (book.last_update_id, book.book.top(50)) == truth
    event(f"synced {ever_synced}, gaps {min(book.gaps, 1)}, resyncs {min(book.resyncs, 1)}")


@given(histories())
@settings(max_examples=150)
def test_a_sound_stream_is_synced_from_the_first_message_on_without_a_gap(history: list[Sent]) -> None:
    book = StreamedBook(LINEAR)
    for one in history:
        take(book, one.message)
        assert (book.state, book.gaps, book.ignored) == (BookState.SYNCED, 0, 0)
        assert book.book.top(50) == one.truth
    snapshots = sum(isinstance(one.message, DepthSnapshot) for one in history)
    assert (book.resyncs, book.updates) == (snapshots - 1, len(history) - snapshots)
