"""What a session's guard says of a kill, as `lobdeck kill` waits for it; needs no configuration."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from pipeline.runtime.gate import Gate, GateError
from pipeline.runtime.guard_report import GUARD_LOCK_NAME, GuardReport, read_report
from pipeline.runtime.link_messages import Hello
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
    _, wanted = gate_facts(place)
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


def guard_words(hello: Hello | None) -> tuple[str, bool]:
    """Say for a console whose session is gone what its guard does, and whether nothing is left.

    Empty where there is no guard, or one that gave up: then nobody here cancels anything.
    """
    report = None if hello is None else read_report(Path(hello.gate_path))
    if hello is None or report is None or not report.acts:
        return "", False
    if report.confirmed:
        return confirmed_words(report), True
    if not is_held(Path(hello.gate_path) / GUARD_LOCK_NAME):
        return "", False
    left = f"{report.ours_left} left" if report.ours_left >= 0 else "asking the venue"
    away = "" if report.venue_up else ", venue out of reach"
    return f"The guard is {report.phase}: {left}{away}.", False


def _unconfirmed_words(report: GuardReport, *, lives: bool) -> str:
    if not lives:
        return f"NOT CONFIRMED: the guard is gone ({report.phase}); look at the venue's own page"
    left = "unknown" if report.ours_left < 0 else str(report.ours_left)
    venue = "" if report.venue_up else ", venue out of reach"
    return f"NOT CONFIRMED: guard {report.phase}{venue}, orders left {left}; it goes on"


def gate_facts(place: SessionPlace) -> tuple[bool, int]:
    """Say whether the gate is latched, and give its generation; (False, 0) where there is none to read."""
    try:
        gate = Gate.attach(place.root, _unsaid)
    except GateError:
        return False, 0
    try:
        state = gate.state()
    finally:
        gate.detach()
    return state.latched, state.generation


def _unsaid(_: str) -> None:
    """Say nothing: it was said when the gate was closed."""
