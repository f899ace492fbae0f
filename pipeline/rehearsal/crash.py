"""Where a process may die: before and after each journal write and each send, by a count drawn beforehand."""

from __future__ import annotations


class ProcessDied(BaseException):
    """The process is gone at this point; nothing of it runs any more but the world around it.

    No `Exception`: no border of the program may catch it.
    """


class Fuse:
    """Counts crash points and burns through at one of them."""

    def __init__(self, lives_for: int | None) -> None:
        """Let `lives_for` crash points pass; None burns never."""
        self.passed = 0
        self.burnt_at = ""
        self._lives_for = lives_for

    def disarm(self) -> None:
        """Let the process live from here on."""
        self._lives_for = None

    def point(self, name: str) -> None:
        """Pass a crash point.

        Raises:
            ProcessDied: it is this one, or one before it.
        """
        if self._lives_for is not None and self.passed >= self._lives_for:
            self.burnt_at = self.burnt_at or name
            raise ProcessDied(name)
        self.passed += 1
