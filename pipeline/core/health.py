"""Health agents: small state machines that see a slow or broken stage before an order does.

Each agent compares one reading with its thresholds and says what changed; the engine turns that into an
alert, a step down of the authority, or a halt. An agent speaks when its level changes, not at each reading,
and falls back only below half of its threshold, so that it does not flap.
"""

from __future__ import annotations

import enum

from pipeline.core.params import HealthParams
from pipeline.core.worker_watch import WorkerWatch


class Level(enum.IntEnum):
    """How bad one reading is."""

    OK = 0
    WARN = 1
    ACT = 2


class ThresholdAgent:
    """One reading against two thresholds; `confirmations` readings in a row are needed to act."""

    def __init__(self, warn: int, act: int, confirmations: int) -> None:
        self.level = Level.OK
        self.worst = 0
        self._warn = warn
        self._act = act
        self._needed = confirmations
        self._over = 0

    def read(self, value: int) -> Level | None:
        """Take a reading; give the new level when it changed, else None."""
        self.worst = max(self.worst, value)
        self._over = self._over + 1 if value >= self._act else 0
        before = self.level
        if self._over >= self._needed:
            self.level = Level.ACT
        elif value >= self._warn:
            self.level = max(self.level, Level.WARN)
        elif 2 * value < self._warn:
            self.level = Level.OK
        return self.level if self.level is not before else None


class HealthAgents:
    """The agents of one session."""

    def __init__(self, params: HealthParams) -> None:
        self.latency = ThresholdAgent(params.latency_warn_ns, params.latency_degrade_ns, confirmations=3)
        """Newest event of a row -> decision, in nanoseconds; ACT lowers the authority."""
        self.loop_lag = ThresholdAgent(params.loop_lag_warn_ns, params.loop_lag_halt_ns, confirmations=1)
        """How late the session's beat came, in nanoseconds; ACT halts."""
        self.workers = WorkerWatch()
