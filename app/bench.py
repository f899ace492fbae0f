"""`lobdeck bench`: the budgets that can be measured on this machine, each beside what it measured.

Ratios are taken side by side in one run. Everything runs in a state directory of its own, on demo sessions
and captures; nothing of the user's is read or left behind. Progress goes to stderr.
"""

from __future__ import annotations

import contextlib
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from app import (
    bench_attached,
    bench_book,
    bench_console,
    bench_dataset,
    bench_decision,
    bench_flood,
    bench_memory,
    bench_orders,
    bench_replay,
    bench_swap,
    bench_workers,
)
from app.bench_capture import SYNTHETIC, choose_captures
from app.bench_noise import MachineNoise
from app.bench_report import Row, json_text, table
from app.bench_tools import BenchError, Plan
from pipeline import __version__
from pipeline.runtime.places import HOME_VARIABLE

PARTS: dict[str, Callable[[Plan], list[Row]]] = {
    "book": bench_book.measure,
    "workers": bench_workers.measure,
    "orders": bench_orders.measure,
    "replay": bench_replay.measure,
    "dataset": bench_dataset.measure,
    "memory": bench_memory.measure,
    "console": bench_console.measure,
    "decision": bench_decision.measure,
    "attached": bench_attached.measure,
    "flood": bench_flood.measure,
    "swap": bench_swap.measure,
}
"""What can be measured by itself, in the order of measuring."""

NOT_MEASURED = ("`lobdeck kill` with the engine stopped -> cancels at the venue (needs the guard)",)


def run_bench(*, as_json: bool, quick: bool, captures: Sequence[Path] = (), parts: Sequence[str] = ()) -> str:
    """Measure all parts, or those named; give the table, or one JSON object.

    All of it takes about a quarter of an hour, `quick` some four minutes.

    Raises:
        BenchError: there is no such part.
        CaptureError: what was given is no capture of Binance spot.
    """
    strange = [part for part in parts if part not in PARTS]
    if strange:
        raise BenchError(f"--only {strange[0]}: wanted one of {', '.join(PARTS)}")
    chosen, source = choose_captures(captures)
    about = _about(source)
    wanted = [part for part in PARTS if part in parts or not parts]
    with _own_home() as home:
        plan = Plan(chosen, source, source == SYNTHETIC, quick, home)
        rows = [row for part in wanted for row in _measured(part, plan)]
    if as_json:
        return json_text(rows, about, quick=quick, missing=NOT_MEASURED)
    return table(rows, about, NOT_MEASURED)


def _measured(part: str, plan: Plan) -> list[Row]:
    started_s = time.perf_counter()
    sys.stderr.write(f"bench: {part} ... ")
    sys.stderr.flush()
    with MachineNoise() as noise:
        try:
            rows = PARTS[part](plan)
        except BenchError as problem:
            rows = [Row(part, "", None, note=str(problem))]
        finally:
            sys.stderr.write(f"{time.perf_counter() - started_s:.0f} s\n")
    return [replace(row, machine=noise.text()) for row in rows]


def _about(source: str) -> list[str]:
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    cores = len(os.sched_getaffinity(0))
    return [
        f"lobdeck {__version__}, Python {platform.python_version()}, {cores} processors {platform.machine()}",
        f"load average {load}: what else runs makes every number worse",
        f"frames: {source}",
    ]


@contextlib.contextmanager
def _own_home() -> Iterator[Path]:
    """Give a state directory for this run alone, here and in every process started from here."""
    before = os.environ.get(HOME_VARIABLE)
    with tempfile.TemporaryDirectory(prefix="lobdeck-bench-", ignore_cleanup_errors=True) as folder:
        os.environ[HOME_VARIABLE] = folder
        try:
            yield Path(folder)
        finally:
            if before is None:
                del os.environ[HOME_VARIABLE]
            else:
                os.environ[HOME_VARIABLE] = before
