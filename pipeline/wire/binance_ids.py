"""The sequence ids of a Binance frame, for telling one connection's events from another's.

Two connections that carry the same channel deliver the same events. What one of them has delivered is known
by these ids alone, without reading levels, prices or sizes.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec


@dataclass(frozen=True, slots=True)
class FrameIds:
    """What a frame covers: everything after `after` up to and with `last`."""

    after: int
    last: int
    chained: bool = False
    """True where it joins only what ends exactly at `after` (USD-M depth)."""


class _Data(msgspec.Struct, gc=False):
    e: str = ""
    U: int | None = None
    u: int | None = None
    pu: int | None = None
    t: int | None = None
    a: msgspec.Raw = msgspec.Raw(b"")


class _Envelope(msgspec.Struct, gc=False):
    data: _Data


_decode = msgspec.json.Decoder(_Envelope).decode


def frame_ids(frame: bytes) -> FrameIds | None:
    """Give the ids of a frame of a combined stream; None where it has none we know of.

    A ticker joins whatever was before: only the newest counts.
    """
    try:
        data = _decode(frame).data
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    match data.e:
        case "depthUpdate" if data.U is not None and data.u is not None:
            if data.pu is not None:
                return FrameIds(data.pu, data.u, chained=True)
            return FrameIds(data.U - 1, data.u)
        case "bookTicker" | "" if data.u is not None:
            return FrameIds(-1, data.u)
        case "trade" if data.t is not None:
            return FrameIds(data.t - 1, data.t)
        case "aggTrade":
            trade_id = bytes(data.a)
            return FrameIds(int(trade_id) - 1, int(trade_id)) if trade_id.isdigit() else None
        case _:
            return None
