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

from app.bench_report import Budget, Row
from app.bench_terminal import TerminalProgram, bytes_profile, cells_written
from app.bench_tools import BenchError, Plan, percentile, profile_line
from app.shell import ShellError, release
from pipeline.runtime.gate import Gate
from pipeline.runtime.locks import is_held, read_owner
from pipeline.runtime.places import PlacesError, SessionPlace, session_place

ROWS, COLUMNS = 48, 160
START_BUDGET_S = Budget(2.5)
CPU_BUDGET = Budget(8.0)
KILL_BUDGET_MS = Budget(20.0)
LEAST_CELLS = 400
"""Changed cells a second that make a screen busy enough to count."""

START_S = 40.0
FROZEN_S = 3.0
PROFILED_S = 5.0
GATE_S = 2.0
LOOK_S = 0.0002
"""Between two looks at the gate: one that never rests takes the processor from what it measures."""
BETWEEN_KILLS_S = 0.03

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


def measure_kill(plan: Plan, place: SessionPlace) -> Row:
    """Measure from the byte of Ctrl+K to the gate seen closed by this process, the terminal unread meanwhile.

    The gate is released after each; so the session of `place` is HALTED afterwards.
    """
    presses: list[tuple[float, float]] = []
    with TerminalProgram(("attach", place.name), ROWS, COLUMNS) as console:
        console.wait_for_prices(START_S)
        time.sleep(FROZEN_S)
        gate = Gate.attach(place.root)
        try:
            for _ in range(plan.of(100, 30)):
                presses.append(_press(console, gate))
                _release(gate, place)
                time.sleep(BETWEEN_KILLS_S)
        finally:
            gate.detach()
    return _kill_row(presses)


def _kill_row(presses: list[tuple[float, float]]) -> Row:
    took_ms, late_ms = zip(*presses, strict=True)
    p50, p90, p99 = (percentile(took_ms, share) for share in (0.5, 0.9, 0.99))
    late = f"looks at the gate came up to {max(late_ms):.1f} ms late by themselves"
    return Row(
        what="Ctrl+K byte -> gate closed, seen by another",
        unit="ms",
        measured=p99,
        budget=KILL_BUDGET_MS,
        note=f"p99 of {len(presses)}, p50 {p50:.1f} ms; terminal not read for {FROZEN_S:.0f} s and on",
        profile=f"p90 {p90:.1f} ms, largest {max(took_ms):.1f} ms; {late}"
        if p99 > KILL_BUDGET_MS.limit
        else "",
    )


def _press(console: TerminalProgram, gate: Gate) -> tuple[float, float]:
    """Press Ctrl+K; give the ms until the gate is closed, and how late a look at it came at worst."""
    started_s = time.perf_counter()
    latest_s = 0.0
    console.type(b"\x0b")
    while gate.is_open():
        looked_s = time.perf_counter()
        if looked_s - started_s > GATE_S:
            raise BenchError(f"the gate was not closed within {GATE_S:.0f} s of the kill key")
        time.sleep(LOOK_S)
        latest_s = max(latest_s, time.perf_counter() - looked_s - LOOK_S)
    return (time.perf_counter() - started_s) * 1e3, latest_s * 1e3


def _release(gate: Gate, place: SessionPlace) -> None:
    """Open the gate again; the latch may be written while the first release runs, so it may take two."""
    until_s = time.perf_counter() + GATE_S
    while not gate.is_open():
        if time.perf_counter() > until_s:
            raise BenchError("the gate could not be released")
        with contextlib.suppress(ShellError):
            release(place)


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
        until_s = time.perf_counter() + GATE_S
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
