"""Binance spot market data: `U` = previous `u` + 1, tickers without time or kind, no checksum (VENUES 1)."""

from __future__ import annotations

from pipeline.wire.binance import BinanceCodec

VENUE = "binance"


class BinanceSpotCodec(BinanceCodec):
    """Reads depth, bookTicker, trade, aggTrade, REST and WebSocket-API snapshots of Binance spot."""

    venue = VENUE
