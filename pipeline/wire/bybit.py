"""Bybit v5 market data, linear and spot: one form for both (VENUES 6.3).

An order book topic brings the whole book first and changes after it, with ids `u` that rise by one a message;
a snapshot at any time begins anew. Every topic of depth 1 to 1000 is read the same way; a session subscribes
to one of them, for their ids are not comparable. Tickers are ignored: those of derivatives print only what
has changed since the frame before, which a codec without memory cannot complete, and those of spot print no
best prices. Block trades are ignored too, they are no order flow.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

from pipeline.core.inputs import (
    DepthSnapshot,
    DepthUpdate,
    FrameIgnored,
    FrameRefused,
    RefusalReason,
    Trade,
    WireInput,
)
from pipeline.core.types import Instrument, Level, Side
from pipeline.wire.bybit_messages import (
    BookMessage,
    FrameParser,
    Ignorable,
    Print,
    PrintedLevels,
    PrintsMessage,
)
from pipeline.wire.codec import MAX_FRAME_BYTES, MS_NS
from pipeline.wire.fields import PriceReader, SizeReader, WireError

LINEAR = "bybit-linear"
SPOT = "bybit-spot"

_SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}
_LONGEST_NUMBER = 18


class BybitCodec:
    """Reads order books and trades of one Bybit product; the two differ in name only."""

    venue = LINEAR

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        *,
        max_frame_bytes: int = MAX_FRAME_BYTES,
        time_unit_ns: int = MS_NS,
    ) -> None:
        """Read frames of these instruments, by symbol; `time_unit_ns` is what the venue's times count."""
        self._prices = {symbol: PriceReader(i) for symbol, i in instruments.items()}
        self._sizes = {symbol: SizeReader(i) for symbol, i in instruments.items()}
        self._max_frame_bytes = max_frame_bytes
        self._time_unit_ns = time_unit_ns
        self._parser = FrameParser()

    def decode(
        self, frame: bytes, ts_recv_ns: int, epoch: int, symbol_hint: str = ""
    ) -> tuple[WireInput, ...]:
        """Give the inputs of one frame (see `codec.Codec.decode`); never raises."""
        del symbol_hint  # every frame names its symbol
        if len(frame) > self._max_frame_bytes:
            detail = f"{len(frame)} bytes, more than {self._max_frame_bytes}"
            return (FrameRefused(RefusalReason.TOO_LARGE, detail, ts_recv_ns),)
        try:
            match self._parser.parse(frame):
                case BookMessage() as message:
                    return (self._book(message, ts_recv_ns, epoch),)
                case PrintsMessage() as message:
                    return self._trades(message, ts_recv_ns, epoch)
                case Ignorable(kind):
                    return (FrameIgnored(kind, ts_recv_ns),)
        except WireError as error:
            return (FrameRefused(error.reason, error.detail, ts_recv_ns),)

    def _book(self, message: BookMessage, ts_recv_ns: int, epoch: int) -> DepthSnapshot | DepthUpdate:
        book = message.book
        symbol = self._symbol(message.symbol, book.s)
        bids, asks = self._levels(symbol, book.b), self._levels(symbol, book.a)
        time_ns = message.time_ms * self._time_unit_ns
        if message.is_snapshot:
            return DepthSnapshot(symbol, book.u, bids, asks, time_ns, ts_recv_ns, epoch)
        return DepthUpdate(symbol, book.u, book.u, -1, bids, asks, time_ns, ts_recv_ns, epoch)

    def _levels(self, symbol: str, printed: PrintedLevels) -> tuple[Level, ...]:
        prices, sizes = self._prices[symbol], self._sizes[symbol]
        return tuple([(prices[price], sizes[size]) for price, size in printed])

    def _trades(self, message: PrintsMessage, ts_recv_ns: int, epoch: int) -> tuple[WireInput, ...]:
        """Give the trades of a frame, all of them or none."""
        trades = tuple(
            self._trade(self._symbol(message.symbol, one.s), one, ts_recv_ns, epoch)
            for one in message.prints
            if not one.BT
        )
        return trades or (FrameIgnored("publicTrade", ts_recv_ns),)

    def _trade(self, symbol: str, one: Print, ts_recv_ns: int, epoch: int) -> Trade:
        side = _SIDES.get(one.S)
        if side is None:
            raise WireError(RefusalReason.BAD_FIELD, f"S: {one.S!r:.40} is no side")
        size = self._sizes[symbol][one.v]
        if size == 0:
            raise WireError(RefusalReason.BAD_NUMBER, "a trade of size zero")
        time_ns = one.T * self._time_unit_ns
        price = self._prices[symbol][one.p]
        return Trade(symbol, price, size, side, trade_number(one.i), time_ns, ts_recv_ns, epoch)

    def _symbol(self, of_topic: str, of_data: str) -> str:
        if of_topic != of_data:
            raise WireError(RefusalReason.BAD_FIELD, f"s: {of_data!r:.40} in a topic of {of_topic!r:.40}")
        if of_data not in self._prices:
            raise WireError(RefusalReason.UNKNOWN_SYMBOL, f"no instrument for symbol {of_data!r:.60}")
        return of_data


class BybitSpotCodec(BybitCodec):
    """Reads order books and trades of Bybit spot."""

    venue = SPOT


def trade_number(trade_id: str) -> int:
    """Give a trade id as a number below 2**63: itself where it is one, else 63 bits of its hash.

    Spot numbers its trades, derivatives print a UUID; the number only has to tell repeats apart.

    >>> trade_number("290000000712345678")
    290000000712345678
    """
    if trade_id.isascii() and trade_id.isdigit() and len(trade_id) <= _LONGEST_NUMBER:
        return int(trade_id)
    return int.from_bytes(blake2b(trade_id.encode(), digest_size=8).digest()) >> 1
