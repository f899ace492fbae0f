"""What a session's guard says of a kill, as `lobdeck kill` waits for it; needs no configuration."""

from __future__ import annotations

import time
from dataclasses import dataclass

from pipeline.runtime.gate import Gate, GateError
from pipeline.runtime.guard_report import GUARD_LOCK_NAME, GuardReport, read_report
from pipeline.runtime.locks import is_held
from pipeline.runtime.places import SessionPlace

CONFIRM_S = 8.0
"""300 ms for the engine, the fence, the cancels, recvWindow until the last zero; and as much again."""
_LOOK_S = 0.02


@dataclass(frozen=True, slots=True)
class GuardWord:
    """What became of a kill at the venue."""

    confirmed: bool
    text: str


def has_guard(place: SessionPlace) -> bool:
    """Say whether a guard that can cancel answers, or answered last, for this session."""
    report = read_report(place.root)
    return report is not None and report.acts


def wait_for_guard(place: SessionPlace, timeout_s: float = CONFIRM_S) -> GuardWord:
    """Wait until the guard has confirmed zero for the gate as it is now, is gone, or the time is up."""
    wanted = _generation(place)
    deadline_s = time.monotonic() + timeout_s
    while True:
        lives = is_held(place.root / GUARD_LOCK_NAME)
        report = read_report(place.root) or GuardReport()
        if report.confirmed and report.generation >= wanted:
            return GuardWord(True, confirmed_words(report))
        if report.confirmed and not lives and report.engine != "runs":
            # Nothing could be sent after the engine's end; closing a dead session again changes nothing.
            return GuardWord(True, confirmed_words(report))
        if time.monotonic() >= deadline_s or not lives:
            return GuardWord(False, _unconfirmed_words(report, lives=lives))
        time.sleep(_LOOK_S)


def confirmed_words(report: GuardReport) -> str:
    """Say that nothing of ours is left, and by which clock."""
    day_ms = report.venue_ms % 86_400_000
    clock = time.strftime("%H:%M:%S", time.gmtime(day_ms // 1_000)) + f".{day_ms % 1_000:03d}"
    words = f"NO ORDERS LEFT (venue {clock} UTC)"
    if report.cancels_sent:
        words += f", the guard sent {report.cancels_sent} cancels"
    if report.engine in ("fenced", "dead"):
        words += f"; engine {report.engine}"
    return words + (f"; {report.foreign} foreign kept" if report.foreign > 0 else "")


def _unconfirmed_words(report: GuardReport, *, lives: bool) -> str:
    if not lives:
        return f"NOT CONFIRMED: the guard is gone ({report.phase}); look at the venue's own page"
    left = "unknown" if report.ours_left < 0 else str(report.ours_left)
    venue = "" if report.venue_up else ", venue out of reach"
    return f"NOT CONFIRMED: guard {report.phase}{venue}, orders left {left}; it goes on"


def _generation(place: SessionPlace) -> int:
    try:
        gate = Gate.attach(place.root, _unsaid)
    except GateError:
        return 0
    try:
        return gate.state().generation
    finally:
        gate.detach()


def _unsaid(_: str) -> None:
    """Say nothing: it was said when the gate was closed."""
