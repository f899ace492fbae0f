"""What `bench` prints: each measured thing beside its budget, as a table or as JSON."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class Verdict(enum.Enum):
    """How a measured value stands to its budget."""

    MET = "met"
    MISSED = "MISSED"
    UNJUDGED = "-"
    """There is no budget for it, or nothing could be measured."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What a value may be at most, or must be at least, in the row's unit."""

    limit: float
    at_least: bool = False

    def verdict(self, measured: float) -> Verdict:
        """Judge a value; one that is no number misses."""
        met = measured >= self.limit if self.at_least else measured <= self.limit
        return Verdict.MET if met else Verdict.MISSED


@dataclass(frozen=True, slots=True)
class Row:
    """One thing measured."""

    what: str
    unit: str
    """`x` for a ratio of two things measured side by side."""
    measured: float | None
    """None where it could not be measured; the note says why."""
    budget: Budget | None = None
    note: str = ""
    profile: str = ""
    """Where the time goes, one line; only for what missed its budget."""
    machine: str = ""
    """What else the machine did meanwhile."""

    @property
    def verdict(self) -> Verdict:
        """How the value stands to the budget."""
        if self.budget is None or self.measured is None:
            return Verdict.UNJUDGED
        return self.budget.verdict(self.measured)


def table(rows: Sequence[Row], about: Sequence[str], missing: Sequence[str]) -> str:
    """Give the rows under the lines about the machine, and below them what this run did not measure."""
    cells = [("what", "budget", "measured", "verdict", "machine", "note"), *(_cells(row) for row in rows)]
    last = len(cells[0]) - 1
    widths = [max(len(line[column]) for line in cells) for column in range(last)]
    lines = []
    for line, row in zip(cells, (None, *rows), strict=True):
        fixed = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=False))
        lines.append(f"{fixed}  {line[last]}".rstrip())
        if row is not None and row.profile:
            lines.append(f"  profile: {row.profile}")
    return "\n".join([*about, "", *lines, "", *(f"not measured here: {one}" for one in missing)])


def json_text(rows: Iterable[Row], about: Sequence[str], *, quick: bool, missing: Sequence[str]) -> str:
    """Give everything as one JSON object."""
    content = {
        "about": list(about),
        "quick": quick,
        "rows": [
            {
                "what": row.what,
                "unit": row.unit,
                "measured": row.measured,
                "budget": None if row.budget is None else row.budget.limit,
                "at_least": row.budget is not None and row.budget.at_least,
                "verdict": row.verdict.value,
                "note": row.note,
                "profile": row.profile,
                "machine": row.machine,
            }
            for row in rows
        ],
        "not_measured": list(missing),
    }
    return json.dumps(content, indent=1)


def number_text(value: float, unit: str) -> str:
    """Give a value in its unit with three digits that count."""
    if unit in ("frames/s", "B/s", "cells/s"):
        return f"{value:,.0f} {unit}"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f} {unit}"


def _cells(row: Row) -> tuple[str, ...]:
    budget = ""
    if row.budget is not None:
        budget = f"{'>=' if row.budget.at_least else '<='} {number_text(row.budget.limit, row.unit)}"
    measured = "not here" if row.measured is None else number_text(row.measured, row.unit)
    return row.what, budget, measured, row.verdict.value, row.machine, row.note
