"""Where a process may die: before and after each journal write and each send, by a count drawn beforehand."""

from __future__ import annotations

from dataclasses import dataclass

SEND = "a send"
WRITE = "a journal write"


class ProcessDied(BaseException):
    """The process is gone at this point; nothing of it runs any more but the world around it.

    No `Exception`: no border of the program may catch it.
    """


@dataclass(frozen=True, slots=True)
class Death:
    """When a process dies."""

    after: int
    """How many crash points it passes before."""
    kind: str = ""
    """Only points whose name ends like this count; empty for all."""


class Fuse:
    """Counts crash points and burns through at one of them."""

    def __init__(self, death: Death | None) -> None:
        """Burn as `death` says; None burns never."""
        self.passed = 0
        self.burnt_at = ""
        self._death = death

    def disarm(self) -> None:
        """Let the process live from here on."""
        self._death = None

    def point(self, name: str) -> None:
        """Pass a crash point.

        Raises:
            ProcessDied: it is this one, or one before it.
        """
        death = self._death
        if self.burnt_at:
            raise ProcessDied(name)
        if death is None or not name.endswith(death.kind):
            return
        if self.passed >= death.after:
            self.burnt_at = name
            raise ProcessDied(name)
        self.passed += 1
