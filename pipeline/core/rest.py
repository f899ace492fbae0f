"""When a symbol's orders need no look: all a look reads is as the last one found it, and no time has come.

Most beats change nothing an execution policy reads. A look that placed or cancelled nothing is remembered
with what it saw before it began, so one that itself changed something is made again.
"""

from __future__ import annotations

from pipeline.core.desk import SymbolDesk
from pipeline.core.state import EngineState

Seen = tuple[object, ...]


def seen_now(state: EngineState, desk: SymbolDesk) -> Seen:
    """Give everything `Trader.work` reads of one symbol, but the time; counters stand for what has parts."""
    position, policy = state.portfolio.position(desk.symbol), desk.policy
    bid_ticks, _, ask_ticks, _ = desk.synced.l1
    return (
        bid_ticks,
        ask_ticks,
        desk.decision,
        state.orders.changes,
        state.permits.changes,
        position.lots,
        position.opened_ns,
        desk.synced.state,
        desk.refused_seq,
        desk.flatten_who,
        policy.dust,
        policy.unmanaged,
        state.authority,
        state.trading_state,
    )


class Rest:
    """Remembers the last look of one symbol that had nothing to do."""

    __slots__ = ("_from_ns", "_seen", "_until_ns")

    def __init__(self) -> None:
        self._seen: Seen = ()
        self._from_ns = self._until_ns = 0

    def begin(self, seen: Seen, from_ns: int, until_ns: int) -> None:
        """Remember a look at `from_ns` that did nothing and, by time alone, would not before `until_ns`."""
        self._seen, self._from_ns, self._until_ns = seen, from_ns, until_ns

    def holds(self, seen: Seen, now_ns: int) -> bool:
        """Say whether a look now would do nothing and change nothing."""
        return self._from_ns <= now_ns < self._until_ns and seen == self._seen
