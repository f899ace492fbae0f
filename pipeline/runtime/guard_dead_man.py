"""The venue's dead-man switch: armed and refreshed only while the whole chain is healthy. Pure.

The switch cancels every order of its symbol when it is not refreshed in time, foreign ones among them, so it
is set only after a list without foreign orders. When the chain falls ill it is not touched: it runs out,
which is what it is for. It is stopped only when nothing of ours is left, or when somebody chose to leave it.
"""

from __future__ import annotations

from pipeline.runtime.guard_asks import Ask, AskKind, Reply
from pipeline.wire.binance_rest import open_orders_of

MS = 1_000_000
FOREIGN = "held back: foreign orders"


class DeadMan:
    """The switches of one session's symbols; `words` say how it stands."""

    def __init__(self, symbols: tuple[str, ...], prefix: str, timeout_ms: int) -> None:
        self._symbols = symbols
        self._prefix = prefix
        self.timeout_ms = timeout_ms
        self._next_ns = 0
        self._waiting = 0
        self._rows: list[str] | None = []
        self._set: dict[str, int] = {}
        self._foreign = False
        self._touched = False
        self.refreshed_ns = 0
        """When the oldest of the switches was last set, by the guard's clock; 0 before."""

    def is_armed(self, now_ns: int) -> bool:
        """Say whether every symbol's switch runs."""
        return bool(self.refreshed_ns) and now_ns - self.refreshed_ns < self.timeout_ms * MS

    def words(self, now_ns: int) -> str:
        """Say how it stands."""
        if self.is_armed(now_ns):
            return "armed"
        return FOREIGN if self._foreign else "off"

    def step(self, now_ns: int, *, healthy: bool) -> list[Ask]:
        """Give what is to be asked now: lists first, the switches by `take`."""
        if not healthy or self._waiting or now_ns < self._next_ns:
            return []
        self._next_ns = now_ns + self.timeout_ms * MS // 3
        self._rows, self._waiting = [], len(self._symbols)
        return [Ask(AskKind.LIST, symbol, turn=-1) for symbol in self._symbols]

    def take(self, reply: Reply, *, healthy: bool) -> list[Ask]:
        """Take a reply to one of the requests of `step`, `take` or `stop`."""
        self._waiting -= 1
        if reply.ask.kind is AskKind.COUNTDOWN:
            self._switched(reply)
            return []
        found = open_orders_of(reply.answer.body) if reply.answer is not None and reply.is_ok else None
        if found is None or self._rows is None:
            self._rows = None
            self._soon(reply)
        else:
            self._rows += [row.clientOrderId for row in found]
        if self._waiting or self._rows is None:
            return []
        self._foreign = any(not one.startswith(self._prefix) for one in self._rows)
        return [] if self._foreign or not healthy else self._switch(self.timeout_ms)

    def stop(self) -> list[Ask]:
        """Stop every switch that was set."""
        return self._switch(0) if self._touched else []

    def _switch(self, countdown_ms: int) -> list[Ask]:
        self._waiting += len(self._symbols)
        self._touched = self._touched or countdown_ms > 0
        return [Ask(AskKind.COUNTDOWN, symbol, countdown_ms=countdown_ms) for symbol in self._symbols]

    def _switched(self, reply: Reply) -> None:
        symbol = reply.ask.symbol
        if not reply.is_ok:
            self._soon(reply)
        elif reply.ask.countdown_ms:
            self._set[symbol] = reply.asked_ns
        else:
            self._set.pop(symbol, None)
        whole = len(self._set) == len(self._symbols)
        self.refreshed_ns = min(self._set.values()) if whole else 0

    def _soon(self, reply: Reply) -> None:
        """Try again well before the next refresh: a missed one costs a third of the time there is."""
        self._next_ns = min(self._next_ns, reply.came_ns + 1_000 * MS)
