"""Why a venue cannot be reached, in words a person can act on; nothing of what the other side sent."""

from __future__ import annotations

import errno
import socket
import ssl

from websockets.exceptions import InvalidMessage, InvalidStatus

TOO_MANY = (418, 429)
"""Statuses of a venue that has had too many requests; who does not stop is banned."""
LONGEST_BAN_S = 3_600
_USUAL_WAIT_S = 60
_NO_ROUTE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN)


def connect_words(problem: BaseException, host: str, port: int) -> str:
    """Say why no connection to a host came about."""
    match problem:
        case socket.gaierror(errno=socket.EAI_NONAME):
            return f"no such host: {host}"
        case socket.gaierror():
            return f"cannot look up {host}: is there a network?"
        case ConnectionRefusedError():
            return f"nothing listens at {host}:{port}"
        case ssl.SSLCertVerificationError():
            return f"TLS: the certificate of {host} is not trusted ({problem.verify_message[:60]})"
        case ssl.SSLError() | ConnectionResetError() | ConnectionAbortedError():
            return f"no TLS at {host}:{port}" if isinstance(problem, ssl.SSLError) else f"{host} hung up"
        case TimeoutError():
            return f"no answer from {host}:{port}"
        case OSError(errno=number) if number in _NO_ROUTE:
            return f"no way to {host}: is there a network?"
        case _:
            return f"cannot connect to {host}:{port} ({type(problem).__name__})"


def handshake_words(problem: Exception) -> str:
    """Say why a server is no WebSocket server of the venue."""
    match problem:
        case InvalidStatus() if problem.response.status_code in TOO_MANY:
            return f"HTTP {problem.response.status_code}: the venue wants fewer connections"
        case InvalidStatus():
            return f"HTTP {problem.response.status_code} instead of a WebSocket: is it this venue's server?"
        case InvalidMessage():
            return "no WebSocket server there"
        case _:
            return f"handshake refused ({type(problem).__name__})"


def wanted_wait_s(problem: Exception | None) -> int:
    """Give how long a venue that refused a handshake wants to be left alone; 0 where it did not say so."""
    if not isinstance(problem, InvalidStatus) or problem.response.status_code not in TOO_MANY:
        return 0
    seconds = problem.response.headers.get("Retry-After", "")
    return min(int(seconds), LONGEST_BAN_S) if seconds.isdecimal() and len(seconds) < 9 else _USUAL_WAIT_S
