"""Which codec a venue has, and which venue a frame came from."""

import pytest

from pipeline.wire.venues import VENUES, codec_for, detect_venue, symbol_of
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
    ],
)
def test_frame_tells_its_venue(frame: bytes, venue: str | None) -> None:
    assert detect_venue(frame) == venue


def test_symbol_is_read_where_there_is_one() -> None:
    assert symbol_of(enveloped(SPOT_TICKER)) == "BTCUSDT"
    assert symbol_of(SNAPSHOT) == ""
    assert symbol_of(b"{") == ""


def test_each_venue_has_a_codec_of_its_name() -> None:
    assert [codec_for(venue, {"BTCUSDT": SPOT}).venue for venue in VENUES] == list(VENUES)


def test_unknown_venue_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'kraken' has no codec; known: binance, binance-usdm"):
        codec_for("kraken", {})
