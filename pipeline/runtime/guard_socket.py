"""One connection of the guard's to a venue's REST side: non-blocking, kept alive, one request at a time."""

from __future__ import annotations

import errno
import functools
import select
import socket
import ssl
import threading
from dataclasses import dataclass

from pipeline.wire.http_text import HttpAnswerText, HttpTextError, take_answer

_READ = 64 * 1024
Address = tuple[socket.AddressFamily, tuple[str, int]]


class LineLostError(Exception):
    """The connection is gone or of no use; what was asked on it may or may not have been heard."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a REST side is."""

    host: str
    port: int
    secure: bool

    @property
    def host_header(self) -> str:
        """Give what the Host header says."""
        usual = self.port == (443 if self.secure else 80)
        return self.host if usual else f"{self.host}:{self.port}"


def target_of(url: str) -> Target:
    """Read `http://HOST[:PORT]` or `https://HOST[:PORT]`.

    Raises:
        ValueError: it is no such URL.
    """
    scheme, separator, rest = url.partition("://")
    host, _, port = rest.rstrip("/").partition(":")
    secure = scheme == "https"
    if not separator or scheme not in ("http", "https") or not host or "/" in rest.rstrip("/"):
        raise ValueError(f"REST address {url[:80]!r}: wanted http://HOST[:PORT] or https://HOST[:PORT]")
    return Target(host, int(port) if port else (443 if secure else 80), secure)


class Resolver:
    """Looks a host up in a thread: the guard's loop waits for no name server."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._found: tuple[Address, ...] = ()
        self._thread: threading.Thread | None = None
        self._turn = 0

    def next_address(self) -> Address | None:
        """Give an address to try, another one each time; None while none is known."""
        self._look_up()
        if not self._found:
            return None
        self._turn += 1
        return self._found[self._turn % len(self._found)]

    def _look_up(self) -> None:
        if self._thread is None or (not self._thread.is_alive() and not self._found):
            self._thread = threading.Thread(target=self._run, daemon=True, name="guard-names")
            self._thread.start()
            self._thread.join(0.02)  # an address that is a number is there at once

    def _run(self) -> None:
        try:
            found = socket.getaddrinfo(self._target.host, self._target.port, type=socket.SOCK_STREAM)
        except OSError:
            return
        self._found = tuple((one[0], (str(one[4][0]), int(one[4][1]))) for one in found)


class Line:
    """One TCP connection, with TLS where the target wants it."""

    def __init__(self, target: Target, address: Address) -> None:
        """Begin to connect; `pump` goes on.

        Raises:
            LineLostError: it is refused at once.
        """
        family, where = address
        self._target = target
        self._socket: socket.socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connected = False
        self._handshaken = False
        self._out = b""
        self._in = b""
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLOUT)
        problem = self._socket.connect_ex(where)
        if problem not in (0, errno.EINPROGRESS):
            self.close()
            raise LineLostError(errno.errorcode.get(problem, "connect"))

    @property
    def is_open(self) -> bool:
        """Say whether a request can leave."""
        return self._handshaken

    @property
    def wanted_events(self) -> int:
        """Give what `poll` is to wait for."""
        return select.POLLIN if self._handshaken and not self._out else select.POLLIN | select.POLLOUT

    def fileno(self) -> int:
        """Give the descriptor."""
        return self._socket.fileno()

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def send(self, request: bytes) -> None:
        """Send a request.

        Raises:
            LineLostError: the connection is gone.
        """
        self._out += request
        self._flush()

    def pump(self) -> HttpAnswerText | None:
        """Go on with what is under way; give an answer that is whole now.

        Raises:
            LineLostError: the connection is gone, or speaks no HTTP.
        """
        try:
            if not self._rise():
                return None
            self._flush()
            self._read()
            answer, length = take_answer(self._in)
        except (OSError, HttpTextError) as problem:
            raise LineLostError(type(problem).__name__) from problem
        self._in = self._in[length:]
        return answer

    def _rise(self) -> bool:
        """Connect and shake hands; say whether that is done."""
        if self._handshaken:
            return True
        if not self._connected:
            if not self._poll.poll(0):
                return False
            problem = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if problem:
                raise OSError(problem, "connect")
            self._connected = True
            if self._target.secure:
                self._socket = tls_context().wrap_socket(
                    self._socket, server_hostname=self._target.host, do_handshake_on_connect=False
                )
        if isinstance(self._socket, ssl.SSLSocket):
            try:
                self._socket.do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return False
        self._handshaken = True
        return True

    def _flush(self) -> None:
        try:
            while self._out:
                sent = self._socket.send(self._out)
                self._out = self._out[sent:]
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError as problem:
            raise LineLostError(type(problem).__name__) from problem

    def _read(self) -> None:
        while True:
            try:
                data = self._socket.recv(_READ)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            if not data:
                raise OSError(errno.ECONNRESET, "closed by the venue")
            self._in += data


class SocketLines:
    """Opens TCP connections to a target, to another of its addresses each time."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._resolver = Resolver(target)

    def __call__(self) -> Line | None:
        """Begin a connection; None while no address is known.

        Raises:
            LineLostError: it is refused at once.
            OSError: there is no descriptor left.
        """
        address = self._resolver.next_address()
        return None if address is None else Line(self._target, address)


@functools.cache
def tls_context() -> ssl.SSLContext:
    """Give the process's TLS settings; the first call reads the certificates, tens of milliseconds."""
    return ssl.create_default_context()
