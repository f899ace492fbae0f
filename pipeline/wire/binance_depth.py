"""Depth updates of Binance at the speed of the JSON decoder: the digits are scaled before they are parsed.

Most of an engine's time would go into turning 90 printed numbers a frame into integers, one by one. Here
the frame itself is edited: every price gets the exponent of the instrument's price decimals, every size that
of its size decimals (`"61837.63000000"` becomes `"61837.63000000e2"`), and msgspec, which reads a number
without fraction as an int, refuses the frame when anything is left behind the point. Values below 2**52 are
integers in float64, the decoder's intermediate, so what is read is what was printed. (Digits from the 17th
on are lost in a float64; no venue prints so many, and for a price they could not add up to 1e-6 of a tick.)

This path answers None for everything but the one shape it can prove, and the caller reads the frame with
care. The edits look for `","`, which ends a price but also every text followed by a text key, and for `"]`,
which ends a level. The proof: no key is unknown and there are as many colons as keys, so every key occurs
once; each text came out with exactly the ending the edit gives it; and the frame grew by exactly one price
exponent for each of those texts and each level, and one size exponent for each level. A level has room for
one of either, so none was missed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

import msgspec

from pipeline.core.inputs import DepthUpdate
from pipeline.core.types import Instrument, Level
from pipeline.wire.binance_messages import TimeMs, UpdateId

_Price = Annotated[int, msgspec.Meta(gt=0, lt=2**33)]
_Size = Annotated[int, msgspec.Meta(ge=0, lt=2**52)]
_Levels = tuple[tuple[_Price, _Size], ...]

_SPEEDS = ("", "@0ms", "@100ms", "@250ms", "@500ms", "@1000ms")
_SPOT_KEYS = 7
_CHAIN_KEYS = 2
"""What a futures update has more: `pu` and `T`."""
_TEXTS = 2
"""Texts followed by a text key: the kind and the symbol; the stream's name is a third."""
_LEVELS_BEGIN_WITHIN = 320
"""The levels begin in the first bytes or the frame is read with care."""


class _SpotDepth(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    e: str
    E: TimeMs
    s: str
    U: UpdateId
    u: UpdateId
    b: _Levels
    a: _Levels


class _SpotEnvelope(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    stream: str
    data: _SpotDepth


class _UsdmDepth(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    e: str
    E: TimeMs
    T: TimeMs
    s: str
    U: UpdateId
    u: UpdateId
    pu: UpdateId
    b: _Levels
    a: _Levels
    st: int | None = None
    ps: str | None = None


class _UsdmEnvelope(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    stream: str
    data: _UsdmDepth


class _Edit:
    """What is done to the frames of one instrument, and what must come out of them."""

    __slots__ = (
        "kind",
        "price_end",
        "price_growth",
        "size_end",
        "size_growth",
        "streams",
        "symbol",
        "symbol_text",
        "tail",
        "tick_units",
    )

    def __init__(self, instrument: Instrument) -> None:
        self.symbol = instrument.symbol
        self.tick_units = instrument.tick_units
        self.tail = f"e{instrument.price_decimals}"
        self.kind = "depthUpdate" + self.tail
        self.symbol_text = instrument.symbol + self.tail
        stream = instrument.symbol.lower() + "@depth"
        self.streams = dict.fromkeys(stream + speed + self.tail for speed in _SPEEDS)
        self.price_end = f'{self.tail}","'.encode()
        self.size_end = f'e{instrument.size_decimals}"]'.encode()
        self.price_growth = len(self.price_end) - len('","')
        self.size_growth = len(self.size_end) - len('"]')


class FastDepthReader:
    """Reads well-formed depth updates of either Binance product; keeps no state between frames."""

    def __init__(self, instruments: Mapping[str, Instrument], *, chained: bool, time_unit_ns: int) -> None:
        self._edits = {symbol.encode(): _Edit(instrument) for symbol, instrument in instruments.items()}
        self._only = next(iter(self._edits.values())) if len(self._edits) == 1 else None
        self._time_unit_ns = time_unit_ns
        self._raw: Callable[[bytes], _SpotDepth | _UsdmDepth]
        self._enveloped: Callable[[bytes], _SpotEnvelope | _UsdmEnvelope]
        if chained:
            self._raw = msgspec.json.Decoder(_UsdmDepth, strict=False).decode
            self._enveloped = msgspec.json.Decoder(_UsdmEnvelope, strict=False).decode
        else:
            self._raw = msgspec.json.Decoder(_SpotDepth, strict=False).decode
            self._enveloped = msgspec.json.Decoder(_SpotEnvelope, strict=False).decode

    def read(self, frame: bytes, ts_recv_ns: int, epoch: int) -> DepthUpdate | None:
        """Give the update, or None where the frame has to be read with care; never raises.

        One long function on purpose: it runs for every depth frame, and each call it is cut into costs 1 %.
        """
        levels_at = frame.find(b"[", 0, _LEVELS_BEGIN_WITHIN)
        if levels_at < 0:
            return None
        edit = self._only or self._edit_of(frame)
        if edit is None:
            return None
        priced = frame.replace(b'","', edit.price_end)
        scaled = priced.replace(b'"]', edit.size_end)
        try:
            if frame.startswith(b'{"stream":'):
                envelope = self._enveloped(scaled)
                if envelope.stream not in edit.streams:
                    return None
                message, texts, keys = envelope.data, _TEXTS + 1, _SPOT_KEYS + 2
            else:
                message, texts, keys = self._raw(scaled), _TEXTS, _SPOT_KEYS
        except (msgspec.MsgspecError, ValueError):
            return None
        previous, time = -1, message.E
        if type(message) is _UsdmDepth:
            previous, time = message.pu, message.T
            keys += _CHAIN_KEYS + (message.st is not None) + (message.ps is not None)
            texts += message.ps is not None and message.ps.endswith(edit.tail)
        bids, asks = message.b, message.a
        levels, length = len(bids) + len(asks), len(priced)
        if (
            length - len(frame) != (levels + texts) * edit.price_growth
            or len(scaled) - length != levels * edit.size_growth
            or message.s != edit.symbol_text
            or message.e != edit.kind
            or message.u < message.U
            or _count_colons(frame, levels_at) != keys
            or b"-" in frame
        ):
            return None
        if edit.tick_units != 1:
            if any(price % edit.tick_units for price, _ in bids + asks):
                return None
            bids, asks = _in_ticks(bids, edit.tick_units), _in_ticks(asks, edit.tick_units)
        time_ns = time * self._time_unit_ns
        return DepthUpdate(
            edit.symbol, message.U, message.u, previous, bids, asks, time_ns, ts_recv_ns, epoch
        )

    def _edit_of(self, frame: bytes) -> _Edit | None:
        symbol_at = frame.find(b'"s":"', 0, _LEVELS_BEGIN_WITHIN) + 5
        return self._edits.get(frame[symbol_at : frame.find(b'"', symbol_at)])


def _count_colons(frame: bytes, levels_at: int) -> int:
    """Count the colons; two finds instead of a count where the levels are the last keys, as they are."""
    last = frame.find(b":", levels_at)
    if last > 0 and frame.find(b":", last + 1) < 0:
        return frame.count(b":", 0, levels_at) + 1
    return frame.count(b":")


def _in_ticks(levels: tuple[Level, ...], tick_units: int) -> tuple[Level, ...]:
    return tuple([(price // tick_units, size) for price, size in levels])
