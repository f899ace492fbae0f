"""Counts of the last 60 s from decision to order, and of what stopped the rest: the WHY panel's numbers.

One bucket a second and running totals: counting is O(1), and a second's bucket is taken off the totals when
its place in the ring is reused. The same counters since the start feed the summary.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from pipeline.core.decision import Decision
from pipeline.core.params import SECOND
from pipeline.core.types import DenyReason

WINDOW_S = 60
"""Seconds the funnel looks back: the current one and the 59 before it."""


class Stage(enum.IntEnum):
    """Steps of the funnel, in order."""

    DECISIONS = 0
    PAST_ENTRY = 1
    PAYS = 2
    OFFERED = 3
    PERMITTED = 4
    DECLINED = 5
    LAPSED = 6
    SENT = 7


_REASONS = tuple(DenyReason)
_PLACE = {reason: len(Stage) + place for place, reason in enumerate(_REASONS)}
_WIDTH = len(Stage) + len(_REASONS)


@dataclass(frozen=True, slots=True)
class FunnelCounts:
    """Counts by stage, and by stop reason with the most frequent first."""

    stages: tuple[int, ...]
    """Indexed by `Stage`."""
    stopped: tuple[tuple[DenyReason, int], ...]

    def of(self, stage: Stage) -> int:
        """Give the count of one stage."""
        return self.stages[stage]


class Funnel:
    """Rolling counters; times must not go back by more than the window (an older one counts as now)."""

    def __init__(self) -> None:
        """Start empty."""
        self._buckets = [[0] * _WIDTH for _ in range(WINDOW_S)]
        self._totals = [0] * _WIDTH
        self._session = [0] * _WIDTH
        self._second = 0

    def count(self, stage: Stage, now_ns: int) -> None:
        """Count one step of one decision, idea, permit or order."""
        self._add(int(stage), now_ns)

    def stop(self, reason: DenyReason, now_ns: int) -> None:
        """Count what stopped a decision or an order."""
        self._add(_PLACE[reason], now_ns)

    def decided(self, decision: Decision) -> None:
        """Count a decision, how far it came and what stopped it."""
        now_ns = decision.ts_ns
        self._add(int(Stage.DECISIONS), now_ns)
        if decision.passes_entry:
            self._add(int(Stage.PAST_ENTRY), now_ns)
        if decision.pays:
            self._add(int(Stage.PAYS), now_ns)
        if decision.reason is not None:
            self._add(_PLACE[decision.reason], now_ns)

    def last_minute(self, now_ns: int) -> FunnelCounts:
        """Give the counts of the last 60 s."""
        self._turn(now_ns)
        return _counts(self._totals)

    def session(self) -> FunnelCounts:
        """Give the counts since the start."""
        return _counts(self._session)

    def _add(self, place: int, now_ns: int) -> None:
        self._turn(now_ns)
        self._buckets[self._second % WINDOW_S][place] += 1
        self._totals[place] += 1
        self._session[place] += 1

    def _turn(self, now_ns: int) -> None:
        """Move to the second of `now_ns` and take the buckets passed off the totals."""
        second = now_ns // SECOND
        if second <= self._second:
            return
        for passed in range(max(self._second, second - WINDOW_S) + 1, second + 1):
            bucket = self._buckets[passed % WINDOW_S]
            for place, count in enumerate(bucket):
                if count:
                    self._totals[place] -= count
                    bucket[place] = 0
        self._second = second


def _counts(values: list[int]) -> FunnelCounts:
    stopped = [(reason, values[_PLACE[reason]]) for reason in _REASONS if values[_PLACE[reason]]]
    stopped.sort(key=lambda entry: -entry[1])
    return FunnelCounts(stages=tuple(values[: len(Stage)]), stopped=tuple(stopped))
