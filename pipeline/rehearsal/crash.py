"""Where a process may die or stand still: before and after each journal write and each send, as drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


class ProcessDied(BaseException):
    """The process is gone at this point; nothing of it runs any more but the world around it.

    No `Exception`: no border of the program may catch it.
    """


@dataclass(frozen=True, slots=True)
class CrashPoint:
    """The one after `count` others of its name; an empty name stands for every point."""

    count: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class StopPoint:
    """Where a process stands still, and for how long: SIGSTOP and SIGCONT."""

    at: CrashPoint
    length_ns: int


class Fuse:
    """Counts the points one process passes; burns through at one of them, stands still at others."""

    def __init__(
        self,
        death: CrashPoint | None,
        stops: tuple[StopPoint, ...] = (),
        hold: Callable[[int, str], None] | None = None,
    ) -> None:
        """Die at `death`, never without one; `hold` lets the world go on for the length of a stop.

        `hold` may raise `ProcessDied`: who stands still can be fenced.
        """
        self.passed: dict[str, int] = {}
        self.burnt_at = ""
        self._death = death
        self._stops = list(stops)
        self._hold = hold
        self._total = 0

    def disarm(self) -> None:
        """Let the process live and run from here on."""
        self._death = None
        self._stops.clear()

    def point(self, name: str) -> None:
        """Pass a point.

        Raises:
            ProcessDied: it is this one, or one before it, or the process was fenced while it stood here.
        """
        here = self.passed.get(name, 0)
        if self.burnt_at or (self._death is not None and self._is_at(self._death, name, here)):
            self.burnt_at = self.burnt_at or name
            raise ProcessDied(name)
        if self._stops:
            self._stand_still(name, here)
        self.passed[name] = here + 1
        self._total += 1

    def _stand_still(self, name: str, here: int) -> None:
        for stop in self._stops:
            if self._hold is not None and self._is_at(stop.at, name, here):
                self._stops.remove(stop)
                self._hold(stop.length_ns, name)
                return

    def _is_at(self, point: CrashPoint, name: str, here: int) -> bool:
        if not point.name:
            return self._total >= point.count
        return point.name == name and here >= point.count
