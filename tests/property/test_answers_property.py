"""Whatever comes over the order connection is a declared message; what is printed is read exactly."""

from __future__ import annotations

import json
from typing import Any, get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.types import RiskApproved, scaled_text
from pipeline.wire import binance_answers
from pipeline.wire.binance_answers import (
    AnswerReader,
    ApiMessage,
    OrderNews,
    Unreadable,
    balances_of,
    server_time_ms_of,
)
from pipeline.wire.binance_outcomes import Outcome, is_ban, is_throttled, outcome_of, reason_of
from pipeline.wire.binance_requests import ApiKey, SpotRequests
from pipeline.wire.fields import WireError
from tests.fakes.trading import ETH, POLICY, SPOT, intent

READER = AnswerReader({"BTCUSDT": SPOT, "ETHUSDT": ETH})
MESSAGES = get_args(ApiMessage)

REPORT: dict[str, Any] = {
    "e": "executionReport",
    "E": 1,
    "s": "BTCUSDT",
    "c": "t1",
    "X": "PARTIALLY_FILLED",
    "x": "TRADE",
    "q": "1.0",
    "z": "0.5",
    "i": 1,
    "l": "0.5",
    "L": "60000.01",
    "n": "0.1",
    "N": "BNB",
    "t": 4,
    "m": True,
}
ANSWER: dict[str, Any] = {
    "id": "1",
    "status": 200,
    "result": {
        "symbol": "BTCUSDT",
        "orderId": 1,
        "clientOrderId": "t1",
        "status": "NEW",
        "origQty": "1",
        "executedQty": "0",
        "fills": [],
    },
    "rateLimits": [{"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": 9, "count": 1}],
}
REFUSAL: dict[str, Any] = {"id": None, "status": 418, "error": {"code": -1003, "msg": "x", "data": {}}}

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(
        ["-0", "1e5", "NaN", "0.00000001", "99999999999999999999", "\x1b[2J", "TRADE", "FILLED"]
    )
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
)


def bent(message: dict[str, Any], changes: dict[str, Any]) -> bytes:
    """Give a message with some of its fields, at any depth of its own, replaced."""
    whole = {"event": message} if "e" in message else message
    text = json.dumps(whole)
    for name, value in changes.items():
        inner = {**message, name: value} if name in message or name.isalpha() else message
        whole = {"event": inner} if "e" in message else inner
        text = json.dumps(whole)
    return text.encode("utf-8", "surrogatepass")


def everything_said_of(message: ApiMessage) -> None:
    """Read an answer in every way a caller could."""
    if not isinstance(message, binance_answers.ApiAnswer):
        return
    assert outcome_of(message) in Outcome
    assert isinstance(is_ban(message) or is_throttled(message), bool)
    assert reason_of(message).isprintable() or "\ufffd" in reason_of(message)
    for read in (
        READER.order_of,
        READER.orders_of,
        balances_of,
        server_time_ms_of,
        lambda raw: READER.trades_of(raw, "BTCUSDT"),
    ):
        try:
            read(message.result)
        except WireError:
            continue


@given(st.binary(max_size=200))
@settings(max_examples=150)
def test_any_bytes_give_a_declared_message(frame: bytes) -> None:
    message = READER.read_message(frame)
    assert isinstance(message, MESSAGES)


@given(
    st.sampled_from([REPORT, ANSWER, REFUSAL]),
    st.dictionaries(st.sampled_from([*REPORT, *ANSWER, "error", "event"]), values, min_size=1, max_size=2),
)
@settings(max_examples=300)
def test_a_bent_message_is_read_or_refused_and_never_raises(
    message: dict[str, Any], changes: dict[str, Any]
) -> None:
    got = READER.read_message(bent(message, changes))
    assert isinstance(got, MESSAGES)
    everything_said_of(got)


@given(st.sampled_from([REPORT, ANSWER, REFUSAL]), st.integers(0, 400))
def test_a_message_cut_short_is_unreadable(message: dict[str, Any], cut: int) -> None:
    frame = bent(message, {})
    if cut < len(frame):
        assert isinstance(READER.read_message(frame[:cut]), Unreadable)


@given(st.integers(1, 10**12), st.integers(1, 10**12), st.sampled_from([SPOT, ETH]))
def test_prices_and_quantities_come_back_as_they_went(ticks: int, lots: int, instrument: Any) -> None:
    requests = SpotRequests(ApiKey("k", "s"))
    wanted = intent(symbol=instrument.symbol, price_ticks=ticks, qty_lots=lots)
    params = json.loads(requests.place("1", RiskApproved(wanted, "t1", POLICY), instrument, 1))["params"]
    assert params["price"] == scaled_text(ticks, 2)
    report = {**REPORT, "s": instrument.symbol, "q": params["quantity"], "z": params["quantity"]}
    news = READER.read_message(json.dumps({"event": {**report, "l": "0.5", "t": 1}}).encode())
    assert isinstance(news, OrderNews)
    assert (news.lots, news.filled_lots) == (lots, lots)
