"""What a session that no longer runs left behind: its last summary and position, or its death."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from pipeline.runtime.gate import Gate, GateError
from pipeline.runtime.guard_report import GuardReport, read_report
from pipeline.runtime.locks import is_held, read_owner
from pipeline.runtime.places import SessionPlace
from pipeline.runtime.spec import SPEC_NAME, read_spec

UNCONFIRMED = "UNCONFIRMED"
"""How the record of a release begins that no zero of the venue stands behind, only a person's look."""


def last_summary(place: SessionPlace) -> dict[str, Any] | None:
    """Give the summary an ended session left, with `ended` (how, when in UTC); None where there is none."""
    try:
        content = json.loads(place.summary.read_bytes())
        written_s = place.summary.stat().st_mtime
    except (OSError, ValueError):
        return None
    if not isinstance(content, dict) or "exit" not in content:
        return None
    at = datetime.datetime.fromtimestamp(written_s, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {**content, "ended": {"how": content["exit"], "at": at}}


def ended_words(place: SessionPlace) -> tuple[str, bool] | None:
    """Say what orders a session left that ended in good order, and whether that is none.

    None where that is not known: it died, or what is there is the summary of a run before the last one.
    """
    report, content = read_report(place.root), last_summary(place)
    if report is None or content is None or report.engine != "ended":
        return None
    ended = f"it has ended ({content['exit']}, {content['ended']['at']})"
    if place.summary.stat().st_mtime_ns < report.ts_ns:
        swept = report.confirmed and content["exit"] == "orders_left"
        return (f"{ended}; its guard swept what it left: NO ORDERS LEFT", True) if swept else None
    pids, orders = content.get("pids"), content.get("open_orders")
    if isinstance(pids, dict) and pids.get("sim"):
        return f"{ended}, and its simulated exchange with it: no orders left", True
    if orders == 0:
        return f"{ended} with no orders left", True
    return f"NOT CONFIRMED: {ended} and left {orders} orders; look at the venue's own page", False


def trades_at_venue(place: SessionPlace) -> bool:
    """Say whether a session's orders stood at a venue: a guard acted for them, or its spec says so."""
    report = read_report(place.root)
    if report is not None:
        return report.acts
    try:
        return read_spec(place.root / SPEC_NAME).orders is not None
    except (OSError, msgspec.MsgspecError):
        return False


def may_have_left_orders(place: SessionPlace) -> bool:
    """Say whether a session died and nobody has seen since that the venue holds no order of it."""
    if is_held(place.lock) or read_owner(place.lock) is None or not trades_at_venue(place):
        return False
    report, ended = read_report(place.root) or GuardReport(), last_summary(place)
    told = report.confirmed or (ended is not None and not ended.get("open_orders"))
    return not told and not _looked_at(place, report.ts_ns)


def log_words(place: SessionPlace) -> str:
    """Name a session's log, in brackets; empty where there is none."""
    return f" (log: {place.log})" if place.log.exists() else ""


def died_words(place: SessionPlace) -> str:
    """Say of a session without a summary that it died, what its guard knows of orders, and where to look."""
    log = f", log: {place.log}" if place.log.exists() else ""
    return (
        f"session {place.name} died without a summary; {_guard_words(place)}; position not known"
        f" (journal: {place.journal_dir}{log})"
    )


def positions_left(content: Mapping[str, Any]) -> list[str]:
    """Give each position of a summary that is not flat, as `BTCUSDT 0.5`."""
    held = content.get("position")
    pairs = held.items() if isinstance(held, dict) else ()
    return [f"{symbol} {one['qty']}" for symbol, one in pairs if not _is_flat(one["qty"])]


def position_words(content: Mapping[str, Any] | None) -> str:
    """Say what position a summary holds; without a summary, that it is not known; empty while flat."""
    if content is None:
        return "position not known"
    left = positions_left(content)
    return f"position {', '.join(left)}" if left else ""


def _looked_at(place: SessionPlace, since_ns: int) -> bool:
    """Say whether a person released it since, having looked at the venue's page."""
    try:
        gate = Gate.attach(place.root)
    except GateError:
        return False
    try:
        last = gate.state().last_release
    finally:
        gate.detach()
    return last is not None and last.ts_ns > since_ns and last.reason.startswith(UNCONFIRMED)


def _guard_words(place: SessionPlace) -> str:
    report = read_report(place.root)
    if report is None or not report.acts:
        return "no guard acted for its orders"
    if report.confirmed:
        return "its guard: NO ORDERS LEFT"
    left = f"{report.ours_left} orders left" if report.ours_left >= 0 else "orders left not known"
    return f"its guard: {report.phase}, {left}, NOT CONFIRMED"


def _is_flat(quantity: object) -> bool:
    try:
        return not Decimal(str(quantity))
    except InvalidOperation:
        return False
