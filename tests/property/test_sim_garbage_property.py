"""Whatever bytes a client sends, the venue answers or refuses, and neither money nor connection is lost."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.sim.exchange.errors import VenueError
from pipeline.sim.exchange.rules import exact_e8
from pipeline.sim.http_wire import HttpError, read_head, request_of
from pipeline.sim.protocol.faults import FaultKind, parse_fault
from pipeline.sim.protocol.rest import HttpRequest
from tests.fakes.sim_client import FakeLink, SimClient
from tests.fakes.usdm_client import UsdmClient

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(
    ("symbol", "side", "type", "price", "quantity", "timeInForce", "orderId", "origClientOrderId")
    + ("newClientOrderId", "recvWindow", "timestamp", "reduceOnly", "limit", "symbols", "countdownTime")
    + ("returnRateLimits", "subscriptionId", "cancelRestrictions", "apiKey", "signature", "quoteOrderQty")
)
WORDS = st.sampled_from(
    ("BTCUSDT", "BUY", "SELL", "LIMIT", "MARKET", "GTC", "IOC", "FOK", "GTX", "64000.00", "0.01", "true")
    + ("-1", "1e9", "NaN", "0", "99999999999999999999", "", "ACK", "ä", "[]", '["BTCUSDT"]')
)
PARAMS = st.dictionaries(NAMES | st.text(max_size=10), WORDS | JSON, max_size=10)
CLIENTS = (SimClient, UsdmClient)


def methods(client: SimClient) -> list[str]:
    return list(client.venue._api._by_name) + ["userDataStream.unsubscribe", "no.such"]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(CLIENTS), st.lists(st.binary(max_size=300), max_size=8))
def test_any_bytes_on_any_connection(kind: type[SimClient], frames: list[bytes]) -> None:
    client = kind()
    listening, session = client.listen("", "/stream")
    for frame in frames:
        client.venue.receive(client.api, frame, client.now_ns)
        client.venue.receive(session, frame, client.now_ns)
    assert len(client.link.frames) == len(frames)
    assert len(listening.frames) == min(len(frames), client.venue.dialect.messages_per_second)
    assert client.ask("depth", symbol="BTCUSDT", limit=5)["status"] == 200


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(CLIENTS), st.data())
def test_signed_nonsense_is_answered_with_a_status_and_a_code(kind: type[SimClient], data: Any) -> None:
    client = kind()
    for _ in range(5):
        method, params = data.draw(st.sampled_from(methods(client))), data.draw(PARAMS)
        how = {name: value for name, value in params.items() if name not in ("secret",)}
        answer = client.signed(method, **how)
        assert answer["status"] in (200, 400, 401, 418, 429)
        assert ("result" in answer) != ("error" in answer)
        if "error" in answer:
            assert answer["error"]["code"] < 0
            assert answer["error"]["msg"]
    held = client.exchange.accounts[1]
    assert all(value >= 0 for value in (*held.free.values(), *held.locked.values()))


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(CLIENTS),
    st.sampled_from(("GET", "POST", "PUT", "DELETE", "BREW")),
    st.sampled_from(("order", "openOrders", "allOpenOrders", "depth", "account", "listenKey", "nothing")),
    st.text(max_size=80),
    st.text(max_size=80),
)
def test_any_http_request(kind: type[SimClient], verb: str, path: str, query: str, body: str) -> None:
    client = kind()
    root = client.venue.dialect.rest_roots[0]
    request = HttpRequest(verb, root + path, query, {"x-mbx-apikey": client.key}, body)
    answer = client.venue.http(request, client.now_ns)
    assert answer is not None
    assert answer.status in (200, 400, 401, 404)
    json.loads(answer.body)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_none(data: bytes) -> None:
    try:
        head = read_head(data)
        request_of(head, b"")
        assert head.body_length >= 0
    except HttpError:
        pass


@given(st.text(max_size=30))
def test_a_decimal_is_exact_or_refused(text: str) -> None:
    code, value = 0, 0
    try:
        value = exact_e8("price", text)
    except VenueError as error:
        code = error.code
    assert code in (-1013, -1102, -1111) if not value else Decimal(text) == Decimal(value).scaleb(-8)


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz-0123456789.@+=:", max_size=30))
def test_any_text_is_a_fault_or_one_line(text: str) -> None:
    fault, said = None, ""
    try:
        fault = parse_fault(text)
    except ValueError as error:
        said = str(error)
    assert (fault is None) == bool(said)
    assert "\n" not in said
    assert fault is None or (fault.kind in FaultKind and fault.start_ns <= fault.end_ns)


@pytest.mark.parametrize(
    "query", ["", "listenKey=", "listenKey=%ff&events=///", "events=X", "&&&", "listenKey=a&listenKey=b"]
)
def test_any_query_opens_a_silent_private_connection(query: str) -> None:
    client, link = UsdmClient(), FakeLink()
    assert client.venue.open(link, "/private/ws", query, client.now_ns) is not None
    client.market_order("BUY", "0.010")
    assert link.frames == []
