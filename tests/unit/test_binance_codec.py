"""Frames of Binance spot and USD-M futures, well formed and not."""

import dataclasses
import json
from typing import Any

import pytest

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
from pipeline.core.types import Instrument, Side
from pipeline.wire.binance_depth import FastDepthReader
from pipeline.wire.codec import Codec
from pipeline.wire.venues import codec_for
from tests.fakes.market_builders import SPOT, USDM, compact, depth_message, enveloped, ticker_message

NOW = 1_700_000_000_500_000_000
EVENT_NS = 1_700_000_000_123_000_000


def spot(*more: Instrument, **options: int) -> Codec:
    return codec_for("binance", {i.symbol: i for i in (SPOT, *more)}, **options)


def usdm() -> Codec:
    return codec_for("binance-usdm", {"BTCUSDT": USDM})


def one(codec: Codec, frame: bytes, hint: str = "") -> WireInput:
    (event,) = codec.decode(frame, NOW, 3, hint)
    return event


def reason(codec: Codec, frame: bytes) -> RefusalReason:
    event = one(codec, frame)
    assert isinstance(event, FrameRefused), event
    assert event.ts_ns == NOW
    assert len(event.detail) <= 120
    return event.reason


SPOT_TRADE: dict[str, Any] = {
    "e": "trade",
    "E": 1_700_000_000_123,
    "s": "BTCUSDT",
    "t": 12345,
    "p": "61837.63000000",
    "q": "0.02000000",
    "T": 1_700_000_000_122,
    "m": True,
    "M": True,
}
FUTURES_TRADE: dict[str, Any] = {
    "e": "trade",
    "E": 1_700_000_000_123,
    "T": 1_700_000_000_122,
    "s": "BTCUSDT",
    "t": 12345,
    "p": "63943.90",
    "q": "0.003",
    "X": "MARKET",
    "m": False,
}


# --- depth ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrap", [enveloped, compact])
def test_spot_update_becomes_ticks_and_units(wrap: Any) -> None:
    frame = wrap(depth_message(10, 12, [(6_183_763, 378_826_000), (1, 0)], [(6_183_764, 1)]))
    assert one(spot(), frame) == DepthUpdate(
        "BTCUSDT", 10, 12, -1, ((6_183_763, 378_826_000), (1, 0)), ((6_183_764, 1),), EVENT_NS, NOW, 3
    )


@pytest.mark.parametrize("wrap", [enveloped, compact])
def test_futures_update_carries_its_link_and_the_engines_time(wrap: Any) -> None:
    frame = wrap(depth_message(10, 12, [(639_439, 46_371)], [], USDM, previous=7))
    assert one(usdm(), frame) == DepthUpdate(
        "BTCUSDT", 10, 12, 7, ((639_439, 46_371),), (), EVENT_NS - 3_000_000, NOW, 3
    )


def test_keys_added_by_the_venue_are_skipped() -> None:
    plain = depth_message(10, 12, [(639_439, 46_371)], [(639_440, 1)], USDM)
    wanted = one(usdm(), enveloped(plain))
    for extra in ({"st": 1, "ps": "BTCUSDT"}, {"ps": "BTCUSDT", "st": 1}, {"zz": {"y": ["1", "2"]}}):
        assert one(usdm(), enveloped({**plain, **extra})) == wanted
        assert one(usdm(), enveloped({**extra, **plain})) == wanted


@pytest.mark.parametrize(
    ("old", "new"),
    [(b",", b", "), (b"]", b" ]"), (b"[", b"[ "), (b":", b" : "), (b'"]', b'"\n]'), (b"}", b"}\r\n")],
)
def test_white_space_between_the_numbers_changes_nothing(old: bytes, new: bytes) -> None:
    frame = compact(depth_message(10, 12, [(100, 5 * 10**8)], [(10_100, 6 * 10**8), (102, 0)]))
    wanted = one(spot(), frame)
    assert isinstance(wanted, DepthUpdate)
    assert one(spot(), frame.replace(old, new)) == wanted


@pytest.mark.parametrize(
    "extra", [{}, {"st": 1}, {"ps": "BTCUSDT"}, {"st": 1, "ps": "X"}, {"ps": "X", "st": 1}]
)
@pytest.mark.parametrize("wrap", [enveloped, compact])
def test_ordinary_updates_take_the_fast_path(wrap: Any, extra: dict[str, Any]) -> None:
    for side in ([], [(639_439, 46_371)], [(1, 0), (2, 1), (3, 2)]):
        frames = [wrap({**depth_message(1, 2, side, [], USDM), **extra})]
        frames.append(wrap({**extra, **depth_message(1, 2, [], side, USDM)}))
        for frame in frames:
            reader = FastDepthReader({"BTCUSDT": USDM}, chained=True, time_unit_ns=1)
            assert reader.read(frame, 1, 0) is not None


def test_edit_that_hits_another_text_does_not_stand_in_for_a_price() -> None:
    frame = enveloped(depth_message(10, 12, [(1_000, 5)], [], USDM) | {"ps": "BTCUSDT", "st": 1})
    spaced = frame.replace(b'"100.00","0.005"', b'"100.00", "0.005"').replace(b'"st":1', b'"x":"y"')
    event = one(usdm(), spaced)
    assert isinstance(event, DepthUpdate)
    assert event.bids == ((1_000, 5),)


def test_repeated_key_cannot_hide_an_unscaled_price() -> None:
    frame = compact(depth_message(10, 12, [(6_183_763, 5)], []))
    twice = frame.replace(b'"a":[]', b'"a":[],"b":[["7.00", "9.00000000" ]]')
    event = one(spot(), twice)
    assert isinstance(event, DepthUpdate)
    assert event.bids == ((700, 900_000_000),)


def test_tick_of_five_units_counts_ticks() -> None:
    coarse = dataclasses.replace(SPOT, symbol="XUSDT", tick_units=5)
    frame = compact(depth_message(1, 2, [(6_183_765, 5)], []) | {"s": "XUSDT"})
    event = one(spot(coarse), frame)
    assert isinstance(event, DepthUpdate)
    assert event.bids == ((1_236_753, 5),)
    off = compact(depth_message(1, 2, [(6_183_763, 5)], []) | {"s": "XUSDT"})
    assert reason(spot(coarse), off) is RefusalReason.OFF_GRID


def test_size_beyond_float_precision_is_still_exact() -> None:
    frame = compact(depth_message(1, 2, [(100, 2**53 + 1)], []))
    event = one(spot(), frame)
    assert isinstance(event, DepthUpdate)
    assert event.bids == ((100, 2**53 + 1),)


def test_time_unit_is_a_setting() -> None:
    frame = compact(depth_message(1, 2, [], []))
    event = one(spot(time_unit_ns=1_000), frame)
    assert isinstance(event, DepthUpdate)
    assert event.ts_event_ns == 1_700_000_000_123_000


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        (b'"1.00000000"', b'"NaN"', RefusalReason.BAD_NUMBER),
        (b'"1.00000000"', b'"Infinity"', RefusalReason.BAD_NUMBER),
        (b'"1.00000000"', b'"-1.00000000"', RefusalReason.BAD_NUMBER),
        (b'"1.00000000"', b'"-0.00000000"', RefusalReason.BAD_NUMBER),
        (b'"1.00000000"', b'"0.00000000"', RefusalReason.BAD_NUMBER),
        (b'"1.00000000"', b'"1e2"', RefusalReason.BAD_NUMBER),
        (b'"1.00000000"', b'"99999999999999999999.00"', RefusalReason.BAD_NUMBER),
        (b'"1.00000000"', b'"1.00500000"', RefusalReason.OFF_GRID),
        (b'"1.00000000"', b"1.0", RefusalReason.BAD_FIELD),
        (b'"1.00000000"', b"NaN", RefusalReason.NOT_JSON),
        (b'"0.00000005"', b'"-0.00000005"', RefusalReason.BAD_NUMBER),
        (b'"0.00000005"', b'"0.000000051"', RefusalReason.OFF_GRID),
        (b'"0.00000005"', b'"-0.00000000"', RefusalReason.BAD_NUMBER),
        (b'"U":1', b'"U":"x"', RefusalReason.BAD_FIELD),
        (b'"U":1', b'"U":-1', RefusalReason.BAD_FIELD),
        (b'"U":1', b'"U":3', RefusalReason.BAD_FIELD),
        (b'"U":1', b'"U":99999999999999999999', RefusalReason.BAD_FIELD),
        (b'"U":1,', b"", RefusalReason.BAD_FIELD),
        (b'"E":1700000000123', b'"E":99999999999999999', RefusalReason.BAD_FIELD),
        (b'"E":1700000000123,', b"", RefusalReason.BAD_FIELD),
        (b'"a":[]', b'"a":7', RefusalReason.BAD_FIELD),
        (b',"a":[]', b"", RefusalReason.BAD_FIELD),
        (b'"a":[]', b'"a":[],"pu":0', RefusalReason.BAD_FIELD),
        (b"BTCUSDT", b"ETHUSDT", RefusalReason.UNKNOWN_SYMBOL),
        (b"}", b"", RefusalReason.NOT_JSON),
    ],
)
def test_spoiled_update_is_refused_with_its_reason(old: bytes, new: bytes, wanted: RefusalReason) -> None:
    frame = compact(depth_message(1, 2, [(100, 5)], []))
    assert old in frame
    assert reason(spot(), frame.replace(old, new)) is wanted


def test_futures_update_without_link_is_refused() -> None:
    assert reason(usdm(), compact(depth_message(1, 2, [], []))) is RefusalReason.BAD_FIELD


@pytest.mark.parametrize("stream", ["btcusdt@depth20@100ms", "btcusdt@depth5", "btcusdt@rpiDepth@500ms"])
def test_partial_books_are_never_merged(stream: str) -> None:
    futures = enveloped(depth_message(1, 2, [(100, 5)], [], USDM), stream)
    event = one(usdm(), futures)
    assert isinstance(event, FrameIgnored)
    partial = enveloped({"lastUpdateId": 5, "bids": [["1.00", "1.0"]], "asks": []}, stream)
    assert isinstance(one(spot(), partial), FrameIgnored)


# --- snapshots --------------------------------------------------------------------------------------------

SNAPSHOT = {"lastUpdateId": 160, "bids": [["100.00000000", "5.00000000"]], "asks": [["101.00", "0.00000001"]]}


def test_rest_snapshot_belongs_to_the_hinted_symbol() -> None:
    other = dataclasses.replace(SPOT, symbol="ETHUSDT")
    event = one(spot(other), compact(SNAPSHOT), "ETHUSDT")
    assert event == DepthSnapshot("ETHUSDT", 160, ((10_000, 500_000_000),), ((10_100, 1),), 0, NOW, 3)


def test_snapshot_without_hint_belongs_to_the_only_instrument() -> None:
    event = one(spot(), compact(SNAPSHOT))
    assert isinstance(event, DepthSnapshot)
    assert event.symbol == "BTCUSDT"


def test_snapshot_without_hint_is_refused_among_several_instruments() -> None:
    other = dataclasses.replace(SPOT, symbol="ETHUSDT")
    assert reason(spot(other), compact(SNAPSHOT)) is RefusalReason.UNKNOWN_SYMBOL


def test_futures_snapshot_has_a_time_and_spaces() -> None:
    message = {"lastUpdateId": 160, "E": 1_700_000_000_123, "T": 1_700_000_000_120}
    frame = json.dumps(message | {"bids": [["100.00", "5.000"]], "asks": []}).encode()
    event = one(usdm(), frame)
    assert event == DepthSnapshot("BTCUSDT", 160, ((1_000, 5_000),), (), EVENT_NS - 3_000_000, NOW, 3)


def test_websocket_api_answer_is_a_snapshot() -> None:
    answer = {"id": "d-1", "status": 200, "result": SNAPSHOT, "rateLimits": [{"x": [1]}]}
    event = one(spot(), compact(answer), "BTCUSDT")
    assert isinstance(event, DepthSnapshot)
    assert event.last_update_id == 160


def test_snapshot_without_asks_is_refused() -> None:
    assert reason(spot(), compact({"lastUpdateId": 1, "bids": []})) is RefusalReason.BAD_FIELD


# --- tickers and trades -----------------------------------------------------------------------------------


def test_spot_ticker_has_no_kind_and_no_time() -> None:
    frame = enveloped(ticker_message(7, (100, 5), (101, 6)), "btcusdt@bookTicker")
    assert one(spot(), frame) == BookTicker("BTCUSDT", 7, 100, 5, 101, 6, 0, NOW, 3)


def test_futures_ticker_has_both() -> None:
    message = {
        "e": "bookTicker",
        **ticker_message(7, (100, 5), (101, 6), USDM),
        "T": 1_700_000_000_123,
        "E": 5,
    }
    event = one(usdm(), compact(message))
    assert event == BookTicker("BTCUSDT", 7, 100, 5, 101, 6, EVENT_NS, NOW, 3)


@pytest.mark.parametrize("key", ["u", "s", "b", "B", "a", "A"])
def test_ticker_lacking_a_field_is_refused(key: str) -> None:
    message = ticker_message(7, (100, 5), (101, 6))
    del message[key]
    wanted = RefusalReason.UNKNOWN_SYMBOL if key == "s" else RefusalReason.BAD_FIELD
    assert reason(spot(), compact({"e": "bookTicker", **message})) is wanted


def test_buyer_who_made_the_price_means_a_seller_took_it() -> None:
    sold, bought = one(spot(), compact(SPOT_TRADE)), one(usdm(), compact(FUTURES_TRADE))
    when = EVENT_NS - 1_000_000
    assert sold == Trade("BTCUSDT", 6_183_763, 2_000_000, Side.SELL, 12345, when, NOW, 3)
    assert bought == Trade("BTCUSDT", 639_439, 3, Side.BUY, 12345, when, NOW, 3)


def test_aggregate_trade_is_known_by_its_own_id() -> None:
    message = {**SPOT_TRADE, "e": "aggTrade", "a": 26_129, "f": 100, "l": 105}
    del message["t"]
    event = one(spot(), compact(message))
    assert isinstance(event, Trade)
    assert event.trade_id == 26_129


@pytest.mark.parametrize("cause", ["INSURANCE_FUND", "ADL", "NA"])
def test_futures_trades_that_are_no_flow_are_ignored(cause: str) -> None:
    event = one(usdm(), compact({**FUTURES_TRADE, "X": cause, "p": "0", "q": "0"}))
    assert event == FrameIgnored(f"trade {cause}", NOW)


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("p", "0.00000000", RefusalReason.BAD_NUMBER),
        ("p", "61837.635", RefusalReason.OFF_GRID),
        ("q", "0.00000000", RefusalReason.BAD_NUMBER),
        ("q", None, RefusalReason.BAD_FIELD),
        ("m", "true", RefusalReason.BAD_FIELD),
        ("t", None, RefusalReason.BAD_FIELD),
        ("s", "BTC\u202eUSDT", RefusalReason.UNKNOWN_SYMBOL),
    ],
)
def test_spoiled_trade_is_refused(key: str, value: object, wanted: RefusalReason) -> None:
    assert reason(spot(), compact({**SPOT_TRADE, key: value})) is wanted


def test_refusal_never_repeats_control_characters() -> None:
    event = one(spot(), compact({**SPOT_TRADE, "s": "\x1b[2J\u202e"}))
    assert isinstance(event, FrameRefused)
    assert event.detail.isprintable()


# --- other frames -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ({"result": None, "id": 1}, "answer 200"),
        ({"id": "x", "status": 400, "error": {"code": -1121, "msg": "bad"}}, "answer 400"),
        ({"code": 2, "msg": "Invalid request", "id": 1}, "error 2"),
        ({"error": {"code": 3, "msg": "x"}}, "error 3"),
        ({"e": "serverShutdown", "E": 1_700_000_000_123}, "serverShutdown"),
        ({"event": {"e": "serverShutdown", "E": 1}}, "serverShutdown"),
        ({"e": "kline", "E": 1, "s": "BTCUSDT", "k": {"t": 1}}, "kline"),
        ({"e": "24hrTicker", "E": 1, "s": "BTCUSDT", "p": 1.5, "a": 2.5}, "24hrTicker"),
        ({"stream": "btcusdt@markPrice@1s", "data": {"e": "markPriceUpdate", "p": "1"}}, "markPriceUpdate"),
        ({"stream": "!miniTicker@arr", "data": [{"e": "24hrMiniTicker"}]}, "arr"),
        ({"stream": "!serverShutdown", "data": {"E": 1}}, "!serverShutdown"),
    ],
)
def test_other_kinds_are_ignored_by_name(message: object, kind: str) -> None:
    assert one(spot(), compact(message)) == FrameIgnored(kind, NOW)


@pytest.mark.parametrize(
    ("frame", "wanted"),
    [
        (b"", RefusalReason.NOT_JSON),
        (b"\x00\xff\xfe", RefusalReason.NOT_JSON),
        (b"<html>502</html>", RefusalReason.NOT_JSON),
        (b'{"e":"trade","s":"\xff"}', RefusalReason.NOT_JSON),
        (b'{"u":-1,', RefusalReason.NOT_JSON),
        (b"[1,2]", RefusalReason.BAD_FIELD),
        (b"5", RefusalReason.BAD_FIELD),
        (b"{}", RefusalReason.BAD_FIELD),
        (b'{"channel":"l2Book","data":{"coin":"BTC"}}', RefusalReason.BAD_FIELD),
        (b'{"stream":"btcusdt@depth@100ms","data":[1]}', RefusalReason.BAD_FIELD),
        (b'{"stream":"btcusdt@trade","data":{"e":5}}', RefusalReason.BAD_FIELD),
        (b'{"x":' + b"[" * 10_000 + b"]" * 10_000 + b"}", RefusalReason.TOO_DEEP),
        (b"[" * 1_000_000, RefusalReason.TOO_DEEP),
        (b'{"a":' * 10_000, RefusalReason.TOO_DEEP),
    ],
)
def test_garbage_is_refused_with_its_reason(frame: bytes, wanted: RefusalReason) -> None:
    assert reason(spot(), frame) is wanted
    assert reason(usdm(), frame) is wanted


def test_frame_over_the_size_limit_is_refused_unread() -> None:
    frame = compact(depth_message(1, 2, [(100, 5)], []))
    assert reason(spot(max_frame_bytes=len(frame) - 1), frame) is RefusalReason.TOO_LARGE
    assert isinstance(one(spot(max_frame_bytes=len(frame)), frame), DepthUpdate)


def test_whole_book_of_several_megabytes_is_read() -> None:
    levels = [["100.00000000", "5.00000000"]] * 130_000
    frame = compact({"lastUpdateId": 1, "bids": levels, "asks": []})
    assert len(frame) > 3 * 1024 * 1024
    event = one(spot(), frame)
    assert isinstance(event, DepthSnapshot)
    assert len(event.bids) == 130_000


def test_codecs_name_their_venue() -> None:
    assert (spot().venue, usdm().venue) == ("binance", "binance-usdm")
