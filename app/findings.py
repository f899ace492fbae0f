"""What a check of the machine found: one line, good or bad, and what to do about it."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass


class Level(enum.Enum):
    """How bad a finding is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"
    """Something will not work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    level: Level
    topic: str
    found: str
    mend: str = ""
    """What to do; empty where nothing has to be done."""


def findings_text(findings: Iterable[Finding]) -> str:
    """Give a line for each finding: level, topic, what was found, and the mend after an arrow."""
    return "\n".join(
        f"{one.level.value:<5} {one.topic:<12} {one.found}" + (f" -> {one.mend}" if one.mend else "")
        for one in findings
    )


def is_sound(findings: Iterable[Finding]) -> bool:
    """Say whether nothing failed."""
    return all(one.level is not Level.FAIL for one in findings)
