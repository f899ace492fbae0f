"""The way between gateway and venue: delays, cuts, black holes, frames that outlive their connection.

Each direction of a connection keeps its order, as TCP does; two connections do not keep it between them: what
an old one still carried may arrive after what the new one brought. A cut loses the end of what was under way.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from pipeline.rehearsal.crash import Fuse
from pipeline.runtime.clock import SessionClock
from pipeline.runtime.feed_socket import ConnectError, Receiver
from pipeline.sim.chance import Chance
from pipeline.sim.protocol.venue import Session, SimVenue

API_PATH = "/ws-api/v3"
_MS = 1_000_000
_METHOD = b'"method":"'
_REFUSED = 0.15
_BLACK_HOLE = 0.3


class Traffic:
    """What an onlooker is told of frames on the way to the venue; all calls are optional to heed."""

    def left(self, frame: bytes) -> None:
        """Learn that a frame leaves the gateway now."""

    def gone(self, frame: bytes) -> None:
        """Learn that a frame has arrived, or never will."""


@dataclass(slots=True, eq=False)
class Line:
    """One connection, as the gateway's socket."""

    network: OrderNetwork
    fuse: Fuse
    receiver: Receiver
    heard_ns: int
    session: Session | None = None
    deaf: bool = False
    """A black hole: nothing arrives on either side, and nobody is told."""
    open: bool = True
    to_venue: deque[tuple[int, bytes]] = field(default_factory=deque)
    to_us: deque[tuple[int, bytes]] = field(default_factory=deque)
    waiting_bytes: int = 0

    @property
    def hears(self) -> bool:
        """Say whether something waits that our side may hear."""
        return self.open and not self.deaf and bool(self.to_us)

    def ping(self) -> None:
        """Ask for a sign of life; it comes as an empty frame."""
        if self.open and not self.deaf:
            self.put(self.to_us, b"", 2)

    def send(self, message: bytes) -> None:
        """Take a frame for the venue."""
        what = _method(message)
        self.fuse.point(f"before a send: {what}")
        if self.open:
            self.network.traffic.left(message)
            if self.deaf:
                self.network.traffic.gone(message)
            else:
                self.put(self.to_venue, message, 1)
        self.fuse.point(f"after a send: {what}")

    def close(self) -> None:
        """End the connection."""
        self.network.untell(self)
        self.network.cut(self, "closed", told=False)

    def put(self, queue: deque[tuple[int, bytes]], frame: bytes, ways: int) -> None:
        """Set a frame on its way, behind what went before it."""
        at_ns = self.network.now_ns() + ways * self.network.way_ns()
        queue.append((max(at_ns, queue[-1][0] if queue else 0), frame))


@dataclass(slots=True, eq=False)
class VenueEnd:
    """The same connection as the venue's link."""

    line: Line

    def send(self, frame: bytes) -> None:
        """Take a frame for the gateway."""
        if self.line.open and not self.line.deaf:
            self.line.put(self.line.to_us, frame, 1)

    def close(self, _code: int, _reason: str) -> None:
        """End the connection with a word."""
        self.line.network.cut(self.line, "closed by the venue", told=True)

    def abort(self) -> None:
        """Cut the connection."""
        self.line.network.cut(self.line, "cut by the venue", told=True)


class OrderNetwork:
    """All connections of the gateway there have been and whose frames are still under way."""

    def __init__(self, venue: SimVenue, chance: Chance, now_ns: Callable[[], int], traffic: Traffic) -> None:
        self.now_ns = now_ns
        self.traffic = traffic
        self.delay_ms = 0
        self.fuse = Fuse(None)
        self.session_now_ns: Callable[[], int] = now_ns
        """The session's own clock; set by whoever starts a process."""
        self.bad = True
        """False once the network has healed."""
        self.frozen = False
        """True while the process on our side takes nothing: it stands still, or is busy."""
        self._untold: list[tuple[Line, str]] = []
        """Ends of connections our side is still to be told of."""
        self._venue = venue
        self._chance = chance
        self._lines: list[Line] = []

    def way_ns(self) -> int:
        """Draw how long a frame is on its way; mostly quick, now and then the longest."""
        if not self.delay_ms:
            return 0
        slow = self._chance.unit() < 0.2
        return self._chance.below(self.delay_ms if slow else min(self.delay_ms, 5)) * _MS

    async def connect(self, _url: str, receiver: Receiver, clock: SessionClock, _most: int) -> None:
        """Open a connection as `open_socket` does, at once, late or not at all.

        Raises:
            ConnectError: it is refused.
        """
        fuse = self.fuse
        if self.bad and self._chance.unit() < _REFUSED:
            raise ConnectError("refused")
        ready_ns = self.now_ns() + 2 * self.way_ns()
        while self.now_ns() < ready_ns:
            await asyncio.sleep(0)
        if fuse is not self.fuse:
            return
        line = Line(self, fuse, receiver, clock.now_ns())
        line.session = self._venue.open(VenueEnd(line), API_PATH, "", self.now_ns())
        self._lines.append(line)
        receiver.on_open(line)

    def move(self) -> None:
        """Let arrive what is due, oldest first on each line."""
        now_ns = self.now_ns()
        while self._untold and not self.frozen:
            line, reason = self._untold.pop(0)
            line.receiver.on_lost(reason)
        for line in list(self._lines):
            while line.to_venue and line.to_venue[0][0] <= now_ns:
                self._arrive(line, line.to_venue.popleft()[1])
            while line.hears and not self.frozen and line.to_us[0][0] <= now_ns:
                self._hear(line, line.to_us.popleft()[1])
            if not line.open and not line.to_venue:
                self._forget(line)

    def strike(self) -> None:
        """Do something bad to the open connection."""
        for line in [one for one in self._lines if one.open and not one.deaf]:
            if self._chance.unit() < _BLACK_HOLE:
                line.deaf = True
                self._lose(line, 0)
            else:
                self.cut(line, "cut", told=True)

    def heal(self) -> None:
        """Be a good network from here on; black holes end as cut connections."""
        self.bad, self.delay_ms = False, 0
        for line in [one for one in self._lines if one.open and one.deaf]:
            self.cut(line, "cut", told=True)

    def process_gone(self, *, with_machine: bool) -> None:
        """End everything: the process on our side is no more.

        The kernel still sends what a process gave it, but not without the machine.
        """
        for line in [one for one in self._lines if one.open]:
            if with_machine:
                self.cut(line, "process gone", told=False)
            else:
                line.open = False
                line.to_us.clear()
        self.fuse = Fuse(None)
        self._untold.clear()

    def untell(self, line: Line) -> None:
        """Forget that our side was to be told of an end: it gave the connection up by itself."""
        self._untold = [one for one in self._untold if one[0] is not line]

    def cut(self, line: Line, reason: str, *, told: bool) -> None:
        """End a connection; a part of what is under way still arrives, in order.

        Our side is told by the next `move`, never in the middle of what it does.
        """
        if not line.open:
            return
        line.open = False
        self._lose(line, self._chance.below(len(line.to_venue) + 1))
        line.to_us.clear()
        if told:
            self._untold.append((line, reason))

    def _lose(self, line: Line, kept: int) -> None:
        while len(line.to_venue) > kept:
            self.traffic.gone(line.to_venue.pop()[1])

    def _arrive(self, line: Line, frame: bytes) -> None:
        if line.session is not None:
            self._venue.receive(line.session, frame, self.now_ns())
        self.traffic.gone(frame)

    def _hear(self, line: Line, frame: bytes) -> None:
        line.heard_ns = now_ns = self.session_now_ns()
        if frame:
            line.receiver.on_message(frame, now_ns, 0)

    def _forget(self, line: Line) -> None:
        if line not in self._lines:
            return  # the world went on while our side stood still in the middle of this
        self._lines.remove(line)
        if line.session is not None:
            self._venue.leave(line.session)


def _method(frame: bytes) -> str:
    start = frame.find(_METHOD)
    if start < 0:
        return "?"
    start += len(_METHOD)
    return frame[start : frame.index(b'"', start)].decode()
