"""The transport of feed and orders: stamped messages out of a WebSocket, text messages into it.

The `websockets` library's protocol without its coroutine layer: bytes are parsed in the callback that read
them and handed over in the same turn of the loop, so there is no queue between socket and engine. A session
that cannot keep up leaves bytes in the kernel's buffer, where the venue sees them. Pings are answered by
the protocol. Compression is not offered.
"""

from __future__ import annotations

import asyncio
import fcntl
import functools
import ssl
import termios
from array import array
from collections.abc import Awaitable, Callable
from time import perf_counter_ns
from typing import Protocol, cast

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidURI
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.uri import parse_uri

from pipeline.runtime.clock import SessionClock
from pipeline.runtime.feed_words import connect_words, handshake_words, wanted_wait_s

CLOSE_S = 1.0
"""How long the other side may take to end the connection after our close frame."""


class Receiver(Protocol):
    """Who a socket delivers to; each call is made from the event loop."""

    def on_open(self, socket: Socket) -> None:
        """Learn that the handshake is done; messages of the same read follow at once."""
        ...

    def on_message(self, payload: bytes, ts_recv_ns: int, received: int) -> None:
        """Take one whole message; `received` is the `perf_counter_ns` at which its bytes were read."""
        ...

    def on_lost(self, reason: str) -> None:
        """Learn that the connection is gone; once, never before it was open and never after `close`."""
        ...


class Socket(Protocol):
    """What a route needs of its connection."""

    def ping(self) -> None:
        """Ask the other side whether it lives."""
        ...

    def send(self, message: bytes) -> None:
        """Send one text message; nothing where the connection is not open any more."""
        ...

    @property
    def heard_ns(self) -> int:
        """Give when bytes last came, pongs among them, in session time."""
        ...

    @property
    def waiting_bytes(self) -> int:
        """Give how much has come and was not read yet."""
        ...

    def close(self) -> None:
        """End the connection in good order; nothing is delivered after this."""
        ...


Connect = Callable[[str, Receiver, SessionClock, int], Awaitable[None]]
"""`open_socket`, or what a test puts in its place."""


class ConnectError(Exception):
    """A connection could not be opened; the message is short and holds no text of the other side."""

    def __init__(self, words: str, wait_s: int = 0) -> None:
        """Keep how long the venue wants to be left alone beside the words."""
        super().__init__(words)
        self.wait_s = wait_s


class FeedSocket(asyncio.Protocol):
    """One WebSocket connection; use `open_socket`."""

    def __init__(self, url: str, receiver: Receiver, clock: SessionClock, max_bytes: int) -> None:
        self._receiver = receiver
        self._clock = clock
        self._max_bytes = max_bytes
        self._protocol = ClientProtocol(parse_uri(url), max_size=max_bytes)
        self._transport: asyncio.Transport | None = None
        self._parts: list[bytes] = []
        self._closed = False
        self._heard_ns = clock.now_ns()
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def heard_ns(self) -> int:
        """Give when bytes last came, pongs among them, in session time."""
        return self._heard_ns

    @property
    def waiting_bytes(self) -> int:
        """Give how much the kernel holds for us: what the session is behind the venue."""
        raw = None if self._transport is None else self._transport.get_extra_info("socket")
        if raw is None or raw.fileno() < 0:
            return 0
        found = array("i", [0])
        fcntl.ioctl(raw.fileno(), termios.FIONREAD, found)
        return found[0]

    def ping(self) -> None:
        """Ask the other side whether it lives."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_ping(b"lobdeck")
            self._flush()

    def send(self, message: bytes) -> None:
        """Send one text message; nothing where the connection is not open any more."""
        if self._protocol.state is State.OPEN and not self._closed:
            self._protocol.send_text(message)
            self._flush()

    def close(self) -> None:
        """End the connection in good order; nothing is delivered after this."""
        if self._closed:
            return
        self._closed = True
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(1000)
            self._flush()
        if self._transport is not None:
            asyncio.get_running_loop().call_later(CLOSE_S, self._transport.abort)

    # --- asyncio.Protocol ---------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        self._transport = cast(asyncio.Transport, transport)
        self._protocol.send_request(self._protocol.connect())
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Parse what was read and hand every whole message over."""
        received = perf_counter_ns()
        self._heard_ns = self._clock.now_ns()
        self._protocol.receive_data(data)
        events = self._protocol.events_received()
        stamp_ns = self._clock.reserve(len(events))
        for event in events:
            stamp_ns += 2
            if isinstance(event, Frame):
                self._take(event, stamp_ns, received)
            elif isinstance(event, Response) and self._protocol.handshake_exc is None:
                self._settle(None)
                self._receiver.on_open(self)
        self._flush()
        self._look_for_an_end()

    def eof_received(self) -> bool:
        """Take the other side's end of stream; the transport closes by itself."""
        self._protocol.receive_eof()
        return False

    def connection_lost(self, problem: Exception | None) -> None:
        """Tell the receiver, unless the end was ours."""
        reason = self._reason(problem)
        was_open = self.opened.done() and not self.opened.cancelled() and self.opened.exception() is None
        self._settle(ConnectError(reason, wanted_wait_s(self._protocol.handshake_exc)))
        if was_open and not self._closed:
            self._closed = True
            self._receiver.on_lost(reason)

    # ------------------------------------------------------------------------------------------------------

    def _take(self, frame: Frame, stamp_ns: int, received: int) -> None:
        if self._closed or frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return
        payload = bytes(frame.data)
        if frame.opcode is Opcode.CONT or not frame.fin:
            self._parts.append(payload)
            if not frame.fin:
                return
            payload = b"".join(self._parts)
            self._parts.clear()
        self._receiver.on_message(payload, stamp_ns, received)

    def _look_for_an_end(self) -> None:
        protocol, transport = self._protocol, self._transport
        if transport is None:
            return
        if protocol.handshake_exc is not None:
            transport.abort()
        elif protocol.close_expected() and not self._closed:
            # The other side closes, or broke the protocol: it is not waited for.
            transport.abort()

    def _flush(self) -> None:
        transport = self._transport
        if transport is None:
            return
        for data in self._protocol.data_to_send():
            if not data:
                transport.close()
            elif not transport.is_closing():
                transport.write(data)

    def _settle(self, problem: ConnectError | None) -> None:
        if self.opened.done():
            return
        if problem is None:
            self.opened.set_result(None)
        else:
            self.opened.set_exception(problem)

    def _reason(self, problem: Exception | None) -> str:
        protocol = self._protocol
        if protocol.handshake_exc is not None:
            return handshake_words(protocol.handshake_exc)
        if protocol.close_rcvd is not None:
            return f"closed by the venue ({protocol.close_rcvd.code})"
        if protocol.close_sent is not None and protocol.close_sent.code == 1009:
            return f"a message over {self._max_bytes} bytes"
        if protocol.close_sent is not None:
            return f"protocol broken ({protocol.close_sent.code})"
        return "connection lost" if problem is None else f"connection lost ({type(problem).__name__})"


@functools.cache
def tls_context() -> ssl.SSLContext:
    """Give the process's TLS settings; the first call reads the certificates, tens of milliseconds."""
    return ssl.create_default_context()


async def open_socket(url: str, receiver: Receiver, clock: SessionClock, max_bytes: int) -> None:
    """Connect and shake hands; the caller sets the time limit, the receiver gets the socket.

    Raises:
        ConnectError: no such host, refused, no TLS, no WebSocket there.
    """
    try:
        uri = parse_uri(url)
    except InvalidURI as problem:
        raise ConnectError("not a WebSocket URL") from problem
    loop = asyncio.get_running_loop()
    context = tls_context() if uri.secure else None
    try:
        transport, socket = await loop.create_connection(
            lambda: FeedSocket(url, receiver, clock, max_bytes), uri.host, uri.port, ssl=context
        )
    except (OSError, ssl.SSLError) as problem:
        raise ConnectError(connect_words(problem, uri.host, uri.port)) from problem
    try:
        await socket.opened
    except asyncio.CancelledError:
        transport.abort()
        raise
