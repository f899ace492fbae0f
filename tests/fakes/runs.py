"""What a capture run needs around it: frames, a codec that reads them back, and a pool that answers."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from pipeline.core.effects import Effect, RequestInference
from pipeline.core.engine import Engine
from pipeline.core.inputs import Input, PredictionReceived, PredictionVoid, WireInput
from pipeline.core.params import EngineParams
from pipeline.runtime.capture import CapturedFrame
from pipeline.runtime.capture_run import CaptureRun
from pipeline.runtime.gateway import PaperGateway
from pipeline.sim.paper import PaperVenue
from tests.fakes.engines import MS, FakeGate, engine_params

_wire: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(WireInput)


class EchoCodec:
    """Reads frames that are market inputs in MessagePack already."""

    venue = "binance"

    def __init__(self) -> None:
        self.hints: list[str] = []

    def decode(
        self,
        frame: bytes,
        ts_recv_ns: int,  # noqa: ARG002  the codecs' signature
        epoch: int,  # noqa: ARG002  the codecs' signature
        symbol_hint: str = "",
    ) -> tuple[WireInput, ...]:
        """Give back what was framed."""
        self.hints.append(symbol_hint)
        return (_wire.decode(frame),)


def framed(inputs: Iterable[WireInput]) -> Iterator[CapturedFrame]:
    """Make a capture of market inputs; each frame at its input's receive time."""
    for line, event in enumerate(inputs, 1):
        ts_ns: int = getattr(event, "ts_recv_ns", 0) or getattr(event, "ts_ns", 0)
        yield CapturedFrame(ts_ns, msgspec.msgpack.encode(event), line, "fake")


class FakePool:
    """Answers every row with one opinion; `holding` keeps answers back, `void` gives none."""

    def __init__(self, p_up: float = 0.5) -> None:
        self.p_up = p_up
        self.holding = False
        self.void = False
        self.asked: list[RequestInference] = []
        self._waiting: deque[RequestInference] = deque()

    def submit(self, row: RequestInference) -> None:
        self.asked.append(row)
        self._waiting.append(row)

    def poll(self, now_ns: int) -> list[PredictionReceived | PredictionVoid]:
        if self.holding:
            return []
        rows, self._waiting = list(self._waiting), deque()
        return [self._answer(row, now_ns) for row in rows]

    def _answer(self, row: RequestInference, now_ns: int) -> PredictionReceived | PredictionVoid:
        if self.void:
            return PredictionVoid(row.symbol, row.feature_seq, "worker", now_ns)
        return PredictionReceived(
            symbol=row.symbol,
            model_id=row.model_id,
            generation=row.generation,
            schema_hash=row.schema_hash,
            feature_seq=row.feature_seq,
            p_down=1.0 - self.p_up,
            p_flat=0.0,
            p_up=self.p_up,
            horizon_ms=1_000,
            started_ns=123,
            finished_ns=456,
            worker_id=7,
            epoch=row.epoch,
            ts_ns=now_ns,
        )


class Watched(Engine):
    """An engine that remembers what it was told and what it said."""

    def __init__(self, params: EngineParams) -> None:
        super().__init__(params)
        self.inputs: list[Input] = []
        self.effects: list[Effect] = []

    def handle(self, event: Input) -> list[Effect]:
        """Note and pass on."""
        self.inputs.append(event)
        effects = super().handle(event)
        self.effects += effects
        return effects


class Table:
    """A capture run with everything around it in reach."""

    def __init__(self, inputs: Iterable[WireInput], p_up: float = 0.5, **changes: Any) -> None:
        params = engine_params(**changes)
        self.engine = Watched(params)
        self.gate = FakeGate()
        self.pool = FakePool(p_up)
        self.codec = EchoCodec()
        self.venue = PaperVenue(
            params.instruments,
            ack_latency_ns=12 * MS,
            cancel_latency_ns=12 * MS,
            home_base_e8=params.home_base_e8,
            balance_quote_e8=params.balance_quote_e8,
        )
        self.gate_effects: list[Effect] = []
        self.run = CaptureRun(
            engine=self.engine,
            codec=self.codec,
            frames=framed(inputs),
            gateway=PaperGateway(self.venue, self.gate),
            pool=self.pool,  # type: ignore[arg-type]  # the two methods a run calls
            journal=None,
            inference_latency_ns=2 * MS,
            sources=("BTCUSDT",),
            on_gate=lambda effect, *_: self.gate_effects.append(effect),
        )
