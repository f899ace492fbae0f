"""The simulated futures' requests: orders, positions, the dead-man switch, without a socket."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.core.types import Fees
from pipeline.sim.exchange.ledger import EntryKind
from pipeline.sim.exchange.order import OrderStatus
from pipeline.sim.protocol.faults import parse_fault
from tests.fakes.sim_client import MS, FakeLink
from tests.fakes.usdm_client import UsdmClient
from tests.fakes.venue import SYMBOL


def test_an_order_rests_is_found_and_cancelled() -> None:
    client = UsdmClient()
    price = client.away("BUY")
    placed = client.place("BUY", price, newClientOrderId="mine")
    assert placed["status"] == 200
    result = placed["result"]
    assert (result["status"], result["clientOrderId"], result["price"]) == ("NEW", "mine", price)
    assert (result["origQty"], result["executedQty"], result["positionSide"]) == ("0.010", "0.000", "BOTH")
    assert {"avgPrice", "cumQuote"}.isdisjoint(result), "the venue dropped them"
    kinds = [(one["rateLimitType"], one["limit"]) for one in placed["rateLimits"]]
    assert kinds == [("ORDERS", 300), ("ORDERS", 1_200), ("REQUEST_WEIGHT", 2_400)]
    found = client.signed("order.status", symbol=SYMBOL, origClientOrderId="mine")["result"]
    assert (found["orderId"], found["avgPrice"], found["reduceOnly"]) == (
        result["orderId"],
        "0.00000000",
        False,
    )
    assert client.rest("GET", "/fapi/v1/openOrders", symbol=SYMBOL) == (200, [found])
    assert client.rest("GET", "/fapi/v1/openOrder", symbol=SYMBOL, orderId=found["orderId"]) == (200, found)
    gone = client.signed("order.cancel", symbol=SYMBOL, orderId=found["orderId"], origClientOrderId="other")
    assert gone["result"]["status"] == "CANCELED", "the venue's id prevails"
    assert client.rest("GET", "/fapi/v1/openOrders")[1] == []
    assert client.rest("GET", "/fapi/v1/openOrder", symbol=SYMBOL, orderId=1)[1]["code"] == -2013
    again = client.signed("order.cancel", symbol=SYMBOL, origClientOrderId="mine")
    assert again["error"] == {"code": -2011, "msg": "Unknown order sent."}


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"type": "STOP_MARKET"}, -4120),
        ({"type": "LIMIT_MAKER"}, -1116),
        ({"type": "BET"}, -1116),
        ({"side": "HOLD"}, -1117),
        ({"positionSide": "LONG"}, -4061),
        ({"timeInForce": "GTD"}, -1115),
        ({"timeInForce": ""}, -1102),
        ({"price": "0"}, -4001),
        ({"price": 64000}, -1102),
        ({"quantity": "0.000"}, -4003),
        ({"quantity": 0.01}, -1102),
        ({"price": "1.23456789012"}, -1111),
        ({"reduceOnly": "maybe"}, -1130),
        ({"reduceOnly": "true"}, -2022),
        ({"reduceOnly": True}, -2022),
        ({"newOrderRespType": "FULL"}, -1136),
        ({"selfTradePreventionMode": "NONE"}, -1130),
        ({"selfTradePreventionMode": "MAYBE"}, -1130),
        ({"newClientOrderId": "x" * 37}, -4015),
        ({"symbol": "XYZ"}, -1121),
        ({"timestamp": "1767225600000"}, -1102),
        ({"secret": "wrong"}, -1022),
        ({"apiKey": "wrong"}, -2015),
        ({"apiKey": ""}, -2014),
    ],
)
def test_a_wrong_order_is_refused_with_the_venues_code(params: dict[str, Any], code: int) -> None:
    client = UsdmClient()
    usual = {"side": "BUY", "price": client.away("BUY"), "quantity": "0.010"}
    answer = client.place(**{**usual, **params})
    assert answer["error"]["code"] == code
    assert client.open_ids == []


def test_a_market_order_takes_no_time_in_force() -> None:
    client = UsdmClient()
    refused = client.market_order("BUY", "0.010", timeInForce="GTC")
    assert refused["error"]["code"] == -1106


def test_ack_tells_how_an_order_came_in_and_result_what_became_of_it() -> None:
    client = UsdmClient()
    _, ask = client.touch()
    assert client.place("BUY", ask, timeInForce="IOC")["result"]["status"] == "NEW"
    done = client.place("BUY", ask, timeInForce="IOC", newOrderRespType="RESULT")["result"]
    assert (done["status"], done["executedQty"]) == ("FILLED", "0.010")


def test_a_position_is_told_by_every_request_that_has_one() -> None:
    client = UsdmClient(fees=Fees(200, 500, "venue"))
    assert client.signed("v2/account.position")["result"] == [], "flat symbols are left out"
    (flat,) = client.signed("account.position", symbol=SYMBOL)["result"]
    assert (flat["positionAmt"], flat["entryPrice"]) == ("0.000", "0.00000000")
    client.market_order("SELL", "0.200")
    (held,) = client.signed("v2/account.position")["result"]
    assert (held["positionAmt"], held["positionSide"]) == ("-0.200", "BOTH")
    assert client.rest("GET", "/fapi/v3/positionRisk", symbol=SYMBOL)[1] == [held]
    account = client.signed("v2/account.status")["result"]
    assert account["positions"][0]["positionAmt"] == "-0.200"
    assert account["totalPositionInitialMargin"] == held["positionInitialMargin"]
    (balance,) = client.signed("v2/account.balance")["result"]
    assert balance["balance"] == account["totalWalletBalance"]
    assert float(balance["balance"]) == pytest.approx(1_000_000 - 0.2 * 64_000 * 0.0005, abs=0.1)
    (trade,) = client.rest("GET", "/fapi/v1/userTrades", symbol=SYMBOL)[1]
    assert (trade["buyer"], trade["maker"], trade["commissionAsset"]) == (False, False, "USDT")
    rates = client.rest("GET", "/fapi/v1/commissionRate", symbol=SYMBOL)[1]
    assert (rates["makerCommissionRate"], rates["takerCommissionRate"]) == ("0.000200", "0.000500")


def test_flatten_by_a_reduce_only_market_order_of_more_than_there_is() -> None:
    client = UsdmClient()
    client.market_order("BUY", "0.200")
    done = client.market_order("SELL", "9.000", reduceOnly="true")["result"]
    assert (done["executedQty"], done["status"], done["reduceOnly"]) == ("0.200", "EXPIRED", True)
    assert client.position.lots == 0
    refused = client.market_order("SELL", "0.200", reduceOnly="true")
    assert refused["error"] == {"code": -2022, "msg": "ReduceOnly Order is rejected."}


def test_cancel_all_answers_the_same_with_and_without_orders() -> None:
    client = UsdmClient()
    for _ in range(3):
        client.place("BUY", client.away("BUY"))
    for path in ("allOpenOrders", "allOpenOrders", "algoOpenOrders"):
        status, said = client.rest("DELETE", f"/fapi/v1/{path}", symbol=SYMBOL)
        assert (status, said["code"]) == (200, 200)
        assert client.open_ids == []
    assert client.rest("DELETE", "/fapi/v1/allOpenOrders", symbol="XYZ")[1]["code"] == -1121
    assert client.rest("GET", "/fapi/v1/openAlgoOrders") == (200, [])
    assert client.rest("POST", "/fapi/v1/algoOrder", symbol=SYMBOL)[1]["code"] == -1020


def test_a_countdown_that_runs_out_cancels_everybodys_orders_of_the_symbol_and_no_position() -> None:
    client = UsdmClient(symbols=("BTCUSDT", "ETHUSDT"))
    client.market_order("BUY", "0.100")
    client.place("BUY", client.away("BUY"), newClientOrderId="ours")
    # Another program of the same account, on a connection of its own.
    ours, client.api = client.api, client.opened(FakeLink(), "/ws-fapi/v1")
    client.place("SELL", client.away("SELL"), newClientOrderId="foreign")
    client.api = ours
    client.place("BUY", "2600.00", "0.100", symbol="ETHUSDT", newClientOrderId="other-symbol")
    assert client.countdown(1_500) == (200, {"symbol": SYMBOL, "countdownTime": "1500"})
    client.run(1.49)
    assert client.open_ids == ["ours", "foreign", "other-symbol"]
    client.run(0.02)
    assert client.open_ids == ["other-symbol"]
    assert client.position.lots == 100
    ended = [one for one in client.exchange.ledger.entries if one.kind is EntryKind.CANCELED]
    assert [(one.client_order_id, one.connection) for one in ended] == [("ours", 0), ("foreign", 0)]


def test_a_countdown_is_refreshed_stopped_and_fires_once() -> None:
    client = UsdmClient()
    client.place("BUY", client.away("BUY"), newClientOrderId="a")
    client.countdown(1_000)
    client.run(0.9)
    client.countdown(1_000)
    client.run(0.9)
    assert client.open_ids == ["a"], "refreshed"
    client.countdown(0)
    client.run(5)
    assert client.open_ids == ["a"], "stopped"
    client.countdown(100)
    client.run(0.2)
    assert client.open_ids == []
    client.place("BUY", client.away("BUY"), newClientOrderId="b")
    client.run(5)
    assert client.open_ids == ["b"], "it does not start again by itself"


def test_a_countdown_fires_at_its_time_however_late_it_is_looked_at() -> None:
    client = UsdmClient()
    client.place("BUY", client.away("BUY"), newClientOrderId="a")
    client.countdown(1_000)
    set_at = client.now_ns
    assert client.venue.countdowns.next_ns == set_at + 1_000 * MS
    client.now_ns += 60_000 * MS
    client.venue.advance(client.now_ns)
    (ended,) = [one for one in client.exchange.ledger.entries if one.kind is EntryKind.CANCELED]
    assert ended.ts_ns == set_at + 1_000 * MS
    found = client.exchange.find(client.exchange.accounts[1], SYMBOL, 0, "a")
    assert found.status is OrderStatus.CANCELED


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"symbol": "XYZ"}, -1121),
        ({"countdownTime": "-1"}, -1102),
        ({"countdownTime": "soon"}, -1102),
        ({"countdownTime": 10**11}, -1130),
        ({"timestamp": 1}, -1021),
        ({"symbol": ""}, -1102),
    ],
)
def test_a_wrong_countdown_is_refused_and_none_runs(params: dict[str, Any], code: int) -> None:
    client = UsdmClient()
    path = "/fapi/v1/countdownCancelAll"
    given: dict[str, Any] = {"symbol": SYMBOL, "countdownTime": 1_000, **params}
    status, said = client.rest("POST", path, **given)
    assert (status, said["code"]) == (400, code)
    assert client.venue.countdowns.next_ns is None


def test_countdown_is_signed_and_costs_weight() -> None:
    client = UsdmClient()
    answer = client.http("POST", "/fapi/v1/countdownCancelAll", symbol=SYMBOL, countdownTime=1_000)
    assert answer is not None
    assert dict(answer.headers)["X-MBX-USED-WEIGHT-1M"] == "10"
    client.secret = "wrong"
    assert client.countdown(1_000)[1]["code"] == -1022


def test_depth_and_exchange_info_have_the_futures_form() -> None:
    client = UsdmClient()
    status, book = client.rest("GET", "/fapi/v1/depth", signed=False, symbol=SYMBOL, limit=5)
    assert (status, len(book["bids"])) == (200, 5)
    assert {"lastUpdateId", "E", "T", "bids", "asks"} == set(book)
    refused = client.rest("GET", "/fapi/v1/depth", signed=False, symbol=SYMBOL, limit=7)
    assert refused[1]["code"] == -4021
    assert client.ask("depth", symbol=SYMBOL, limit=5)["result"]["lastUpdateId"] == book["lastUpdateId"]
    _, info = client.rest("GET", "/fapi/v1/exchangeInfo", signed=False)
    (btc,) = info["symbols"]
    filters = {one["filterType"]: one for one in btc["filters"]}
    assert (filters["PRICE_FILTER"]["tickSize"], filters["LOT_SIZE"]["stepSize"]) == ("0.1", "0.001")
    assert filters["MIN_NOTIONAL"]["notional"] == "100"
    assert filters["PERCENT_PRICE"]["multiplierUp"] == "1.05"
    assert [(one["intervalNum"], one["interval"], one["limit"]) for one in info["rateLimits"]] == [
        (1, "MINUTE", 2_400),
        (10, "SECOND", 300),
        (1, "MINUTE", 1_200),
    ]


def test_order_counts_are_told_by_minute() -> None:
    client = UsdmClient()
    how: dict[str, Any] = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "quantity": "0.010"}
    answer = client.http("POST", "/fapi/v1/order", price=client.away("BUY"), timeInForce="GTC", **how)
    assert answer is not None
    headers = dict(answer.headers)
    assert (headers["X-MBX-ORDER-COUNT-10S"], headers["X-MBX-ORDER-COUNT-1M"]) == ("1", "1")
    limits = client.rest("GET", "/fapi/v1/rateLimit/order")[1]
    assert [(one["limit"], one["count"]) for one in limits] == [(300, 1), (1_200, 1)]


def test_history_can_be_paged() -> None:
    client = UsdmClient()
    for _ in range(3):
        client.market_order("BUY", "0.002")
    orders = client.rest("GET", "/fapi/v1/allOrders", symbol=SYMBOL)[1]
    assert [one["status"] for one in orders] == ["FILLED"] * 3
    assert orders[0]["cumQuote"] > "100"
    page = client.rest("GET", "/fapi/v1/allOrders", symbol=SYMBOL, orderId=orders[1]["orderId"], limit=1)[1]
    assert page == [orders[1]]
    trades = client.rest("GET", "/fapi/v1/userTrades", symbol=SYMBOL, limit=2)[1]
    assert len(trades) == 2


def test_spots_requests_are_not_here() -> None:
    client = UsdmClient()
    assert client.signed("openOrders.cancelAll", symbol=SYMBOL)["error"]["code"] == -1020
    assert client.signed("userDataStream.subscribe.signature")["error"]["code"] == -1020
    assert client.ask("userDataStream.unsubscribe")["error"]["code"] == -1020
    assert getattr(client.http("GET", "/api/v3/time", signed=False), "status", 0) == 404
    assert client.venue.open(FakeLink(), "/ws-api/v3", "", client.now_ns) is None


def test_overload_spares_what_reduces() -> None:
    loaded = UsdmClient(faults=(parse_fault("overload=1@1:order"),))
    loaded.market_order("BUY", "0.100")
    placed = loaded.place("BUY", loaded.away("BUY"))["result"]["orderId"]
    loaded.run(1)
    refused = loaded.place("BUY", loaded.away("BUY"))
    assert (refused["status"], refused["error"]["code"]) == (503, -1008)
    assert loaded.signed("order.cancel", symbol=SYMBOL, orderId=placed)["status"] == 200
    assert loaded.market_order("SELL", "0.100", reduceOnly="true")["status"] == 200
