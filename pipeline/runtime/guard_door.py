"""The guard's way to the venue: a few kept-alive REST connections, requests out, replies back; nothing waits.

One connection is kept warm while all is well, so that a kill need not shake hands first; more are opened when
more is asked than one can carry. A request whose connection broke or that was not answered in time is
given back without an answer: everything the guard asks may be asked again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pipeline.runtime.guard_asks import Ask, Reply
from pipeline.runtime.guard_socket import LineLostError
from pipeline.wire.http_text import HttpAnswerText

MS = 1_000_000
MOST_LINES = 8
_WARM_NS = 15_000 * MS
_AGAIN_FIRST_NS, _AGAIN_LONGEST_NS = 50 * MS, 2_000 * MS


class DoorLine(Protocol):
    """One connection that carries one request at a time; every call may raise `LineLostError`."""

    @property
    def is_open(self) -> bool:
        """Say whether a request can leave."""
        ...

    @property
    def wanted_events(self) -> int:
        """Give what `poll` is to wait for."""
        ...

    def fileno(self) -> int:
        """Give the descriptor."""
        ...

    def send(self, request: bytes) -> None:
        """Send a request."""
        ...

    def pump(self) -> HttpAnswerText | None:
        """Go on with what is under way; give an answer that is whole now."""
        ...

    def close(self) -> None:
        """End the connection."""
        ...


OpenLine = Callable[[], DoorLine | None]
"""Begins a connection; None while no address is known."""


@dataclass(slots=True, eq=False)
class _Busy:
    """A connection and what was asked on it last."""

    line: DoorLine
    opened_ns: int
    ask: Ask | None = None
    asked_ns: int = 0
    answered: bool = False


class Door:
    """Connections to one REST side."""

    def __init__(self, open_line: OpenLine, write: Callable[[Ask, int], bytes], answer_ms: int) -> None:
        """Prepare; `write` prints a request at the time it leaves, so that its stamp is fresh."""
        self._open_line = open_line
        self._write = write
        self._answer_ns = answer_ms * MS
        self._lines: list[_Busy] = []
        self._queue: deque[tuple[Ask, int]] = deque()
        self._again_ns = _AGAIN_FIRST_NS
        self._next_open_ns = 0
        self.heard_ns = 0
        """When an answer came last; 0 before any."""
        self.up = False

    @property
    def is_idle(self) -> bool:
        """Say whether nothing is asked or waits to be."""
        return not self._queue and all(one.ask is None for one in self._lines)

    @property
    def descriptors(self) -> list[tuple[int, int]]:
        """Give what `poll` is to wait for."""
        return [(one.line.fileno(), one.line.wanted_events) for one in self._lines]

    def ask(self, ask: Ask, now_ns: int) -> None:
        """Ask, as soon as a connection is free."""
        self._queue.append((ask, now_ns))

    def wants_warmth(self, now_ns: int) -> bool:
        """Say whether something should be asked so that the connection stays open and known to work."""
        return self.is_idle and now_ns - self.heard_ns >= (_WARM_NS if self.up else self._again_ns)

    def pump(self, now_ns: int) -> list[Reply]:
        """Let everything go on that can; give the replies that came."""
        replies: list[Reply] = []
        for one in list(self._lines):
            self._pump_one(one, now_ns, replies)
        self._open_lines(now_ns)
        for one in list(self._lines):
            if self._queue and one.line.is_open and one.ask is None:
                self._send(one, self._queue.popleft()[0], now_ns, replies)
        self._give_up_old(now_ns, replies)
        return replies

    def close(self) -> None:
        """End every connection."""
        for one in self._lines:
            one.line.close()
        self._lines.clear()

    def _pump_one(self, one: _Busy, now_ns: int, replies: list[Reply]) -> None:
        try:
            answer = one.line.pump()
        except LineLostError:
            self._drop(one, now_ns, replies)
            return
        late = one.ask is not None and now_ns - one.asked_ns >= self._answer_ns
        if answer is not None:
            self._take(one, answer, now_ns, replies)
        elif late or (not one.line.is_open and now_ns - one.opened_ns >= self._answer_ns):
            self._drop(one, now_ns, replies)

    def _take(self, one: _Busy, answer: HttpAnswerText, now_ns: int, replies: list[Reply]) -> None:
        if one.ask is None:
            self._drop(one, now_ns, replies)  # an answer to nothing: whose would the next one be
            return
        replies.append(Reply(one.ask, answer, one.asked_ns, now_ns))
        self.heard_ns, self.up, self._again_ns = now_ns, True, _AGAIN_FIRST_NS
        one.ask, one.answered = None, True
        if answer.closes:
            self._forget(one)

    def _drop(self, one: _Busy, now_ns: int, replies: list[Reply]) -> None:
        """Give a connection up; one that had answered before and idled is no sign of a venue that is down."""
        self._forget(one)
        if one.ask is not None:
            replies.append(Reply(one.ask, None, one.asked_ns, now_ns))
        if one.ask is not None or not one.answered:
            self.up = False
            self._next_open_ns = now_ns + self._again_ns
            self._again_ns = min(2 * self._again_ns, _AGAIN_LONGEST_NS)

    def _forget(self, one: _Busy) -> None:
        one.line.close()
        self._lines.remove(one)

    def _open_lines(self, now_ns: int) -> None:
        free = sum(1 for one in self._lines if one.ask is None)
        wanted = min(max(len(self._queue) - free, 0 if self._lines else 1), MOST_LINES - len(self._lines))
        if now_ns < self._next_open_ns:
            return
        for _ in range(wanted):
            try:
                line = self._open_line()
                if line is not None:
                    self._lines.append(_Busy(line, now_ns))
            except (LineLostError, OSError):
                self.up = False
                self._next_open_ns = now_ns + self._again_ns
                self._again_ns = min(2 * self._again_ns, _AGAIN_LONGEST_NS)
                return

    def _send(self, one: _Busy, ask: Ask, now_ns: int, replies: list[Reply]) -> None:
        one.ask, one.asked_ns = ask, now_ns
        try:
            one.line.send(self._write(ask, now_ns))
        except LineLostError:
            self._drop(one, now_ns, replies)

    def _give_up_old(self, now_ns: int, replies: list[Reply]) -> None:
        """Give back what waited too long for a connection."""
        while self._queue and now_ns - self._queue[0][1] >= self._answer_ns:
            ask, since_ns = self._queue.popleft()
            replies.append(Reply(ask, None, since_ns, now_ns))
