"""Binance spot and USD-M futures as venues (VENUES 1 and 2).

Spot carries everything on one combined stream. USD-M has been split since 2026: depth and tickers come on
`/public`, trades on `/market`; a channel asked for on the wrong route is accepted and stays silent, which
is why every channel has a deadline for its first message.
"""

from __future__ import annotations

from pipeline.wire import binance_spot, binance_usdm
from pipeline.wire.binance_traces import traces
from pipeline.wire.venue import ChannelKind, RouteForm, Venue, VenueFeed

SPOT = Venue(
    name=binance_spot.VENUE,
    market="spot",
    cadence="depth@100ms+bookTicker+trade",
    codec=binance_spot.BinanceSpotCodec,
    traces=traces,
    feed=VenueFeed(
        stream_url="wss://stream.binance.com:9443",
        rest_url="https://api.binance.com",
        routes=(
            RouteForm(
                "stream",
                "/stream",
                (
                    (ChannelKind.DEPTH, "{lower}@depth@100ms"),
                    (ChannelKind.TICKER, "{lower}@bookTicker"),
                    (ChannelKind.TRADES, "{lower}@trade"),
                ),
            ),
        ),
        most_channels=1_024,
        depth_path="/api/v3/depth",
        depth_weights=((100, 5), (500, 25), (1_000, 50), (5_000, 250)),
        weight_per_minute=6_000,
    ),
)

USDM = Venue(
    name=binance_usdm.VENUE,
    market="usdm",
    cadence="depth@0ms+bookTicker+trade",
    codec=binance_usdm.BinanceUsdmCodec,
    traces=traces,
    feed=VenueFeed(
        stream_url="wss://fstream.binance.com",
        rest_url="https://fapi.binance.com",
        routes=(
            RouteForm(
                "public",
                "/public/stream",
                # As it happens: the pace the features and the shipped contracts are made for.
                ((ChannelKind.DEPTH, "{lower}@depth@0ms"), (ChannelKind.TICKER, "{lower}@bookTicker")),
            ),
            RouteForm("market", "/market/stream", ((ChannelKind.TRADES, "{lower}@aggTrade"),)),
        ),
        # Newer pages say 1,024; the older number is safe with either.
        most_channels=200,
        depth_path="/fapi/v1/depth",
        depth_weights=((50, 2), (100, 5), (500, 10), (1_000, 20)),
        weight_per_minute=2_400,
    ),
)
