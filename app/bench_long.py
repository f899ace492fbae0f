"""A capture made longer: its frames again and again as one unbroken stream, with the book's real levels.

Each pass has the update and trade ids of the first, moved on. Between two passes stands one depth update that
turns the last book of a pass into the first of the next, so no gap, no stale level and no new snapshot is
needed. Times of the venue (`E`, `T`) stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from app.bench_capture import VENUE
from app.bench_tools import BenchError
from pipeline.core.inputs import DepthSnapshot, DepthUpdate
from pipeline.core.sync import SyncedBook
from pipeline.core.types import Instrument, Level
from pipeline.runtime.capture import open_capture, probe
from pipeline.runtime.instruments import load_instruments
from pipeline.wire.venues import codec_for

_ID = re.compile(rb'"([Uut])":(\d+)')
_TOP = 100_000


class _Ids(msgspec.Struct):
    E: int = 0
    U: int = 0
    u: int = 0
    t: int = 0
    lastUpdateId: int = 0


class _Envelope(msgspec.Struct):
    data: _Ids


@dataclass(frozen=True, slots=True)
class _Pass:
    """What every pass repeats."""

    snapshot: bytes
    frames: list[bytes]
    """All frames after the snapshot that reach past it; the first depth update joins it exactly."""
    reset: bytes
    """Turns the last book into the snapshot's; its ids follow the last update."""
    updates: int
    """How far a pass moves the update ids on."""
    trades: int


def long_capture(sources: Sequence[Path], path: Path, frames: int, every_ns: int) -> int:
    """Write stamped lines of so many frames at an even pace; give the number written, snapshot included.

    Raises:
        BenchError: the sources hold no snapshot, or no depth update after it.
    """
    first = next(open_capture(sources)).ts_recv_ns
    with path.open("wb") as lines:
        for number, payload in enumerate(endless_frames(sources)):
            lines.write(b"%d %s\n" % (first + number * every_ns, payload))
            if number == frames:
                return number + 1
    raise AssertionError("an endless stream has ended")


def endless_frames(sources: Sequence[Path]) -> Iterator[bytes]:
    """Give the snapshot, then frames without end.

    Raises:
        BenchError: the sources hold no snapshot, or no depth update after it.
    """
    one = _read(sources)
    yield one.snapshot
    turn = 0
    while True:
        for payload in (*one.frames, one.reset):
            yield moved(payload, turn * one.updates, turn * one.trades) if turn else payload
        turn += 1


def moved(payload: bytes, updates: int, trades: int) -> bytes:
    """Move the ids of a frame on."""

    def later(found: re.Match[bytes]) -> bytes:
        step = trades if found[1] == b"t" else updates
        return b'"%b":%d' % (found[1], int(found[2]) + step)

    return _ID.sub(later, payload)


def _read(sources: Sequence[Path]) -> _Pass:
    info = probe(sources, VENUE)
    symbol = info.symbols[0]
    (instrument,) = load_instruments(info.venue, (symbol,))
    payloads = iter([frame.payload for frame in open_capture(sources)])
    snapshot = next((one for one in payloads if one.startswith(b'{"lastUpdateId"')), None)
    if snapshot is None:
        raise BenchError(f"{sources[0].name} holds no snapshot of the book")
    last = msgspec.json.decode(snapshot, type=_Ids).lastUpdateId
    frames = [one for one in payloads if _ids(one).u > last or _ids(one).t]
    updates = [at for at, one in enumerate(frames) if b'"depthUpdate"' in one[:100]]
    if not updates:
        raise BenchError(f"{sources[0].name} holds no depth update after its snapshot")
    joins, ends = updates[0], updates[-1]
    # What comes after the last update has ids of an update that is not there.
    del frames[ends + 1 :]
    frames[joins] = re.sub(rb'"U":\d+', b'"U":%d' % (last + 1), frames[joins], count=1)
    book, end = _books(instrument, snapshot, frames)
    changes = [_changes(*side) for side in zip(book[1], book[0], strict=True)]
    reset = _update(instrument, end + 1, _time_ms(frames[ends]), *changes)
    trades = [_ids(one).t for one in frames if _ids(one).t]
    span = trades[-1] - trades[0] + 1 if trades else 0
    return _Pass(snapshot, frames, reset, end + 1 - last, span)


def _ids(payload: bytes) -> _Ids:
    return msgspec.json.decode(payload, type=_Envelope).data if b'"data"' in payload[:60] else _Ids()


Sides = tuple[dict[int, int], dict[int, int]]


def _books(
    instrument: Instrument, snapshot: bytes, frames: Sequence[bytes]
) -> tuple[tuple[Sides, Sides], int]:
    """Give the book of the snapshot, the book after the frames, and its last update id."""
    decode = codec_for(instrument.venue, {instrument.symbol: instrument}).decode
    synced = SyncedBook(instrument)
    (whole,) = decode(snapshot, 1, 0, instrument.symbol)
    assert isinstance(whole, DepthSnapshot)
    synced.on_snapshot(whole)
    first = _sides(synced)
    for payload in frames:
        if b'"depthUpdate"' in payload[:100]:
            for one in decode(payload, 1, 0):
                if isinstance(one, DepthUpdate):
                    synced.on_update(one)
    if not synced.is_synced or synced.gaps:
        raise BenchError("the capture's own updates do not join its snapshot")
    return (first, _sides(synced)), synced.last_update_id


def _sides(synced: SyncedBook) -> Sides:
    bids, asks = synced.book.top(_TOP)
    return dict(bids), dict(asks)


def _changes(now: dict[int, int], wanted: dict[int, int]) -> list[Level]:
    gone = [(price, 0) for price in now if price not in wanted]
    return gone + [(price, size) for price, size in wanted.items() if now.get(price) != size]


def _time_ms(payload: bytes) -> int:
    return msgspec.json.decode(payload, type=_Envelope).data.E


def _update(
    instrument: Instrument, update_id: int, time_ms: int, bids: Sequence[Level], asks: Sequence[Level]
) -> bytes:
    def printed(levels: Sequence[Level]) -> str:
        pairs = (
            f'["{instrument.price_text(price)}","{instrument.size_text(size)}"]' for price, size in levels
        )
        return ",".join(pairs)

    symbol = instrument.symbol
    return (
        f'{{"stream":"{symbol.lower()}@depth@100ms","data":{{"e":"depthUpdate","E":{time_ms},"s":"{symbol}",'
        f'"U":{update_id},"u":{update_id},"b":[{printed(bids)}],"a":[{printed(asks)}]}}}}'
    ).encode()
