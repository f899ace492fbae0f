"""The slices of the picture that show the machinery: replay, stages, workers, feeds, chain, model.

Units and rules are those of `snapshot.py`, from which everybody takes them.
"""

from __future__ import annotations

import msgspec

from pipeline.core.snapshot_model import WatchView
from pipeline.core.types import WorkerState


class ReplayView(msgspec.Struct, frozen=True, eq=False):
    """Where a replay stands."""

    source: str
    speed: float
    """1.0 is the capture's own pace; 0.0 is as fast as it goes."""
    paused: bool
    ended: bool
    position_ms: int
    length_ms: int
    """-1 while unknown."""
    seeking_to_ms: int = -1
    lap: int = 1
    """Which pass over the capture this is; counters and P&L begin anew with each."""


class StageView(msgspec.Struct, frozen=True, eq=False):
    """One stage of the chain."""

    name: str
    """`feed`, `book`, `features`, `model`, `decide`, `order`."""
    now_us: int
    """Newest delay since receive; -1 without one."""
    p50_us: int
    p99_us: int
    ok: bool


class WorkerView(msgspec.Struct, frozen=True, eq=False):
    """One worker."""

    worker_id: int
    pid: int
    state: WorkerState
    served: int
    late: int
    restarts: int
    queue_depth: int
    p50_us: float
    p99_us: float
    rss_mb: float
    heartbeat_age_ms: int


class FeedView(msgspec.Struct, frozen=True, eq=False):
    """One connection of a live feed, or its service of whole books."""

    name: str
    up: bool
    reason: str
    """Why it is down; empty while it is up."""
    retry_ms: int
    """Until it is tried again; -1 while nothing waits."""
    silent: tuple[str, ...] = ()
    """Channels that are up and say nothing."""


class ChainView(msgspec.Struct, frozen=True, eq=False):
    """The machinery on one line, with the slowest stage and why the chain stops."""

    stages: tuple[StageView, ...]
    slowest: str
    stopped: str
    """Why no order can go now, as a reason code; empty when the whole chain is ok."""
    workers: tuple[WorkerView, ...]
    workers_ready: int
    conflated: int
    late: int
    void: int
    feed_up: bool
    loop_lag_us: int
    clock_offset_ms: int
    journal_ok: bool
    rss_mb: float
    guard: str
    """`ok`, `none` or `lost`."""
    feeds: tuple[FeedView, ...] = ()
    """Of a live session."""


class FeatureRow(msgspec.Struct, frozen=True, eq=False):
    """One feature of the newest row, for the model screen."""

    name: str
    value_e6: int
    ready: bool
    unit: str


class ModelView(msgspec.Struct, frozen=True, eq=False):
    """Identity of the model in use."""

    name: str
    model_id: str
    generation: int
    schema_hash: str
    horizon_ms: int
    features: tuple[FeatureRow, ...]
    watch: WatchView | None = None
