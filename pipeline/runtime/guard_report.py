"""What the guard reports: one small JSON file in the session's directory, for consoles and `lobdeck kill`.

Replaced whole at every change. It outlives the guard; `is_held` of the guard's lock says whether one lives.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import msgspec

REPORT_NAME = "guard.json"
GUARD_LOCK_NAME = "guard.lock"
_LENGTH = 2_047
"""More than a report has; the reasons in it are cut by the gate."""


class GuardReport(msgspec.Struct, frozen=True):
    """The guard's view of its session."""

    pid: int = 0
    acts: bool = False
    """False where it only watches."""
    phase: str = "starting"
    """starting, watching, waiting (for the engine's acknowledgement), sparing (a person leaves our orders),
    cancelling, confirmed, or gave up."""
    engine: str = "runs"
    """runs, late, fenced, dead, or ended."""
    reason: str = ""
    """What the guard acted on."""
    generation: int = 0
    """Of the gate, at the kill it works on or has confirmed."""
    confirmed: bool = False
    """True when the venue reported none of our orders twice, late enough: NO ORDERS LEFT."""
    venue_ms: int = 0
    """The venue's time of the last zero."""
    ours_seen: int = 0
    """Different orders of ours the lists showed since the kill."""
    cancels_sent: int = 0
    ours_left: int = -1
    """By the newest list; -1 before one."""
    foreign: int = -1
    venue_up: bool = False
    dead_man: str = "NONE"
    """NONE, off, armed or held back, with why."""
    dead_man_s: int = 0
    refreshed_ns: int = 0
    """Wall clock of the last refresh."""
    ts_ns: int = 0


def write_report(report: GuardReport, directory: Path) -> None:
    """Store a report; a disk that takes no new file is full, and the old report is written over in place.

    A kill is confirmed by this file, so it has to work there too. Every report has the same length, in blocks
    the first one took; a reader that comes in between may see none.
    """
    path = directory / REPORT_NAME
    draft = path.with_name(f"{REPORT_NAME}.{os.getpid()}")
    text = msgspec.json.encode(report).ljust(_LENGTH) + b"\n"
    try:
        draft.write_bytes(text)
        draft.chmod(0o600)
        draft.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink()
        with contextlib.suppress(OSError), path.open("r+b", buffering=0) as file:
            file.write(text)


def read_report(directory: Path) -> GuardReport | None:
    """Load the newest report; None where there is none."""
    try:
        return msgspec.json.decode((directory / REPORT_NAME).read_bytes(), type=GuardReport)
    except (OSError, ValueError, RecursionError):
        return None
