"""As much of HTTP/1.1 as the REST side needs: requests out of bytes, answers into bytes; no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import unquote

from pipeline.sim.exchange.errors import BANNED
from pipeline.sim.protocol.rest import HttpAnswer, HttpRequest

END_OF_HEAD = b"\r\n\r\n"
MOST_HEAD = 16 * 1024
MOST_BODY = 64 * 1024


class HttpError(ValueError):
    """Bytes that are no request we read; the connection is to be closed."""


@dataclass(frozen=True, slots=True)
class Head:
    """A request's first line and headers, names in lower case."""

    verb: str
    target: str
    headers: dict[str, str]

    @property
    def is_upgrade(self) -> bool:
        """Say whether a WebSocket is asked for."""
        return self.headers.get("upgrade", "").lower() == "websocket"

    @property
    def path_and_query(self) -> tuple[str, str]:
        """Give the decoded path, and the query as it came."""
        path, _, query = self.target.partition("?")
        return unquote(path), query

    @property
    def body_length(self) -> int:
        """Give the length of the body that follows.

        Raises:
            HttpError: no number, too much, or a body of unknown length.
        """
        text = self.headers.get("content-length", "0")
        if "transfer-encoding" in self.headers or not text.isdigit() or int(text) > MOST_BODY:
            raise HttpError("body of unknown or too great length")
        return int(text)


def read_head(head: bytes) -> Head:
    """Read everything up to the empty line.

    Raises:
        HttpError: it is no HTTP/1.1 request.
    """
    try:
        first, *lines = head.decode("ascii").split("\r\n")
        verb, target, version = first.split(" ")
        headers = {}
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon:
                raise HttpError(f"header line {line[:40]!r}")
            headers[name.strip().lower()] = value.strip()
    except ValueError as error:
        raise HttpError(f"no request: {head[:40]!r}") from error
    if version not in ("HTTP/1.1", "HTTP/1.0") or not target.startswith("/"):
        raise HttpError(f"no request: {first[:40]!r}")
    return Head(verb, target, headers)


def request_of(head: Head, body: bytes, connection: int = 0) -> HttpRequest:
    """Give the request of a head and its body.

    Raises:
        HttpError: the body is no text.
    """
    path, query = head.path_and_query
    try:
        return HttpRequest(head.verb, path, query, head.headers, body.decode(), connection)
    except UnicodeDecodeError as error:
        raise HttpError("a body that is no text") from error


def print_answer(answer: HttpAnswer) -> bytes:
    """Print an answer; the connection stays open."""
    # 418 is no teapot here but the ban of an address.
    reason = "Banned" if answer.status == BANNED else HTTPStatus(answer.status).phrase
    lines = [
        f"HTTP/1.1 {answer.status} {reason}",
        f"Content-Type: {answer.content_type}",
        f"Content-Length: {len(answer.body)}",
        *(f"{name}: {value}" for name, value in answer.headers),
    ]
    return "\r\n".join(lines).encode() + END_OF_HEAD + answer.body
