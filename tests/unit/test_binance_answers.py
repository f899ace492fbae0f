"""Answers and user events of the venue's documentation and of our own simulated venue, read exactly."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.core.inputs import RefusalReason
from pipeline.core.types import OrderState, OrderType, RiskApproved, Side
from pipeline.wire.binance_answers import (
    AnswerReader,
    ApiAnswer,
    ApiMessage,
    BalanceNews,
    OrderNews,
    OtherEvent,
    OtherSymbol,
    StreamEnded,
    Unreadable,
    UsedLimit,
    VenueFill,
    balances_of,
    server_time_ms_of,
)
from pipeline.wire.binance_requests import ApiKey, SpotRequests
from pipeline.wire.fields import WireError
from tests.fakes.sim_client import SimClient
from tests.fakes.trading import POLICY, SPOT, intent

READER = AnswerReader({"BTCUSDT": SPOT})

REPORT = {
    "e": "executionReport",
    "E": 1499405658658,
    "s": "BTCUSDT",
    "c": "cancel-7",
    "S": "BUY",
    "o": "LIMIT",
    "f": "GTC",
    "q": "1.00000000",
    "p": "0.10264410",
    "C": "t000000100000001",
    "x": "CANCELED",
    "X": "CANCELED",
    "r": "NONE",
    "i": 4293153,
    "l": "0.00000000",
    "z": "0.25000000",
    "L": "0.00000000",
    "n": "0",
    "N": None,
    "T": 1499405658657,
    "t": -1,
    "m": False,
}


def event(**changes: Any) -> ApiMessage:
    frame = {"subscriptionId": 0, "event": {**REPORT, **changes}}
    return READER.read_message(json.dumps(frame).encode())


def test_a_cancel_is_of_the_order_it_cancels_and_not_of_itself() -> None:
    assert event() == OrderNews(
        "BTCUSDT",
        "t000000100000001",
        4293153,
        OrderState.CANCELED,
        100_000,
        25_000,
        (),
        "",
        1499405658657 * 1_000_000,
    )


def test_a_trade_brings_its_fill() -> None:
    news = event(
        C="",
        c="t1",
        x="TRADE",
        X="PARTIALLY_FILLED",
        l="0.25",
        L="60000.01",
        n="0.00025",
        N="BTC",
        t=9,
        m=True,
    )
    assert isinstance(news, OrderNews)
    assert news.client_order_id == "t1"
    assert news.fills == (VenueFill(9, 25_000, 6_000_001, 25_000, "BTC", True),)


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ("NEW", OrderState.ACCEPTED),
        ("EXPIRED_IN_MATCH", OrderState.EXPIRED),
        ("REJECTED", OrderState.REJECTED),
    ],
)
def test_the_venues_states_are_ours(words: str, state: OrderState) -> None:
    news = event(X=words)
    assert isinstance(news, OrderNews)
    assert news.status is state


def test_why_an_order_expired_is_kept() -> None:
    news = event(X="EXPIRED", x="EXPIRED", eR=3)
    assert isinstance(news, OrderNews)
    assert news.reason == "3"


def test_an_order_elsewhere_on_the_account_is_none_of_ours() -> None:
    assert event(s="DOGEUSDT", q="5") == OtherSymbol("DOGEUSDT")


@pytest.mark.parametrize(
    "change",
    [
        {"X": "HALF"},
        {"q": "0.000001"},
        {"z": "-1"},
        {"i": -1},
        {"x": "TRADE", "t": 5},
        {"q": 1},
        {"q": "NaN"},
    ],
)
def test_a_report_that_cannot_be_is_unreadable(change: dict[str, Any]) -> None:
    assert isinstance(event(**change), Unreadable)


def test_balances_free_and_locked_count_together() -> None:
    held = [{"a": "BTC", "f": "1.5", "l": "0.5"}, {"a": "USDT", "f": "0", "l": "10"}]
    frame = json.dumps({"event": {"e": "outboundAccountPosition", "E": 5, "u": 5, "B": held}}).encode()
    assert READER.read_message(frame) == BalanceNews({"BTC": 2 * 10**8, "USDT": 10 * 10**8}, 5_000_000)


@pytest.mark.parametrize("kind", ["eventStreamTerminated", "serverShutdown"])
def test_the_end_of_the_stream_is_news(kind: str) -> None:
    assert READER.read_message(json.dumps({"event": {"e": kind, "E": 1}}).encode()) == StreamEnded(kind)
    assert READER.read_message(b'{"event":{"e":"listStatus"}}') == OtherEvent("listStatus")


def test_an_answer_names_its_request_its_error_and_the_limits() -> None:
    frame = json.dumps(
        {
            "id": "p-1",
            "status": 429,
            "error": {
                "code": -1003,
                "msg": "Too much",
                "data": {"serverTime": 1, "retryAfter": 1659142907531},
            },
            "rateLimits": [
                {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 50, "count": 7}
            ],
        }
    ).encode()
    assert READER.read_message(frame) == ApiAnswer(
        "p-1", 429, b"null", -1003, "Too much", 1659142907531, (UsedLimit("ORDERS", 10, 50, 7),)
    )


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (b"", RefusalReason.NOT_JSON),
        (b"\xff\xfe", RefusalReason.NOT_JSON),
        (b"[]", RefusalReason.BAD_FIELD),
        (b"{}", RefusalReason.BAD_FIELD),
        (b'{"id":"1","status":400}', RefusalReason.BAD_FIELD),
        (b"[" * 100, RefusalReason.TOO_DEEP),
        (b"x" * (4 << 20) + b"x", RefusalReason.TOO_LARGE),
    ],
)
def test_nonsense_is_unreadable_with_its_reason(frame: bytes, reason: RefusalReason) -> None:
    message = READER.read_message(frame)
    assert isinstance(message, Unreadable)
    assert message.reason is reason


def test_results_of_another_kind_are_refused() -> None:
    for read in (READER.order_of, READER.orders_of, balances_of, server_time_ms_of):
        with pytest.raises(WireError):
            read(b'"no such thing"')
    with pytest.raises(WireError):
        READER.trades_of(b'[{"id":1}]', "BTCUSDT")


class Bench:
    """Our requests at the simulated venue, its answers through our reader."""

    def __init__(self) -> None:
        self.sim = SimClient(seed=5)
        self.requests = SpotRequests(ApiKey(self.sim.key, self.sim.secret))

    def ask(self, frame: bytes) -> ApiAnswer:
        answer = self.sim.raw(frame)
        message = READER.read_message(json.dumps(answer).encode())
        assert isinstance(message, ApiAnswer)
        return message

    def touch(self) -> tuple[int, int]:
        (bid, *_), (ask, *_) = self.sim.levels()
        return bid[0], ask[0]


def test_an_orders_life_at_the_simulated_venue_is_read_whole() -> None:
    bench = Bench()
    bench.sim.run(0.2)
    bid, _ = bench.touch()
    resting = RiskApproved(intent(price_ticks=bid - 50_000, qty_lots=2_000), "t000000100000001", POLICY)
    placed = bench.ask(bench.requests.place("1", resting, SPOT, bench.sim.now_ms))
    assert (placed.request_id, placed.status) == ("1", 200)
    assert {limit.kind for limit in placed.limits} == {"REQUEST_WEIGHT", "ORDERS"}
    news = READER.order_of(placed.result)
    assert isinstance(news, OrderNews)
    assert (news.client_order_id, news.status, news.lots) == ("t000000100000001", OrderState.ACCEPTED, 2_000)
    listed = READER.orders_of(bench.ask(bench.requests.open_orders("2", "BTCUSDT", bench.sim.now_ms)).result)
    assert [one.client_order_id for one in listed if isinstance(one, OrderNews)] == ["t000000100000001"]
    gone = READER.order_of(
        bench.ask(bench.requests.cancel("3", "BTCUSDT", "t000000100000001", bench.sim.now_ms)).result
    )
    assert isinstance(gone, OrderNews)
    assert (gone.client_order_id, gone.status) == ("t000000100000001", OrderState.CANCELED)


def test_fills_told_by_the_answer_the_event_and_the_query_are_the_same() -> None:
    bench = Bench()
    bench.sim.run(0.2)
    bench.sim.subscribe()
    _, ask = bench.touch()
    taking = intent(price_ticks=ask, qty_lots=2_000, side=Side.BUY, order_type=OrderType.LIMIT_IOC)
    answer = bench.ask(bench.requests.place("1", RiskApproved(taking, "t2", POLICY), SPOT, bench.sim.now_ms))
    news = READER.order_of(answer.result)
    assert isinstance(news, OrderNews)
    assert news.fills
    events = [json.dumps({"event": one}).encode() for one in bench.sim.events()]
    told = [one for frame in events if isinstance(one := READER.read_message(frame), OrderNews)]
    assert tuple(fill for one in told for fill in one.fills) == news.fills
    found = bench.ask(bench.requests.trades("2", "BTCUSDT", news.venue_order_id, bench.sim.now_ms)).result
    assert READER.trades_of(found, "BTCUSDT") == news.fills
    account = balances_of(bench.ask(bench.requests.account("3", bench.sim.now_ms)).result)
    assert account.totals_e8["BTC"] == 10 * 10**8 + sum(fill.lots for fill in news.fills) * 1_000
    time = bench.ask(bench.requests.time("4")).result
    assert server_time_ms_of(time) == bench.sim.now_ms
