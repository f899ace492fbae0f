"""Limits on an address, what a request is made of, the venue's request log, and who caused what."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from pipeline.sim.exchange.errors import VenueError
from pipeline.sim.exchange.ledger import EntryKind
from pipeline.sim.exchange.quotas import SECOND_NS
from pipeline.sim.protocol.faults import parse_fault
from pipeline.sim.protocol.parameters import Parameters
from pipeline.sim.protocol.request_limits import (
    CONNECTIONS_PER_5_MINUTES,
    LONGEST_BAN_NS,
    PATIENCE,
    RequestLimits,
)
from pipeline.sim.protocol.request_log import LogEntry, RequestLog
from pipeline.sim.protocol.rest import HttpRequest, _parameters
from pipeline.sim.protocol.security import KeyRing
from pipeline.wire.binance_signing import api_payload, is_signed
from tests.fakes.sim_client import MS, FakeLink, SimClient
from tests.fakes.usdm_client import UsdmClient
from tests.fakes.venue import T0

SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
REST_SIGNED = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
API_KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
API_SIGNED = "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24"


@pytest.mark.parametrize("cut", [0, 30, 200])
def test_the_venues_rest_vector_is_accepted_however_it_is_split(cut: int) -> None:
    text = (
        "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1"
        "&recvWindow=5000&timestamp=1499827319559"
    )
    cut = text.find("&", cut) if cut and "&" in text[cut:] else len(text) if cut else 0
    query, body = text[:cut], text[cut:]
    params, payload = _parameters(
        HttpRequest("POST", "/api/v3/order", f"{query}&signature={REST_SIGNED}" if query else "", {}, body)
    )
    assert payload == text
    assert is_signed(SECRET, payload, REST_SIGNED)
    assert params.text("symbol") == "LTCBTC"


def test_the_venues_api_vector_is_accepted_through_its_own_door() -> None:
    client = SimClient()
    exchange = client.exchange
    owner = exchange.open_account("vector", API_KEY, SECRET, {"BTC": 10**9, "USDT": 0}, T0)
    ring = KeyRing([owner])
    request = {
        "apiKey": API_KEY,
        "price": "52000.00",
        "quantity": "0.01000000",
        "recvWindow": 100,
        "side": "SELL",
        "symbol": "BTCUSDT",
        "timeInForce": "GTC",
        "timestamp": 1645423376532,
        "type": "LIMIT",
        "signature": API_SIGNED,
    }
    params = Parameters.of_json({name: Raw(json.dumps(value).encode()) for name, value in request.items()})
    then_ns = 1645423376532 * MS
    payload = api_payload(params.texts)
    assert ring.signed_by(API_KEY, params, payload, then_ns) is owner
    with pytest.raises(VenueError, match="-1021"):
        ring.signed_by(API_KEY, params, payload, then_ns + 101 * MS)
    with pytest.raises(VenueError, match="-1022"):
        ring.signed_by(API_KEY, params, payload + "x", then_ns)


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("price", "60000.00", True),
        ("price", 60000.0, False),
        ("quantity", 0.01, False),
        ("recvWindow", 5000, True),
        ("recvWindow", "5000.5", True),
        ("timestamp", "now", False),
    ],
)
def test_decimals_are_texts_and_whole_numbers_are_numbers(name: str, value: Any, accepted: bool) -> None:
    client = SimClient()
    usual: dict[str, Any] = {"side": "BUY", "price": "60000.00", "quantity": "0.01000"}
    answer = client.place(**{**usual, name: value})
    assert answer["status"] == (200 if accepted else 400)
    assert accepted or answer["error"]["code"] == -1102


def test_both_ids_of_an_order_must_agree_on_spot() -> None:
    client = SimClient()
    order_id = client.place("BUY", client.touch()[0], newClientOrderId="mine")["result"]["orderId"]
    how = {"symbol": "BTCUSDT", "orderId": order_id}
    assert client.signed("order.status", origClientOrderId="other", **how)["error"]["code"] == -2013
    assert client.signed("order.cancel", origClientOrderId="other", **how)["error"]["code"] == -2011
    assert client.signed("order.cancel", origClientOrderId="mine", **how)["status"] == 200


def test_refusals_tell_the_limits_too_and_versions_may_be_named() -> None:
    client = SimClient()
    refused = client.place("BUY", "1.00")
    assert refused["error"]["code"] == -1013
    assert [one["rateLimitType"] for one in refused["rateLimits"]] == ["ORDERS", "ORDERS", "REQUEST_WEIGHT"]
    assert client.ask("v3/ping")["result"] == {}
    assert client.raw({"id": "x" * 37, "method": "ping"})["error"]["code"] == -1135


def test_a_connection_may_ask_for_no_limits_in_its_answers() -> None:
    client = SimClient()
    client.api = client.opened(client.link, "/ws-api/v3", "returnRateLimits=false")
    assert "rateLimits" not in client.ask("ping")
    assert "rateLimits" in client.ask("ping", returnRateLimits=True)


def test_exchange_info_names_every_limit() -> None:
    limits = SimClient().ask("exchangeInfo")["result"]["rateLimits"]
    assert [(one["rateLimitType"], one["intervalNum"], one["interval"], one["limit"]) for one in limits] == [
        ("REQUEST_WEIGHT", 1, "MINUTE", 6_000),
        ("ORDERS", 10, "SECOND", 50),
        ("ORDERS", 1, "DAY", 160_000),
        ("RAW_REQUESTS", 5, "MINUTE", 300_000),
    ]


def test_a_market_order_may_be_worth_more_than_the_filter_says_a_limit_order_not() -> None:
    client = SimClient()
    how = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "200.00000"}
    assert client.signed("order.test", type="MARKET", **how)["error"]["code"] == -2010, "no such balance"
    limit = client.signed("order.test", type="LIMIT", timeInForce="GTC", price=client.touch()[1], **how)
    assert limit["error"]["msg"] == "Filter failure: NOTIONAL"


def refusal(limits: RequestLimits, now_ns: int) -> VenueError:
    with pytest.raises(VenueError) as refused:
        limits.use(11, now_ns)
    return refused.value


def test_bans_grow_and_never_beyond_three_days() -> None:
    limits, now_ns = RequestLimits(10), 0
    lengths = []
    for _ in range(14):
        limits.use(0, now_ns)
        refused = [refusal(limits, now_ns) for _ in range(PATIENCE + 1)]
        assert [one.status for one in refused] == [429] * PATIENCE + [418]
        lengths.append(refused[-1].retry_after_ns - now_ns)
        now_ns = refused[-1].retry_after_ns
    assert lengths[:3] == [120 * SECOND_NS, 240 * SECOND_NS, 480 * SECOND_NS]
    assert lengths[-1] == LONGEST_BAN_NS


def test_so_many_connections_in_five_minutes_and_no_more() -> None:
    client = SimClient()
    let_in = [client.venue.may_connect(client.now_ns) for _ in range(CONNECTIONS_PER_5_MINUTES + 1)]
    assert let_in == [True] * CONNECTIONS_PER_5_MINUTES + [False]
    assert client.venue.may_connect(client.now_ns + 300 * SECOND_NS)


def test_ledger_and_log_name_the_connection_that_asked() -> None:
    client = SimClient()
    first = client.api
    other = client.opened(client.link, "/ws-api/v3")
    assert (first.connection, other.connection) == (1, 2)
    bid, ask = client.touch()
    client.place("BUY", bid, newClientOrderId="a")
    client.place("BUY", bid, newClientOrderId="a")
    client.api = other
    client.place("BUY", ask, "0.001", newClientOrderId="b", timeInForce="IOC")
    client.signed("order.cancel", symbol="BTCUSDT", origClientOrderId="a")
    client.venue.leave(other)
    caused = [(one.kind, one.client_order_id, one.connection) for one in client.exchange.ledger.entries][2:]
    assert caused == [
        (EntryKind.ACCEPTED, "a", 1),
        (EntryKind.REFUSED, "a", 1),
        (EntryKind.ACCEPTED, "b", 2),
        (EntryKind.FILLED, "b", 2),
        (EntryKind.CANCELED, "a", 2),
    ]
    lines = [(one.what, one.connection, one.name, one.status, one.code) for one in client.venue.log.entries]
    assert lines == [
        ("opened", 1, "/ws-api/v3", 0, 0),
        ("opened", 2, "/ws-api/v3", 0, 0),
        ("asked", 1, "order.place", 200, 0),
        ("asked", 1, "order.place", 400, -2010),
        ("asked", 2, "order.place", 200, 0),
        ("asked", 2, "order.cancel", 200, 0),
        ("closed", 2, "", 0, 0),
    ]
    assert [one.client_order_id for one in client.venue.log.entries][2:6] == ["a", "a", "b", "a"]


def test_a_street_fill_is_nobodys_request() -> None:
    client = SimClient()
    client.place("BUY", client.touch()[0], "0.001")
    client.run(30)
    fills = [one for one in client.exchange.ledger.entries if one.kind is EntryKind.FILLED]
    assert fills
    assert {one.connection for one in fills} == {0}


def test_rest_requests_are_logged_with_their_connection_and_nothing_secret() -> None:
    client = SimClient()
    client.http("GET", "/api/v3/account")
    client.place("BUY", client.touch()[0])
    texts = [json.dumps(str(one)) for one in client.venue.log.entries]
    assert any("GET /api/v3/account" in text for text in texts)
    assert not any(client.secret in text or "signature" in text for text in texts)


def test_log_is_bounded_and_counts_on() -> None:
    seen: list[LogEntry] = []
    log = RequestLog(seen.append, kept=3)
    for number in range(5):
        log.asked(1, "m" * 900, {"symbol": "s" * 900}, (200, 0), True, number)
    assert [one.seq for one in log.entries] == [2, 3, 4]
    assert (log.length, len(seen)) == (5, 5)
    assert len(seen[0].name) == len(seen[0].symbol) == 200


def test_a_request_that_a_fault_swallowed_is_logged_as_such() -> None:
    client = SimClient(faults=(parse_fault("deaf=1"), parse_fault("lost-ack=1:order.cancel")))
    assert client.place("BUY", client.touch()[0]) == {}
    assert client.signed("order.cancel", symbol="BTCUSDT", orderId=1) == {}
    lines = [(one.name, one.status, one.code, one.answered) for one in client.venue.log.entries][1:]
    assert lines == [("order.place", 0, 0, False), ("order.cancel", 400, -2011, False)]


def test_a_cancel_storm_from_one_connection_can_be_counted() -> None:
    client = UsdmClient()
    for number in range(50):
        client.place("BUY", client.away("BUY"), newClientOrderId=f"o{number}")
    guard = FakeLink()
    client.link, client.api = guard, client.opened(guard, "/ws-fapi/v1")
    started_ns = client.now_ns
    for number in range(50):
        assert (
            client.signed("order.cancel", symbol="BTCUSDT", origClientOrderId=f"o{number}")["status"] == 200
        )
        client.now_ns += 20 * MS
    ended = [
        one
        for one in client.exchange.ledger.entries
        if one.kind is EntryKind.CANCELED and one.connection == client.api.connection
    ]
    assert len(ended) == 50
    assert ended[-1].ts_ns - started_ns < 1_500 * MS
