"""What a session owes its guard each turn: a beat, and no order path while none is there that could act."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.core.engine import Engine
from pipeline.core.inputs import Input
from pipeline.core.types import TradingState
from pipeline.runtime.gate import Gate
from pipeline.runtime.gate_watch import GateWatch
from pipeline.runtime.guard_keeper import GuardKeeper


class GuardDuty:
    """Does it for one session; `look` in each turn, before the order path's own."""

    def __init__(self, keeper: GuardKeeper, gate: Gate, watch: GateWatch) -> None:
        self._keeper = keeper
        self._gate = gate
        self._watch = watch
        self._guarded = False

    def look(
        self, steady_ns: int, put: Callable[[Input], None], now_ns: int, *, healthy: bool, spared: int = 0
    ) -> bool:
        """Beat for the guard; say whether there ever was one that could act: no order path without it.

        While a guard is lost the gate is kept closed; resuming is a person's act once one is back.
        `steady_ns` is monotonic, `now_ns` the session's time, `spared` as in the heart.
        """
        keeper = self._keeper
        keeper.look(steady_ns, healthy=healthy, spared=spared)
        self._guarded = self._guarded or keeper.is_ready
        if self._guarded and keeper.trouble and self._gate.is_open():
            self._watch.halt(keeper.trouble, put, now_ns)
        return self._guarded


def chain_is_healthy(engine: Engine, *, path_up: bool, workers: bool) -> bool:
    """Say whether feed, books, workers, order path and state are such that orders may work unwatched."""
    books = (engine.synced_book(symbol) for symbol in engine.symbols)
    return (
        path_up
        and workers
        and engine.trading_state > TradingState.HALTED
        and all(book is not None and book.is_synced for book in books)
    )
