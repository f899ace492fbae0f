"""The book of a venue whose snapshot comes in the stream itself, before the updates that change it.

Theory of operation. The states and the proof are those of `sync`, with three differences. A snapshot needs
no bridging update: it is in order, so the book is SYNCED with it. A snapshot that comes while the chain
holds begins a new chain (the venue restarted its service, or we subscribed again), unless it has the id the
chain stands at or the next one: then it is an update like any other, as a stream of level-1 snapshots is.
Nothing is kept while there is no snapshot: what came before it cannot be joined to it.

After a restart the ids begin at 1. Would the snapshot that says so be lost (a frame the codec refused), the
updates behind it look like repeats of old ones. The venue's times tell them apart: a repeat is never newer
than what has been seen, and a snapshot never older. What breaks that is a gap, or ignored. A venue whose
clock went back does not stay ignored: when the book has been silent since, a new one is asked for, and the
answer counts whatever its time.
"""

from __future__ import annotations

from typing import assert_never

from pipeline.core import sync_step
from pipeline.core.book import MAX_LEVELS
from pipeline.core.inputs import DepthSnapshot, DepthUpdate
from pipeline.core.params import MS, SECOND
from pipeline.core.sync import SyncedBook
from pipeline.core.sync_step import SyncStep
from pipeline.core.types import BookState, Instrument, SyncRule

_CLOCK_PATIENCE_NS = 5 * SECOND
"""How long a book stays silent after an older snapshot came, before the venue's clock is doubted."""


class StreamedBook(SyncedBook):
    """A `SyncedBook` that takes its snapshots from the stream."""

    _newest_event_ns = 0
    """The newest venue time of this connection."""
    _saw_older = False
    """A snapshot older than that has come since the chain began."""

    def on_update(self, update: DepthUpdate) -> SyncStep:
        """Take one depth update; GAP comes with the very update that does not join."""
        if update.epoch != self.epoch:
            return self._on_loose_update(update)
        if update.ts_event_ns > self._newest_event_ns:
            self._newest_event_ns = update.ts_event_ns
            if self._following and update.last_update_id <= self.last_update_id:
                self.gaps += 1
                self._lose(BookState.GAP, update.ts_recv_ns)
                return sync_step.GAP
        return super().on_update(update)

    def on_snapshot(self, snapshot: DepthSnapshot) -> SyncStep:
        """Take a whole book; only one older than what has been seen is ignored."""
        was_following = self._following
        if snapshot.epoch > self.epoch:
            self._start_epoch(snapshot.epoch, snapshot.ts_recv_ns)
        if snapshot.epoch < self.epoch or snapshot.ts_event_ns < self._newest_event_ns:
            self._saw_older |= snapshot.epoch == self.epoch
            self.ignored += 1
            return sync_step.IGNORED
        self._newest_event_ns = snapshot.ts_event_ns
        self._saw_older = False
        self._now_ns = max(self._now_ns, snapshot.ts_recv_ns)
        self.book.load(snapshot.bids, snapshot.asks)
        step = self._follow(snapshot)
        return sync_step.REPLACED if was_following and step is sync_step.SYNCED else step

    def on_beat(self, ts_ns: int) -> SyncStep:
        """Look what time alone has brought (see `SyncedBook.on_beat`)."""
        step = super().on_beat(ts_ns)
        silent_ns = ts_ns - self.depth_recv_ns
        if self.state is BookState.STALE and self._saw_older and silent_ns >= _CLOCK_PATIENCE_NS:
            self._lose(BookState.GAP, ts_ns)
            step = sync_step.RETRY
        if step is sync_step.RETRY:
            self._newest_event_ns = 0
            self._saw_older = False
        return step

    def _follow(self, snapshot: DepthSnapshot) -> SyncStep:
        """Go on from a snapshot just loaded, as from an update that ends there and changes nothing more."""
        last_id = snapshot.last_update_id
        end = DepthUpdate(
            snapshot.symbol,
            last_id,
            last_id,
            -1,
            (),
            (),
            snapshot.ts_event_ns,
            snapshot.ts_recv_ns,
            self.epoch,
        )
        if self._following and self.last_update_id <= last_id <= self.last_update_id + 1:
            return self._apply(end)
        self.last_update_id = last_id - 1
        self._anchored = True
        # `_bridge` counts what it applies, and a book to begin with is no update.
        self.updates -= 1
        return self._bridge(end)

    def _start_epoch(self, epoch: int, ts_ns: int) -> None:
        self._newest_event_ns = 0
        super()._start_epoch(epoch, ts_ns)

    def _keep(self, update: DepthUpdate) -> SyncStep:
        self._newest_event_ns = max(self._newest_event_ns, update.ts_event_ns)
        self.ignored += 1
        if self.state is not BookState.EMPTY:
            return sync_step.IGNORED
        self._lose(BookState.SYNCING, update.ts_recv_ns)
        return sync_step.FIRST


def synced_book(
    instrument: Instrument,
    *,
    locked_grace_ns: int = 100 * MS,
    stale_after_ns: int = 2 * SECOND,
    max_levels: int = MAX_LEVELS,
) -> SyncedBook:
    """Give an EMPTY book that proves itself by its venue's rule; arguments as `SyncedBook`."""
    book: type[SyncedBook]
    match instrument.sync_rule:
        case SyncRule.CONTIGUOUS | SyncRule.CHAINED:
            book = SyncedBook
        case SyncRule.STREAMED:
            book = StreamedBook
        case _:
            assert_never(instrument.sync_rule)
    return book(
        instrument, locked_grace_ns=locked_grace_ns, stale_after_ns=stale_after_ns, max_levels=max_levels
    )
