"""The WebSocket API, the user data stream and REST of the simulated venue, without a socket."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.core.types import Fees
from pipeline.sim.protocol.order_methods import MOST_FOUND
from pipeline.sim.protocol.rest import HttpAnswer, HttpRequest
from pipeline.wire.binance_signing import signature, signed_params
from tests.fakes.sim_client import MS, SimClient


def test_public_requests_need_no_key() -> None:
    client = SimClient()
    assert client.ask("ping")["result"] == {}
    assert client.ask("time")["result"] == {"serverTime": client.now_ms}
    answer = client.ask("depth", symbol="BTCUSDT", limit=5)
    assert answer["status"] == 200
    assert len(answer["result"]["bids"]) == len(answer["result"]["asks"]) == 5
    assert answer["rateLimits"] == [
        {
            "rateLimitType": "REQUEST_WEIGHT",
            "interval": "MINUTE",
            "intervalNum": 1,
            "limit": 6_000,
            "count": 7,
        }
    ]


def test_exchange_info_tells_the_filters_orders_are_judged_by() -> None:
    info = SimClient(symbols=("BTCUSDT", "ETHUSDT")).ask("exchangeInfo")["result"]
    assert [one["symbol"] for one in info["symbols"]] == ["BTCUSDT", "ETHUSDT"]
    btc = info["symbols"][0]
    assert (btc["status"], btc["baseAsset"], btc["quoteAsset"]) == ("TRADING", "BTC", "USDT")
    filters = {one["filterType"]: one for one in btc["filters"]}
    assert filters["PRICE_FILTER"]["tickSize"] == "0.01000000"
    assert filters["LOT_SIZE"]["stepSize"] == "0.00001000"
    assert filters["NOTIONAL"]["minNotional"] == "5.00000000"
    assert filters["MAX_NUM_ORDERS"]["maxNumOrders"] == 200
    assert filters["PERCENT_PRICE_BY_SIDE"]["bidMultiplierDown"] == "0.20"


@pytest.mark.parametrize(
    ("params", "code"),
    [({"symbol": "XYZ"}, -1121), ({"symbols": ["BTCUSDT", "XYZ"]}, -1121), ({"symbols": "no list"}, -1100)],
)
def test_exchange_info_of_the_unlisted_is_refused(params: dict[str, Any], code: int) -> None:
    assert SimClient().ask("exchangeInfo", **params)["error"]["code"] == code


def test_exchange_info_of_named_symbols() -> None:
    client = SimClient(symbols=("BTCUSDT", "ETHUSDT"))
    assert len(client.ask("exchangeInfo", symbols=["ETHUSDT"])["result"]["symbols"]) == 1
    assert len(client.ask("exchangeInfo", symbol="BTCUSDT")["result"]["symbols"]) == 1


def test_an_order_rests_is_found_and_cancelled() -> None:
    client = SimClient()
    bid, _ = client.touch()
    placed = client.place("BUY", bid, newClientOrderId="mine")
    assert placed["status"] == 200
    result = placed["result"]
    assert (result["status"], result["clientOrderId"], result["fills"]) == ("NEW", "mine", [])
    assert [one["rateLimitType"] for one in placed["rateLimits"]] == ["ORDERS", "ORDERS", "REQUEST_WEIGHT"]
    assert placed["rateLimits"][0]["count"] == 1
    found = client.signed("order.status", symbol="BTCUSDT", origClientOrderId="mine")["result"]
    assert (found["orderId"], found["status"], found["price"]) == (result["orderId"], "NEW", f"{bid}000000")
    (open_order,) = client.signed("openOrders.status", symbol="BTCUSDT")["result"]
    assert open_order == found
    gone = client.signed("order.cancel", symbol="BTCUSDT", orderId=result["orderId"], newClientOrderId="c1")
    assert (gone["result"]["status"], gone["result"]["origClientOrderId"]) == ("CANCELED", "mine")
    assert gone["result"]["clientOrderId"] == "c1"
    assert client.signed("openOrders.status")["result"] == []
    assert client.signed("order.cancel", symbol="BTCUSDT", origClientOrderId="mine")["error"]["code"] == -2011
    assert client.signed("order.cancel", symbol="BTCUSDT", orderId=99)["error"]["code"] == -2011
    assert client.signed("order.status", symbol="BTCUSDT", orderId=99)["error"]["code"] == -2013


def test_a_taker_is_answered_with_its_fills_and_fees() -> None:
    client = SimClient(fees=Fees(1_000, 2_000, "test"))
    _, ask = client.touch()
    result = client.place("BUY", ask, "0.5", timeInForce="IOC")["result"]
    assert result["status"] == "FILLED"
    assert sum(float(one["qty"]) for one in result["fills"]) == pytest.approx(0.5)
    assert {one["commissionAsset"] for one in result["fills"]} == {"BTC"}
    assert sum(float(one["commission"]) for one in result["fills"]) == pytest.approx(0.001)
    trades = client.signed("myTrades", symbol="BTCUSDT")["result"]
    assert [one["id"] for one in trades] == [one["tradeId"] for one in result["fills"]]
    assert trades[0]["isBuyer"] is True
    assert trades[0]["isMaker"] is False
    balances = {one["asset"]: one["free"] for one in client.signed("account.status")["result"]["balances"]}
    assert balances["BTC"] == "10.49900000"
    rates = client.signed("account.commission", symbol="BTCUSDT")["result"]["standardCommission"]
    assert (rates["maker"], rates["taker"]) == ("0.00100000", "0.00200000")


@pytest.mark.parametrize(("form", "fields"), [("ACK", 5), ("RESULT", 16), ("FULL", 17)])
def test_answer_is_as_long_as_asked_for(form: str, fields: int) -> None:
    client = SimClient()
    assert len(client.place("BUY", client.touch()[0], newOrderRespType=form)["result"]) == fields


def test_post_only_answers_with_an_ack() -> None:
    client = SimClient()
    bid, ask = client.touch()
    how = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT_MAKER", "quantity": "0.01"}
    assert len(client.signed("order.place", price=bid, **how)["result"]) == 5
    refused = client.signed("order.place", price=ask, **how)
    assert (refused["status"], refused["error"]["code"]) == (400, -2010)
    assert refused["error"]["msg"] == "Order would immediately match and take."


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"type": "STOP_LOSS"}, -1116),
        ({"side": "HOLD"}, -1117),
        ({"timeInForce": "GTX"}, -1115),
        ({"timeInForce": ""}, -1102),
        ({"price": "abc"}, -1102),
        ({"price": "64000.005"}, -1013),
        ({"quantity": "0.000000001"}, -1111),
        ({"quantity": "0.000015"}, -1013),
        ({"quantity": {"a": 1}}, -1102),
        ({"symbol": "XYZ"}, -1121),
        ({"newOrderRespType": "ALL"}, -1130),
        ({"selfTradePreventionMode": "MAYBE"}, -1130),
        ({"recvWindow": "60001"}, -1131),
        ({"recvWindow": "-1"}, -1102),
        ({"timestamp": "soon"}, -1102),
        ({"secret": "wrong"}, -1022),
        ({"apiKey": "wrong"}, -2015),
        ({"apiKey": ""}, -2014),
    ],
)
def test_a_wrong_request_is_refused_with_the_venues_code(params: dict[str, Any], code: int) -> None:
    client = SimClient()
    usual = {"side": "BUY", "price": client.touch()[0], "quantity": "0.01"}
    answer = client.place(**{**usual, **params})
    assert answer["error"]["code"] == code
    assert answer["status"] == (401 if code in (-2014, -2015) else 400)
    assert client.exchange.orders.open_orders(1) == []


@pytest.mark.parametrize(
    ("age_ms", "window", "accepted"),
    [
        (1_000, 1_000, True),
        (1_001, 1_000, False),
        (-999, 1_000, True),
        (-1_000, 1_000, False),
        (5_001, "", False),
    ]
    + [(0, "0.5", True), (1, "0.5", False)],
)
def test_a_request_counts_only_in_its_time(age_ms: int, window: object, accepted: bool) -> None:
    client = SimClient()
    answer = client.place("BUY", client.touch()[0], timestamp=client.now_ms - age_ms, recvWindow=window)
    assert answer["status"] == (200 if accepted else 400)
    assert accepted or answer["error"]["code"] == -1021


def test_timestamps_may_be_in_microseconds() -> None:
    client = SimClient()
    assert client.signed("account.status", timestamp=client.now_ns // 1_000)["status"] == 200


def test_user_stream_tells_what_the_ledger_has() -> None:
    client = SimClient(fees=Fees(1_000, 1_000, "test"))
    assert client.subscribe() == 0
    bid, ask = client.touch()
    client.place("BUY", ask, "0.02", newClientOrderId="taker", timeInForce="IOC")
    client.place("BUY", bid, "0.01", newClientOrderId="maker")
    client.signed("order.cancel", symbol="BTCUSDT", origClientOrderId="maker")
    events = list(client.events())
    reports = [one for one in events if one["e"] == "executionReport"]
    assert [(one["x"], one["X"]) for one in reports] == [
        ("NEW", "NEW"),
        ("TRADE", "FILLED"),
        ("NEW", "NEW"),
        ("CANCELED", "CANCELED"),
    ]
    fill, cancel = reports[1], reports[3]
    assert (fill["l"], fill["z"], fill["N"], fill["m"]) == ("0.02000000", "0.02000000", "BTC", False)
    assert fill["t"] == client.exchange.ledger.entries[3].trade_id
    assert (cancel["C"], cancel["t"], cancel["w"]) == ("maker", -1, False)
    assert cancel["c"].startswith("cancel")
    kinds = [entry.kind.value for entry in client.exchange.ledger.entries]
    assert kinds == ["OPENED", "OPENED", "ACCEPTED", "FILLED", "ACCEPTED", "CANCELED"]
    position = [one for one in events if one["e"] == "outboundAccountPosition"][-1]
    held = {one["a"]: (one["f"], one["l"]) for one in position["B"]}
    assert held["BTC"] == ("10.01998000", "0.00000000")


def test_the_answer_comes_before_the_reports_it_caused() -> None:
    client = SimClient()
    client.subscribe()
    client.place("BUY", client.touch()[0])
    client.venue.receive(client.api, b'{"id":7,"method":"ping"}', client.now_ns)
    assert ["event" in one for one in client.link.take()] == [True, True, False]
    whole: dict[str, str | int] = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT"}
    whole |= {
        "timeInForce": "GTC",
        "quantity": "0.01",
        "price": client.touch()[0],
        "apiKey": client.key,
        "timestamp": client.now_ms,
    }
    frame = {"id": 1, "method": "order.place", "params": signed_params(client.secret, whole)}
    client.venue.receive(client.api, json.dumps(frame).encode(), client.now_ns)
    assert ["id" in one for one in client.link.take()] == [True, False, False]


def test_a_street_trade_fills_and_is_told() -> None:
    client = SimClient()
    client.subscribe()
    bid, ask = client.touch()
    client.place("BUY", bid, "0.001")
    client.place("SELL", ask, "0.001")
    client.run(30)
    fills = [one for one in client.events() if one.get("x") == "TRADE"]
    assert fills
    assert all(one["m"] for one in fills)


def test_unsubscribed_means_silent() -> None:
    client = SimClient()
    first, second = client.subscribe(), client.subscribe()
    client.place("BUY", client.touch()[0])
    assert [one["subscriptionId"] for one in client.link.take()] == [first, second] * 2
    assert client.ask("userDataStream.unsubscribe", subscriptionId=first)["result"] == {}
    (ended,) = client.link.take()
    assert ended == {"subscriptionId": first, "event": {"e": "eventStreamTerminated", "E": client.now_ms}}
    assert client.ask("userDataStream.unsubscribe", subscriptionId=first)["error"]["code"] == -1020
    client.place("BUY", client.touch()[0])
    assert [one["subscriptionId"] for one in client.link.take()] == [second] * 2
    client.ask("userDataStream.unsubscribe")
    assert [one["event"]["e"] for one in client.link.take()] == ["eventStreamTerminated"]
    client.place("BUY", client.touch()[0])
    assert client.link.take() == []


def test_cancel_all_of_a_symbol() -> None:
    client = SimClient()
    bid, _ = client.touch()
    for _ in range(3):
        client.place("BUY", bid, "0.001")
    gone = client.signed("openOrders.cancelAll", symbol="BTCUSDT")["result"]
    assert [one["status"] for one in gone] == ["CANCELED"] * 3
    assert client.signed("openOrders.cancelAll", symbol="BTCUSDT")["error"]["code"] == -2011


def test_cancel_may_be_restricted_to_untouched_orders() -> None:
    client = SimClient()
    client.place("BUY", client.touch()[0], newClientOrderId="a")
    how = {"symbol": "BTCUSDT", "origClientOrderId": "a"}
    refused = client.signed("order.cancel", cancelRestrictions="ONLY_PARTIALLY_FILLED", **how)
    assert refused["error"]["code"] == -2011
    assert client.signed("order.cancel", cancelRestrictions="SOME", **how)["error"]["code"] == -1130
    assert client.signed("order.cancel", cancelRestrictions="ONLY_NEW", **how)["status"] == 200


def test_history_can_be_paged() -> None:
    client = SimClient()
    _, ask = client.touch()
    for _ in range(4):
        client.place("BUY", ask, "0.001", timeInForce="IOC")
    trades = client.signed("myTrades", symbol="BTCUSDT", limit=2)["result"]
    every = client.signed("myTrades", symbol="BTCUSDT", limit=MOST_FOUND + 1)["result"]
    assert len(every) == 4
    assert trades == every[-2:]
    assert client.signed("myTrades", symbol="BTCUSDT", fromId=every[1]["id"], limit=2)["result"] == every[1:3]
    assert client.signed("myTrades", symbol="BTCUSDT", orderId=every[2]["orderId"])["result"] == [every[2]]
    assert client.signed("myTrades", symbol="BTCUSDT", startTime=client.now_ms + 1)["result"] == []
    orders = client.signed("allOrders", symbol="BTCUSDT")["result"]
    assert [one["status"] for one in orders] == ["FILLED"] * 4
    assert client.signed("allOrders", symbol="BTCUSDT", orderId=orders[2]["orderId"])["result"] == orders[2:]


def test_order_limits_are_told() -> None:
    client = SimClient()
    client.place("BUY", client.touch()[0])
    first, second = client.signed("account.rateLimits.orders")["result"]
    assert (first["limit"], first["count"], second["limit"]) == (50, 1, 160_000)


def test_too_many_orders_are_refused_until_the_next_window() -> None:
    client = SimClient()
    bid, _ = client.touch()
    answers = [client.place("BUY", bid, "0.001") for _ in range(51)]
    assert [one["status"] for one in answers[:50]] == [200] * 50
    assert (answers[50]["status"], answers[50]["error"]["code"]) == (429, -1015)
    data = answers[50]["error"]["data"]
    assert data["retryAfter"] == (client.now_ms // 10_000 + 1) * 10_000
    client.now_ns = data["retryAfter"] * MS
    assert client.place("BUY", client.touch()[0], "0.001")["status"] == 200


def test_request_weight_runs_out_then_bans() -> None:
    client = SimClient()
    for _ in range(24):
        assert client.ask("depth", symbol="BTCUSDT", limit=5_000)["status"] == 200
    refused = client.ask("depth", symbol="BTCUSDT", limit=1_000)
    assert (refused["status"], refused["error"]["code"]) == (429, -1003)
    for _ in range(20):
        last = client.ask("depth", symbol="BTCUSDT", limit=1_000)
    assert (last["status"], last["error"]["code"]) == (418, -1003)
    assert client.ask("ping")["status"] == 418
    client.now_ns = last["error"]["data"]["retryAfter"] * MS
    assert client.ask("ping")["status"] == 200


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"nothing",
        b"[]",
        b'{"id":1}',
        b'{"id":{},"method":"ping"}',
        b"[" * 9_000,
        b"\xff\xfe",
        b'{"id":1,"method":3}',
    ],
)
def test_a_frame_that_is_no_request_is_refused_and_the_connection_lives(frame: bytes) -> None:
    client = SimClient()
    assert client.raw(frame)["error"]["code"] == -1135
    assert client.ask("ping")["status"] == 200


def test_unknown_methods_are_refused() -> None:
    assert SimClient().ask("session.logon")["error"]["code"] == -1020


def test_order_test_changes_nothing() -> None:
    client = SimClient()
    bid, _ = client.touch()
    how = {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "1",
        "price": bid,
    }
    assert client.signed("order.test", **how)["result"] == {}
    assert client.signed("order.test", **{**how, "quantity": "100"})["error"]["code"] == -2010
    assert client.exchange.orders.open_orders(1) == []


def test_rate_limits_can_be_left_out() -> None:
    assert "rateLimits" not in SimClient().ask("ping", returnRateLimits=False)


def body(answer: HttpAnswer | None) -> Any:
    assert answer is not None
    return json.loads(answer.body)


def test_rest_does_what_the_websocket_api_does() -> None:
    client = SimClient()
    bid, _ = client.touch()
    book = body(client.http("GET", "/api/v3/depth", signed=False, symbol="BTCUSDT", limit=5))
    assert book["bids"][0][0] == f"{bid}000000"
    how: dict[str, Any] = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
    how["quantity"] = "0.01"
    placed = client.http("POST", "/api/v3/order", price=bid, newClientOrderId="rest", **how)
    assert placed is not None
    assert placed.status == 200
    assert dict(placed.headers)["X-MBX-ORDER-COUNT-10S"] == "1"
    assert "X-MBX-USED-WEIGHT-1M" in dict(placed.headers)
    order: dict[str, Any] = {"symbol": "BTCUSDT", "origClientOrderId": "rest"}
    assert body(client.http("GET", "/api/v3/order", **order))["status"] == "NEW"
    assert len(body(client.http("GET", "/api/v3/openOrders"))) == 1
    assert body(client.http("DELETE", "/api/v3/order", **order))["status"] == "CANCELED"
    assert body(client.http("DELETE", "/api/v3/openOrders", symbol="BTCUSDT"))["code"] == -2011
    assert body(client.http("GET", "/api/v3/account", omitZeroBalances="true"))["accountType"] == "SPOT"
    assert body(client.http("GET", "/api/v3/exchangeInfo", signed=False))["symbols"]
    assert body(client.http("GET", "/api/v3/time", signed=False)) == {"serverTime": client.now_ms}


def test_rest_refusals_have_status_and_code() -> None:
    client = SimClient()
    gone = client.http("GET", "/api/v3/nothing", signed=False)
    assert gone is not None
    assert gone.status == 404
    old = client.http("GET", "/api/v3/account", timestamp=client.now_ms - 5_001)
    assert (old.status if old else 0, body(old)["code"]) == (400, -1021)
    twice = client.venue.http(request("GET", "/api/v3/depth", "symbol=BTCUSDT&symbol=ETHUSDT"), client.now_ns)
    assert body(twice)["code"] == -1101
    many = client.venue.http(request("GET", "/api/v3/depth", "a=1&" * 200), client.now_ns)
    assert body(many)["code"] == -1101
    client.secret = "wrong"
    assert body(client.http("GET", "/api/v3/account"))["code"] == -1022


def test_rest_says_how_long_to_wait() -> None:
    client = SimClient()
    for _ in range(24):
        client.http("GET", "/api/v3/depth", signed=False, symbol="BTCUSDT", limit=5_000)
    refused = client.http("GET", "/api/v3/depth", signed=False, symbol="BTCUSDT", limit=5_000)
    assert refused is not None
    assert refused.status == 429
    assert 0 < int(dict(refused.headers)["Retry-After"]) <= 60


def test_signature_covers_query_and_body_together() -> None:
    client = SimClient()
    query = f"symbol=BTCUSDT&side=BUY&type=LIMIT&timestamp={client.now_ms}"
    text = f"timeInForce=GTC&quantity=0.01&price={client.touch()[0]}"
    signed = f"{text}&signature={signature(client.secret, query + text)}"
    answer = client.venue.http(request("POST", "/api/v3/order", query, signed, client.key), client.now_ns)
    assert body(answer)["status"] == "NEW"


def request(verb: str, path: str, query: str, text: str = "", key: str = "") -> HttpRequest:
    return HttpRequest(verb, path, query, {"x-mbx-apikey": key}, text)
