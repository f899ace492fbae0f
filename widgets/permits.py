"""Permits: what the machine may do now, until when, and why the last ones ended."""

from __future__ import annotations

from pipeline.core.snapshot import ConsoleSnapshot, PermitView
from widgets.base import SnapshotWidget
from widgets.cells import clean, crop, lots_words, side_word, ticks_words
from widgets.lines import Item, Line, fit, text
from widgets.marks import side_role
from widgets.scales import scales_of
from widgets.times import age_text
from widgets.words import permit_words

_STATE_ROLES = {
    "waiting": ("> ", "waiting"),
    "open": ("= ", "good"),
    "used": ("* ", "text"),
    "ended": ("- ", "dim"),
}


class PermitsPanel(SnapshotWidget):
    """Open permits first, then those just ended."""

    TITLE = "PERMITS"

    def title_parts(self, snapshot: ConsoleSnapshot, room: int) -> tuple[Line, Line]:
        """Give how many are open."""
        del room
        count = len([permit for permit in snapshot.permits if is_open(permit)])
        return text(f"{count} open" if count else "none open", "waiting" if count else "dim"), ()

    def content(self, snapshot: ConsoleSnapshot, width: int, height: int) -> list[Line]:
        """Give the permits, and at the foot the window and what is snoozed."""
        foot = foot_lines(snapshot, width)[: max(0, height - 2) if snapshot.permits else height]
        lines: list[Line] = []
        for permit in sorted(snapshot.permits, key=lambda permit: (not is_open(permit), -permit.permit_id)):
            lines += permit_lines(permit, snapshot, width)
        room = max(0, height - len(foot))
        lines = lines[:room]
        return lines + [()] * (room - len(lines)) + foot


def is_open(permit: PermitView) -> bool:
    """Tell whether a permit still allows an order."""
    return permit.state in ("waiting", "open")


def permit_lines(permit: PermitView, snapshot: ConsoleSnapshot, width: int) -> list[Line]:
    """Give one permit: what it allows, and under it why it waits or ended."""
    mark, role = _STATE_ROLES.get(permit.state, ("? ", "warn"))
    elsewhere = permit.symbol not in ("", snapshot.instrument.symbol)
    view = scales_of(snapshot, permit.symbol) if elsewhere else snapshot.instrument
    side = side_word(permit.side) if permit.side else "both"
    role_of_side = side_role(permit.side) if permit.side else "text"
    idea = f"#{permit.idea_id}" if permit.idea_id else f"by {clean(permit.who, 12)}"
    sign = ">=" if permit.side < 0 else "<="
    items: list[Item] = [
        (0, ((f" {mark}", role), (f"P{permit.permit_id}", "bright"))),
        (0, text(clean(permit.symbol, 14) if elsewhere else "", "bright")),
        (3, text(clean(permit.kind), "text")),
        (2, text(idea, "text")),
        (
            0,
            text(f"{side} {lots_words(view, permit.qty_lots)}", role_of_side),
        ),
        (1, text(f"{sign} {ticks_words(view, permit.worst_ticks)}" if permit.worst_ticks else "", "text")),
        (1, text(f"{permit.used}/{permit.max_orders}" if permit.max_orders > 1 else "", "text")),
        (0, text(_left(permit), role)),
    ]
    lines = [fit(items, width, gap=1)]
    if permit.why:
        word = "waits" if is_open(permit) else "why"
        lines.append(text(crop(f"     {word}: {permit_words(permit.why)}", width), "dim"))
    return lines


def foot_lines(snapshot: ConsoleSnapshot, width: int) -> list[Line]:
    """Give the window's state and the sides that were declined."""
    window = snapshot.header.window
    opened: Line = text(f"window {clean(window)}", "waiting") if window else text("no window open", "dim")
    snoozed = [
        (2, text(f"{clean(symbol)} {side_word(side)} {age_text(left_ms)}", "text"))
        for symbol, side, left_ms in snapshot.snoozed
    ]
    quiet: list[Item] = [(1, text("snoozed:", "dim")), *(snoozed or [(2, text("none", "dim"))])]
    return [
        fit([(0, ((" ", "text"), *opened)), (1, (("w", "key"), (" opens one", "dim")))], width),
        ((" ", "text"), *fit(quiet, width - 1, gap=1)),
    ]


def _left(permit: PermitView) -> str:
    """Give the time an open permit has left; one that only the limits bound says so."""
    if not is_open(permit):
        return clean(permit.state)
    return age_text(permit.left_ms) if permit.kind != "auto" else "until ended"
