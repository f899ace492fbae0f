"""The check list before a release: orders, books, position and guard, and what forbids it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from app.guard_wait import confirmed_words, gate_facts
from app.last_summary import last_summary, position_words
from app.link_call import NoAnswerError, ask_status
from pipeline.runtime.guard_report import GUARD_LOCK_NAME, read_report
from pipeline.runtime.locks import is_held
from pipeline.runtime.places import PlacesError, SessionPlace

ANSWER_S = 1.0


@dataclass(frozen=True, slots=True)
class CheckList:
    """Lines for the operator; `refusal` says why a release is not on offer, empty where it is."""

    lines: tuple[str, ...]
    refusal: str


def check_list(place: SessionPlace) -> CheckList:
    """Ask the session and its guard."""
    guard, refusal = _guard(place)
    if not is_held(place.lock):
        return CheckList(("session   not running", _last_position(place), *guard), refusal)
    try:
        status = json.loads(ask_status(place, timeout_s=ANSWER_S))
    except (NoAnswerError, PlacesError):
        lines = ("session   does not answer", "position  not known", *guard)
        return CheckList(lines, refusal or "the session does not answer")
    orders = int(status["open_orders"])
    lines = (
        f"orders    {'none' if not orders else f'{orders} working or UNKNOWN: NOT GONE'}",
        *(f"book      {symbol} {book['state']}" for symbol, book in _of(status, "book").items()),
        *(f"position  {symbol} {held['qty']}" for symbol, held in _of(status, "position").items()),
        *guard,
        "it will   open the gate, HALTED; authority and permits stay down, `:resume` arms",
    )
    left = f"{orders} orders are not gone yet" if orders and guard else ""
    return CheckList(lines, refusal or left)


def _last_position(place: SessionPlace) -> str:
    words = position_words(last_summary(place)).removeprefix("position ")
    return f"position  {words or 'flat'}, as it ended" if words != "not known" else "position  not known"


def _of(status: dict[str, Any], name: str) -> dict[str, Any]:
    found = status.get(name)
    return found if isinstance(found, dict) else {}


def _guard(place: SessionPlace) -> tuple[tuple[str, ...], str]:
    """Give the guard's lines, none where none acts, and what it has against a release."""
    report = read_report(place.root)
    if report is None or not report.acts:
        return (), ""
    known = f"{report.foreign} orders, untouched" if report.foreign >= 0 else "not known"
    foreign, (latched, generation) = f"foreign   {known}", gate_facts(place)
    if not latched:
        return (f"guard     {report.phase}", foreign), ""
    if report.confirmed and report.generation >= generation:
        return (f"guard     {confirmed_words(report)}", foreign), ""
    works = is_held(place.root / GUARD_LOCK_NAME)
    if report.confirmed and not works and report.engine != "runs":
        # Nothing could be sent after the engine's end; closing a dead session again changes nothing.
        return (f"guard     {confirmed_words(report)}", foreign), ""
    refusal = "the venue has not confirmed that no orders are left" if works else ""
    phase = "only an earlier kill was confirmed" if report.confirmed else report.phase
    return (f"guard     NOT CONFIRMED, {phase}", foreign), refusal
