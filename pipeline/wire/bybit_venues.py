"""Bybit v5 linear futures and spot as venues, market data only (VENUES 6)."""

from __future__ import annotations

import msgspec

from pipeline.wire.bybit import LINEAR as LINEAR_NAME
from pipeline.wire.bybit import SPOT as SPOT_NAME
from pipeline.wire.bybit import BybitCodec, BybitSpotCodec
from pipeline.wire.bybit_messages import Message, Print, is_used
from pipeline.wire.bybit_requests import HEARTBEAT_S, BybitRequests
from pipeline.wire.codec import MAX_FRAME_BYTES
from pipeline.wire.fields import is_nested_too_deeply
from pipeline.wire.venue import ChannelKind, CodecMaker, RouteForm, Traces, Venue, VenueFeed

_CHANNELS = (
    # 200 levels every 100 ms: the pace of Binance spot, and deep enough for every feature.
    (ChannelKind.DEPTH, "orderbook.200.{symbol}"),
    (ChannelKind.TRADES, "publicTrade.{symbol}"),
)


class _Ticker(msgspec.Struct):
    """Keys of a ticker that one product has and the other has not."""

    symbol: str = ""
    usdIndexPrice: str | None = None
    markPrice: str | None = None
    bid1Price: str | None = None
    ask1Price: str | None = None


_message = msgspec.json.Decoder(Message)
_prints = msgspec.json.Decoder(tuple[Print, ...])
_ticker = msgspec.json.Decoder(_Ticker)


def traces(frame: bytes) -> Traces | None:
    """Give what a frame tells of its origin (see `venue.Venue.traces`).

    Books have the same form in both products; trades and tickers tell them apart.
    """
    if len(frame) > MAX_FRAME_BYTES or is_nested_too_deeply(frame):
        return None
    try:
        message = _message.decode(frame)
        kind, _, rest = message.topic.partition(".")
        if kind == "publicTrade":
            return Traces(_venues_of_prints(_prints.decode(message.data)), rest)
        if kind == "tickers":
            # A symbol whose ticker alone is recorded has no book and no trades.
            return Traces(_venues_of_ticker(_ticker.decode(message.data)), "")
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    if not is_used(message.topic):
        return None
    return Traces((LINEAR_NAME, SPOT_NAME), rest.partition(".")[2])


def _venues_of_prints(prints: tuple[Print, ...]) -> tuple[str, ...]:
    if not prints:
        return LINEAR_NAME, SPOT_NAME
    return (SPOT_NAME,) if prints[0].L is None else (LINEAR_NAME,)


def _venues_of_ticker(ticker: _Ticker) -> tuple[str, ...]:
    if ticker.usdIndexPrice is not None:
        return (SPOT_NAME,)
    derivative = ticker.markPrice or ticker.bid1Price or ticker.ask1Price
    return (LINEAR_NAME,) if derivative else (LINEAR_NAME, SPOT_NAME)


def _venue(name: str, product: str, market: str, codec: CodecMaker) -> Venue:
    return Venue(
        name=name,
        market=market,
        cadence="depth@100ms+trade",
        codec=codec,
        traces=traces,
        feed=VenueFeed(
            stream_url="wss://stream.bybit.com",
            rest_url="https://api.bybit.com",
            routes=(RouteForm(product, f"/v5/public/{product}", _CHANNELS),),
            # Two channels a symbol; their names together stay far below the 21,000 characters allowed.
            most_channels=200,
            channel_key=b'"topic":"',
            requests=BybitRequests(),
            heartbeat_s=HEARTBEAT_S,
            bridged=False,
        ),
    )


LINEAR = _venue(LINEAR_NAME, "linear", "linear", BybitCodec)
SPOT = _venue(SPOT_NAME, "spot", "spot", BybitSpotCodec)
