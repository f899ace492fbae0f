"""The guard's way to the venue's REST side: connections of its own, as bad as the engine's or worse."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from pipeline.rehearsal.crash import Fuse
from pipeline.runtime.guard_socket import LineLostError
from pipeline.sim.chance import Chance
from pipeline.sim.http_wire import END_OF_HEAD, print_answer, read_head, request_of
from pipeline.sim.protocol.rest import HttpRequest
from pipeline.sim.protocol.venue import SimVenue
from pipeline.wire.http_text import HttpAnswerText, take_answer

_MS = 1_000_000
_DEAF = 0.3


@dataclass(slots=True, eq=False)
class GuardLine:
    """One connection, as the guard's door sees it."""

    network: GuardNetwork
    fuse: Fuse
    ready_ns: int
    open: bool = True
    deaf: bool = False
    requests: deque[tuple[int, HttpRequest]] = field(default_factory=deque)
    answers: deque[tuple[int, bytes]] = field(default_factory=deque)
    wanted_events: int = 0

    @property
    def is_open(self) -> bool:
        """Say whether a request can leave."""
        return self.open and self.network.now_ns() >= self.ready_ns

    def fileno(self) -> int:
        """Give none: nobody polls."""
        return -1

    def send(self, request: bytes) -> None:
        """Send a request.

        Raises:
            LineLostError: the connection is gone.
        """
        if not self.open:
            raise LineLostError("cut")
        asked = request_of(read_head(request.removesuffix(END_OF_HEAD)), b"")
        what = f"{asked.verb} {asked.path.rpartition('/')[2]}"
        self.fuse.point(f"before a guard's send: {what}")
        if not self.deaf:
            self.requests.append((self.network.now_ns() + self.network.way_ns(), asked))
        self.fuse.point(f"after a guard's send: {what}")

    def pump(self) -> HttpAnswerText | None:
        """Give an answer that is there.

        Raises:
            LineLostError: the connection is gone.
        """
        if not self.open:
            raise LineLostError("cut")
        if not self.answers or self.answers[0][0] > self.network.now_ns():
            return None
        return take_answer(self.answers.popleft()[1])[0]

    def close(self) -> None:
        """End the connection; what is under way to the venue still arrives."""
        self.open = False


class GuardNetwork:
    """All connections of guards there have been and whose requests are still under way."""

    def __init__(self, venue: SimVenue, chance: Chance, now_ns: Callable[[], int]) -> None:
        self.now_ns = now_ns
        self.delay_ms = 0
        self.bad = True
        self._venue = venue
        self._chance = chance
        self._lines: list[GuardLine] = []

    def open_line(self, fuse: Fuse) -> GuardLine:
        """Begin a connection.

        Raises:
            LineLostError: it is refused.
        """
        if self.bad and self._chance.unit() < 0.05:
            raise LineLostError("refused")
        line = GuardLine(self, fuse, self.now_ns() + 2 * self.way_ns())
        self._lines.append(line)
        return line

    def way_ns(self) -> int:
        """Draw how long something is on its way; mostly quick, now and then the longest."""
        if not self.delay_ms:
            return 0
        slow = self._chance.unit() < 0.2
        return self._chance.below(self.delay_ms if slow else min(self.delay_ms, 5)) * _MS

    def move(self) -> None:
        """Let arrive what is due."""
        now_ns = self.now_ns()
        for line in list(self._lines):
            while line.requests and line.requests[0][0] <= now_ns:
                self._arrive(line, line.requests.popleft()[1])
            if not line.open and not line.requests:
                self._lines.remove(line)

    def strike(self) -> None:
        """Cut the open connections, or let them fall silent."""
        for line in self._lines:
            if self._chance.unit() < _DEAF:
                line.deaf = True
            else:
                line.open = False

    def heal(self) -> None:
        """Be a good network from here on; silent connections are found out by their answers that miss."""
        self.bad, self.delay_ms = False, 0

    def _arrive(self, line: GuardLine, request: HttpRequest) -> None:
        answer = self._venue.http(request, self.now_ns())
        if answer is not None and line.open and not line.deaf:
            at_ns = self.now_ns() + self.way_ns()
            line.answers.append((at_ns, print_answer(answer)))
