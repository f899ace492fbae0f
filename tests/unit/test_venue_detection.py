"""Which codec a venue has, and what a frame or an address tells of its venue."""

import pytest

from pipeline.wire.venue import Traces
from pipeline.wire.venues import REGISTER, VENUES, codec_for, traces_of, venue_at
from tests.fakes.bybit_market import book_frame, trade_frame
from tests.fakes.market_builders import SPOT, USDM, compact, depth_message, enveloped, ticker_message

SPOT_TICKER = ticker_message(7, (100, 5), (101, 6))
SNAPSHOT = compact({"lastUpdateId": 1, "bids": [], "asks": []})


@pytest.mark.parametrize(
    ("frame", "venue"),
    [
        (enveloped(depth_message(1, 2, [], [])), "binance"),
        (compact(depth_message(1, 2, [], [], USDM)), "binance-usdm"),
        (enveloped(SPOT_TICKER), "binance"),
        (compact({"e": "bookTicker", **SPOT_TICKER}), "binance-usdm"),
        (compact({"e": "trade", "s": "X", "m": True, "M": True}), "binance"),
        (compact({"e": "aggTrade", "s": "X", "m": True}), "binance-usdm"),
        (compact({"e": "markPriceUpdate", "s": "X"}), "binance-usdm"),
        (compact({"e": "kline", "s": "X"}), None),
        (compact({"e": "depthUpdate"}), None),
        (SNAPSHOT, None),
        (b"{}", None),
        (b"\xff", None),
        (b"[" * 100_000, None),
        (b'{"channel":"l2Book","data":{"coin":"BTC","levels":[[],[]]}}', None),
        (trade_frame([("1", "Buy")], linear=True), "bybit-linear"),
        (trade_frame([("1", "Buy")], linear=False), "bybit-spot"),
        (compact({"topic": "tickers.X", "data": {"symbol": "X", "bid1Price": "1"}}), "bybit-linear"),
        (compact({"topic": "tickers.X", "data": {"symbol": "X", "markPrice": "1"}}), "bybit-linear"),
        (compact({"topic": "tickers.X", "data": {"symbol": "X", "usdIndexPrice": ""}}), "bybit-spot"),
        (compact({"topic": "kline.1.X", "data": []}), None),
        (compact({"topic": "publicTrade.X", "data": [{"L": 5}]}), None),
    ],
)
def test_frame_tells_its_venue(frame: bytes, venue: str | None) -> None:
    traces = traces_of(frame)
    assert (traces.venues if traces else ()) == (() if venue is None else (venue,))


@pytest.mark.parametrize(
    "frame",
    [
        book_frame(1),
        trade_frame([]),
        compact({"topic": "tickers.X", "data": {"symbol": "X", "turnover24h": "1"}}),
    ],
)
def test_what_both_products_of_bybit_send_may_be_of_either(frame: bytes) -> None:
    traces = traces_of(frame)
    assert traces is not None
    assert traces.venues == ("bybit-linear", "bybit-spot")


@pytest.mark.parametrize(
    ("frame", "symbol"),
    [
        (enveloped(SPOT_TICKER), "BTCUSDT"),
        (compact({"e": "kline", "s": "X"}), "X"),
        (book_frame(1), "BTCUSDT"),
        (trade_frame([("1", "Sell")]), "BTCUSDT"),
    ],
)
def test_symbol_is_read_where_there_is_one(frame: bytes, symbol: str) -> None:
    traces = traces_of(frame)
    assert traces is not None
    assert traces.symbol == symbol


def test_what_names_nothing_leaves_no_traces() -> None:
    assert traces_of(SNAPSHOT) is None
    assert traces_of(b"{") is None
    assert traces_of(compact({"e": "kline", "s": "X"})) == Traces((), "X")


@pytest.mark.parametrize(
    ("address", "venue"),
    [
        ("wss://stream.bybit.com/v5/public/linear", "bybit-linear"),
        ("wss://stream.bybit.com/v5/public/spot", "bybit-spot"),
        ("wss://stream.bybit.com/v5/public/inverse", ""),
        ("wss://stream.bybit.com/v5/public/linearly", ""),
        ("wss://stream.binance.com:9443/stream?streams=a@trade", "binance"),
        ("wss://fstream.binance.com/market/stream?streams=a@aggTrade", "binance-usdm"),
        ("wss://ws.kraken.com", ""),
        ("", ""),
    ],
)
def test_address_tells_the_venue_it_is_of(address: str, venue: str) -> None:
    assert venue_at(address) == venue


def test_each_venue_has_a_codec_of_its_name() -> None:
    assert [codec_for(venue, {"BTCUSDT": SPOT}).venue for venue in VENUES] == list(VENUES)
    assert [venue.name for venue in REGISTER.values()] == list(VENUES)


def test_unknown_venue_is_refused_with_the_known_ones() -> None:
    known = "binance, binance-usdm, bybit-linear, bybit-spot"
    with pytest.raises(ValueError, match=f"'kraken' has no codec; known: {known}"):
        codec_for("kraken", {})
