"""Features of the tape alone; they survive a resync of the book."""

from __future__ import annotations

import math
from functools import partial

from pipeline.core.feature_spec import MS_NS, FeatureSpec, Reader
from pipeline.core.feature_table import RATE_TAU_MS, SIGNED_TAU_MS, TFI_WINDOWS_MS, TRADE_SIZE_TAU_MS
from pipeline.core.types import Side
from pipeline.core.windows import DecayedSum, WindowSum


class TradeFeatures:
    """Rolling state of the tape, O(1) a trade. Sizes are integers in units."""

    __slots__ = ("_both", "_count", "_signed", "_signed_decayed", "_size", "_trades", "any_trade")

    def __init__(self, capacity: int) -> None:
        """Start without a trade; `capacity` bounds the trades a window can hold."""
        windows_ns = tuple(ms * MS_NS for ms in TFI_WINDOWS_MS)
        self._signed = WindowSum(windows_ns, capacity)
        self._both = WindowSum(windows_ns, capacity)
        self._signed_decayed = DecayedSum(SIGNED_TAU_MS * MS_NS)
        self._size = DecayedSum(TRADE_SIZE_TAU_MS * MS_NS)
        self._count = DecayedSum(TRADE_SIZE_TAU_MS * MS_NS)
        self._trades = DecayedSum(RATE_TAU_MS * MS_NS)
        self.clear()

    def clear(self) -> None:
        """Forget everything but the counters."""
        for rolling in (self._signed, self._both):
            rolling.clear()
        for decayed in (self._signed_decayed, self._size, self._count, self._trades):
            decayed.clear()
        self.any_trade = False
        """True once there was a trade."""

    @property
    def overflows(self) -> int:
        """Give how many trades the windows gave up because they were full."""
        return self._both.overflows

    def update(self, ts_ns: int, size_units: int, aggressor_side: Side) -> None:
        """Take in one trade."""
        signed = size_units if aggressor_side is Side.BUY else -size_units
        self._signed.add(ts_ns, signed)
        self._both.add(ts_ns, size_units)
        self._signed_decayed.add(ts_ns, signed)
        self._size.add(ts_ns, size_units)
        self._count.add(ts_ns, 1.0)
        self._trades.add(ts_ns, 1.0)
        self.any_trade = True

    def reader(self, spec: FeatureSpec) -> Reader:
        """Give the function that reads one of this group's features.

        Raises: ValueError for a formula of another group.
        """
        match spec.formula:
            case "trade_flow":
                return partial(self._trade_flow, TFI_WINDOWS_MS.index(spec.window_ms))
            case "signed_volume":
                return self._signed_volume
            case "trade_rate":
                return self._trade_rate
            case formula:
                raise ValueError(f"{formula} is not a formula of the tape")

    def _trade_flow(self, window: int, ts_ns: int) -> float:
        both = self._both.total(window, ts_ns)
        return self._signed.total(window, ts_ns) / both if both else 0.0

    def _signed_volume(self, ts_ns: int) -> float:
        # Size and count decay alike, so their ratio is the mean size however long ago the last trade was.
        return self._signed_decayed.at(ts_ns) * self._count.value / self._size.value

    def _trade_rate(self, ts_ns: int) -> float:
        return math.log(1.0 + self._trades.at(ts_ns))
