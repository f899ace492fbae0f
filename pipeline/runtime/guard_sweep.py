"""From a kill to NO ORDERS LEFT: list, cancel ours one by one, list again until zero twice. Pure.

Theory of operation. At the barrier the engine cannot send any more: it is dead, or it has acknowledged the
kill, which it does in a turn of its loop of its own, so that every later send reads a closed gate. What left
before may still be on its way; the venue takes it only while it is younger than recvWindow. So zero is
believed when two lists in a row show none of ours, both asked for after the barrier and the second at least
recvWindow and a margin after it. Orders whose id does not begin like ours are foreign and never touched.
"""

from __future__ import annotations

from pipeline.runtime.guard_asks import Ask, AskKind, Reply
from pipeline.wire.binance_rest import OpenOrder, open_orders_of

MS = 1_000_000
_LIST_AGAIN_NS = 100 * MS
_LOOK_ONLY_NS = 400 * MS
_CANCEL_AGAIN_NS = 500 * MS
_FAILED_AGAIN_NS = 100 * MS


class Sweep:
    """One kill at one venue."""

    def __init__(
        self,
        symbols: tuple[str, ...],
        prefix: str,
        barrier_ns: int,
        settle_ns: int,
        help_ns: int,
        after: Sweep | None = None,
    ) -> None:
        """Begin; before `help_ns` nothing is cancelled, because a living engine does so by itself.

        What the sweep before this one, `after`, has asked and not heard is not taken for an answer to us.
        """
        self._symbols = symbols
        self._prefix = prefix
        self._settled_ns = barrier_ns + settle_ns
        self._barrier_ns = barrier_ns
        self._help_ns = help_ns
        self._turn = 0 if after is None else after.turn
        self._next_ns = barrier_ns
        self._listed: dict[str, tuple[OpenOrder, ...] | None] = {}
        self._waiting = 0
        self._asked_ns = 0
        self._zeros = 0
        self._canceled: dict[str, int] = {}
        self._seen: set[str] = set()
        self.cancels_sent = 0
        self.ours_left = -1
        self.foreign = -1
        self.confirmed = False
        self.zero_came_ns = 0
        """When the list came that confirmed it."""

    @property
    def turn(self) -> int:
        """Give the number of the newest round of lists."""
        return self._turn

    @property
    def ours_seen(self) -> int:
        """Give how many different orders of ours the lists showed."""
        return len(self._seen)

    def step(self, now_ns: int) -> list[Ask]:
        """Give what is to be asked now."""
        if self.confirmed or self._waiting or now_ns < self._next_ns:
            return []
        self._turn += 1
        self._listed, self._asked_ns = {}, now_ns
        self._waiting = len(self._symbols)
        return [Ask(AskKind.LIST, symbol, turn=self._turn) for symbol in self._symbols]

    def take(self, reply: Reply) -> list[Ask]:
        """Take a reply; give what is to be asked at once."""
        ask = reply.ask
        if ask.turn != self._turn or not self._waiting:
            return []
        self._waiting -= 1
        if ask.kind is AskKind.CANCEL:
            return []
        self._listed[ask.symbol] = self._rows(reply)
        if len(self._listed) < len(self._symbols):
            return []
        return self._judge(reply)

    def _rows(self, reply: Reply) -> tuple[OpenOrder, ...] | None:
        if reply.answer is None or not reply.is_ok:
            return None
        return open_orders_of(reply.answer.body)

    def _judge(self, reply: Reply) -> list[Ask]:
        """Take a whole round of lists."""
        now_ns = reply.came_ns
        rows = [row for rows in self._listed.values() for row in rows or ()]
        if None in self._listed.values():
            wait_ns = reply.answer.retry_after_s * 1_000 * MS if reply.answer is not None else 0
            self._next_ns = now_ns + max(_FAILED_AGAIN_NS, wait_ns)
            return []
        ours = [row for row in rows if row.clientOrderId.startswith(self._prefix)]
        self.ours_left, self.foreign = len(ours), len(rows) - len(ours)
        self._seen.update(row.clientOrderId for row in ours)
        if ours:
            return self._cancels(ours, now_ns)
        self._count_zero(now_ns)
        return []

    def _cancels(self, ours: list[OpenOrder], now_ns: int) -> list[Ask]:
        self._zeros = 0
        if now_ns < self._help_ns:
            self._next_ns = min(now_ns + _LOOK_ONLY_NS, self._help_ns)
            return []
        self._next_ns = now_ns + _LIST_AGAIN_NS
        asks = []
        for row in ours:
            if now_ns - self._canceled.get(row.clientOrderId, -_CANCEL_AGAIN_NS) >= _CANCEL_AGAIN_NS:
                self._canceled[row.clientOrderId] = now_ns
                asks.append(Ask(AskKind.CANCEL, row.symbol, row.clientOrderId, turn=self._turn))
        self.cancels_sent += len(asks)
        self._waiting += len(asks)
        return asks

    def _count_zero(self, now_ns: int) -> None:
        if self._asked_ns >= self._barrier_ns:
            self._zeros += 1
        if self._zeros >= 2 and self._asked_ns >= self._settled_ns:
            self.confirmed, self.zero_came_ns = True, now_ns
        else:
            self._next_ns = max(now_ns + _LIST_AGAIN_NS, self._settled_ns if self._zeros else 0)
