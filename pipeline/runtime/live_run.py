"""Live data through the engine in real time: frames, beats, answers and venue reports as they come.

The counterpart of `CaptureRun`. Nothing waits for anything: a row is answered when its worker is done, or is
void at its deadline; the venue's reports that are due enter before the frame that comes after them. Every
input is stamped by the session's clock and journalled in the order the engine saw it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from pipeline.core.earlier import BooksKept
from pipeline.core.effects import Effect, RequestInference, RequestSnapshot, SubmitOrder
from pipeline.core.engine import Engine
from pipeline.core.inputs import (
    FeedStatusChanged,
    FrameRefused,
    Input,
    PredictionReceived,
    PredictionVoid,
    TimerBeat,
)
from pipeline.runtime.clock import SessionClock
from pipeline.runtime.earlier_books import KEPT_INPUTS, BooksFold
from pipeline.runtime.engine_run import EngineRun, OnGate
from pipeline.runtime.gateway import Gateway
from pipeline.runtime.pump import JournalLike
from pipeline.wire.codec import Codec


class AnswerPool(Protocol):
    """What a run needs of its workers (`workers.WorkerPool`)."""

    def submit(self, request: RequestInference) -> None:
        """Take a row; never blocks."""
        ...

    def poll(self, now_ns: int) -> Sequence[PredictionReceived | PredictionVoid]:
        """Give what became of rows since the last call."""
        ...


_OF_BOOKS = frozenset(KEPT_INPUTS) - {BooksKept}


class LiveRun(EngineRun):
    """Drives one engine from a feed; the feed's sink."""

    def __init__(
        self,
        engine: Engine,
        codec: Codec,
        gateway: Gateway,
        pool: AnswerPool | None,
        journal: JournalLike | None,
        sources: Sequence[str],
        clock: SessionClock,
        on_gate: OnGate | None = None,
        books: BooksFold | None = None,
    ) -> None:
        """Prepare; `want_snapshot` is set to the feed's before the first frame. `books` follow the orders."""
        super().__init__(engine, codec, gateway, journal, sources, on_gate)
        self.want_snapshot: Callable[[str, int], None] | None = None
        self._pool = pool
        self._clock = clock
        self._refused = 0
        self._books = books
        self._believed = dict.fromkeys(engine.symbols, False)

    @property
    def now_ns(self) -> int:
        """Give the session's time; it rises with every call."""
        return self._clock.now_ns()

    def frame(self, payload: bytes, ts_recv_ns: int, epoch: int, source: int = 0, received: int = 0) -> bool:
        """Take one raw message (see `feed_route.FeedSink`); False when the codec refused it."""
        self._deliver(ts_recv_ns)
        refused = self._refused
        self.pump.frame(payload, ts_recv_ns, epoch, source, received)
        self._flush_replies()
        return self._refused == refused

    def status(self, status: FeedStatusChanged) -> None:
        """Take what became of a connection or a channel."""
        self.put(status)
        self._tell_venue(status.ts_ns)

    def beat(self, loop_lag_ns: int) -> None:
        """Let time pass; `loop_lag_ns` is how late this beat comes."""
        now_ns = self.now_ns
        self._deliver(now_ns)
        self.put(TimerBeat(now_ns, loop_lag_ns))
        self._tell_venue(now_ns)

    def venue_reported(self) -> None:
        """Take what the gateway has to tell, now: a venue's message is read like a frame of the feed."""
        self._deliver(self.now_ns)

    def collect_answers(self) -> None:
        """Take what the workers have finished; cheap when there is nothing."""
        if self._pool is None:
            return
        for answer in self._pool.poll(self.now_ns):
            self.pump.answer_arrived(answer.feature_seq)
            self.put(answer)

    def _deliver(self, until_ns: int) -> None:
        """Let the venue's reports in that are due before what happens now."""
        due_ns = self.gateway.next_due_ns
        if due_ns is not None and due_ns <= until_ns:
            for report in self.gateway.due(until_ns):
                self.put(report)

    def _tell_venue(self, now_ns: int) -> None:
        """Tell the paper venue of books that time or a lost connection took: nothing trades on them."""
        for symbol, believed in self._believed.items():
            synced = self.engine.synced_book(symbol)
            if synced is not None and synced.is_synced is not believed:
                self._believed[symbol] = synced.is_synced
                self.gateway.on_book(synced, now_ns)

    def _ask(self, row: RequestInference) -> None:
        if self._pool is not None:
            self._pool.submit(row)

    def _fetch(self, wanted: RequestSnapshot) -> None:
        if self.want_snapshot is not None:
            self.want_snapshot(wanted.symbol, wanted.epoch)

    def _observe(self, event: Input) -> None:
        if type(event) is FrameRefused:
            self._refused += 1
        elif type(event) in _OF_BOOKS and self._books is not None:
            self._books.see(event)
        else:
            super()._observe(event)

    def _carry_out(self, effect: Effect) -> None:
        if type(effect) is SubmitOrder and self._books is not None:
            self._books.sent(effect)
        super()._carry_out(effect)
