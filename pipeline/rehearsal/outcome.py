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
    passed: tuple[str, ...] = ()
    """Names of the crash points some process or guard passed."""
    died_at: tuple[str, ...] = ()
    """Names of the crash points where one died, each as often as it happened."""
    stopped_at: tuple[str, ...] = ()
    """Names of the crash points where one stood still."""
    fenced: int = 0
    """How many processes their guards fenced."""
    effects_sha256: str = ""
    """Of the last process; the same for the same seed."""
