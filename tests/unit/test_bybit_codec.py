"""Frames of Bybit linear and spot, well formed and not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.core.inputs import (
    DepthSnapshot,
    DepthUpdate,
    FrameIgnored,
    FrameRefused,
    RefusalReason,
    Trade,
    WireInput,
)
from pipeline.core.types import Side
from pipeline.wire.bybit import trade_number
from pipeline.wire.bybit_requests import BybitRequests
from pipeline.wire.codec import Codec
from pipeline.wire.venues import codec_for
from tests.fakes.bybit_market import (
    LINEAR,
    MS,
    T_MS,
    book_frame,
    book_message,
    trade_frame,
    trade_message,
)
from tests.fakes.market_builders import compact

NOW = 1_786_310_819_720_003_100
EVENT_NS = T_MS * MS
UUID = "a9188a0a-82bc-50de-be60-03eedbe3cdd7"


def linear(**options: int) -> Codec:
    return codec_for("bybit-linear", {"BTCUSDT": LINEAR}, **options)


def one(frame: bytes, codec: Codec | None = None) -> WireInput:
    (event,) = (codec or linear()).decode(frame, NOW, 3)
    return event


def reason(frame: bytes) -> RefusalReason:
    event = one(frame)
    assert isinstance(event, FrameRefused), event
    assert event.ts_ns == NOW
    assert event.detail.isprintable()
    assert len(event.detail) <= 120
    return event.reason


# --- books ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [1, 50, 200, 1000])
def test_snapshot_and_delta_become_ticks_and_units(depth: int) -> None:
    bids, asks = ((651_142, 6_054), (651_141, 0)), ((651_143, 10_486),)
    whole = one(book_frame(7, bids, asks, kind="snapshot", depth=depth))
    assert whole == DepthSnapshot("BTCUSDT", 7, bids, asks, EVENT_NS, NOW, 3)
    change = one(book_frame(8, bids, asks, depth=depth))
    assert change == DepthUpdate("BTCUSDT", 8, 8, -1, bids, asks, EVENT_NS, NOW, 3)


def test_keys_may_come_in_any_order_and_unknown_ones_are_skipped() -> None:
    message = book_message(8, [(651_142, 6_054)], [])
    wanted = one(compact(message))
    turned = {key: message[key] for key in reversed(message)} | {"zz": {"y": [1, None]}}
    turned["data"] = {key: message["data"][key] for key in reversed(message["data"])} | {"q": []}
    assert one(compact(turned)) == wanted
    assert one(json.dumps(turned, indent=1).encode()) == wanted


def test_first_id_of_a_restarted_service_is_a_whole_book_whatever_it_is_called() -> None:
    assert isinstance(one(book_frame(1)), DepthSnapshot)


def test_removed_level_is_printed_without_decimals() -> None:
    message = book_message(8)
    message["data"]["b"] = [["65114.20", "0"]]
    event = one(compact(message))
    assert isinstance(event, DepthUpdate)
    assert event.bids == ((651_142, 0),)


def test_time_of_sending_stands_in_for_the_engines() -> None:
    message = book_message(8)
    del message["cts"]
    event = one(compact(message))
    assert isinstance(event, DepthUpdate)
    assert event.ts_event_ns == EVENT_NS + 2 * MS


def test_times_are_counted_in_the_unit_given() -> None:
    codec = linear(time_unit_ns=1_000)
    event = one(book_frame(8), codec)
    assert isinstance(event, DepthUpdate)
    assert event.ts_event_ns == T_MS * 1_000


# --- trades -----------------------------------------------------------------------------------------------


def test_every_trade_of_a_frame_comes_in_order_with_the_takers_side() -> None:
    events = linear().decode(trade_frame([(UUID, "Sell"), ("290000000712345678", "Buy")]), NOW, 3)
    number = trade_number(UUID)
    assert events == (
        Trade("BTCUSDT", 651_142, 4, Side.SELL, number, EVENT_NS, NOW, 3),
        Trade("BTCUSDT", 651_142, 4, Side.BUY, 290_000_000_712_345_678, EVENT_NS, NOW, 3),
    )
    assert 0 < number < 2**63


def test_trade_ids_keep_apart_and_fit_in_63_bits() -> None:
    ids = ["1", "01", "9" * 18, "9" * 19, "9" * 64, UUID, UUID.upper(), "٣"]
    numbers = [trade_number(one_id) for one_id in ids]
    assert all(0 <= number < 2**63 for number in numbers)
    assert len(set(numbers)) == len(ids) - 1, "only 1 and 01 are the same number"


def test_block_trades_are_no_order_flow() -> None:
    message = trade_message([(UUID, "Sell"), ("2", "Buy")])
    message["data"][0]["BT"] = True
    (event,) = linear().decode(compact(message), NOW, 3)
    assert isinstance(event, Trade)
    assert event.trade_id == 2
    message["data"][1]["BT"] = True
    assert one(compact(message)) == FrameIgnored("publicTrade", NOW)


def test_one_bad_trade_refuses_the_whole_frame() -> None:
    message = trade_message([(UUID, "Sell"), ("2", "Buy")])
    message["data"][1]["p"] = "65114.25"
    assert reason(compact(message)) is RefusalReason.OFF_GRID


# --- of no use --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ({"topic": "tickers.BTCUSDT", "type": "delta", "data": {"bid1Price": "x"}, "cs": 1}, "tickers"),
        ({"topic": "kline.1.BTCUSDT", "data": 5}, "kline"),
        ({"topic": "allLiquidation.BTCUSDT"}, "allLiquidation"),
        ({"topic": "orderbook.full.BTCUSDT", "type": "delta", "data": {}}, "orderbook"),
        ({"topic": "orderbook.rpi.BTCUSDT", "data": {}}, "orderbook"),
        (
            {"success": True, "ret_msg": "", "conn_id": "c", "req_id": "", "op": "subscribe"},
            "answer subscribe",
        ),
        ({"success": True, "ret_msg": "pong", "conn_id": "c", "op": "ping"}, "answer ping"),
        ({"op": "pong", "args": ["1786310818129"]}, "answer pong"),
        ({"retCode": 0, "op": "pong", "data": ["1786310818129"]}, "answer pong"),
        ({"type": "COMMAND_RESP", "success": True, "data": {"failTopics": []}}, "answer COMMAND_RESP"),
        ({"success": False, "ret_msg": "error:handler not found", "op": "subscribe"}, "error subscribe"),
        ({"retCode": 10_001, "retMsg": "params error", "result": {}}, "error 10001"),
        ({"retCode": 0, "retMsg": "OK", "result": {"s": "BTCUSDT", "b": [], "a": []}}, "answer"),
        (trade_message([]), "publicTrade"),
    ],
)
def test_frames_of_no_use_are_ignored_by_name(message: dict[str, Any], kind: str) -> None:
    assert one(compact(message)) == FrameIgnored(kind, NOW)


# --- refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("price", "size", "wanted"),
    [
        ("NaN", "1", RefusalReason.BAD_NUMBER),
        ("65114.20", "NaN", RefusalReason.BAD_NUMBER),
        ("Infinity", "1", RefusalReason.BAD_NUMBER),
        ("-65114.20", "1", RefusalReason.BAD_NUMBER),
        ("65114.20", "-1", RefusalReason.BAD_NUMBER),
        ("0", "1", RefusalReason.BAD_NUMBER),
        ("0.00", "1", RefusalReason.BAD_NUMBER),
        ("", "1", RefusalReason.BAD_NUMBER),
        ("6.5e4", "1", RefusalReason.BAD_NUMBER),
        (" 1", "1", RefusalReason.BAD_NUMBER),
        ("٣", "1", RefusalReason.BAD_NUMBER),
        ("9" * 19, "1", RefusalReason.BAD_NUMBER),
        ("9" * 500, "1", RefusalReason.BAD_NUMBER),
        ("65114.20", "9" * 19, RefusalReason.BAD_NUMBER),
        ("65114.25", "1", RefusalReason.OFF_GRID),
        ("65114.20", "0.0001", RefusalReason.OFF_GRID),
    ],
)
@pytest.mark.parametrize("kind", ["delta", "snapshot"])
def test_numbers_that_cannot_be_are_refused(price: str, size: str, wanted: RefusalReason, kind: str) -> None:
    message = book_message(8, kind=kind)
    message["data"]["a"] = [[price, size]]
    assert reason(compact(message)) is wanted


@pytest.mark.parametrize(("price", "size"), [("NaN", "1"), ("0", "1"), ("1", "0"), ("1", "-1"), ("-1", "1")])
def test_trades_that_cannot_be_are_refused(price: str, size: str) -> None:
    message = trade_message([(UUID, "Buy")])
    message["data"][0] |= {"p": price, "v": size}
    assert reason(compact(message)) is RefusalReason.BAD_NUMBER


@pytest.mark.parametrize(
    "change",
    [
        {"type": "partial"},
        {"type": None},
        {"ts": None, "cts": None},
        {"ts": "1786310818129"},
        {"cts": 1.5},
        {"cts": -1},
        {"cts": 2**43},
        {"topic": "orderbook.200.ETHUSDT"},
        {"topic": 7},
        {"data": None},
        {"data": []},
        {"data": "x"},
    ],
)
def test_books_of_another_shape_are_refused(change: dict[str, Any]) -> None:
    assert reason(compact(book_message(8) | change)) is RefusalReason.BAD_FIELD


@pytest.mark.parametrize(
    "change",
    [
        {"u": None},
        {"u": -1},
        {"u": 2**63},
        {"u": "8"},
        {"u": 8.0001},
        {"seq": -1},
        {"s": ""},
        {"b": None},
        {"a": {}},
        {"b": [["65114.20"]]},
        {"b": [["65114.20", "1", "2"]]},
        {"b": [[65114.2, "1"]]},
        {"b": [["65114.20", None]]},
    ],
)
def test_levels_and_ids_of_another_shape_are_refused(change: dict[str, Any]) -> None:
    message = book_message(8)
    message["data"] |= change
    assert reason(compact(message)) is RefusalReason.BAD_FIELD


@pytest.mark.parametrize("key", ["s", "b", "a", "u"])
def test_missing_key_is_refused(key: str) -> None:
    message = book_message(8)
    del message["data"][key]
    assert reason(compact(message)) is RefusalReason.BAD_FIELD


@pytest.mark.parametrize(
    "change",
    [
        {"S": "buy"},
        {"S": None},
        {"i": ""},
        {"i": "1" * 65},
        {"i": 5},
        {"T": -1},
        {"s": "ETHUSDT"},
        {"BT": "no"},
    ],
)
def test_trades_of_another_shape_are_refused(change: dict[str, Any]) -> None:
    message = trade_message([(UUID, "Buy")])
    message["data"][0] |= change
    assert reason(compact(message)) is RefusalReason.BAD_FIELD


def test_symbol_without_instrument_is_refused_by_name() -> None:
    message = book_message(8) | {"topic": "orderbook.200.XXUSDT"}
    message["data"]["s"] = "XXUSDT"
    event = one(compact(message))
    assert isinstance(event, FrameRefused)
    assert (event.reason, event.detail) == (RefusalReason.UNKNOWN_SYMBOL, "no instrument for symbol 'XXUSDT'")


@pytest.mark.parametrize(
    ("frame", "wanted"),
    [
        (b"", RefusalReason.NOT_JSON),
        (b"hello", RefusalReason.NOT_JSON),
        (b"\xff\xfe", RefusalReason.NOT_JSON),
        (b'{"topic":"orderbook.200.BTCUSDT"', RefusalReason.NOT_JSON),
        (b'{"topic":"\\ud800"}', RefusalReason.NOT_JSON),
        (b"[" * 10_000, RefusalReason.TOO_DEEP),
        (b'{"topic":' * 10_000, RefusalReason.TOO_DEEP),
        (b'{"data":' + b"[" * 10_000 + b"]" * 10_000 + b"}", RefusalReason.TOO_DEEP),
        (b"[]", RefusalReason.BAD_FIELD),
        (b"{}", RefusalReason.BAD_FIELD),
        (b"5", RefusalReason.BAD_FIELD),
        (book_frame(8).replace(b'"u":8', b'"u":NaN'), RefusalReason.NOT_JSON),
        (book_frame(8).replace(b'"cts":', b'"cts":1e400,"x":'), RefusalReason.BAD_FIELD),
    ],
)
def test_what_is_no_message_is_refused(frame: bytes, wanted: RefusalReason) -> None:
    assert reason(frame) is wanted


def test_frame_over_the_limit_is_refused_unread() -> None:
    frame = book_frame(8)
    limited = one(frame, linear(max_frame_bytes=len(frame) - 1))
    assert isinstance(limited, FrameRefused)
    assert limited.reason is RefusalReason.TOO_LARGE
    assert isinstance(one(frame, linear(max_frame_bytes=len(frame))), DepthUpdate)


# --- what is said to the venue ----------------------------------------------------------------------------


def test_channels_are_subscribed_ten_a_message() -> None:
    messages = BybitRequests().subscribe([f"publicTrade.C{number}" for number in range(21)])
    asked = [json.loads(message) for message in messages]
    assert [message["op"] for message in asked] == ["subscribe"] * 3
    assert [len(message["args"]) for message in asked] == [10, 10, 1]
    assert asked[2]["args"] == ["publicTrade.C20"]


def test_a_book_is_asked_for_anew_by_leaving_its_channel_and_joining_it() -> None:
    asked = [json.loads(message) for message in BybitRequests().renew("orderbook.200.BTCUSDT")]
    assert asked == [
        {"op": "unsubscribe", "args": ["orderbook.200.BTCUSDT"]},
        {"op": "subscribe", "args": ["orderbook.200.BTCUSDT"]},
    ]


def test_heartbeat_is_a_ping() -> None:
    assert json.loads(BybitRequests().heartbeat()) == {"op": "ping"}
