"""One feature as an engine reads it: its reader, what must hold first, and how it enters a row."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pipeline.core.feature_spec import FeatureSpec, Missing, Needs, Reader
from pipeline.core.types import E6


@dataclass(frozen=True, slots=True)
class Demand:
    """What must hold before some features may be read; -1 ns where a source is not needed."""

    book_after_ns: int = -1
    """Least time since the book became whole."""
    levels: int = 0
    """Levels both sides of the depth book must have; 0 when only the touch is read."""
    trades_after_ns: int = -1
    """Least time since the tape began."""
    a_trade: bool = False
    """True: there must have been a trade."""

    def joined(self, other: Demand) -> Demand:
        """Give the demand that holds when both do."""
        return Demand(
            max(self.book_after_ns, other.book_after_ns),
            max(self.levels, other.levels),
            max(self.trades_after_ns, other.trades_after_ns),
            self.a_trade or other.a_trade,
        )


def demand_of(spec: FeatureSpec, after_ns: int) -> Demand:
    """Give what one feature demands when its source must have been whole for `after_ns`."""
    match spec.needs:
        case Needs.TOUCH:
            return Demand(book_after_ns=after_ns)
        case Needs.DEPTH:
            return Demand(book_after_ns=after_ns, levels=spec.min_levels)
        case Needs.TRADES:
            return Demand(trades_after_ns=after_ns, a_trade=spec.missing is Missing.NOT_READY)


class Column:
    """One feature of one engine."""

    __slots__ = ("_high", "_low", "_signed_log", "name", "natural", "ready", "shown", "valid")

    def __init__(self, spec: FeatureSpec, natural: Reader) -> None:
        """Bind a feature to the function that reads it."""
        self.name = spec.name
        self.natural = natural
        """Reads the value in the feature's unit."""
        self._signed_log = spec.signed_log
        self._low, self._high = spec.range_e6[0] / E6, spec.range_e6[1] / E6
        self.valid = demand_of(spec, 0)
        """Holds when there is anything to read at all."""
        self.shown = demand_of(spec, spec.shown_after_ns)
        """Holds when the value may be shown."""
        self.ready = demand_of(spec, spec.ready_after_ns)
        """Holds when a row may hold the value."""

    def value(self, ts_ns: int) -> float:
        """Give the value as a row holds it: transformed and cut to its range."""
        x = self.natural(ts_ns)
        if self._signed_log:
            x = math.log(1.0 + x) if x >= 0.0 else -math.log(1.0 - x)
        if x < self._low:
            return self._low
        return self._high if x > self._high else x
