"""Which Binance product a frame came from, by the fields whose presence tells the two apart."""

from __future__ import annotations

import msgspec

from pipeline.wire import binance_spot, binance_usdm
from pipeline.wire.codec import MAX_FRAME_BYTES
from pipeline.wire.fields import is_nested_too_deeply
from pipeline.wire.venue import Traces


class _Marks(msgspec.Struct):
    e: str = ""
    s: str = ""
    E: int | None = None
    u: int | None = None
    U: int | None = None
    pu: int | None = None
    m: bool | None = None
    M: bool | None = None
    B: str | None = None


class _Enveloped(msgspec.Struct):
    data: _Marks
    stream: str


_RAW = msgspec.json.Decoder(_Marks)
_ENVELOPED = msgspec.json.Decoder(_Enveloped)


def traces(frame: bytes) -> Traces | None:
    """Give what a frame tells of its origin (see `venue.Venue.traces`)."""
    marks = _marks(frame)
    if marks is None:
        return None
    futures = _is_futures(marks)
    if futures is None:
        return Traces((), marks.s) if marks.s else None
    return Traces((binance_usdm.VENUE if futures else binance_spot.VENUE,), marks.s)


def _is_futures(marks: _Marks) -> bool | None:
    """Say which product an event is of; None where it does not tell (a snapshot)."""
    match marks.e:
        case "depthUpdate" if marks.U is not None:
            return marks.pu is not None
        case "bookTicker" | "markPriceUpdate":
            return True
        case "" if marks.u is not None and marks.B is not None:
            return False
        case "trade" | "aggTrade" if marks.m is not None:
            return marks.M is None
        case _:
            return None


def _marks(frame: bytes) -> _Marks | None:
    if len(frame) > MAX_FRAME_BYTES or is_nested_too_deeply(frame):
        return None
    try:
        if frame.startswith(b'{"stream"'):
            return _ENVELOPED.decode(frame).data
        return _RAW.decode(frame)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
