"""One TCP connection to the simulated venue: a WebSocket or plain HTTP, told apart by the first request.

The WebSocket itself is the sans-I/O server of `websockets`. A client that does not read what it is sent is
cut off, as a venue does it: what waits for it is bounded.
"""

from __future__ import annotations

import asyncio
from typing import Protocol, cast

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from pipeline.sim.http_wire import (
    END_OF_HEAD,
    MOST_HEAD,
    Head,
    HttpError,
    print_answer,
    read_head,
    request_of,
)
from pipeline.sim.protocol.link import Link
from pipeline.sim.protocol.rest import HttpAnswer, HttpRequest
from pipeline.sim.protocol.venue import Session

MOST_MESSAGE = 64 * 1024
"""Bytes of a client's message."""
MOST_WAITING = 32 << 20
"""Bytes that wait for a client before it is cut off; the largest fault frame fits."""
PING_PAYLOAD = b"lobdeck"


class Host(Protocol):
    """What a connection needs of whoever runs the venue."""

    def opened(self, connection: VenueConnection) -> None:
        """Take note of a new connection."""
        ...

    def closed(self, connection: VenueConnection) -> None:
        """Forget a connection."""
        ...

    def may_connect(self) -> bool:
        """Count an attempt to open a session; say whether the venue lets it in."""
        ...

    def open_session(self, link: Link, path: str, query: str, agent: str) -> Session | None:
        """Open a session at a path for a client that says what it is; None where there is nothing."""
        ...

    def number_of(self, path: str, agent: str) -> int:
        """Give the number of a new connection that speaks plain HTTP, by its first request."""
        ...

    def leave(self, session: Session) -> None:
        """Forget a session."""
        ...

    def receive(self, session: Session, frame: bytes) -> None:
        """Hand over a client's message."""
        ...

    def http(self, request: HttpRequest) -> HttpAnswer | None:
        """Answer a REST request; None to cut the connection."""
        ...

    def counts_too_many(self, session: Session) -> bool:
        """Count a client's ping or pong; say whether it was one too many."""
        ...


class VenueConnection(asyncio.Protocol):
    """Bytes in, bytes out; also the session's link to its client."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._head: Head | None = None
        self._websocket: ServerProtocol | None = None
        self._session: Session | None = None
        self._message = b""
        self.http_number = 0
        """Of a connection that speaks plain HTTP; 0 before its first request."""
        self._pings = 0
        self.unanswered_pings = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        # uvloop's transports are Transports without being subclasses of it.
        self._transport = cast(asyncio.Transport, transport)
        self._host.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the reason does not matter
        """End, whoever ended it."""
        self._transport = None
        self._host.closed(self)
        if self._session is not None:
            self._host.leave(self._session)
            self._session = None

    def data_received(self, data: bytes) -> None:
        """Take bytes of the client's."""
        if self._websocket is not None:
            self._feed(data)
            return
        self._buffer += data
        try:
            while self._take_request():
                pass
        except HttpError:
            self._write(print_answer(HttpAnswer(400, b'{"code":-1000,"msg":"no request"}')))
            self._end()

    def send(self, frame: bytes) -> None:
        """Send a text frame."""
        websocket = self._websocket
        if websocket is None or websocket.state is not State.OPEN:
            return
        websocket.send_text(frame)
        self._flush()

    def close(self, code: int, reason: str) -> None:
        """Say goodbye."""
        websocket = self._websocket
        if websocket is None:
            self._end()
        elif websocket.state is State.OPEN:
            websocket.send_close(code, reason)
            self._flush()

    def abort(self) -> None:
        """Cut the connection without a word."""
        if self._transport is not None:
            self._transport.abort()

    def ping(self) -> None:
        """Ask a WebSocket client whether it is there."""
        websocket = self._websocket
        if websocket is not None and websocket.state is State.OPEN:
            self.unanswered_pings += 1
            self._pings += 1
            websocket.send_ping(b"%s %d" % (PING_PAYLOAD, self._pings))
            self._flush()

    def _take_request(self) -> bool:
        """Answer the next whole request in the buffer; say whether there was one."""
        end = self._buffer.find(END_OF_HEAD)
        if end < 0:
            if len(self._buffer) > MOST_HEAD:
                raise HttpError("a head without end")
            return False
        head = read_head(self._buffer[:end])
        if head.is_upgrade:
            self._upgrade(head)
            return False
        begin = end + len(END_OF_HEAD)
        if len(self._buffer) < begin + head.body_length:
            return False
        body = self._buffer[begin : begin + head.body_length]
        self._buffer = self._buffer[begin + head.body_length :]
        if not self.http_number:
            self.http_number = self._host.number_of(head.path_and_query[0], _agent(head))
        answer = self._host.http(request_of(head, body, self.http_number))
        if answer is None:
            self.abort()
            return False
        self._write(print_answer(answer))
        if head.headers.get("connection", "").lower() == "close":
            self._end()
            return False
        return True

    def _upgrade(self, head: Head) -> None:
        self._head = head
        self._websocket = ServerProtocol(max_size=MOST_MESSAGE)
        data, self._buffer = self._buffer, b""
        self._feed(data)

    def _feed(self, data: bytes) -> None:
        websocket = self._websocket
        assert websocket is not None
        websocket.receive_data(data)
        self._flush()
        for event in websocket.events_received():
            if isinstance(event, Request):
                self._accept(websocket, event)
            elif isinstance(event, Frame):
                self._take_frame(event)
        self._flush()

    def _accept(self, websocket: ServerProtocol, request: Request) -> None:
        assert self._head is not None
        if not self._host.may_connect():
            websocket.send_response(websocket.reject(429, "too many connections\n"))
            self._flush()
            return
        self._session = self._host.open_session(self, *self._head.path_and_query, _agent(self._head))
        if self._session is None:
            websocket.send_response(websocket.reject(404, "nothing here\n"))
        else:
            websocket.send_response(websocket.accept(request))
        self._flush()

    def _take_frame(self, frame: Frame) -> None:
        if self._session is None:
            return
        match frame.opcode:
            case Opcode.TEXT | Opcode.BINARY | Opcode.CONT:
                self._message += frame.data
                if len(self._message) > MOST_MESSAGE:
                    self.close(1_009, "message too long")
                elif frame.fin:
                    message, self._message = self._message, b""
                    self._host.receive(self._session, message)
            case Opcode.PING | Opcode.PONG:
                # Only a copy of the newest ping's payload is a sign of life.
                if frame.opcode is Opcode.PONG and frame.data == b"%s %d" % (PING_PAYLOAD, self._pings):
                    self.unanswered_pings = 0
                if self._host.counts_too_many(self._session):
                    self.close(1_008, "Too many requests")
            case _:
                pass

    def _flush(self) -> None:
        websocket = self._websocket
        if websocket is None:
            return
        for data in websocket.data_to_send():
            if data:
                self._write(data)
            else:
                self._end()

    def _write(self, data: bytes) -> None:
        transport = self._transport
        if transport is None:
            return
        transport.write(data)
        if transport.get_write_buffer_size() > MOST_WAITING:
            transport.abort()

    def _end(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _agent(head: Head) -> str:
    return head.headers.get("user-agent", "")
