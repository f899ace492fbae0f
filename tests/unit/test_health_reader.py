"""The readings of the machine: a disk that cannot be asked is full, an old delay is no news."""

from __future__ import annotations

from pathlib import Path

from pipeline.core.latency import LatencyHistogram
from pipeline.runtime.health_reader import HealthReader

KEYS = ("recv_to_features", "recv_to_prediction", "recv_to_decision", "recv_to_order")


def test_a_stage_is_read_once_for_each_time_something_passed(tmp_path: Path) -> None:
    reader, stages = HealthReader(tmp_path), {key: LatencyHistogram() for key in KEYS}
    stages["recv_to_order"].record(7)
    known = {"clock_ahead_ns": 0, "rss_mb": 80.9, "journal_ok": True, "now_ns": 1, "day": (-5, 7)}
    first, second = reader.read(stages, **known), reader.read(stages, **known)  # type: ignore[arg-type]
    assert first.stages_ns == (-1, -1, -1, 7)
    assert second.stages_ns == (-1, -1, -1, -1)
    assert first.rss_mb == 80
    assert (first.day_quote_e8, first.peak_quote_e8) == (-5, 7)
    assert 0 <= first.disk_free_percent <= 100
    assert 0 <= first.files_percent <= 100


def test_a_disk_that_is_gone_counts_as_full(tmp_path: Path) -> None:
    stages = {key: LatencyHistogram() for key in KEYS}
    read = HealthReader(tmp_path / "gone").read(
        stages, clock_ahead_ns=0, rss_mb=0, journal_ok=True, now_ns=1, day=(0, 0)
    )
    assert read.disk_free_percent == 0
