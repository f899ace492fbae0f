"""Realised volatility of the mid, from one sample a second.

Sampled on a clock of its own, started by the first mid, so that it does not depend on how often the touch
changes. A sample is the mid that stood just before its instant.
"""

from __future__ import annotations

import math

from pipeline.core.feature_spec import MS_NS
from pipeline.core.feature_table import VOLATILITY_STEP_MS, VOLATILITY_TAU_MS
from pipeline.core.windows import EwmaMoments

STEP_NS = VOLATILITY_STEP_MS * MS_NS


class SecondVolatility:
    """Root of the exponential mean of squared one-second moves of the mid, in half ticks."""

    __slots__ = ("_mid", "_next_ns", "_sampled_mid", "_squares")

    def __init__(self) -> None:
        """Start without a mid."""
        self._squares = EwmaMoments(VOLATILITY_TAU_MS * MS_NS)
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._squares.clear()
        self._mid = 0
        self._sampled_mid = 0
        self._next_ns = 0

    def update(self, ts_ns: int, mid_half_ticks: int) -> None:
        """Let the mid be this from `ts_ns` on."""
        if self._mid:
            self._sample(ts_ns)
        else:
            self._sampled_mid = mid_half_ticks
            self._next_ns = ts_ns + STEP_NS
        self._mid = mid_half_ticks

    def half_ticks(self, ts_ns: int) -> float:
        """Give the volatility as of `ts_ns`, in half ticks per root second; 0 before the first sample."""
        if self._mid:
            self._sample(ts_ns)
        return math.sqrt(self._squares.mean)

    def _sample(self, ts_ns: int) -> None:
        if ts_ns < self._next_ns:
            return
        move = self._mid - self._sampled_mid
        self._squares.add(self._next_ns, move * move)
        self._sampled_mid = self._mid
        # Whole seconds nobody asked about had no move; one zero sample decays as much as many.
        silent, _ = divmod(ts_ns - self._next_ns, STEP_NS)
        if silent:
            self._next_ns += silent * STEP_NS
            self._squares.add(self._next_ns, 0.0)
        self._next_ns += STEP_NS
