"""As much of HTTP/1.1 as a signed REST client needs: requests into bytes, answers out of bytes. Pure."""

from __future__ import annotations

from dataclasses import dataclass

MOST_HEAD = 64 * 1024
MOST_BODY = 4 * 1024 * 1024
_END_OF_HEAD = b"\r\n\r\n"
_END_OF_LINE = b"\r\n"
_NO_BODY = (204, 304)
_INTERIM = range(100, 200)


class HttpTextError(ValueError):
    """Bytes that are no answer; the connection is of no use any more."""


@dataclass(frozen=True, slots=True)
class HttpAnswerText:
    """One whole answer."""

    status: int
    body: bytes
    retry_after_s: int
    """From the header; 0 without."""
    closes: bool
    """True when the venue ends the connection after this answer."""


def request_text(verb: str, host: str, target: str, headers: tuple[tuple[str, str], ...]) -> bytes:
    """Print a request without a body; its parameters are in the target."""
    lines = [f"{verb} {target} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in headers)]
    if verb in ("POST", "PUT"):
        lines.append("Content-Length: 0")
    return "\r\n".join(lines).encode("ascii") + _END_OF_HEAD


def take_answer(buffer: bytes) -> tuple[HttpAnswerText | None, int]:
    """Give the first whole answer of a buffer and how many bytes it took; None while it is not whole.

    Raises:
        HttpTextError: it is no HTTP/1.1 answer, or larger than we read.
    """
    start, status = 0, _INTERIM[0]
    headers: dict[str, str] = {}
    while status in _INTERIM:
        end = buffer.find(_END_OF_HEAD, start)
        if max(start, end, len(buffer) if end < 0 else 0) > MOST_HEAD:
            raise HttpTextError("a head without end")
        if end < 0:
            return None, 0
        status, headers = _head(buffer[start:end])
        start = end + len(_END_OF_HEAD)
    if status in _NO_BODY:
        body: bytes | None = b""
        length = 0
    elif headers.get("transfer-encoding", "").lower() == "chunked":
        body, length = _chunks(buffer, start)
    else:
        body, length = _plain(buffer, start, headers)
    if body is None:
        return None, 0
    retry = headers.get("retry-after", "")
    retry_after_s = int(retry) if retry.isascii() and retry.isdigit() and len(retry) < 8 else 0
    closes = headers.get("connection", "").lower() == "close"
    return HttpAnswerText(status, body, retry_after_s, closes), start + length


def _head(head: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    code = rest[:3]
    if version not in ("HTTP/1.1", "HTTP/1.0") or not (code.isascii() and code.isdigit() and len(code) == 3):
        raise HttpTextError("not HTTP/1.1")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise HttpTextError("a header without a colon")
        headers[name.strip().lower()] = value.strip()
    return int(code), headers


def _plain(buffer: bytes, start: int, headers: dict[str, str]) -> tuple[bytes | None, int]:
    text = headers.get("content-length", "")
    if not (text.isascii() and text.isdigit()) or len(text) > 9 or int(text) > MOST_BODY:
        raise HttpTextError("a body of unknown or too great length")
    length = int(text)
    whole = len(buffer) >= start + length
    return (buffer[start : start + length], length) if whole else (None, 0)


def _chunks(buffer: bytes, start: int) -> tuple[bytes | None, int]:
    parts: list[bytes] = []
    at, total = start, 0
    while True:
        end = buffer.find(_END_OF_LINE, at)
        if end < 0:
            if len(buffer) - at > MOST_HEAD:
                raise HttpTextError("a chunk without a length")
            return None, 0
        size = _chunk_size(buffer[at:end])
        total += size
        if total > MOST_BODY:
            raise HttpTextError("a body of too great length")
        at = end + len(_END_OF_LINE)
        if len(buffer) < at + size + len(_END_OF_LINE):
            return None, 0
        if buffer[at + size : at + size + len(_END_OF_LINE)] != _END_OF_LINE:
            raise HttpTextError("a chunk without an end")
        if not size:
            return b"".join(parts), at + len(_END_OF_LINE) - start
        parts.append(buffer[at : at + size])
        at += size + len(_END_OF_LINE)


def _chunk_size(line: bytes) -> int:
    text = line.partition(b";")[0].strip()
    if not text or len(text) > 7 or any(byte not in b"0123456789abcdefABCDEF" for byte in text):
        raise HttpTextError("a chunk without a length")
    return int(text, 16)
