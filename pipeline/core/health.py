"""Health agents: small state machines that see a slow or broken stage before an order does.

Each agent compares one reading with its thresholds and says what changed; the engine turns that into an
alert, a step down of the authority, or a halt. An agent speaks when its level changes, not at each reading,
and falls back only below half of its threshold, so that it does not flap.
"""

from __future__ import annotations

import enum

from pipeline.core.params import HealthParams
from pipeline.core.worker_watch import WorkerWatch

STAGES = ("features", "model", "decide", "order")
"""Stages of the chain whose delay since receive the session measures, in the order of `HealthRead`."""


class Level(enum.IntEnum):
    """How bad one reading is."""

    OK = 0
    WARN = 1
    ACT = 2


class ThresholdAgent:
    """One reading against two thresholds; `confirmations` readings in a row are needed to act."""

    def __init__(self, warn: int, act: int, confirmations: int, clear: int | None = None) -> None:
        self.level = Level.OK
        self.worst = 0
        self._warn = warn
        self._act = act
        self._clear = -(-warn // 2) if clear is None else clear
        self._needed = confirmations
        self._over = 0

    @property
    def is_beyond(self) -> bool:
        """Say whether the newest readings are beyond the threshold; the level falls back later."""
        return self._over >= self._needed

    def read(self, value: int) -> Level | None:
        """Take a reading; give the new level when it changed, else None."""
        self.worst = max(self.worst, value)
        self._over = self._over + 1 if value >= self._act else 0
        before = self.level
        if self._over >= self._needed:
            self.level = Level.ACT
        elif value >= self._warn:
            self.level = max(self.level, Level.WARN)
        elif value < self._clear:
            self.level = Level.OK
        return self.level if self.level is not before else None


class FeedLag:
    """How much later than usual a symbol's news comes: receive time less event time, less the least seen.

    The two clocks differ by an unknown amount; what is left after the least difference is delay, or a clock
    that was set: both say that the book is not what it seems. A new connection begins anew.
    """

    def __init__(self) -> None:
        self.lag_ns = 0
        self._least_ns = 0
        self._seen = False

    def begin(self) -> None:
        """Forget the least difference."""
        self.lag_ns, self._seen = 0, False

    def on_event(self, ts_event_ns: int, ts_recv_ns: int) -> None:
        """Take one update's two times; a venue that prints none tells nothing."""
        if ts_event_ns <= 0:
            return
        late_ns = ts_recv_ns - ts_event_ns
        if not self._seen or late_ns < self._least_ns:
            self._least_ns, self._seen = late_ns, True
        self.lag_ns = late_ns - self._least_ns


class HealthAgents:
    """The agents of one session."""

    def __init__(self, params: HealthParams) -> None:
        self.latency = ThresholdAgent(params.latency_warn_ns, params.latency_degrade_ns, confirmations=3)
        """Newest event of a row -> decision, in nanoseconds; ACT lowers the authority."""
        self.loop_lag = ThresholdAgent(params.loop_lag_warn_ns, params.loop_lag_halt_ns, confirmations=1)
        """How late the session's beat came, in nanoseconds; ACT halts."""
        self.stages = tuple(
            ThresholdAgent(params.latency_warn_ns, params.latency_degrade_ns, confirmations=3) for _ in STAGES
        )
        """Receive -> each stage, as the session measured it, in nanoseconds; ACT lowers the authority."""
        self.clock = ThresholdAgent(params.clock_warn_ns, params.clock_halt_ns, confirmations=1)
        """Distance of our clock from the venue's and the system's, in ns; ACT holds new orders back."""
        self.memory = ThresholdAgent(params.memory_warn_mb, params.memory_halt_mb, confirmations=3)
        """Resident MB; ACT halts."""
        self.disk = ThresholdAgent(
            100 - params.disk_warn_percent,
            100 - params.disk_halt_percent,
            confirmations=1,
            clear=99 - params.disk_warn_percent,
        )
        """Percent of the journal's disk in use; ACT halts."""
        self.files = ThresholdAgent(params.files_warn_percent, params.files_halt_percent, confirmations=3)
        """Percent of the open files allowed; ACT halts."""
        self.skill = ThresholdAgent(
            params.misses_warn_percent, params.misses_degrade_percent, confirmations=3
        )
        """Percent of the model's last calls that were wrong; ACT lowers the authority."""
        self.workers = WorkerWatch()
        self._params = params
        self._feeds: dict[str, ThresholdAgent] = {}

    def feed(self, symbol: str) -> ThresholdAgent:
        """Give the agent of a symbol's delay, in nanoseconds; ACT holds the symbol's new orders back."""
        agent = self._feeds.get(symbol)
        if agent is None:
            params = self._params
            agent = ThresholdAgent(params.feed_lag_warn_ns, params.feed_lag_halt_ns, confirmations=3)
            self._feeds[symbol] = agent
        return agent
