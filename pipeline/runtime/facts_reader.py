"""Reads what the session knows of itself: delays of each stage, workers, memory, loop lag."""

from __future__ import annotations

import psutil

from pipeline.core.inputs import WorkerCounters
from pipeline.core.latency import LatencyHistogram
from pipeline.core.snapshot import StageView, WorkerView

_STAGE_NAMES = (
    ("features", "recv_to_features"),
    ("model", "recv_to_prediction"),
    ("decide", "recv_to_decision"),
    ("order", "recv_to_order"),
)


def stage_views(histograms: dict[str, LatencyHistogram], warn_ns: int) -> tuple[StageView, ...]:
    """Give each stage's newest, median and 99th percentile delay since receive, in microseconds."""
    return tuple(_stage(name, histograms[key], warn_ns) for name, key in _STAGE_NAMES)


def _stage(name: str, histogram: LatencyHistogram, warn_ns: int) -> StageView:
    p99_ns = histogram.percentile_ns(0.99)
    return StageView(
        name=name,
        now_us=_us(histogram.last_ns),
        p50_us=_us(histogram.percentile_ns(0.50)),
        p99_us=_us(p99_ns),
        ok=histogram.last_ns <= warn_ns,
    )


def _us(value_ns: int) -> int:
    return -1 if value_ns < 0 else value_ns // 1000


def worker_views(counters: WorkerCounters) -> tuple[WorkerView, ...]:
    """Give the workers as the screen shows them."""
    return tuple(
        WorkerView(
            worker_id=w.worker_id,
            pid=w.pid,
            state=w.state,
            served=w.served,
            late=w.late,
            restarts=w.restarts,
            queue_depth=w.queue_depth,
            p50_us=w.p50_us,
            p99_us=w.p99_us,
            rss_mb=w.rss_mb,
            heartbeat_age_ms=w.heartbeat_age_ms,
        )
        for w in counters.workers
    )


class MemoryWatch:
    """Resident memory of this process, read from the kernel on request."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self.rss_mb = 0.0

    def read(self) -> float:
        """Read the resident set size in MB (about 20 µs)."""
        self.rss_mb = self._process.memory_info().rss / 1e6
        return self.rss_mb
