"""Bybit: any bytes give declared inputs; any printed number is read exactly or refused."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.inputs import DepthSnapshot, DepthUpdate, FrameIgnored, FrameRefused, RefusalReason, Trade
from pipeline.core.types import Level
from pipeline.wire.fields import MAX_PRICE_TICKS, MAX_SIZE_UNITS
from pipeline.wire.venues import codec_for, traces_of
from tests.fakes.bybit_market import LINEAR, book_frame, book_message, trade_frame, trade_message
from tests.fakes.market_builders import compact

CODEC = codec_for("bybit-linear", {"BTCUSDT": LINEAR})
DECLARED = (DepthSnapshot, DepthUpdate, Trade, FrameRefused, FrameIgnored)

prices = st.integers(1, 10**9) | st.integers(1, MAX_PRICE_TICKS - 1)
sizes = st.just(0) | st.integers(0, 10**7) | st.integers(0, MAX_SIZE_UNITS)
levels = st.lists(st.tuples(prices, sizes), max_size=6)
whole = st.integers(0, 10**7).map(str) | st.integers(0, 10**19).map(str) | st.just("0")
fraction = st.text("0123456789", max_size=5) | st.text("0", max_size=8)
numbers = st.builds(lambda w, f: f"{w}.{f}" if f else w, whole, fraction)


@given(levels, levels, st.booleans(), st.booleans())
@settings(max_examples=150)
def test_printed_levels_come_back(bids: list[Level], asks: list[Level], is_whole: bool, spaced: bool) -> None:
    message = book_message(9, bids, asks, kind="snapshot" if is_whole else "delta")
    frame = json.dumps(message, indent=1).encode() if spaced else compact(message)
    (event,) = CODEC.decode(frame, 1, 2)
    assert isinstance(event, DepthSnapshot if is_whole else DepthUpdate)
    assert (event.bids, event.asks) == (tuple(bids), tuple(asks))


def exactly(price: str, size: str) -> Level | RefusalReason:
    """Read one level with Decimal, the slow and certain way."""
    ticks, units = Decimal(price).scaleb(1), Decimal(size).scaleb(3)
    for value in (ticks, units):
        if value != value.to_integral_value():
            return RefusalReason.OFF_GRID
        if value > MAX_SIZE_UNITS or (value is ticks and not 0 < value < MAX_PRICE_TICKS):
            return RefusalReason.BAD_NUMBER
    return int(ticks), int(units)


@given(numbers, numbers)
@settings(max_examples=400)
def test_numbers_are_what_decimal_says_or_refused_for_the_same_reason(price: str, size: str) -> None:
    message = book_message(9)
    message["data"]["b"] = [[price, size]]
    (event,) = CODEC.decode(compact(message), 1, 2)
    wanted = exactly(price, size)
    if isinstance(wanted, RefusalReason):
        assert isinstance(event, FrameRefused)
        assert event.reason is wanted
    else:
        assert isinstance(event, DepthUpdate)
        assert event.bids == (wanted,)


REAL = [
    book_frame(8, [(651_142, 6_054), (651_141, 0)], [(651_143, 10_486)]),
    book_frame(7, [(651_142, 6_054)], [(651_143, 1)], kind="snapshot"),
    trade_frame([("a9188a0a-82bc-50de-be60-03eedbe3cdd7", "Sell"), ("2", "Buy")]),
    trade_frame([("290000000712345678", "Buy")], linear=False),
    b'{"success":true,"ret_msg":"pong","conn_id":"x","req_id":"","op":"ping"}',
    b'{"topic":"tickers.BTCUSDT","type":"delta","data":{"symbol":"BTCUSDT","bid1Price":"1"},"ts":1}',
]
PIECES = [
    b"", b" ", b"\n", b'"', b'",', b'","', b'"]', b"]", b"[", b"{", b"}", b":", b",", b".", b"-", b"e2",
    b"0", b"9", b"00000000", b"NaN", b"null", b"true", b"1e400", b"\\", b"\\u0062", b"\\ud800", b"\xff",
    b"[[" * 40, b'"b":[["1.0", "2.0"]],', b'"cts":1,', b'"u":1,', b'"data":{},', b'"s":"ETHUSDT",',
]  # fmt: skip


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """A real-looking frame with up to three places cut out, doubled, or written over."""
    frame = draw(st.sampled_from(REAL))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(frame)))
        end = min(len(frame), start + draw(st.sampled_from([0, 0, 1, 2, 5, 20])))
        piece = draw(st.sampled_from(PIECES)) + frame[start:end] * draw(st.integers(0, 2))
        frame = frame[:start] + piece + frame[end:]
    return frame


@given(spoiled())
@settings(max_examples=500)
def test_spoiled_frames_give_declared_inputs(frame: bytes) -> None:
    traces_of(frame)
    events = CODEC.decode(frame, 1, 2)
    assert events
    for event in events:
        assert isinstance(event, DECLARED)
        if isinstance(event, DepthUpdate | DepthSnapshot):
            assert event.symbol == "BTCUSDT"
            assert all(price > 0 and size >= 0 for price, size in event.bids + event.asks)
        if isinstance(event, Trade):
            assert event.price_ticks > 0
            assert event.size_units > 0
            assert 0 <= event.trade_id < 2**63


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
@settings(max_examples=100)
def test_random_bytes_are_refused(frame: bytes) -> None:
    (event,) = CODEC.decode(frame, 7, 2)
    assert isinstance(event, DECLARED)
    # Chance may spell an object; what an object is called is another property's affair.
    if not spells_an_object(frame):
        assert isinstance(event, FrameRefused)
        assert event.ts_ns == 7
        assert event.detail.isprintable()
        assert len(event.detail) <= 120


def spells_an_object(frame: bytes) -> bool:
    try:
        return isinstance(json.loads(frame), dict)
    except (ValueError, UnicodeDecodeError):
        return False


@pytest.mark.parametrize("frame", [b'{"op":" "}', b'{"type":"  "}'])
def test_an_answer_without_a_name_is_of_no_known_kind(frame: bytes) -> None:
    (event,) = CODEC.decode(frame, 7, 2)
    assert isinstance(event, FrameRefused)


keys = ["topic", "type", "ts", "cts", "data", "op", "success", "retCode", *"sbauTSvpiBL", "seq", "symbol"]
topics = st.sampled_from(
    ["orderbook.200.BTCUSDT", "publicTrade.BTCUSDT", "tickers.BTCUSDT", "orderbook..", "."]
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | topics,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(keys), inner),
    max_leaves=20,
)


@given(topics, st.sampled_from(["snapshot", "delta", ""]), json_values)
@settings(max_examples=200)
def test_any_json_gives_declared_inputs(topic: str, kind: str, value: object) -> None:
    for message in (value, {"topic": topic, "type": kind, "ts": 5, "data": value}):
        frame = json.dumps(message).encode()
        traces_of(frame)
        assert all(isinstance(event, DECLARED) for event in CODEC.decode(frame, 1, 2))


@given(st.lists(st.sampled_from(["Buy", "Sell"]), min_size=1, max_size=50), st.data())
@settings(max_examples=60)
def test_a_frame_of_trades_is_taken_whole_or_not_at_all(sides: list[str], data: st.DataObject) -> None:
    message = trade_message([(str(number), side) for number, side in enumerate(sides)])
    whole_frame = CODEC.decode(compact(message), 1, 2)
    assert [event.trade_id for event in whole_frame if isinstance(event, Trade)] == list(range(len(sides)))
    data.draw(st.sampled_from(message["data"]))["v"] = "0"
    (event,) = CODEC.decode(compact(message), 1, 2)
    assert isinstance(event, FrameRefused)
