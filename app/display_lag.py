"""How far the eye is behind the session: the terminal is asked, behind a picture, where its cursor is.

What a terminal has not shown yet may wait in places nobody can look into: the pseudo-terminal, sshd, the
network. While more than a window of bytes has no answer behind it no further picture is sent, so that a thin
link is never more than a picture or two behind. A terminal that never answers counts as unknown and is not
waited for. Two threads: the app asks, the input thread notes answers; each field has one writer.
"""

from __future__ import annotations

QUESTION = "\x1b[6n"
EVERY_S = 1.0
"""How often a quick terminal is asked."""
ASK_BYTES = 6_000
"""A question goes behind so many bytes, however quick the terminal was before."""
WINDOW_BYTES = 12_000
"""Most bytes on the way before pictures wait; a link of 300 ms still gets 40 kB/s through."""
GIVE_UP_S = 10.0
"""An answer that is lost must not keep the screen still for ever."""
NEVER_ANSWERED_S = 1.0
"""A terminal that has not answered yet is waited for so long."""
UNKNOWN_MS = -1


class DisplayLag:
    """Times questions (monotonic seconds) and places them in the bytes sent, both given by the caller."""

    def __init__(self) -> None:
        self._asked = 0
        self._asked_s = 0.0
        self._asked_bytes = 0
        self._answered = 0
        self._seen_bytes = 0
        self._lag_s = -1.0

    def wants_question(self, now_s: float, sent_bytes: int) -> bool:
        """Say whether to ask now, behind `sent_bytes`."""
        waited_s = now_s - self._asked_s
        if self._is_open:
            return waited_s > GIVE_UP_S
        return waited_s >= EVERY_S or sent_bytes - self._asked_bytes >= ASK_BYTES

    def asked(self, now_s: float, sent_bytes: int) -> None:
        """Note that the question was sent behind `sent_bytes`."""
        self._asked_s, self._asked_bytes = now_s, sent_bytes
        self._asked = self._answered + 1

    def answered(self, now_s: float) -> None:
        """Note the terminal's answer; one nobody asked for counts for nothing."""
        if self._is_open:
            self._lag_s, self._seen_bytes = now_s - self._asked_s, self._asked_bytes
            self._answered = self._asked

    def must_wait(self, now_s: float, sent_bytes: int) -> bool:
        """Say whether too much is on the way for another picture."""
        patience_s = NEVER_ANSWERED_S if self._lag_s < 0 else GIVE_UP_S
        late = self._is_open and now_s - self._asked_s > patience_s
        return self._asked > 0 and not late and sent_bytes - self._seen_bytes > WINDOW_BYTES

    def lag_ms(self, now_s: float) -> int:
        """Give the newest known lag; the age of an open question where that is more; -1 while unknown."""
        if self._lag_s < 0:
            return UNKNOWN_MS
        open_s = now_s - self._asked_s if self._is_open else 0.0
        return int(1000 * max(self._lag_s, open_s))

    @property
    def _is_open(self) -> bool:
        return self._asked != self._answered
