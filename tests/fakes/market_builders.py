"""Builders of market inputs and of Binance frames, with the numbers most tests do not care about."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.core.inputs import BookTicker, DepthSnapshot, DepthUpdate
from pipeline.core.types import Fees, Instrument, Level, SyncRule

SECOND = 1_000_000_000
CAPTURES = Path(__file__).resolve().parents[3] / "shared" / "data" / "hftbacktest"

SPOT = Instrument(
    venue="binance",
    symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    price_decimals=2,
    tick_units=1,
    size_decimals=8,
    lot_units=1_000,
    min_notional_quote_e8=5 * 10**8,
    max_qty_lots=900_000_000,
    sync_rule=SyncRule.CONTIGUOUS,
    fees=Fees(1_000, 1_000, "assumed"),
)
USDM = Instrument(
    venue="binance-usdm",
    symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    price_decimals=1,
    tick_units=1,
    size_decimals=3,
    lot_units=1,
    min_notional_quote_e8=100 * 10**8,
    max_qty_lots=1_000_000,
    sync_rule=SyncRule.CHAINED,
    fees=Fees(200, 500, "assumed"),
    margin=True,
)


def depth_snapshot(
    last: int,
    bids: Sequence[Level] = ((100, 5), (99, 4)),
    asks: Sequence[Level] = ((101, 5), (102, 4)),
    ts_ns: int = SECOND,
    epoch: int = 0,
) -> DepthSnapshot:
    """Build a snapshot that ends at update id `last`."""
    return DepthSnapshot("BTCUSDT", last, tuple(bids), tuple(asks), 0, ts_ns, epoch)


def depth_update(
    first: int,
    last: int,
    previous: int = -1,
    bids: Sequence[Level] = (),
    asks: Sequence[Level] = (),
    ts_ns: int = SECOND,
    epoch: int = 0,
) -> DepthUpdate:
    """Build an update over the ids `first` to `last`."""
    return DepthUpdate("BTCUSDT", first, last, previous, tuple(bids), tuple(asks), 0, ts_ns, epoch)


def book_ticker(
    update_id: int, bid: Level = (100, 5), ask: Level = (101, 5), ts_ns: int = SECOND, epoch: int = 0
) -> BookTicker:
    """Build a ticker."""
    return BookTicker("BTCUSDT", update_id, *bid, *ask, 0, ts_ns, epoch)


def compact(message: object) -> bytes:
    """Give JSON as the venue prints it: no spaces, no escapes."""
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode()


def printed_levels(levels: Sequence[Level], instrument: Instrument, extra: int = 0) -> list[list[str]]:
    """Print levels; prices with `extra` zeros after the tick's decimals."""
    return [
        [instrument.price_text(price) + "0" * extra, instrument.size_text(size)] for price, size in levels
    ]


def depth_message(
    first: int,
    last: int,
    bids: Sequence[Level],
    asks: Sequence[Level],
    instrument: Instrument = SPOT,
    previous: int | None = None,
) -> dict[str, Any]:
    """Build the content of a depth frame; futures carry `T` and `pu`, spot prices have 8 decimals."""
    message: dict[str, Any] = {"e": "depthUpdate", "E": 1_700_000_000_123}
    futures = instrument.sync_rule is SyncRule.CHAINED
    if futures:
        message["T"] = 1_700_000_000_120
    message |= {"s": instrument.symbol, "U": first, "u": last}
    if futures:
        message["pu"] = first - 1 if previous is None else previous
    extra = 1 if futures else 6
    message["b"] = printed_levels(bids, instrument, extra)
    message["a"] = printed_levels(asks, instrument, extra)
    return message


def enveloped(message: object, stream: str = "btcusdt@depth@100ms") -> bytes:
    """Wrap a message as a combined stream does."""
    return compact({"stream": stream, "data": message})


def ticker_message(update_id: int, bid: Level, ask: Level, instrument: Instrument = SPOT) -> dict[str, Any]:
    """Build the content of a spot ticker frame."""
    return {
        "u": update_id,
        "s": instrument.symbol,
        "b": instrument.price_text(bid[0]),
        "B": instrument.size_text(bid[1]),
        "a": instrument.price_text(ask[0]),
        "A": instrument.size_text(ask[1]),
    }
