"""5,000 frames a second for a minute while the inference worker hangs: nothing lost, nothing piled up.

The venue is `lobdeck sim --replay` on a long capture (`bench_long`). The session's worker is stopped
(SIGSTOP), and each one that replaces it, as soon as it is there. At the end the book is compared, level by
level, with a plain one of floats that read the same capture.
"""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import psutil

from app.bench_book import ReferenceBook
from app.bench_live import BenchSession, session, venue
from app.bench_long import long_capture
from app.bench_report import Budget, Row
from app.bench_tools import BenchError, Plan
from app.replay_command import sample_capture
from pipeline.core.inference import MAX_IN_FLIGHT
from pipeline.runtime.capture import open_capture, probe

FRAMES_A_SECOND = 5_000
NONE = Budget(0.0)
WAITING_BUDGET = Budget(float(MAX_IN_FLIGHT))
MEMORY_BUDGET_MB = Budget(8.0)
"""A queue of 1 % of the frames would take ten times that."""
LEVELS = 10
FLOOD_S = (60, 6)
"""Of the whole run and of the quick one."""
MARGIN_S = 30
"""The session may need so long until the flood is looked at."""
WARM_S = 5.0
LOOK_S = 0.5


class _Depth(msgspec.Struct):
    e: str = ""
    u: int = 0
    b: list[tuple[float, float]] = []
    a: list[tuple[float, float]] = []


class _Envelope(msgspec.Struct):
    data: _Depth


@dataclass(slots=True)
class Course:
    """What was seen while the flood ran."""

    stopped: int = 0
    """Workers that were made to hang."""
    most_waiting: int = 0
    """Most rows in flight at one look."""
    first_mb: float = 0.0
    """Memory of the engine, files apart, once it was warm."""
    last_mb: float = 0.0
    frames: list[tuple[float, int]] = field(default_factory=list)
    """(time in s, frames taken), look by look."""

    @property
    def rate(self) -> float:
        """Give frames a second between the first and the last look."""
        (first_s, first), (last_s, last) = self.frames[0], self.frames[-1]
        return (last - first) / max(last_s - first_s, 1e-9)


def measure(plan: Plan) -> list[Row]:
    """Let the flood run and judge what it left."""
    seconds = plan.of(*FLOOD_S)
    lines = plan.home / "flood.txt"
    every_ns = 1_000_000_000 // FRAMES_A_SECOND
    long_capture([sample_capture()], lines, FRAMES_A_SECOND * (seconds + MARGIN_S), every_ns)
    symbol = probe([lines], "binance").symbols[0]
    with venue(lines, 1.0) as url, session("bench-flood", url, symbol, plan.home) as running:
        running.wait_for(lambda content: content["decisions"] > 0)
        course = _flood(running, seconds)
        summary = running.end()
    return rows(course, summary, wrong_levels(lines, summary["book"][symbol]))


def rows(course: Course, summary: dict[str, Any], wrong: int) -> list[Row]:
    """Judge what was seen and what the session's summary says."""
    lost = sum(summary[name] for name in ("gaps", "wire_errors")) + summary["feed"]["lost"]
    rate = f"{course.rate:,.0f} frames/s taken of {FRAMES_A_SECOND:,} offered, {summary['frames']:,} in all"
    hung = f"{course.stopped} workers hung one after the other, {summary['conflated']:,} rows replaced"
    p99_us = summary["latency_us"]["recv_to_features"]["p99"]
    growth = course.last_mb - course.first_mb
    return [
        Row("flood with a hung worker: gaps, refused frames, lost connections", "", lost, NONE, rate),
        Row("the same, rows in flight at most", "", course.most_waiting, WAITING_BUDGET, hung),
        Row("the same, growth of the engine's memory", "MB", growth, MEMORY_BUDGET_MB, "files apart"),
        Row("the same, wrong levels of 20 at the end", "", wrong, NONE, "beside a plain book of floats"),
        Row("the same, recv -> features, p99", "us", p99_us),
    ]


def wrong_levels(lines: Path, book: dict[str, Any]) -> int:
    """Count which of the best ten levels of each side differ from a plain book at the same update."""
    frames = (frame.payload for frame in open_capture([lines]))
    plain, last_id, decode = ReferenceBook(next(frames)), book["last_update_id"], _decoder()
    for payload in frames:
        update = decode(payload).data if b'"depthUpdate"' in payload[:100] else None
        if update is not None:
            plain.apply(update.b, update.a)
            if update.u >= last_id:
                break
    bids = list(zip(plain.bids[::-1], plain.bid_sizes[::-1], strict=True))[:LEVELS]
    asks = [(-key, size) for key, size in zip(plain.asks[::-1], plain.ask_sizes[::-1], strict=True)][:LEVELS]
    return _different(bids, book["bids"]) + _different(asks, book["asks"])


def _decoder() -> Any:
    return msgspec.json.Decoder(_Envelope, strict=False).decode


def _different(plain: Sequence[tuple[float, float]], printed: Sequence[Sequence[str]]) -> int:
    ours = [(float(price), float(size)) for price, size in printed]
    return sum(1 for at in range(LEVELS) if plain[at : at + 1] != ours[at : at + 1])


def _flood(running: BenchSession, seconds: float) -> Course:
    """Keep the worker hung and look at the session until the time is up.

    Raises:
        BenchError: the session never answered meanwhile.
    """
    course, began_s = Course(), time.perf_counter()
    frozen: list[psutil.Process] = []
    try:
        while (now_s := time.perf_counter() - began_s) < seconds:
            for worker in running.workers():
                with contextlib.suppress(psutil.Error):
                    if worker.status() != psutil.STATUS_STOPPED:
                        worker.send_signal(signal.SIGSTOP)
                        frozen.append(worker)
            _look(running, course, now_s)
            time.sleep(LOOK_S)
    finally:
        for worker in frozen:
            with contextlib.suppress(psutil.Error):
                worker.send_signal(signal.SIGCONT)
    if len(course.frames) < 2:
        raise BenchError("the session did not answer during the flood")
    course.stopped = len(frozen)
    return course


def _look(running: BenchSession, course: Course, now_s: float) -> None:
    content = running.status()
    if not content:
        return
    course.frames.append((now_s, content["frames"]))
    ended = content["predictions"] + content["stale_predictions"] + content["conflated"]
    course.most_waiting = max(course.most_waiting, content["features"] - ended)
    course.last_mb = anonymous_mb(running.pid)
    if now_s < WARM_S or not course.first_mb:
        course.first_mb = course.last_mb


def anonymous_mb(pid: int) -> float:
    """Give a process's memory that no file backs: the journal's mapped segments come and go."""
    status = Path(f"/proc/{pid}/status").read_text()
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("RssAnon"))
    return int(kilobytes) / 1e3
