"""All faults of a venue, asked by the connections: does it happen to this one, and how late is it?"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.sim.chance import Chance
from pipeline.sim.protocol.faults import SECOND_NS, Fault, FaultKind
from pipeline.sim.protocol.market_faults import MarketFaults

_AT_TIMES = (FaultKind.DISCONNECT, FaultKind.END_STREAM)


class FaultPlan:
    """All faults of a venue; each connection draws its own chances, the same for the same seed."""

    def __init__(self, faults: Sequence[Fault], seed: int, start_ns: int) -> None:
        """Plan the faults of a venue that started at `start_ns`."""
        self.faults = tuple(faults)
        self._seed = seed
        self._start_ns = start_ns
        self._connections = 0
        self._requests = Chance(~seed)

    def for_connection(self) -> MarketFaults:
        """Give the faults of a new market connection."""
        self._connections += 1
        seed = self._seed + 104_729 * self._connections
        return MarketFaults(self.faults, Chance(seed), self._start_ns)

    def strikes(self, kind: FaultKind, name: str, now_ns: int) -> bool:
        """Say whether a fault on requests or reports happens to this one."""
        for fault in self.faults:
            if fault.kind is kind and fault.is_on(now_ns - self._start_ns, name):
                return self._requests.unit() < fault.amount
        return False

    def share(self, kind: FaultKind, name: str, now_ns: int) -> float:
        """Give the amount of a fault that is on, 0 where none is."""
        for fault in self.faults:
            if fault.kind is kind and fault.is_on(now_ns - self._start_ns, name):
                return fault.amount
        return 0.0

    def delay_ns(self, kind: FaultKind, name: str, now_ns: int) -> int:
        """Give how late a fault makes a request, its answer, or a report."""
        return int(self.share(kind, name, now_ns) * 1_000_000)

    def banned_until_ns(self, now_ns: int) -> int:
        """Give when the ban that is on ends; 0 for none."""
        for fault in self.faults:
            if fault.kind is FaultKind.BAN and fault.is_on(now_ns - self._start_ns, ""):
                return self._start_ns + fault.end_ns
        return 0

    def due(self, kind: FaultKind, after_ns: int, now_ns: int) -> list[str]:
        """Give the targets of the faults of a kind that happen after one instant up to another."""
        found = []
        for fault in self.faults:
            at_ns = self.next_due_ns(fault, after_ns)
            if fault.kind is kind and at_ns is not None and at_ns <= now_ns:
                found.append(fault.target)
        return found

    def next_due_ns(self, fault: Fault, after_ns: int) -> int | None:
        """Give when a fault that happens at its times (a cut, the end of streams) is due; None for never."""
        if fault.kind not in _AT_TIMES:
            return None
        first_ns, period_ns = self._start_ns + fault.start_ns, int(fault.amount * SECOND_NS)
        if after_ns < first_ns:
            return first_ns
        if not period_ns:
            return None
        at_ns = first_ns + ((after_ns - first_ns) // period_ns + 1) * period_ns
        return at_ns if at_ns < self._start_ns + fault.end_ns else None
