"""Reads once a second what the health agents watch: the machine, the process, the stages of the chain."""

from __future__ import annotations

import os
import resource
from pathlib import Path

from pipeline.core.inputs import HealthRead
from pipeline.core.latency import LatencyHistogram

_STAGES = ("recv_to_features", "recv_to_prediction", "recv_to_decision", "recv_to_order")
"""The histograms of `core.health.STAGES`."""


class HealthReader:
    """Makes the readings of one session."""

    def __init__(self, directory: Path) -> None:
        """Watch the disk that `directory` is on."""
        self._directory = directory
        self._counts = [0] * len(_STAGES)

    def read(
        self,
        histograms: dict[str, LatencyHistogram],
        *,
        clock_ahead_ns: int,
        rss_mb: float,
        journal_ok: bool,
        now_ns: int,
        day: tuple[int, int],
    ) -> HealthRead:
        """Give the readings of now; a disk that cannot be asked counts as full.

        `day` is the day's result and its best, which the next run reads.
        """
        most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        files = sum(1 for _ in Path("/proc/self/fd").iterdir())
        return HealthRead(
            clock_ahead_ns=clock_ahead_ns,
            rss_mb=int(rss_mb),
            disk_free_percent=_free_percent(self._directory),
            files_percent=100 * files // max(1, most),
            journal_ok=journal_ok,
            stages_ns=tuple(self._stage(n, histograms[key]) for n, key in enumerate(_STAGES)),
            ts_ns=now_ns,
            day_quote_e8=day[0],
            peak_quote_e8=day[1],
        )

    def _stage(self, number: int, histogram: LatencyHistogram) -> int:
        """Give the newest delay of a stage; -1 where nothing passed since the last reading."""
        before, self._counts[number] = self._counts[number], histogram.count
        return histogram.last_ns if histogram.count > before else -1


def _free_percent(directory: Path) -> int:
    try:
        found = os.statvfs(directory)
    except OSError:
        return 0
    return 100 * found.f_bavail // max(1, found.f_blocks)
