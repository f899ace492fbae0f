"""Lets virtual time run on in a replay that is paused or over, until what an operator cancelled is confirmed.

A kill must be confirmed whether the market moves or not. Virtual time passes in beats from where it stood,
with the frames, answers and reports due in them, in the same order as if the replay had not been paused: so
a session's hashes do not tell that it was. What the machine cancelled by itself moves nothing.
"""

from __future__ import annotations

from typing import Protocol

from pipeline.core.engine import Engine
from pipeline.runtime.capture_run import BEAT_NS, Progress

LONGEST_NS = 5_000_000_000
"""Virtual time after which an unanswered cancel is left to the operator."""
SLICE_S = 0.008


class Standing(Protocol):
    """What is needed of a run whose time stands still."""

    engine: Engine

    @property
    def now_ns(self) -> int:
        """Give the virtual time."""
        ...

    def settle(self, until_ns: int, budget_s: float) -> Progress:
        """Let time pass to `until_ns`."""
        ...


class Settling:
    """One session's operator cancels; one writer, the session's loop."""

    def __init__(self) -> None:
        self._since_ns = -1
        self._until_ns = -1

    def begin(self, now_ns: int) -> None:
        """Note that an operator did something at this virtual time."""
        self._since_ns = now_ns

    def step(self, run: Standing) -> Progress:
        """Let one more beat of virtual time pass if a cancel waits for its answer."""
        now_ns = run.now_ns
        if self._since_ns < 0:
            return Progress.REACHED
        if not run.engine.awaits_cancels or now_ns - self._since_ns >= LONGEST_NS:
            self._since_ns = -1
            return Progress.REACHED
        if now_ns >= self._until_ns:
            self._until_ns = now_ns + BEAT_NS
        return run.settle(self._until_ns, SLICE_S)
