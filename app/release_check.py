"""The check list before a release: orders, books, position and guard, and what forbids it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any

from app.guard_wait import confirmed_words, gate_facts
from app.last_summary import ended_words, last_summary, position_words, trades_at_venue
from app.link_call import NoAnswerError, ask_status
from pipeline.core.kill_progress import RELEASED
from pipeline.runtime.guard_report import GUARD_LOCK_NAME, GuardReport, read_report
from pipeline.runtime.locks import is_held
from pipeline.runtime.places import PlacesError, SessionPlace, sentinel_path
from pipeline.runtime.release_policy import LEAST_REASON

ANSWER_S = 1.0


@dataclass(frozen=True, slots=True)
class CheckList:
    """Lines for the operator; `refusal` says why a release is not on offer, empty where it is.

    `unconfirmed` says what of the venue's zero is missing: a person who looked there may stand in for that.
    """

    lines: tuple[str, ...]
    refusal: str
    unconfirmed: str = ""

    def refusal_of(self, reason: str, *, unconfirmed: bool) -> str:
        """Say why it may not be released as asked, and the way out; empty where it may."""
        if self.refusal or not self.unconfirmed:
            return self.refusal
        if unconfirmed and len(reason.strip()) >= LEAST_REASON:
            return ""
        return (
            f"{self.unconfirmed}; look at the venue's own page, and once no order is there: "
            f'--unconfirmed --reason "WHAT YOU SAW" ({LEAST_REASON} characters or more)'
        )


def check_list(place: SessionPlace) -> CheckList:
    """Ask the session and its guard."""
    guard, missing = _guard(place)
    refusal = _sentinel()
    if not is_held(place.lock):
        return CheckList(("session   not running", _last_position(place), *guard), refusal, missing)
    try:
        status = json.loads(ask_status(place, timeout_s=ANSWER_S))
    except (NoAnswerError, PlacesError):
        lines = (_judged("session   does not answer", False), "position  not known", *guard)
        return CheckList(lines, refusal or "the session does not answer", missing)
    orders = int(status["open_orders"])
    lines = (
        _judged(f"orders    {f'{orders} working or UNKNOWN: NOT GONE' if orders else 'none'}", not orders),
        *(
            _judged(f"book      {symbol} {book['state']}", book["state"] == "SYNCED")
            for symbol, book in _of(status, "book").items()
        ),
        *(f"position  {symbol} {held['qty']}" for symbol, held in _of(status, "position").items()),
        *guard,
        f"it will   open the gate, HALTED; {_after(place)}",
    )
    left = f"{orders} orders are not gone yet" if orders and guard else ""
    return CheckList(lines, refusal, missing or left)


def _judged(line: str, ok: bool) -> str:
    """Mark a line of the list by whether it speaks for a release."""
    return f"{line}  {'ok' if ok else 'NOT OK'}"


def _sentinel() -> str:
    """Say that the sentinel file is there, and what to do; empty while it is not."""
    path = sentinel_path()
    if not os.path.lexists(path):
        return ""
    return f"the sentinel file {path} is there, every guard would kill again: remove it first"


def _after(place: SessionPlace) -> str:
    latched, _ = gate_facts(place)
    return RELEASED if latched else "permits ended, `:resume` arms"


def _last_position(place: SessionPlace) -> str:
    words = position_words(last_summary(place)).removeprefix("position ")
    return f"position  {words or 'flat'}, as it ended" if words != "not known" else "position  not known"


def _of(status: dict[str, Any], name: str) -> dict[str, Any]:
    found = status.get(name)
    return found if isinstance(found, dict) else {}


def _guard(place: SessionPlace) -> tuple[tuple[str, ...], str]:
    """Give the guard's lines, none where none acts, and what of the venue's zero is missing."""
    report = read_report(place.root)
    if not trades_at_venue(place):
        return (), ""
    report = report or GuardReport(phase="no word of it")
    known = f"{report.foreign} orders, untouched" if report.foreign >= 0 else "not known"
    foreign, (latched, generation) = f"foreign   {known}", gate_facts(place)
    if not latched:
        return (f"guard     {report.phase}", foreign), ""
    if report.confirmed and report.generation >= generation:
        return (_judged(f"guard     {confirmed_words(report)}", True), foreign), ""
    works = is_held(place.root / GUARD_LOCK_NAME)
    if report.confirmed and not works and report.engine != "runs":
        # Nothing could be sent after the engine's end; closing a dead session again changes nothing.
        return (_judged(f"guard     {confirmed_words(report)}", True), foreign), ""
    ended = None if works or is_held(place.lock) else ended_words(place)
    if ended is not None and ended[1]:
        return (_judged(f"guard     {ended[0]}", True), foreign), ""
    gone = "" if works else ", and no guard is at work"
    refusal = f"the venue has not confirmed that no orders are left{gone}"
    phase = "only an earlier kill was confirmed" if report.confirmed else report.phase
    return (_judged(f"guard     NOT CONFIRMED, {phase}", False), foreign), refusal
