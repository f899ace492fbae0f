"""The rows an engine asks for and the touch it sees, told to a collector while a capture or journal runs.

Nothing is answered and nothing is sold: these are the runs of `capture_run.py` and `journal_run.py` with the
model's place taken by the collector, so that a dataset holds exactly what a worker would have been given.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from pipeline.core.effects import Effect, RequestInference
from pipeline.core.engine import Engine
from pipeline.core.inputs import Input
from pipeline.runtime.capture import CapturedFrame
from pipeline.runtime.capture_run import CaptureRun, Progress
from pipeline.runtime.gateway import PaperGateway
from pipeline.runtime.journal_format import Record
from pipeline.runtime.journal_run import JournalRun
from pipeline.sim.paper import PaperVenue
from pipeline.wire.codec import Codec

_TURN_S = 0.25


class Collector(Protocol):
    """What is told of one symbol; times in ns on the receive clock, never falling."""

    def row(self, row: RequestInference) -> None:
        """Take a row the engine asked for."""
        ...

    def touch(self, ts_ns: int, bid_ticks: int, ask_ticks: int) -> None:
        """Take the best prices after an event; (0, 0) while no book can be believed."""
        ...

    def time(self, ts_ns: int) -> None:
        """Let time pass."""
        ...


class Tap:
    """Stands between a run and a collector, for one symbol of the engine."""

    def __init__(self, engine: Engine, symbol: str, collector: Collector) -> None:
        self._engine = engine
        self._symbol = symbol
        self._collector = collector

    def effect(self, effect: Effect) -> None:
        """Hand on a row."""
        if type(effect) is RequestInference and effect.symbol == self._symbol:
            self._collector.row(effect)

    def observe(self, event: Input) -> None:
        """Look at the touch after an event, before any of its effects is carried out."""
        synced = self._engine.synced_book(self._symbol)
        if synced is None:
            return
        ts_ns: int = getattr(event, "ts_recv_ns", 0) or getattr(event, "ts_ns", 0)
        bid, _, ask, _ = synced.l1
        whole = synced.is_synced and 0 < bid < ask
        self._collector.touch(ts_ns, bid if whole else 0, ask if whole else 0)
        self._collector.time(ts_ns)


class TappedCapture(CaptureRun):
    """A capture played into a collector as fast as it goes."""

    def __init__(
        self,
        engine: Engine,
        codec: Codec,
        frames: Iterator[CapturedFrame],
        symbol: str,
        collector: Collector,
        sources: Sequence[str],
    ) -> None:
        nobody = PaperGateway(PaperVenue((), ack_latency_ns=0, cancel_latency_ns=0), None)
        self._tap = Tap(engine, symbol, collector)
        super().__init__(engine, codec, frames, nobody, None, None, 0, sources)

    def _ask(self, row: RequestInference) -> None:
        self._tap.effect(row)

    def _observe(self, event: Input) -> None:
        self._tap.observe(event)


def tapped_journal(
    engine: Engine,
    codec: Codec,
    records: Iterator[Record],
    symbol: str,
    collector: Collector,
    sources: Sequence[str],
) -> JournalRun:
    """Give the run of a journal that tells a collector what its engine asks for."""
    tap = Tap(engine, symbol, collector)
    return JournalRun(engine, codec, records, sources, tap.effect, tap.observe)


def play(run: CaptureRun | JournalRun) -> Iterator[int]:
    """Play a run to its end; yields the frames done so far, about four times a second."""
    while run.advance(None, _TURN_S) is not Progress.ENDED:
        yield run.frames_done
    yield run.frames_done
