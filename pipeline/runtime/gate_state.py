"""What the gate says of itself: who keeps it closed and why, and what became of a release."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.runtime.latch import Latch


class GateError(Exception):
    """The gate's file cannot be used; the text is one line: what, where, what to do."""


class Closer(enum.IntEnum):
    """Who may close the gate; the value is the slot in the page."""

    CONSOLE = 0
    SHELL = 1
    GUARD = 2
    ENGINE = 3
    SIGNAL = 4


@dataclass(frozen=True, slots=True)
class CloserRecord:
    """One closer that keeps the gate closed, and why."""

    closer: Closer
    generation: int
    """Names this close for a release; its upper half counts the closes of this closer."""
    who: str
    tty: str
    ts_ns: int
    reason: str
    pid: int
    acknowledged: bool
    """True when the engine has acted on this close."""


@dataclass(frozen=True, slots=True)
class GateState:
    """The gate as it was at one moment, for people and for `GateChanged`."""

    open: bool
    latched: bool
    """KILLED: by a latch file, or by a closer that said so and could write none."""
    closers: tuple[CloserRecord, ...]
    """Only those that keep it closed."""
    generation: int
    """Grows with every close (two at the same instant may count as one); a release leaves it as it is."""
    latches: tuple[Latch, ...]
    kills: Mapping[int, int]
    """By slot, the newest kill that no release has taken back."""
    kill_count: int
    """Grows with every kill."""
    unknown_slots: tuple[int, ...]
    """Closers of a later version that keep it closed."""
    orphaned: bool
    """True when the file was removed: nobody can find the gate to close it, so it counts as closed."""
    last_release: CloserRecord | None
    """Who released last; its `closer` is meaningless."""

    @property
    def killers(self) -> tuple[str, ...]:
        """Name the closers whose kills stand."""
        known = [Closer(slot).name.lower() for slot in self.kills if slot < len(Closer)]
        return (*known, *("unknown" for slot in self.kills if slot >= len(Closer)))

    def is_kill(self, record: CloserRecord) -> bool:
        """Say whether this closer killed, in this close or in one before it that no release took back."""
        return record.closer in self.kills


@dataclass(frozen=True, slots=True)
class ReleaseResult:
    """What became of a release."""

    released: tuple[Closer, ...]
    kept: tuple[Closer, ...]
    """Shown, but closed again since: look again before releasing those."""
    latches_kept: tuple[str, ...]
    """Latches that changed since they were shown."""
    busy: bool
    """True when another release was under way and this one did nothing: try again."""
    open: bool
