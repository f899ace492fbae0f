"""The console in a pseudo-terminal: start, processor time and bytes of drawing, and the kill key."""

from __future__ import annotations

import contextlib
import os
import pstats
import signal
import statistics
import time
from collections.abc import Iterator

import psutil

from app.bench_kill import measure_kill
from app.bench_report import Budget, Row
from app.bench_terminal import TerminalProgram, bytes_profile, cells_written
from app.bench_tools import BenchError, Plan, profile_line
from pipeline.runtime.locks import is_held, read_owner
from pipeline.runtime.places import PlacesError, SessionPlace, session_place

ROWS, COLUMNS = 48, 160
START_BUDGET_S = Budget(2.5)
CPU_BUDGET = Budget(8.0)
LEAST_CELLS = 400
"""Changed cells a second that make a screen busy enough to count."""

START_S = 40.0
PROFILED_S = 5.0
DETACH_S = 2.0

SSH = {"SSH_CONNECTION": "198.51.100.7 50000 198.51.100.8 22"}
"""What tells the console that it draws over a network: 4 pictures a second."""

SESSION = "bench-screen"


def measure(plan: Plan) -> list[Row]:
    """Measure on demo sessions, each ended afterwards."""
    starts = [_start(f"bench-start-{number}") for number in range(plan.of(2, 0))]
    with demo(SESSION) as (console, shown):
        rows = _drawing(console, plan, 10, "10 Hz", 30_000.0)
        place = session_place(SESSION)
        for hertz, label, limit, options, environment in (
            (4, "4 Hz (SSH)", 12_000.0, (), SSH),
            (1, "1 Hz (--slow)", 4_000.0, ("--slow",), {}),
        ):
            with TerminalProgram(("attach", SESSION, *options), ROWS, COLUMNS, environment) as other:
                other.wait_for_prices(START_S)
                rows += _drawing(other, plan, hertz, label, limit)
        rows.append(measure_kill(plan, place))
    return [_start_row([*starts, shown]), *rows]


def _start(name: str) -> tuple[float, float]:
    with demo(name) as (_, shown):
        return shown


def _start_row(shown: list[tuple[float, float]]) -> Row:
    seconds = statistics.median(prices_s for _, prices_s in shown)
    first_s = statistics.median(first_s for first_s, _ in shown)
    missed = seconds > START_BUDGET_S.limit
    profile = f"first byte drawn at {first_s:.2f} s, prices {seconds - first_s:.2f} s later" if missed else ""
    note = f"median of {len(shown)}, slowest {max(prices_s for _, prices_s in shown):.2f} s"
    return Row("command typed -> first live frame (demo)", "s", seconds, START_BUDGET_S, note, profile)


def _drawing(console: TerminalProgram, plan: Plan, hertz: int, label: str, limit: float) -> list[Row]:
    """Measure what drawing costs; processor time has a budget at full rate only."""
    seconds = plan.of(12, 3) if hertz > 1 else plan.of(15, 4)
    console.read_for(plan.of(2, 1))
    process = psutil.Process(console.pid)
    before, started_s = process.cpu_times(), time.perf_counter()
    drawn = console.read_for(seconds)
    after, took_s = process.cpu_times(), time.perf_counter() - started_s
    cpu = 100 * (after.user + after.system - before.user - before.system) / took_s
    cells, rate = cells_written(drawn) / took_s, len(drawn) / took_s
    size = f"{COLUMNS}x{ROWS}, {cells:,.0f} cells/s written" + (
        ", a quiet screen" if cells < LEAST_CELLS else ""
    )
    cost = profile = ""
    if hertz == 10 and cpu > CPU_BUDGET.limit:
        profile = _console_profile(plan)
    if rate > limit:
        cost = bytes_profile(drawn)
    return [
        Row(f"console at {label}, of a core", "%", cpu, CPU_BUDGET if hertz == 10 else None, size, profile),
        Row(f"console at {label}, bytes", "B/s", rate, Budget(limit), profile=cost),
    ]


def _console_profile(plan: Plan) -> str:
    """Attach once more under the profiler, leave in good order, and name the dearest functions."""
    path = plan.home / "console-profile"
    with TerminalProgram(("attach", SESSION), ROWS, COLUMNS, profile=path) as console:
        console.wait_for_prices(START_S)
        console.read_for(PROFILED_S)
        console.type(b":detach\r")
        until_s = time.perf_counter() + DETACH_S
        with contextlib.suppress(BenchError):  # it ends, as it should
            while time.perf_counter() < until_s:
                console.read(0.1)
    return profile_line(pstats.Stats(str(path))) if path.exists() else "none could be taken"


@contextlib.contextmanager
def demo(name: str) -> Iterator[tuple[TerminalProgram, tuple[float, float]]]:
    """Run a demo in a terminal and end its session with it; gives the seconds to first byte and prices."""
    try:
        with TerminalProgram(("demo", "--name", name), ROWS, COLUMNS) as console:
            yield console, console.wait_for_prices(START_S)
    finally:
        with contextlib.suppress(PlacesError):
            _end_session(session_place(name))


def is_running(place: SessionPlace) -> bool:
    """Say whether a session lives."""
    return is_held(place.lock)


def _end_session(place: SessionPlace) -> None:
    """Ask the session we started to end, and wait for it.

    Raises:
        PlacesError: it never began.
    """
    owner = read_owner(place.lock)
    if owner is None or not is_running(place):
        return
    os.kill(owner.pid, signal.SIGTERM)
    until_s = time.perf_counter() + START_S
    while is_running(place) and time.perf_counter() < until_s:
        time.sleep(0.05)
