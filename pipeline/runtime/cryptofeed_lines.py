"""Captures as cryptofeed writes them: one JSON object a line, the venue's frame verbatim inside.

`t` says what a line is (header, http, connect, send, recv), `conn` on which connection, `ts` when, in seconds
since the epoch. Only what was received is played back. The connections of one file stand in it in blocks,
one after the other, so each is read by a pass of its own and the passes are merged by time: memory stays
bounded, whatever the file's size.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path

import msgspec

from pipeline.runtime.packed_lines import PackedError, line_blocks
from pipeline.wire.venues import traces_of, venue_at

EXPECTED = "expected cryptofeed lines (a JSON object with t, conn, ts and data)"

_KINDS = ("header", "http", "connect", "send", "recv")
_SECONDS = re.compile(rb"(\d{1,10})(?:\.(\d+))?")
_MOST_CONNECTIONS = 64


class CryptofeedError(Exception):
    """A file cannot be read on; the message says at which line, what was expected and what was found."""

    def __init__(self, line: int, found: str) -> None:
        super().__init__(f"line {line}: {EXPECTED}, {found}")


class _Line(msgspec.Struct, gc=False):
    t: str
    conn: str = ""
    ts: msgspec.Raw = msgspec.Raw(b"")
    addr: str = ""
    data: str | None = None


Timed = tuple[int, int, bytes]
"""Receive time in nanoseconds, line counted from 1, the frame."""

_decode = msgspec.json.Decoder(_Line).decode


def is_cryptofeed(path: Path) -> bool:
    """Say whether a file holds such lines, by its name or its first line; False where it cannot be read."""
    if ".jsonl" in path.suffixes:
        return True
    try:
        first = next((line for lines in line_blocks(path) for line in lines), b"")
        return first.startswith(b"{") and _decode(first).t in _KINDS
    except (OSError, PackedError, msgspec.MsgspecError, ValueError, RecursionError):
        return False


def venues_of_connections(path: Path) -> dict[str, str]:
    """Give each connection's venue in order of appearance, "" where it is of none we read; one whole pass.

    The address tells, or where it is of no known venue, the first frame that can be of one venue alone.

    Raises:
        CryptofeedError: a line that is none, too many connections, or a file that cannot be read.
    """
    venues: dict[str, str] = {}
    for number, line in _numbered(path):
        content = _read(number, line)
        if content.t not in ("connect", "send", "recv") or venues.get(content.conn):
            continue
        venue = venue_at(content.addr)
        if not venue and content.t == "recv":
            traces = traces_of(_frame(number, content))
            venue = traces.venues[0] if traces is not None and len(traces.venues) == 1 else ""
        venues[content.conn] = venue
        if len(venues) > _MOST_CONNECTIONS:
            raise CryptofeedError(number, f"found more than {_MOST_CONNECTIONS} connections")
    return venues


def received(path: Path, connections: list[str]) -> Iterator[Timed]:
    """Give what was received on some connections, in order of time.

    Raises (while iterating):
        CryptofeedError: a line that is none, or a file that cannot be read.
    """
    passes = [_received_on(path, connection) for connection in connections]
    return passes[0] if len(passes) == 1 else heapq.merge(*passes, key=itemgetter(0))


def newest_ns(path: Path) -> int:
    """Give the newest receive time of any connection; 0 where nothing was received.

    Raises:
        CryptofeedError: as `received`.
    """
    lines = ((number, _read(number, line)) for number, line in _numbered(path))
    return max((_time_ns(number, one) for number, one in lines if one.t == "recv"), default=0)


def _received_on(path: Path, connection: str) -> Iterator[Timed]:
    for number, line in _numbered(path):
        content = _read(number, line)
        if content.t == "recv" and content.conn == connection:
            yield _time_ns(number, content), number, _frame(number, content)


def _numbered(path: Path) -> Iterator[tuple[int, bytes]]:
    number = 0
    try:
        for lines in line_blocks(path):
            for line in lines:
                number += 1
                if line.strip():
                    yield number, line
    except PackedError as error:
        raise CryptofeedError(number + 1, str(error)) from error
    except OSError as error:
        raise CryptofeedError(number + 1, str(error.strerror)) from error


def _read(number: int, line: bytes) -> _Line:
    try:
        content = _decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise CryptofeedError(number, f"found {line[:40]!r}") from error
    if content.t not in _KINDS:
        raise CryptofeedError(number, f"found t {content.t[:40]!r}")
    if content.t != "header" and not content.conn:
        raise CryptofeedError(number, f"found no conn in {line[:40]!r}")
    return content


def _time_ns(number: int, content: _Line) -> int:
    """Give the time of a line exactly; digits beyond nanoseconds are cut off."""
    match = _SECONDS.fullmatch(bytes(content.ts))
    if match is None:
        raise CryptofeedError(number, f"found ts {bytes(content.ts)[:40]!r}")
    return int(match[1] + (match[2] or b"")[:9].ljust(9, b"0"))


def _frame(number: int, content: _Line) -> bytes:
    if content.data is None:
        raise CryptofeedError(number, "found no data")
    return content.data.encode()
