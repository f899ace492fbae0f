"""The one path of every input: stamp, hash, journal, decode, engine, effects.

Live, paper, sim and replay all push their inputs through a `Pump`; nothing else calls `Engine.handle`.
The pump keeps the two hashes of the summary and the delays of each stage. It never awaits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from time import perf_counter_ns
from typing import Protocol

import msgspec

from pipeline.core.effects import Effect, RequestInference, SubmitOrder
from pipeline.core.inputs import Input, PredictionReceived
from pipeline.core.latency import LatencyHistogram
from pipeline.core.types import Trigger
from pipeline.runtime.journal_format import RecordKind
from pipeline.wire.codec import Codec

STAGES = (
    "recv_to_features",
    "recv_to_prediction",
    "recv_to_decision",
    "recv_to_decision_grid",
    "recv_to_order",
    "loop_lag",
)

_MAX_ROWS_TIMED = 4_096


class EngineLike(Protocol):
    """What the pump needs of the engine."""

    def handle(self, event: Input) -> list[Effect]:
        """Take one input, give what is to be done."""
        ...


class JournalLike(Protocol):
    """What the pump needs of a journal."""

    def append(
        self, kind: RecordKind, ts_ns: int, payload: bytes, epoch: int = 0, codec: int = 0, source: int = 0
    ) -> int:
        """Append one record without blocking; give its sequence number."""
        ...


class Pump:
    """Feeds one engine; one writer, single-threaded."""

    def __init__(
        self,
        engine: EngineLike,
        codec: Codec,
        journal: JournalLike | None,
        carry_out: Callable[[Effect], None],
        observe: Callable[[Input], None] | None = None,
        sources: Sequence[str] = ("",),
    ) -> None:
        """Feed `engine`; `sources` names the symbol a frame is of where it does not say so itself."""
        self.engine = engine
        self.codec = codec
        self._sources = tuple(sources)
        self._journal = journal
        self._carry_out = carry_out
        self._observe = observe
        self._encode = msgspec.msgpack.Encoder(order="deterministic").encode
        self._inputs_hash = hashlib.sha256()
        self._effects_hash = hashlib.sha256()
        self._row_recv: dict[int, tuple[int, Trigger]] = {}
        self._newest_recv = perf_counter_ns()
        self._deciding_recv = 0
        self.frames = 0
        self.effects = 0
        self.histograms = {name: LatencyHistogram() for name in STAGES}

    @property
    def inputs_sha256(self) -> str:
        """Give the hash of all journal payload bytes so far, in order."""
        return self._inputs_hash.hexdigest()

    @property
    def effects_sha256(self) -> str:
        """Give the hash of the canonical MessagePack of every effect so far, in order."""
        return self._effects_hash.hexdigest()

    def frame(self, payload: bytes, ts_recv_ns: int, epoch: int, source: int = 0, received: int = 0) -> None:
        """Take one raw frame as it came off the socket or out of a capture.

        `source` is an index into the sources; `received` is the `perf_counter_ns` at which the bytes were
        read, where that was earlier than this call.
        """
        self._newest_recv = received = received or perf_counter_ns()
        self.frames += 1
        self._inputs_hash.update(payload)
        if self._journal is not None:
            self._journal.append(RecordKind.FRAME, ts_recv_ns, payload, epoch, 0, source)
        hint = self._sources[source] if source < len(self._sources) else ""
        for event in self.codec.decode(payload, ts_recv_ns, epoch, hint):
            self._hand_over(event)
        self.histograms["recv_to_features"].record(perf_counter_ns() - received)

    def event(self, event: Input) -> None:
        """Take one input that is not a frame; it is journalled as it is."""
        payload = self._encode(event)
        self._inputs_hash.update(payload)
        if self._journal is not None:
            self._journal.append(RecordKind.INPUT, _time_of(event), payload)
        if type(event) is PredictionReceived:
            self._predicted(event)
        else:
            self._deciding_recv = 0
            self._hand_over(event)

    def answer_arrived(self, feature_seq: int) -> None:
        """Record that a worker's answer is here, before its time in the engine's order has come."""
        timed = self._row_recv.get(feature_seq)
        if timed is not None:
            self.histograms["recv_to_prediction"].record(perf_counter_ns() - timed[0])

    def stood_still(self) -> None:
        """Leave the delays of what is under way unmeasured: a replay's time stood, the clock did not."""
        self._row_recv.clear()
        self._newest_recv = 0

    def _predicted(self, event: PredictionReceived) -> None:
        received, trigger = self._row_recv.pop(event.feature_seq, (0, Trigger.GRID))
        self._deciding_recv = received
        self._hand_over(event)
        if received:
            grid = trigger is Trigger.GRID
            name = "recv_to_decision_grid" if grid else "recv_to_decision"
            self.histograms[name].record(perf_counter_ns() - received)
        self._deciding_recv = 0

    def _hand_over(self, event: Input) -> None:
        effects = self.engine.handle(event)
        if self._observe is not None:
            self._observe(event)
        for effect in effects:
            self.effects += 1
            payload = self._encode(effect)
            self._effects_hash.update(payload)
            if type(effect) is RequestInference:
                self._remember_row(effect)
            elif type(effect) is SubmitOrder and self._journal is not None:
                # What was sent is on record before it leaves: the next session has no engine to ask.
                self._journal.append(RecordKind.EFFECT, effect.ts_ns, payload)
            self._carry_out(effect)
            if type(effect) is SubmitOrder and self._deciding_recv:
                self.histograms["recv_to_order"].record(perf_counter_ns() - self._deciding_recv)

    def _remember_row(self, effect: RequestInference) -> None:
        if not self._newest_recv:
            return
        if len(self._row_recv) >= _MAX_ROWS_TIMED:
            del self._row_recv[next(iter(self._row_recv))]
        self._row_recv[effect.feature_seq] = (self._newest_recv, effect.trigger)


def _time_of(event: Input) -> int:
    ts_ns: int = getattr(event, "ts_ns", 0) or getattr(event, "ts_recv_ns", 0)
    return ts_ns
