"""Ages, delays, lengths of time and times of day, in cells of known width.

All times come from the snapshot; times of day are UTC with Z.
"""

from __future__ import annotations

from datetime import UTC, datetime

from pipeline.core.types import scaled_text
from widgets.cells import MISSING

_DAY_S = 86_400


def age_text(age_ms: int) -> str:
    """Print an age in at most six cells, coarser as it grows; `never` for -1.

    >>> [age_text(age) for age in (-1, 3, 847, 3_240, 42_000, 221_000, 7_400_000, 360_000_000)]
    ['never', '3 ms', '840 ms', '3.2 s', '42 s', '3:41', '2.0 h', '100 h']
    """
    if age_ms < 0:
        return "never"
    if age_ms < 100:
        return f"{age_ms} ms"
    if age_ms < 1_000:
        return f"{age_ms // 10 * 10} ms"
    if age_ms < 10_000:
        return f"{age_ms // 1_000}.{age_ms // 100 % 10} s"
    seconds = age_ms // 1_000
    if seconds < 100:
        return f"{seconds} s"
    if seconds < 3_600:
        return f"{seconds // 60}:{seconds % 60:02d}"
    hours = seconds // 3_600
    if hours < 10:
        return f"{hours}.{seconds % 3_600 // 360} h"
    return f"{hours} h" if hours < 1_000 else f"{min(hours // 24, 9_999)} d"


def delay_text(delay_us: int) -> str:
    """Print a stage's delay in milliseconds in at most five cells: 0.42, 4.2, 42, 420; `--` without one."""
    if delay_us < 0:
        return MISSING
    if delay_us < 1_000:
        return scaled_text(delay_us // 10, 2)
    if delay_us < 10_000:
        return scaled_text(delay_us // 100, 1)
    return str(min(delay_us // 1_000, 99_999))


def span_text(span_ms: int) -> str:
    """Print a stretch of time as minutes and seconds, e.g. 0:42 or 61:07; `--:--` while unknown."""
    return "--:--" if span_ms < 0 else f"{span_ms // 60_000}:{span_ms // 1_000 % 60:02d}"


def length_text(length_ms: int) -> str:
    """Print a configured length of time in seconds without needless decimals: 30 s, 0.35 s."""
    return scaled_text(length_ms, 3).rstrip("0").rstrip(".") + " s"


def horizon_text(horizon_ms: int) -> str:
    """Print a model's horizon in seconds, with the decimals it has."""
    text = scaled_text(horizon_ms, 3).rstrip("0")
    return f"{text}0 s" if text.endswith(".") else f"{text} s"


def clock_text(ts_ns: int, milliseconds: bool = False) -> str:
    """Print a UTC time of day with Z: 09:31:07Z or 09:31:07.412Z."""
    seconds = ts_ns // 1_000_000_000 % _DAY_S
    text = f"{seconds // 3_600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{ts_ns // 1_000_000 % 1_000:03d}Z" if milliseconds else f"{text}Z"


def date_text(ts_ns: int) -> str:
    """Print the UTC date: 2026-01-05."""
    return datetime.fromtimestamp(ts_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d")
