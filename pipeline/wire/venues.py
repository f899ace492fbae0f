"""Which codec reads which venue, and which venue a frame came from."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from pipeline.core.types import Instrument
from pipeline.wire import binance_spot, binance_usdm
from pipeline.wire.binance import MS_NS
from pipeline.wire.codec import MAX_FRAME_BYTES, Codec
from pipeline.wire.fields import is_nested_too_deeply

_CODECS = {
    binance_spot.VENUE: binance_spot.BinanceSpotCodec,
    binance_usdm.VENUE: binance_usdm.BinanceUsdmCodec,
}
VENUES = tuple(_CODECS)
"""The venues market data can be read of."""


def codec_for(
    venue: str,
    instruments: Mapping[str, Instrument],
    *,
    max_frame_bytes: int = MAX_FRAME_BYTES,
    time_unit_ns: int = MS_NS,
) -> Codec:
    """Give a codec for a venue's frames of these instruments, by symbol.

    Raises:
        ValueError: a venue without codec; the message names the known ones.
    """
    codec = _CODECS.get(venue)
    if codec is None:
        raise ValueError(f"venue {venue!r} has no codec; known: {', '.join(VENUES)}")
    return codec(instruments, max_frame_bytes=max_frame_bytes, time_unit_ns=time_unit_ns)


class _Marks(msgspec.Struct):
    """The fields whose presence tells the two Binance products apart."""

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


def detect_venue(frame: bytes) -> str | None:
    """Give the venue a market data frame must have come from; None where it does not tell (a snapshot)."""
    marks = _marks(frame)
    if marks is None:
        return None
    match marks.e:
        case "depthUpdate" if marks.U is not None:
            futures = marks.pu is not None
        case "bookTicker":
            futures = True
        case "" if marks.u is not None and marks.B is not None:
            futures = False
        case "trade" | "aggTrade" if marks.m is not None:
            futures = marks.M is None
        case "markPriceUpdate":
            futures = True
        case _:
            return None
    return binance_usdm.VENUE if futures else binance_spot.VENUE


def symbol_of(frame: bytes) -> str:
    """Give the symbol a Binance market data frame names; "" where it names none."""
    marks = _marks(frame)
    return "" if marks is None else marks.s


def _marks(frame: bytes) -> _Marks | None:
    if len(frame) > MAX_FRAME_BYTES or is_nested_too_deeply(frame):
        return None
    try:
        if frame.startswith(b'{"stream"'):
            return _ENVELOPED.decode(frame).data
        return _RAW.decode(frame)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
