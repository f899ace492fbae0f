"""A book that proves itself: sequence ids, snapshots, gaps, crossing, silence.

Theory of operation. Depth updates are chained by ids (`SyncRule`). Until a snapshot is in, updates are
buffered. A snapshot anchors the book at its id; updates that end at or before the id carry nothing new, and
the first that reaches past it must join without a hole (the bridging update). From then on every update
must join the one before.

    EMPTY    nothing received yet
    SYNCING  buffering and waiting for a snapshot, or a snapshot is in and the bridging update is not
    SYNCED   the chain holds, best bid below best ask; the one state that feeds anything
    CROSSED  the chain holds, best bid above best ask, or equal for longer than the grace time
    STALE    the chain held, and depth has been silent for too long or its connection is down
    GAP      an update did not join; buffering and waiting for a new snapshot

CROSSED and STALE end with the next update that joins, because the chain proves that nothing was missed. USD-M
ids are not consecutive: an update covers everything after `prev_update_id`, so the bridging update is the
one with `prev_update_id` <= id < `last_update_id`. That includes the documented rule (`first_update_id`
<= id <= `last_update_id`) and the seeding it never fires on: a snapshot whose id is the end of an update.
"""

from __future__ import annotations

from pipeline.core import sync_step
from pipeline.core.book import L1, MAX_LEVELS, OrderBook
from pipeline.core.inputs import BookTicker, DepthSnapshot, DepthUpdate
from pipeline.core.params import MS, SECOND
from pipeline.core.resync import RetryClock, UpdateBuffer
from pipeline.core.sync_step import SyncStep
from pipeline.core.ticker_check import TickerCheck
from pipeline.core.types import BookState, Instrument, SyncRule

_CROSSED_PATIENCE_NS = SECOND
"""A book crossed for so long is asked for anew; the patience doubles while that does not help."""
_MAX_PATIENCE_NS = 60 * SECOND


class SyncedBook:
    """One symbol's book with its proof; total over any input, bounded in memory, one writer.

    Counters only rise: `gaps` (updates that did not join), `resyncs` (times the book became SYNCED again
    through a new snapshot), `crossed` (times it became CROSSED), `ignored`, `updates` (applied). A bridging
    update that never comes is no gap.
    """

    def __init__(
        self,
        instrument: Instrument,
        *,
        locked_grace_ns: int = 100 * MS,
        stale_after_ns: int = 2 * SECOND,
        max_levels: int = MAX_LEVELS,
    ) -> None:
        """Start EMPTY; times compare `ts_recv_ns` of the inputs with the beats' `ts_ns`."""
        self.instrument = instrument
        self.state = BookState.EMPTY
        self.book = OrderBook(instrument, max_levels)
        self.check = TickerCheck()
        self.ticker: BookTicker | None = None
        self.last_update_id = 0
        self.epoch = 0
        self.depth_recv_ns = 0
        """Receive time of the newest update that was applied."""
        self.gaps = self.resyncs = self.crossed = self.ignored = self.updates = 0
        self._chained = instrument.sync_rule is SyncRule.CHAINED
        self._locked_grace_ns = locked_grace_ns
        self._stale_after_ns = stale_after_ns
        self._anchored = False
        self._following = False
        self._was_synced = False
        self._buffer = UpdateBuffer()
        self._retry = RetryClock()
        self._now_ns = 0
        self._crossing_since_ns = 0
        self._patience_ns = _CROSSED_PATIENCE_NS

    @property
    def is_synced(self) -> bool:
        """Say whether the book may be believed now."""
        return self.state is BookState.SYNCED

    @property
    def overflowed(self) -> int:
        """Give how many updates were dropped while waiting for a snapshot, for the buffer's bound."""
        return self._buffer.overflowed

    @property
    def l1(self) -> L1:
        """Give (bid_ticks, bid_units, ask_ticks, ask_units) of the fresher of book and ticker by update id.

        Zeros where neither knows. Believe it only while the book is SYNCED.
        """
        ticker = self.ticker
        if ticker is not None and ticker.update_id > self.last_update_id:
            return ticker.bid_ticks, ticker.bid_units, ticker.ask_ticks, ticker.ask_units
        return self.book.l1

    @property
    def l1_disagrees(self) -> bool:
        """Say whether a fresher ticker has other best prices than the book: deeper levels are behind."""
        ticker = self.ticker
        if ticker is None or ticker.update_id <= self.last_update_id:
            return False
        return ticker.bid_ticks != self.book.best_bid or ticker.ask_ticks != self.book.best_ask

    def on_update(self, update: DepthUpdate) -> SyncStep:
        """Take one depth update; GAP comes with the very update that does not join."""
        if not self._following or update.epoch != self.epoch:
            return self._on_loose_update(update)
        last_id = self.last_update_id
        if update.last_update_id <= last_id:
            self.ignored += 1
            return sync_step.IGNORED
        if update.prev_update_id == last_id if self._chained else update.first_update_id <= last_id + 1:
            return self._apply(update)
        self.gaps += 1
        self._lose(BookState.GAP, update.ts_recv_ns)
        self._keep(update)
        return sync_step.GAP

    def on_snapshot(self, snapshot: DepthSnapshot) -> SyncStep:
        """Take a whole book; one that comes while the chain holds is not needed and ignored."""
        if snapshot.epoch < self.epoch or self._following:
            self.ignored += 1
            return sync_step.IGNORED
        if snapshot.epoch > self.epoch:
            self._start_epoch(snapshot.epoch, snapshot.ts_recv_ns)
        self._now_ns = max(self._now_ns, snapshot.ts_recv_ns)
        self._anchored = True
        self.book.load(snapshot.bids, snapshot.asks)
        self.last_update_id = snapshot.last_update_id
        self.state = BookState.SYNCING
        return self._drain()

    def on_ticker(self, ticker: BookTicker) -> bool:
        """Take a ticker; give whether it is the newest word on the best levels."""
        l1 = ticker.bid_ticks, ticker.bid_units, ticker.ask_ticks, ticker.ask_units
        self.check.on_ticker(ticker.update_id, l1)
        known = self.ticker
        if known is not None and ticker.update_id <= known.update_id and ticker.epoch <= known.epoch:
            return False
        self.ticker = ticker
        return ticker.update_id > self.last_update_id

    def on_beat(self, ts_ns: int) -> SyncStep:
        """Look what time alone has brought: silence, a book locked or crossed too long, a late snapshot."""
        self._now_ns = ts_ns
        if not self._following:
            if self._anchored or self.state is BookState.EMPTY or not self._retry.is_due(ts_ns):
                return sync_step.NOTHING
            self._retry.requested(ts_ns)
            return sync_step.RETRY
        if self.state is BookState.SYNCED and ts_ns - self.depth_recv_ns >= self._stale_after_ns:
            self.state = BookState.STALE
            return sync_step.STALE
        return self._crossed_for(ts_ns) if self._crossing_since_ns else sync_step.NOTHING

    def on_feed_down(self) -> SyncStep:
        """Take note that the depth connection is down; the next update that joins ends it."""
        if not self._following or self.state is BookState.STALE:
            return sync_step.NOTHING
        self.state = BookState.STALE
        return sync_step.STALE

    def _on_loose_update(self, update: DepthUpdate) -> SyncStep:
        """Take an update that no chain is there for, or that is of another connection."""
        if update.epoch == self.epoch:
            return self._bridge(update) if self._anchored else self._keep(update)
        if update.epoch < self.epoch:
            self.ignored += 1
            return sync_step.IGNORED
        started = self.state is not BookState.EMPTY
        self._start_epoch(update.epoch, update.ts_recv_ns)
        self._keep(update)
        return sync_step.NEW_EPOCH if started else sync_step.FIRST

    def _start_epoch(self, epoch: int, ts_ns: int) -> None:
        """Begin anew: what an earlier connection left may not be joined to what this one brings."""
        self.epoch = epoch
        self._buffer.take_all()
        self._lose(BookState.SYNCING, ts_ns)

    def _lose(self, state: BookState, ts_ns: int) -> None:
        """Leave the chain for `state`, with a snapshot being requested now."""
        self.state = state
        self._following = self._anchored = False
        self._crossing_since_ns = 0
        self._retry.requested(max(self._now_ns, ts_ns))

    def _keep(self, update: DepthUpdate) -> SyncStep:
        self._buffer.keep(update)
        if self.state is not BookState.EMPTY:
            return sync_step.BUFFERED
        self._lose(BookState.SYNCING, update.ts_recv_ns)
        return sync_step.FIRST

    def _drain(self) -> SyncStep:
        """Join the kept updates to a snapshot just loaded; what follows a hole is kept again."""
        failed: SyncStep | None = None
        for update in self._buffer.take_all():
            step = self.on_update(update)
            if failed is None and (step is sync_step.GAP or step is sync_step.TOO_OLD):
                failed = step
        if failed is not None:
            return failed
        if self.state is BookState.SYNCED:
            return sync_step.SYNCED
        return sync_step.CROSSED if self._following else sync_step.LOADED

    def _bridge(self, update: DepthUpdate) -> SyncStep:
        """Take an update while anchored at a snapshot that no update has reached past yet."""
        if update.last_update_id <= self.last_update_id:
            self.ignored += 1
            return sync_step.IGNORED
        begins_after = update.prev_update_id if self._chained else update.first_update_id - 1
        if begins_after > self.last_update_id:
            self._anchored = False
            self._retry.was_too_old(max(self._now_ns, update.ts_recv_ns))
            self._keep(update)
            return sync_step.TOO_OLD
        self._following = True
        self._retry.reset()
        self.resyncs += self._was_synced
        self._was_synced = True
        self.state = BookState.SYNCED
        step = self._apply(update)
        if step is not sync_step.APPLIED:
            return step
        self._patience_ns = _CROSSED_PATIENCE_NS
        return sync_step.SYNCED

    def _apply(self, update: DepthUpdate) -> SyncStep:
        l1 = self.book.apply(update.bids, update.asks)
        self.last_update_id = last_id = update.last_update_id
        self.depth_recv_ns = update.ts_recv_ns
        self.updates += 1
        self.check.on_depth(last_id, l1)
        if l1[0] >= l1[2] > 0:
            if self._is_crossed(l1[0] > l1[2], update.ts_recv_ns):
                self._cross()
                return sync_step.CROSSED
        elif self._crossing_since_ns:
            self._crossing_since_ns = 0
            self._patience_ns = _CROSSED_PATIENCE_NS
        if self.state is BookState.SYNCED:
            return sync_step.APPLIED
        self.state = BookState.SYNCED
        return sync_step.RECOVERED

    def _is_crossed(self, beyond_equal: bool, ts_ns: int) -> bool:
        """Judge a best bid at or above the best ask: equal prices are tolerated for the grace time."""
        if not self._crossing_since_ns:
            self._crossing_since_ns = ts_ns
        locked_ns = ts_ns - self._crossing_since_ns
        return beyond_equal or self.state is BookState.CROSSED or locked_ns >= self._locked_grace_ns

    def _crossed_for(self, ts_ns: int) -> SyncStep:
        """Judge on a beat how long the best prices have been crossed or locked."""
        crossing_ns = ts_ns - self._crossing_since_ns
        if self.state is BookState.SYNCED and crossing_ns >= self._locked_grace_ns:
            self._cross()
            return sync_step.LOCKED_TOO_LONG
        if self.state is BookState.CROSSED and crossing_ns >= self._patience_ns:
            self._patience_ns = min(2 * self._patience_ns, _MAX_PATIENCE_NS)
            self._lose(BookState.CROSSED, ts_ns)
            return sync_step.CROSSED_TOO_LONG
        return sync_step.NOTHING

    def _cross(self) -> None:
        if self.state is not BookState.CROSSED:
            self.crossed += 1
            self.state = BookState.CROSSED
