"""What came of one seed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one seed."""

    seed: int
    steps: int
    broken: str = ""
    """The rule and what was found; empty when all held."""
    orders: int = 0
    fills: int = 0
    deaths: int = 0
    virtual_ns: int = 0
    effects_sha256: str = ""
    """Of the last process; the same for the same seed."""
