"""Any bytes give declared inputs; any printed number is read exactly or refused."""

import json
import re
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

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
from pipeline.core.types import Instrument, Level
from pipeline.wire.binance import BinanceCodec
from pipeline.wire.binance_usdm import BinanceUsdmCodec
from pipeline.wire.fields import MAX_PRICE_TICKS, MAX_SIZE_UNITS
from tests.fakes.market_builders import SPOT, USDM, compact, depth_message, enveloped, ticker_message

SPOT_CODEC = BinanceCodec({"BTCUSDT": SPOT})
USDM_CODEC = BinanceUsdmCodec({"BTCUSDT": USDM})
DECLARED = (DepthSnapshot, DepthUpdate, BookTicker, Trade, FrameRefused, FrameIgnored)

prices = st.integers(1, 10**9) | st.integers(1, MAX_PRICE_TICKS - 1)
sizes = st.just(0) | st.integers(0, 10**11) | st.integers(0, MAX_SIZE_UNITS)
levels = st.lists(st.tuples(prices, sizes), max_size=6)
whole = st.integers(0, 10**7).map(str) | st.integers(0, 10**18).map(str) | st.just("0")
fraction = st.text("0123456789", max_size=8) | st.text("0", max_size=8)
numbers = st.builds(lambda w, f: f"{w}.{f}" if f else w, whole, fraction)


def careful(codec: BinanceCodec, frame: bytes) -> WireInput:
    """Decode without the fast path."""
    fast = codec._fast
    codec._fast = type("Never", (), {"read": lambda *_: None})()
    try:
        (event,) = codec.decode(frame, 1, 2)
        return event
    finally:
        codec._fast = fast


@given(levels, levels, st.sampled_from([SPOT, USDM]), st.booleans(), st.booleans())
@settings(max_examples=150)
def test_printed_levels_come_back(
    bids: list[Level], asks: list[Level], instrument: Instrument, spaced: bool, wrapped: bool
) -> None:
    codec = SPOT_CODEC if instrument is SPOT else USDM_CODEC
    message: dict[str, Any] = depth_message(5, 9, bids, asks, instrument, previous=3)
    frame = enveloped(message) if wrapped else compact(message)
    if spaced:
        frame = json.dumps(json.loads(frame)).encode()
    (event,) = codec.decode(frame, 1, 2)
    assert isinstance(event, DepthUpdate)
    assert (event.bids, event.asks) == (tuple(bids), tuple(asks))
    assert careful(codec, frame) == event


def exactly(price: str, size: str) -> Level | RefusalReason:
    """Read one level with Decimal, the slow and certain way."""
    ticks, units = Decimal(price).scaleb(2), Decimal(size).scaleb(8)
    for value, largest in ((ticks, MAX_SIZE_UNITS), (units, MAX_SIZE_UNITS)):
        if value != value.to_integral_value():
            return RefusalReason.OFF_GRID
        if value > largest:
            return RefusalReason.BAD_NUMBER
        if value is ticks and not 0 < value < MAX_PRICE_TICKS:
            return RefusalReason.BAD_NUMBER
    return int(ticks), int(units)


@given(numbers, numbers)
@settings(max_examples=400)
def test_numbers_are_what_decimal_says_or_refused_for_the_same_reason(price: str, size: str) -> None:
    message = depth_message(1, 2, [], []) | {"b": [[price, size]], "a": [["1.00", "1.0"]]}
    (event,) = SPOT_CODEC.decode(compact(message), 1, 2)
    wanted = exactly(price, size)
    if isinstance(wanted, RefusalReason):
        assert isinstance(event, FrameRefused)
        assert event.reason is wanted
    else:
        assert isinstance(event, DepthUpdate)
        assert event.bids == (wanted,)


@given(numbers, st.text("0123456789", min_size=1, max_size=12))
@settings(max_examples=100)
def test_longer_numbers_are_never_read_as_another_tick(price: str, more: str) -> None:
    text = (price if "." in price else price + ".0") + more
    message = depth_message(1, 2, [], []) | {"b": [[text, "1.0"]]}
    (event,) = SPOT_CODEC.decode(compact(message), 1, 2)
    if isinstance(event, DepthUpdate):
        assert abs(Decimal(text).scaleb(2) - event.bids[0][0]) < Decimal("1e-6")


REAL = [
    enveloped(depth_message(10, 12, [(6_183_763, 378_826_000), (6_183_762, 0)], [(6_183_764, 1)])),
    compact(depth_message(10, 12, [], [(6_183_764, 1), (6_183_765, 9 * 10**8)])),
    enveloped(depth_message(10, 12, [(639_439, 46_371)], [(639_440, 0)], USDM) | {"st": 1, "ps": "BTCUSDT"}),
    enveloped(ticker_message(7, (100, 5), (101, 6)), "btcusdt@bookTicker"),
    b'{"e":"trade","E":1,"s":"BTCUSDT","t":1,"p":"61837.63000000","q":"0.02000000","T":1,"m":true,"M":true}',
    b'{"e":"trade","E":1,"T":1,"s":"BTCUSDT","t":1,"p":"63943.90","q":"0.003","X":"MARKET","m":true}',
    b'{"lastUpdateId":5,"bids":[["1.00000000","2.00000000"]],"asks":[["2.00000000","2.00000000"]]}',
    b'{"id":"x","status":200,"result":{"lastUpdateId":5,"bids":[],"asks":[]},"rateLimits":[]}',
]
ODDLY_PRINTED_ID = re.compile(rb'"(?:E|T|U|u|pu|st)"\s*:\s*(?!\d+\s*[,}])')
"""Ids printed as texts or with an exponent: the fast path takes them, the careful one refuses them."""
PIECES = [
    b"", b" ", b"\n", b'"', b'",', b'","', b'"]', b"]", b"[", b"{", b"}", b":", b",", b".", b"-", b"e2",
    b"0", b"9", b"00000000", b"NaN", b"null", b"true", b"1e400", b"\\", b"\\u0062", b"\xff", b"[[" * 40,
    b'"b":[["1.0", "2.0"]],', b'"ps":"x",', b'"st":1,', b'"x":"y","z":"w",', b'"s":"ETHUSDT",',
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
@settings(max_examples=600)
def test_spoiled_frames_give_declared_inputs_and_both_paths_agree(frame: bytes) -> None:
    for codec in (SPOT_CODEC, USDM_CODEC):
        (event,) = codec.decode(frame, 1, 2)
        assert isinstance(event, DECLARED)
        if isinstance(event, DepthUpdate):
            assert all(price > 0 and size >= 0 for price, size in event.bids + event.asks)
            slowly = careful(codec, frame)
            assert slowly == event or ODDLY_PRINTED_ID.search(frame)


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
@settings(max_examples=100)
def test_random_bytes_are_refused(frame: bytes) -> None:
    (event,) = SPOT_CODEC.decode(frame, 7, 2)
    assert isinstance(event, FrameRefused)
    assert event.ts_ns == 7
    assert event.detail.isprintable()
    assert len(event.detail) <= 120


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(list("eEsUupbBaAtTqmX") + ["bids", "data", "stream", "id"]), inner)
    ),
    max_leaves=20,
)


@given(json_values)
@settings(max_examples=150)
def test_any_json_gives_declared_inputs(value: object) -> None:
    frame = json.dumps(value).encode()
    for codec in (SPOT_CODEC, USDM_CODEC):
        (event,) = codec.decode(frame, 1, 2)
        assert isinstance(event, DECLARED)
