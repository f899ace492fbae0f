"""What the two Binance products share: tickers, trades, updates, snapshots as engine inputs.

Frames of kinds the engine has no use for become `FrameIgnored`; a kind it needs, badly formed, is refused.
Nothing here judges sequence ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from pipeline.core.inputs import (
    BookTicker,
    DepthSnapshot,
    DepthUpdate,
    FrameIgnored,
    FrameRefused,
    RefusalReason,
    Trade,
    WireInput,
)
from pipeline.core.types import Instrument, Level, Side
from pipeline.wire.binance_depth import FastDepthReader
from pipeline.wire.binance_messages import Event, FrameParser, Ignorable, PrintedLevels
from pipeline.wire.codec import MAX_FRAME_BYTES, MS_NS
from pipeline.wire.fields import PriceReader, SizeReader, WireError, clean_text


class BinanceCodec:
    """Reads market data of Binance spot; the futures differ in the hooks `binance_usdm` replaces."""

    venue = "binance"
    _chained = False

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        *,
        max_frame_bytes: int = MAX_FRAME_BYTES,
        time_unit_ns: int = MS_NS,
    ) -> None:
        """Read frames of these instruments, by symbol; `time_unit_ns` is what the venue's times count."""
        self._instruments = dict(instruments)
        self._prices = {symbol: PriceReader(i) for symbol, i in instruments.items()}
        self._sizes = {symbol: SizeReader(i) for symbol, i in instruments.items()}
        self._only = next(iter(instruments)) if len(instruments) == 1 else ""
        self._max_frame_bytes = max_frame_bytes
        self._time_unit_ns = time_unit_ns
        self._fast = FastDepthReader(instruments, chained=self._chained, time_unit_ns=time_unit_ns)
        self._parser = FrameParser()

    def decode(
        self, frame: bytes, ts_recv_ns: int, epoch: int, symbol_hint: str = ""
    ) -> tuple[WireInput, ...]:
        """Give the inputs of one frame (see `codec.Codec.decode`); never raises."""
        if len(frame) > self._max_frame_bytes:
            detail = f"{len(frame)} bytes, more than {self._max_frame_bytes}"
            return (FrameRefused(RefusalReason.TOO_LARGE, detail, ts_recv_ns),)
        update = self._fast.read(frame, ts_recv_ns, epoch)
        if update is not None:
            return (update,)
        try:
            return (self._read(frame, ts_recv_ns, epoch, symbol_hint),)
        except WireError as error:
            return (FrameRefused(error.reason, error.detail, ts_recv_ns),)

    def _read(self, frame: bytes, ts_recv_ns: int, epoch: int, symbol_hint: str) -> WireInput:
        parsed = self._parser.parse(frame)
        if isinstance(parsed, Ignorable):
            return FrameIgnored(parsed.kind, ts_recv_ns)
        stream, event = parsed
        kind = event.e
        if kind == "bookTicker" or (not kind and event.B is not None):
            return self._ticker(event, ts_recv_ns, epoch)
        if kind == "trade" or kind == "aggTrade":
            return self._trade(event, ts_recv_ns, epoch)
        channel = stream.partition("@")[2]
        if kind == "depthUpdate" and (not stream or channel == "depth" or channel.startswith("depth@")):
            return self._update(event, ts_recv_ns, epoch)
        if not stream and event.lastUpdateId is not None:
            return self._snapshot(event, ts_recv_ns, epoch, symbol_hint)
        if kind in ("", "depthUpdate"):
            # Partial depth comes here too: its levels replace a book, they do not change one.
            kind = event.event.e if event.event is not None else channel or stream
        if not kind:
            raise WireError(RefusalReason.BAD_FIELD, "an object of no known kind")
        return FrameIgnored(clean_text(kind), ts_recv_ns)

    def _instrument(self, symbol: str) -> Instrument:
        instrument = self._instruments.get(symbol)
        if instrument is None:
            raise WireError(RefusalReason.UNKNOWN_SYMBOL, f"no instrument for symbol {symbol!r:.60}")
        return instrument

    def _time_ns(self, event: Event) -> int:
        """Give the matching engine's time where one is printed, else the time of sending, else 0."""
        time = event.T if event.T is not None else event.E
        return 0 if time is None else time * self._time_unit_ns

    def _previous_id(self, event: Event) -> int:
        if event.pu is not None:
            raise WireError(RefusalReason.BAD_FIELD, "pu: a futures frame where spot was expected")
        return -1

    def _update(self, event: Event, ts_recv_ns: int, epoch: int) -> DepthUpdate:
        symbol = self._instrument(event.s).symbol
        if event.U is None or event.u is None or event.E is None:
            _missing("U, u or E")
        if event.u < event.U:
            raise WireError(RefusalReason.BAD_FIELD, f"U {event.U} is after u {event.u}")
        if not isinstance(event.b, tuple) or not isinstance(event.a, tuple):
            _missing("b or a")
        return DepthUpdate(
            symbol,
            event.U,
            event.u,
            self._previous_id(event),
            self._levels(symbol, event.b),
            self._levels(symbol, event.a),
            self._time_ns(event),
            ts_recv_ns,
            epoch,
        )

    def _levels(self, symbol: str, printed: PrintedLevels) -> tuple[Level, ...]:
        prices, sizes = self._prices[symbol], self._sizes[symbol]
        return tuple([(prices[price], sizes[size]) for price, size in printed])

    def _snapshot(self, event: Event, ts_recv_ns: int, epoch: int, symbol_hint: str) -> DepthSnapshot:
        symbol = self._instrument(symbol_hint or self._only).symbol
        if event.lastUpdateId is None or event.bids is None or event.asks is None:
            _missing("lastUpdateId, bids or asks")
        return DepthSnapshot(
            symbol,
            event.lastUpdateId,
            self._levels(symbol, event.bids),
            self._levels(symbol, event.asks),
            self._time_ns(event),
            ts_recv_ns,
            epoch,
        )

    def _ticker(self, event: Event, ts_recv_ns: int, epoch: int) -> BookTicker:
        symbol = self._instrument(event.s).symbol
        if event.u is None or event.B is None or event.A is None:
            _missing("u, B or A")
        if not isinstance(event.b, str) or not isinstance(event.a, str):
            _missing("b or a")
        prices, sizes = self._prices[symbol], self._sizes[symbol]
        return BookTicker(
            symbol,
            event.u,
            prices[event.b],
            sizes[event.B],
            prices[event.a],
            sizes[event.A],
            self._time_ns(event),
            ts_recv_ns,
            epoch,
        )

    def _trade(self, event: Event, ts_recv_ns: int, epoch: int) -> Trade | FrameIgnored:
        symbol = self._instrument(event.s).symbol
        if event.X != "MARKET":
            # The insurance fund and auto-deleveraging are no order flow; some print a price of zero.
            return FrameIgnored(clean_text(f"{event.e} {event.X}"), ts_recv_ns)
        trade_id = event.a if event.e == "aggTrade" else event.t
        if not isinstance(trade_id, int) or event.p is None or event.q is None or event.m is None:
            _missing("trade id, p, q or m")
        size = self._sizes[symbol][event.q]
        if size == 0:
            raise WireError(RefusalReason.BAD_NUMBER, "a trade of size zero")
        return Trade(
            symbol,
            self._prices[symbol][event.p],
            size,
            Side.SELL if event.m else Side.BUY,
            trade_id,
            self._time_ns(event),
            ts_recv_ns,
            epoch,
        )


def _missing(fields: str) -> NoReturn:
    raise WireError(RefusalReason.BAD_FIELD, f"{fields}: missing or of another type")
