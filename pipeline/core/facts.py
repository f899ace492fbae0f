"""What the session knows and the engine does not: measured delays, workers, the replay's position.

These enter the screen and the summary only; no decision reads them, so that a replay decides the same on
a slower machine. What a decision must know enters the engine as an input instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.core.snapshot import AlertView, FeedView, ReplayView, StageView, WorkerView


@dataclass(frozen=True, slots=True)
class RuntimeFacts:
    """One reading of the session's own state, taken just before a snapshot is built."""

    session: str
    operator: str
    consoles: int
    stages: tuple[StageView, ...] = ()
    workers: tuple[WorkerView, ...] = ()
    loop_lag_us: int = -1
    rss_mb: float = 0.0
    journal_ok: bool = True
    guard: str = "none"
    replay: ReplayView | None = None
    notices: tuple[AlertView, ...] = ()
    """What the session itself has to say, newest first; in a replay that is no effect of the engine."""
    notices_unnoted: int = 0
    planted: bool = False
    """True where the flow is planted (the simulated exchange): profit there means nothing."""
    queue_ahead_units: Mapping[str, int] = field(default_factory=dict)
    """Paper venue: size ahead of our resting orders, by client order id."""
    model_files: Mapping[str, str] = field(default_factory=dict)
    """Version and approvals of each model's file, by model id."""
    feeds: tuple[FeedView, ...] = ()
