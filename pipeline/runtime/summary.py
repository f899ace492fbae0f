"""The summary of a session: the JSON of `--summary` and of `status --json`, and the exit status in it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec

from pipeline.core.engine import Engine
from pipeline.core.types import TradingState, VenueMode
from pipeline.runtime.pump import Pump
from pipeline.runtime.workers import WorkerPool

EXIT_CLEAN = 0
EXIT_USAGE = 2
EXIT_ORDERS_LEFT = 3
EXIT_KILLED = 4
EXIT_FAILED = 5

_TOP_LEVELS = 10


@dataclass(frozen=True, slots=True)
class FeedCounts:
    """What became of a live feed's connections, over all its routes."""

    attempts: int = 0
    connections: int = 0
    lost: int = 0
    bridged: int = 0
    """Old connections replaced by a new one without a gap."""
    duplicates: int = 0
    """Messages both connections brought while one bridged the other; one of each passed."""
    snapshots: int = 0
    snapshots_failed: int = 0
    most_waiting_bytes: int = 0
    """Highest reading of what the kernel held for us on one connection, ten times a second."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The summary object and the exit status it means."""

    content: dict[str, Any]
    exit_status: int

    def to_json(self) -> bytes:
        """Give the summary as indented JSON."""
        return msgspec.json.format(msgspec.json.encode(self.content), indent=1) + b"\n"


class SummaryError(Exception):
    """A summary could not be written; one line says where and why, and how the session ended."""


def keep_summary(summary: Summary, paths: Iterable[Path]) -> None:
    """Write a summary to each of the files; what was written of one that failed is taken away.

    Raises:
        SummaryError: after all were tried, when one could not be written.
    """
    failed = [trouble for path in paths if (trouble := _kept(summary, path))]
    if failed:
        ended = f"the session ended {summary.content['exit']}"
        raise SummaryError(f"{ended}, but its summary could not be written: {'; '.join(failed)}")


def _kept(summary: Summary, path: Path) -> str:
    """Write one file; give the trouble, empty when it stands there whole."""
    try:
        path.write_bytes(summary.to_json())
    except OSError as problem:
        with contextlib.suppress(OSError):
            if path.is_file():
                path.unlink()
        return f"{path}: {problem.strerror}"
    return ""


def build_summary(
    engine: Engine,
    pump: Pump,
    pool: WorkerPool | None,
    pids: dict[str, int | None],
    journal: str,
    feed: FeedCounts,
    *,
    head: str = "",
    owns_venue: bool = False,
) -> Summary:
    """Sum up a session as it stands; `owns_venue` as in `exit_of`, true with an exchange's process anyhow."""
    word, status = exit_of(engine, owns_venue=owns_venue or pids["sim"] is not None)
    content: dict[str, Any] = {
        "mode": engine.mode.value,
        "frames": pump.frames,
        **engine.counts(),
        "book": {symbol: _book(engine, symbol) for symbol in engine.symbols},
        "position": engine.position_summary(),
        "latency_us": {name: histogram.summary_us() for name, histogram in pump.histograms.items()},
        "workers": _workers(pool),
        "feed": asdict(feed),
        "effects": pump.effects,
        "inputs_sha256": pump.inputs_sha256,
        "effects_sha256": pump.effects_sha256,
        "journal": journal,
        "journal_head": head,
        "pids": pids,
        "exit": word,
    }
    return Summary(content, status)


def exit_of(engine: Engine, *, owns_venue: bool = False) -> tuple[str, int]:
    """Give how the session ends; in a replay and on paper orders and positions end with it.

    So they do where it `owns_venue`: where it started the simulated exchange and ends it, or replays
    the journal of a session that did.
    """
    simulated = owns_venue or engine.mode in (VenueMode.REPLAY, VenueMode.PAPER)
    if not simulated and engine.has_leftovers:
        return "orders_left", EXIT_ORDERS_LEFT
    if engine.trading_state is TradingState.KILLED:
        return "killed", EXIT_KILLED
    return "clean", EXIT_CLEAN


def as_failed(summary: Summary) -> Summary:
    """Give a summary that ended clean as one that failed; a worse ending stays."""
    if summary.exit_status != EXIT_CLEAN:
        return summary
    return Summary({**summary.content, "exit": "failed"}, EXIT_FAILED)


def _book(engine: Engine, symbol: str) -> dict[str, Any]:
    synced = engine.synced_book(symbol)
    instrument = engine.instrument(symbol)
    if synced is None or instrument is None:
        return {"state": "EMPTY", "last_update_id": 0, "bids": [], "asks": []}
    bids, asks = synced.book.top(_TOP_LEVELS)
    return {
        "state": synced.state.value,
        "last_update_id": synced.last_update_id,
        "bids": [[instrument.price_text(p), instrument.size_text(s)] for p, s in bids],
        "asks": [[instrument.price_text(p), instrument.size_text(s)] for p, s in asks],
    }


def _workers(pool: WorkerPool | None) -> list[dict[str, Any]]:
    if pool is None:
        return []
    return [
        {
            "pid": worker.pid,
            "state": worker.state.value,
            "served": worker.served,
            "restarts": worker.restarts,
            "p50_us": worker.p50_us,
            "p99_us": worker.p99_us,
            "rss_mb": worker.rss_mb,
        }
        for worker in pool.counters(time.monotonic_ns()).workers
    ]
