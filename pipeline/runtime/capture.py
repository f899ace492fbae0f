"""Captures: several files read as one stream of frames with their receive times.

There are two kinds of file. *Stamped lines* are `RECEIVE_TIME FRAME_JSON`, the time an integer since the
epoch, µs or ns told apart by magnitude. cryptofeed's raw files (`cryptofeed_lines`) name the connection of
each frame; of those the frames of one venue are read. Only times are judged here; what the frame holds is the
codec's business. A file that cannot be a capture stops the reader with one line that names the file, the
line and what was expected; our own journals are read by `journal`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import msgspec

from pipeline.runtime import cryptofeed_lines
from pipeline.runtime.cryptofeed_lines import CryptofeedError, is_cryptofeed
from pipeline.runtime.packed_lines import PackedError, line_blocks, packing_of, unpacked_chunks
from pipeline.wire.venues import VENUES, traces_of

JOURNAL_MAGIC = b"LOBDECKJ"
EXPECTED = "expected stamped lines (RECEIVE_TIME FRAME_JSON, time in µs or ns)"

_NS_FROM = 10**17
"""ns stamps are at least this (year 1973), µs stamps stay below it (year 5138)."""
_US_FROM = 10**14
_NS_BELOW = 7_258_118_400 * 10**9
"""Year 2200: any delay can be added to a stamp below without leaving 63 bits."""
_LONGEST_HOLE_NS = 366 * 86_400 * 10**9
"""A stamp farther than this from the line before it is damage: it would hold all later lines at its time."""
_PROBE_FRAMES = 2_000
_ANY_VENUE = f"{', '.join(VENUES[:-1])} or {VENUES[-1]}"
_MOST_SYMBOLS = 1_000
_TAIL_BYTES = 256 * 1024


class CaptureError(Exception):
    """A capture cannot be read; the message is one line: file, line, what was expected, what was found."""


class CapturedFrame(msgspec.Struct, frozen=True, gc=False):
    """One line of a capture."""

    ts_recv_ns: int
    """Never less than that of the frame before."""
    payload: bytes
    line: int
    """Counted from 1 in its own file."""
    path: str


@dataclass(frozen=True, slots=True)
class CaptureInfo:
    """What the first frames of a capture tell."""

    venue: str
    symbols: tuple[str, ...]
    """In order of first appearance."""
    first_ts_ns: int
    others: tuple[str, ...] = ()
    """Venues whose frames the files hold too, and which are left out."""


class CaptureReader(Iterator[CapturedFrame]):
    """Iterates over the frames of one or more files; memory does not grow with their size.

    Raises (while iterating):
        CaptureError: at the line that cannot be read.
    """

    def __init__(self, paths: Sequence[Path], venue: str = "") -> None:
        """Check that every path names a readable capture file, then stand before the first frame.

        `venue` chooses among the connections of files that name them; "" takes the first venue there is.

        Raises:
            CaptureError: no path, a missing file, a directory, an empty file, or a journal of ours; a
                damaged cryptofeed file, or one without frames of the venue.
        """
        if not paths:
            raise CaptureError(f"no capture file given: {EXPECTED}")
        for path in paths:
            _check_file(path)
        self._paths = tuple(paths)
        self.repaired_times = 0
        """Receive times that ran backwards and were set to the time before."""
        self.venues: tuple[str, ...] = ()
        """Venues the files name, the one that is read first; empty where they name none."""
        self._connections: dict[Path, list[str]] = {}
        self._choose(venue)
        self._newest_ns = 0
        self._frames = self._read()

    def __iter__(self) -> Iterator[CapturedFrame]:
        return self._frames

    def __next__(self) -> CapturedFrame:
        return next(self._frames)

    def _choose(self, wanted: str) -> None:
        """Find the connections of the venue to be read."""
        named = {path: _connections(path) for path in self._paths if is_cryptofeed(path)}
        found = dict.fromkeys(venue for venues in named.values() for venue in venues.values() if venue)
        if not named:
            return
        chosen = wanted or next(iter(found), "")
        if chosen not in found:
            path, seen = next(iter(named)), " and ".join(found) or "no connection to a known venue"
            raise CaptureError(f"{path}: line 1: expected frames of {wanted or _ANY_VENUE}, found {seen}")
        self.venues = (chosen, *(venue for venue in found if venue != chosen))
        for path, venues in named.items():
            self._connections[path] = [name for name, venue in venues.items() if venue == chosen]

    def _read(self) -> Iterator[CapturedFrame]:
        for path in self._paths:
            name = str(path)
            connections = self._connections.get(path)
            if connections is None:
                found = yield from self._stamped(path, name)
            else:
                found = yield from self._cryptofeed(path, name, connections)
            if not found:
                raise CaptureError(f"{name}: line 1: {EXPECTED}, found no frame")

    def _repaired(self, ts_ns: int, name: str, number: int, *, is_first: bool) -> int:
        """Give the time a frame enters at whose own is before the newest, or far behind it."""
        passed_ns = ts_ns - self._newest_ns
        # Files of different years may be joined, in order.
        if passed_ns < -_LONGEST_HOLE_NS or (passed_ns > 0 and not is_first):
            wanted = "expected a time within a year of the line before it"
            raise CaptureError(f"{name}: line {number}: {wanted}, found {ts_ns}")
        if passed_ns > 0:
            return ts_ns
        self.repaired_times += 1
        return self._newest_ns

    def _stamped(self, path: Path, name: str) -> Generator[CapturedFrame, None, bool]:
        """Give the frames of stamped lines; return whether there was one."""
        number = 0
        found = False
        try:
            for lines in line_blocks(path):
                for line in lines:
                    number += 1
                    stamp, _, payload = line.partition(b" ")
                    ts_ns = int(stamp) if stamp.isdigit() and len(stamp) < 20 else 0
                    if ts_ns < _NS_FROM:
                        ts_ns *= 1_000
                    if not payload or not _NS_FROM <= ts_ns < _NS_BELOW:
                        if line.strip():
                            raise _not_stamped(name, number, line)
                        continue
                    if not 0 <= ts_ns - self._newest_ns <= _LONGEST_HOLE_NS:
                        ts_ns = self._repaired(ts_ns, name, number, is_first=not found)
                    self._newest_ns = ts_ns
                    found = True
                    yield CapturedFrame(ts_ns, payload, number, name)
        except PackedError as error:
            raise CaptureError(f"{name}: line {number + 1}: {error}") from error
        except OSError as error:
            raise CaptureError(f"{name}: line {number + 1}: {EXPECTED}; {error.strerror}") from error
        return found

    def _cryptofeed(
        self, path: Path, name: str, connections: list[str]
    ) -> Generator[CapturedFrame, None, bool]:
        """Give the frames received on some connections of a cryptofeed file; return whether there was one."""
        found = False
        try:
            for ts_ns, number, payload in cryptofeed_lines.received(path, connections):
                if not 0 <= ts_ns - self._newest_ns <= _LONGEST_HOLE_NS:
                    ts_ns = self._repaired(ts_ns, name, number, is_first=not found)
                self._newest_ns = ts_ns
                found = True
                yield CapturedFrame(ts_ns, payload, number, name)
        except CryptofeedError as error:
            raise CaptureError(f"{name}: {error}") from error
        return found


def open_capture(paths: Sequence[Path], venue: str = "") -> CaptureReader:
    """Open files as one stream of frames, in the given order.

    Raises:
        CaptureError: as `CaptureReader`; later lines are judged while iterating.
    """
    return CaptureReader(paths, venue)


def probe(paths: Sequence[Path], venue: str = "") -> CaptureInfo:
    """Read the first frames (2,000 at most) and tell venue, symbols and start.

    Args:
        paths: the capture's files in order.
        venue: the venue the user named, "" to find out.

    Raises:
        CaptureError: as `open_capture`; or the frames are of no venue we read, of another than `venue`, or
            of one that they do not tell.
    """
    reader = open_capture(paths, venue)
    possible: tuple[str, ...] = reader.venues[:1]
    symbols: dict[str, None] = {}
    first_ns = line = 0
    for frame in islice(reader, _PROBE_FRAMES):
        first_ns = first_ns or frame.ts_recv_ns
        line = line or frame.line
        traces = traces_of(frame.payload)
        if traces is None:
            continue
        if traces.symbol and len(symbols) < _MOST_SYMBOLS:
            symbols[traces.symbol] = None
        both = tuple(one for one in possible if one in traces.venues)
        possible = both or possible or traces.venues
    if venue in possible:
        possible = (venue,)
    if len(possible) != 1 or (venue and venue not in possible):
        wanted = venue or _ANY_VENUE
        seen = " or ".join(possible) or "no frame of a known venue"
        hint = "; name the venue with --venue" if len(possible) > 1 and not venue else ""
        raise CaptureError(f"{paths[0]}: line {line}: expected frames of {wanted}, found {seen}{hint}")
    return CaptureInfo(possible[0], tuple(symbols), first_ns, reader.venues[1:])


def is_journal(path: Path) -> bool:
    """Say whether a file is one of our own journals, packed or not; False where it cannot be read."""
    try:
        return next(unpacked_chunks(path), b"").startswith(JOURNAL_MAGIC)
    except (OSError, PackedError):
        return False


def ends_within_line(path: Path) -> bool:
    """Say whether a file's last line has neither an end nor a whole frame; a packed file is unpacked for it.

    Raises:
        CaptureError: it cannot be read to its end.
    """
    try:
        tail = _tail(path)
    except (OSError, PackedError) as error:
        raise CaptureError(f"{path}: {error}") from error
    lines = tail.rsplit(b"\n", 1)
    if not lines[-1].strip() or (len(lines) == 1 and len(tail) == _TAIL_BYTES):
        return False
    try:
        msgspec.json.decode(lines[-1].partition(b" ")[2], type=msgspec.Raw)
    except (ValueError, RecursionError):
        return True
    return False


def capture_length_ns(paths: Sequence[Path]) -> int | None:
    """Give the time from the first frame to the last; None where it cannot be told.

    A packed last file is unpacked to its end (its lines are not read), so call this from a thread.
    """
    try:
        first = next(open_capture(paths), None)
        if first is not None and is_cryptofeed(paths[-1]):
            return max(0, cryptofeed_lines.newest_ns(paths[-1]) - first.ts_recv_ns)
        tail = _tail(paths[-1])
    except (OSError, CaptureError, CryptofeedError, PackedError):
        return None
    for line in reversed(tail.split(b"\n")):
        stamp, _, payload = line.partition(b" ")
        if payload and stamp.isdigit() and len(stamp) < 20 and int(stamp) >= _US_FROM:
            last_ns = int(stamp) if int(stamp) >= _NS_FROM else int(stamp) * 1_000
            return max(0, last_ns - first.ts_recv_ns) if first else None
    return None


def _tail(path: Path) -> bytes:
    """Give the last bytes of a file's unpacked content."""
    with path.open("rb") as file:
        if not packing_of(file.read(4)):
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            return file.read()
    tail = b""
    for chunk in unpacked_chunks(path):
        tail = (tail + chunk)[-_TAIL_BYTES:]
    return tail


def _connections(path: Path) -> dict[str, str]:
    """Give the venue of each connection of a cryptofeed file."""
    try:
        return cryptofeed_lines.venues_of_connections(path)
    except CryptofeedError as error:
        raise CaptureError(f"{path}: {error}") from error


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise CaptureError(f"{path}: {EXPECTED}, found a directory")
    try:
        if path.stat().st_size == 0:
            raise CaptureError(f"{path}: line 1: {EXPECTED}, found an empty file")
    except OSError as error:
        raise CaptureError(f"{path}: {error.strerror}; {EXPECTED}") from error
    if is_journal(path):
        raise CaptureError(f"{path}: line 1: {EXPECTED}, found a lobdeck journal")


def _not_stamped(name: str, number: int, line: bytes) -> CaptureError:
    found = "an unstamped JSON line" if line.lstrip().startswith((b"{", b"[")) else repr(line[:40])
    return CaptureError(f"{name}: line {number}: {EXPECTED}, found {found}")
