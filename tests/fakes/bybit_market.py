"""Bybit's instruments, inputs and frames for tests, with the numbers most tests do not care about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.core.inputs import DepthSnapshot, DepthUpdate
from pipeline.core.types import Fees, Instrument, Level, SyncRule
from tests.fakes.market_builders import SECOND, compact, printed_levels

MS = 1_000_000
T_MS = 1_786_310_818_000

LINEAR = Instrument(
    venue="bybit-linear",
    symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    price_decimals=1,
    tick_units=1,
    size_decimals=3,
    lot_units=1,
    min_notional_quote_e8=5 * 10**8,
    max_qty_lots=1_500_000,
    sync_rule=SyncRule.STREAMED,
    fees=Fees(200, 550, "assumed"),
    margin=True,
)


def snapshot(
    last: int,
    bids: Sequence[Level] = ((100, 5), (99, 4)),
    asks: Sequence[Level] = ((101, 5), (102, 4)),
    at_ms: int = 0,
    epoch: int = 0,
) -> DepthSnapshot:
    """Build a whole book at id `last`, `at_ms` after the first."""
    return DepthSnapshot("BTCUSDT", last, tuple(bids), tuple(asks), at_ms * MS, SECOND, epoch)


def delta(
    last: int, bids: Sequence[Level] = (), asks: Sequence[Level] = (), at_ms: int = 0, epoch: int = 0
) -> DepthUpdate:
    """Build a change with id `last`, `at_ms` after the first."""
    return DepthUpdate("BTCUSDT", last, last, -1, tuple(bids), tuple(asks), at_ms * MS, SECOND, epoch)


def book_message(
    last: int,
    bids: Sequence[Level] = (),
    asks: Sequence[Level] = (),
    *,
    kind: str = "delta",
    depth: int = 200,
    instrument: Instrument = LINEAR,
    at_ms: int = 0,
) -> dict[str, Any]:
    """Build the content of an order book frame; prices have a zero more than the tick has decimals."""
    symbol = instrument.symbol
    return {
        "topic": f"orderbook.{depth}.{symbol}",
        "type": kind,
        "ts": T_MS + at_ms + 2,
        "data": {
            "s": symbol,
            "b": printed_levels(bids, instrument, 1),
            "a": printed_levels(asks, instrument, 1),
            "u": last,
            "seq": 753_843_907_770 + last,
        },
        "cts": T_MS + at_ms,
    }


def book_frame(last: int, bids: Sequence[Level] = (), asks: Sequence[Level] = (), **more: Any) -> bytes:
    """Print an order book frame."""
    return compact(book_message(last, bids, asks, **more))


def trade_message(
    trades: Sequence[tuple[str, str]], *, linear: bool = True, instrument: Instrument = LINEAR
) -> dict[str, Any]:
    """Build the content of a frame of trades, each an id and the taker's side."""
    symbol = instrument.symbol
    tick = {"L": "PlusTick"} if linear else {}
    common = {"T": T_MS, "s": symbol, "v": "0.004", "p": "65114.20", "BT": False, "RPI": False, "seq": 7}
    return {
        "topic": f"publicTrade.{symbol}",
        "type": "snapshot",
        "ts": T_MS + 1,
        "data": [{**common, "S": side, "i": number, **tick} for number, side in trades],
    }


def trade_frame(
    trades: Sequence[tuple[str, str]], *, linear: bool = True, instrument: Instrument = LINEAR
) -> bytes:
    """Print a frame of trades."""
    return compact(trade_message(trades, linear=linear, instrument=instrument))
