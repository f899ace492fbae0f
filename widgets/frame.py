"""Rules, titles and ages around the lines of a panel. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from widgets.lines import BLANK, Line, Segment, exact, line_width
from widgets.roles import ROLES

OLD_AFTER_MS = 1_000
"""A picture older than this is drawn as old, and says so."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The rules around a panel, as the layout found them: where they meet its neighbours' they are joined."""

    top: str = ""
    """Rule of the title row, as wide as the panel; empty for a panel without title."""
    left: str = ""
    """One character a row below the title row, or empty."""
    right: str = ""
    bottom: str = ""
    """Rule of the last row, or empty."""


def aged(role: str) -> str:
    """Give the role a text has in a picture that is too old: nothing looks fresh, alarms stay alarms."""
    if ROLES[role].reverse or role in ("kill-key", "key"):
        return role
    return "rule" if role.endswith("-bar") else "stale"


def sided(line: Line, row: int, frame: Frame) -> Line:
    """Put the side rules around one row of the content."""
    if not frame.left and not frame.right:
        return line
    left: Line = ((frame.left[row : row + 1] or " ", "rule"),) if frame.left else BLANK
    right: Line = ((frame.right[row : row + 1] or " ", "rule"),) if frame.right else BLANK
    return (*left, *line, *right)


def titled(rule: str, head: Line, tail: Line) -> Line:
    """Lay the title's words over its rule, two cells of rule at each end."""
    start, end = 2 + line_width(head), len(rule) - 2 - line_width(tail)
    if start > end:
        return exact(((rule[:2], "rule"), *head), len(rule))
    return ((rule[:2], "rule"), *head, (rule[start:end], "rule"), *tail, (rule[-2:], "rule"))


def _shows_blanks(role: str) -> bool:
    """Tell whether a blank in this role looks different from a blank in the panel's own colours."""
    style = ROLES[role]
    return bool(style.behind or style.reverse or style.underline or style.strike)


PLAIN_BLANKS = frozenset(role for role in ROLES if not _shows_blanks(role))
"""Roles in which a blank looks like a blank."""


def merged(line: Line) -> list[Segment]:
    """Join segments of one role, and blanks to whatever stands before them: fewer colour changes to send."""
    merged: list[Segment] = []
    for words, role in line:
        if not words:
            continue
        if merged:
            before, before_role = merged[-1]
            blank = words.isspace() and before_role in PLAIN_BLANKS and role in PLAIN_BLANKS
            if role == before_role or blank:
                merged[-1] = (before + words, before_role)
                continue
        merged.append((words, role))
    return merged
