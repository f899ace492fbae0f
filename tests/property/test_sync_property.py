"""A feed that drops, repeats and reorders: the book is right or does not call itself SYNCED, always."""

from dataclasses import dataclass

from hypothesis import event, given, settings
from hypothesis import strategies as st

from pipeline.core.inputs import BookTicker, DepthSnapshot, DepthUpdate
from pipeline.core.sync import SyncedBook
from pipeline.core.types import BookState, Instrument, Level, Side
from tests.fakes.market_builders import SPOT, USDM, book_ticker, depth_snapshot, depth_update

MarketEvent = DepthUpdate | DepthSnapshot | BookTicker


@dataclass(frozen=True)
class Change:
    update_id: int
    side: Side
    level: Level


@dataclass(frozen=True)
class History:
    """Single-level changes with rising ids, cut into updates."""

    changes: list[Change]
    updates: list[DepthUpdate]

    def book_at(self, update_id: int) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """Give the true levels, best first, after every change up to an id."""
        sides: dict[Side, dict[int, int]] = {Side.BUY: {}, Side.SELL: {}}
        for change in self.changes:
            if change.update_id <= update_id:
                price, size = change.level
                sides[change.side][price] = size
        bids = sorted((level for level in sides[Side.BUY].items() if level[1]), reverse=True)
        asks = sorted(level for level in sides[Side.SELL].items() if level[1])
        return tuple(bids), tuple(asks)

    def snapshot_at(self, update_id: int) -> DepthSnapshot:
        return depth_snapshot(update_id, *self.book_at(update_id))

    def ticker_at(self, update_id: int) -> BookTicker:
        bids, asks = self.book_at(update_id)
        return book_ticker(update_id, (bids or ((0, 0),))[0], (asks or ((0, 0),))[0])


@st.composite
def histories(draw: st.DrawFn, instrument: Instrument) -> History:
    """Bids stay below asks, so that only the chain can make a book not SYNCED."""
    spot = instrument is SPOT
    changes: list[Change] = []
    updates: list[DepthUpdate] = []
    next_id, previous = 100, 99
    for _ in range(draw(st.integers(3, 12))):
        own: list[Change] = []
        for _ in range(draw(st.integers(1, 3))):
            next_id += 0 if spot else draw(st.integers(0, 3))
            side = draw(st.sampled_from([Side.BUY, Side.SELL]))
            price = draw(st.integers(90, 94)) + (0 if side is Side.BUY else 10)
            own.append(Change(next_id, side, (price, draw(st.integers(0, 2)))))
            next_id += 1
        bids = {c.level[0]: c.level[1] for c in own if c.side is Side.BUY}
        asks = {c.level[0]: c.level[1] for c in own if c.side is Side.SELL}
        first, last = own[0].update_id, own[-1].update_id
        link = -1 if spot else previous
        updates.append(depth_update(first, last, link, tuple(bids.items()), tuple(asks.items())))
        changes += own
        previous = last
    return History(changes, updates)


@st.composite
def faulty_feeds(draw: st.DrawFn, instrument: Instrument) -> tuple[History, list[MarketEvent]]:
    """Updates dropped, repeated and swapped, with snapshots of any age strewn in, and tickers."""
    history = draw(histories(instrument))
    feed: list[MarketEvent] = []
    for update in history.updates:
        feed += [update] * draw(st.sampled_from([1, 1, 1, 1, 1, 0, 2]))
    for _ in range(draw(st.integers(0, 2))):
        if len(feed) > 1:
            at = draw(st.integers(0, len(feed) - 2))
            feed[at], feed[at + 1] = feed[at + 1], feed[at]
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(feed)))
        feed.insert(at, history.snapshot_at(draw(st.integers(95, history.changes[-1].update_id + 3))))
    for _ in range(draw(st.integers(0, 4))):
        update = draw(st.sampled_from(history.updates))
        feed.insert(draw(st.integers(0, len(feed))), history.ticker_at(update.last_update_id))
    return history, feed


def take(book: SyncedBook, item: MarketEvent) -> None:
    if isinstance(item, DepthUpdate):
        book.on_update(item)
    elif isinstance(item, DepthSnapshot):
        book.on_snapshot(item)
    else:
        book.on_ticker(item)


feeds = st.sampled_from([SPOT, USDM]).flatmap(lambda i: st.tuples(st.just(i), faulty_feeds(i)))


@given(feeds)
@settings(max_examples=250)
def test_a_faulty_feed_never_makes_a_wrong_book_synced(
    made: tuple[Instrument, tuple[History, list[MarketEvent]]],
) -> None:
    instrument, (history, feed) = made
    book = SyncedBook(instrument)
    ever_synced = False
    for item in feed:
        take(book, item)
        book.book._check()
        if book.state is BookState.SYNCED:
            ever_synced = True
            assert book.book.top(50) == history.book_at(book.last_update_id)
            assert book.check.shared == book.check.equal
    event(f"synced {ever_synced}, gaps {min(book.gaps, 1)}, resyncs {min(book.resyncs, 1)}")


sound_feeds = st.sampled_from([SPOT, USDM]).flatmap(lambda i: st.tuples(st.just(i), histories(i)))


@given(sound_feeds, st.data())
@settings(max_examples=120)
def test_a_sound_feed_is_synced_without_a_gap_wherever_the_snapshot_comes(
    made: tuple[Instrument, History], data: st.DataObject
) -> None:
    instrument, history = made
    updates = history.updates
    age = data.draw(st.integers(0, len(updates) - 2), label="snapshot belongs to this update")
    ids = st.integers(updates[age].first_update_id - 1, updates[age].last_update_id)
    snapshot = history.snapshot_at(data.draw(ids, label="snapshot id"))
    comes_at = data.draw(st.integers(0, len(updates)), label="snapshot comes before this update")
    book = SyncedBook(instrument)
    for update in updates[:comes_at]:
        book.on_update(update)
    book.on_snapshot(snapshot)
    for update in updates[comes_at:]:
        book.on_update(update)
    # A snapshot taken before the first update may lie in a hole nobody can see; all others must join.
    if snapshot.last_update_id >= updates[0].first_update_id - 1 or instrument is SPOT:
        assert (book.state, book.gaps) == (BookState.SYNCED, 0)
        assert book.last_update_id == updates[-1].last_update_id
        assert book.book.top(50) == history.book_at(book.last_update_id)
