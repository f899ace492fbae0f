"""Is this machine's clock fit to trade by? Set, kept by somebody, and quick to read."""

from __future__ import annotations

import time
from pathlib import Path

from app.findings import Finding, Level
from pipeline.runtime.ntp import KernelClock, read_kernel_clock

LONG_PAST_S = 1_767_225_600
"""2026-01-01: this program is younger, so a clock before that was never set."""

SLOW_READ_NS = 1_000
_READS = 2_000
_SOURCE = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")


def clock() -> list[Finding]:
    """Look at the wall clock, at who keeps it, and at what a reading costs."""
    return [wall_finding(time.time()), _kept(), speed_finding(_read_ns(), _source())]


def wall_finding(now_s: float) -> Finding:
    """Judge the wall clock by the age of this program."""
    text = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now_s))
    if now_s >= LONG_PAST_S:
        return Finding(Level.OK, "clock", text)
    return Finding(Level.FAIL, "clock", f"{text} is long past", "set the clock; venues refuse such orders")


def kept_finding(kept: KernelClock) -> Finding:
    """Judge what the kernel says of its clock: whether it is kept, and the bound it knows for the error."""
    if not kept.synchronised:
        mend = "run chrony or systemd-timesyncd; delays and venue time cannot be told apart otherwise"
        return Finding(Level.WARN, "clock", "nobody keeps it: the kernel calls it unsynchronised", mend)
    return Finding(Level.OK, "clock", f"kept in time, at most {kept.max_error_us / 1000:.0f} ms off")


def speed_finding(read_ns: float, source: str) -> Finding:
    """Judge what one reading costs; every stage of a frame reads the clock."""
    text = f"a reading takes {read_ns:.0f} ns (source {source or 'unknown'})"
    if read_ns <= SLOW_READ_NS:
        return Finding(Level.OK, "clock", text)
    return Finding(Level.WARN, "clock", text, "boot with clocksource=tsc, or use another kind of machine")


def _kept() -> Finding:
    kept = read_kernel_clock()
    if kept is None:
        return Finding(Level.WARN, "clock", "the kernel does not say whether it is kept", "look with chronyc")
    return kept_finding(kept)


def _read_ns() -> float:
    started_ns = time.perf_counter_ns()
    for _ in range(_READS):
        time.perf_counter_ns()
    return (time.perf_counter_ns() - started_ns) / _READS


def _source() -> str:
    try:
        return _SOURCE.read_text(encoding="ascii").strip()
    except OSError:
        return ""
