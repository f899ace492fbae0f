"""What a replay of a capture and live data share: one engine, its pump, and a gateway for its orders.

Effects are carried out here in the order they come. The gateway hears of every change of a book and of every
print right after the engine, because a paper venue trades on them; what comes of an effect at once (a send
the gate refuses, the gate itself) goes back to the engine when the input that caused it has been handled
whole.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence

from pipeline.core.effects import (
    CancelAccount,
    CancelAll,
    CancelOrder,
    CloseGate,
    Effect,
    HoldModels,
    OpenGate,
    PrepareModel,
    RequestInference,
    RequestSnapshot,
    SubmitOrder,
    TakeHome,
)
from pipeline.core.engine import Engine
from pipeline.core.inputs import BookTicker, DepthSnapshot, DepthUpdate, Input, Trade
from pipeline.core.seen import SeenIds
from pipeline.runtime.gateway import Gateway
from pipeline.runtime.pump import JournalLike, Pump
from pipeline.wire.codec import Codec

OnGate = Callable[[CloseGate | OpenGate, Callable[[Input], None], int], None]
"""Moves the engine's closer and hands over what the gate then is: the effect, where to put it, the time."""


class EngineRun(ABC):
    """One engine with its pump and its gateway; subclasses bring time, frames and answers."""

    def __init__(
        self,
        engine: Engine,
        codec: Codec,
        gateway: Gateway,
        journal: JournalLike | None,
        sources: Sequence[str],
        on_gate: OnGate | None,
    ) -> None:
        self.engine = engine
        self.pump = Pump(engine, codec, journal, self._carry_out, self._observe, sources)
        self.gateway = gateway
        self._on_gate = on_gate
        self.on_model: Callable[[PrepareModel | HoldModels], None] = lambda _: None
        """Carries out what the engine wants of the workers' models."""
        self._replies: deque[Input] = deque()
        self._prints = {symbol: SeenIds() for symbol in engine.symbols}

    @property
    @abstractmethod
    def now_ns(self) -> int:
        """Give the session's time."""

    @abstractmethod
    def _ask(self, row: RequestInference) -> None:
        """Hand a row to the model."""

    @abstractmethod
    def _fetch(self, wanted: RequestSnapshot) -> None:
        """Fetch a whole book."""

    def put(self, event: Input) -> None:
        """Hand over an input from outside the market data (a command, the gate) at the session's time."""
        self.pump.event(event)
        self._flush_replies()

    def queue_ahead(self) -> dict[str, int]:
        """Give the size ahead of each of our resting orders, by client order id."""
        return self.gateway.queue_ahead()

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case RequestInference():
                self._ask(effect)
            case SubmitOrder():
                refused = self.gateway.submit(effect, self.now_ns)
                if refused is not None:
                    self._replies.append(refused)
            case CancelOrder():
                self.gateway.cancel(effect, self.now_ns)
            case CancelAll():
                self.gateway.cancel_all(effect, self.now_ns)
            case TakeHome():
                self.gateway.take_home(self.now_ns)
            case CancelAccount():
                self.gateway.cancel_account(effect, self.now_ns)
            case CloseGate() | OpenGate():
                if self._on_gate is not None:
                    self._on_gate(effect, self._replies.append, self.now_ns)
            case PrepareModel() | HoldModels():
                self.on_model(effect)
            case RequestSnapshot():
                self._fetch(effect)
            case _:
                # Channels are subscribed by URL, once a connection; alerts are the engine's own.
                pass

    def _flush_replies(self) -> None:
        while self._replies:
            self.pump.event(self._replies.popleft())

    def _observe(self, event: Input) -> None:
        match event:
            case DepthUpdate() | DepthSnapshot() | BookTicker():
                synced = self.engine.synced_book(event.symbol)
                if synced is not None:
                    self.gateway.on_book(synced, event.ts_recv_ns)
            case Trade() if self._prints[event.symbol].is_new(event.trade_id):
                # A print that came twice must not move our queues twice.
                self.gateway.on_trade(event)
            case _:
                pass
