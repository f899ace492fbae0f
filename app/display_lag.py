"""How far the eye is behind the session: the terminal is asked, behind a picture, where its cursor is.

What a terminal has not shown yet may wait in places nobody can look into: the pseudo-terminal, sshd, the
network. While an answer is overdue no further picture is sent, so that a thin link is never more than a
picture or two behind. A terminal that has never answered counts as unknown and is not waited for.
Two threads: the app asks, the input thread notes answers; each field has one writer.
"""

from __future__ import annotations

QUESTION = "\x1b[6n"
EVERY_S = 1.0
"""How often a quick terminal is asked."""
LATE_S = 0.3
"""A terminal slower than this is asked behind every picture, and waited for."""
GIVE_UP_S = 10.0
"""An answer that is lost must not keep the screen still for ever."""
UNKNOWN_MS = -1


class DisplayLag:
    """Times from question to answer, in monotonic seconds given by the caller."""

    def __init__(self) -> None:
        self._asked = 0
        self._asked_s = 0.0
        self._answered = 0
        self._lag_s = -1.0

    def wants_question(self, now_s: float) -> bool:
        """Say whether to ask behind the picture drawn now."""
        if self._is_open:
            return now_s - self._asked_s > GIVE_UP_S
        return self._lag_s > LATE_S or now_s - self._asked_s >= EVERY_S

    def asked(self, now_s: float) -> None:
        """Note that the question was sent."""
        self._asked = self._answered + 1
        self._asked_s = now_s

    def answered(self, now_s: float) -> None:
        """Note the terminal's answer; one nobody asked for counts for nothing."""
        if self._is_open:
            self._lag_s = now_s - self._asked_s
            self._answered = self._asked

    def is_overdue(self, now_s: float) -> bool:
        """Say whether to wait with the next picture."""
        return self._is_open and self._lag_s >= 0 and LATE_S < now_s - self._asked_s <= GIVE_UP_S

    def lag_ms(self, now_s: float) -> int:
        """Give the newest known lag; the age of an open question where that is more; -1 while unknown."""
        if self._lag_s < 0:
            return UNKNOWN_MS
        open_s = now_s - self._asked_s if self._is_open else 0.0
        return int(1000 * max(self._lag_s, open_s if open_s > LATE_S else 0.0))

    @property
    def _is_open(self) -> bool:
        return self._asked != self._answered
