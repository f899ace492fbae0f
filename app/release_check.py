"""The check list before a release: orders, books, position and guard, and what forbids it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from app.guard_wait import confirmed_words, gate_facts
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
        return CheckList(("session   not running", *guard), refusal)
    try:
        status = json.loads(ask_status(place, timeout_s=ANSWER_S))
    except (NoAnswerError, PlacesError):
        return CheckList(("session   does not answer", *guard), refusal or "the session does not answer")
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
    refusal = "the venue has not confirmed that no orders are left" if works else ""
    return (f"guard     NOT CONFIRMED, {report.phase}", foreign), refusal
