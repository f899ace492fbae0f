"""Where a venue's data are: routes, channels, URLs, and base URLs that are refused."""

from __future__ import annotations

import pytest

from pipeline.runtime.feed_endpoints import (
    FeedError,
    depth_url,
    depth_weight,
    feed_urls,
    plan_routes,
)
from pipeline.wire.venue import ChannelKind
from tests.fakes.feeds import feed_params


def test_spot_takes_one_combined_stream() -> None:
    (plan,) = plan_routes("binance", ["BTCUSDT"], feed_params())
    assert plan.url == "ws://venue/stream?streams=btcusdt@depth@100ms/btcusdt@bookTicker/btcusdt@trade"
    assert plan.carries_depth


def test_usdm_depth_and_trades_go_by_their_own_routes() -> None:
    public, market = plan_routes("binance-usdm", ["BTCUSDT"], feed_params())
    assert public.url == "ws://venue/public/stream?streams=btcusdt@depth@0ms/btcusdt@bookTicker"
    assert market.url == "ws://venue/market/stream?streams=btcusdt@aggTrade"
    assert public.carries_depth
    assert not market.carries_depth


def test_more_symbols_than_a_connection_takes_are_spread() -> None:
    symbols = [f"C{number}USDT" for number in range(150)]
    plans = plan_routes("binance-usdm", symbols, feed_params())
    assert [plan.name for plan in plans] == ["public-1", "public-2", "market"]
    assert all(len(plan.channels) <= 200 for plan in plans)
    depth = [c.symbol for plan in plans for c in plan.channels if c.kind is ChannelKind.DEPTH]
    assert depth == symbols


def test_a_symbol_that_is_not_ascii_is_percent_encoded() -> None:
    (plan,) = plan_routes("binance", ["币安USDT"], feed_params())
    assert "%E5%B8%81%E5%AE%89usdt@depth@100ms" in plan.url
    assert plan.channels[0].stream == "币安usdt@depth@100ms"
    assert depth_url("binance", "币安USDT", feed_params()).endswith(
        "symbol=%E5%B8%81%E5%AE%89USDT&limit=1000"
    )


def test_a_whole_book_weighs_what_its_depth_costs() -> None:
    assert [depth_weight("binance", limit) for limit in (5, 100, 101, 1_000, 5_000)] == [5, 5, 25, 50, 250]
    with pytest.raises(FeedError, match=r"found 5000, binance-usdm gives at most 1000 levels"):
        depth_weight("binance-usdm", 5_000)


@pytest.mark.parametrize(
    ("base_url", "streams", "requests"),
    [
        ("ws://127.0.0.1:9000", "ws://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("http://127.0.0.1:9000/", "ws://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("wss://host/prefix/", "wss://host/prefix", "https://host/prefix"),
        ("ws://[::1]:9000", "ws://[::1]:9000", "http://[::1]:9000"),
    ],
)
def test_a_base_url_stands_for_streams_and_requests(base_url: str, streams: str, requests: str) -> None:
    assert feed_urls("binance", base_url) == (streams, requests)


@pytest.mark.parametrize(
    "base_url",
    ["127.0.0.1:9000", "ftp://host", "ws://", "ws://host:0", "ws://host:x", "ws://host?a=1", "ws://a:b@host"],
)
def test_what_is_no_base_url_is_refused_with_what_is_wanted(base_url: str) -> None:
    with pytest.raises(FeedError, match="wanted ws://HOST:PORT"):
        feed_urls("binance", base_url)


def test_an_unknown_venue_is_refused_with_the_known_ones() -> None:
    with pytest.raises(FeedError, match="--venue kraken: wanted one of binance, binance-usdm"):
        feed_urls("kraken")
