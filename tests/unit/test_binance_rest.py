"""The guard's requests, as the simulated venue itself reads them, and answers it cannot trust."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire.binance_requests import ApiKey
from pipeline.wire.binance_rest import (
    OpenOrder,
    RestRequests,
    open_orders_of,
    refusal_code_of,
    server_time_ms_of,
)
from pipeline.wire.binance_signing import is_signed

KEY = ApiKey("the-key", "the-secret")


def target_of(request: bytes) -> str:
    return request.split(b" ")[1].decode()


@pytest.mark.parametrize(("venue", "root"), [("binance", "/api/v3/"), ("binance-usdm", "/fapi/v1/")])
def test_requests_are_signed_and_carry_the_window(venue: str, root: str) -> None:
    requests = RestRequests(venue, "h", KEY, 1_000)
    for request, path in (
        (requests.open_orders("BTCUSDT", 5), "openOrders"),
        (requests.cancel("BTCUSDT", "t1", 5), "order"),
        (requests.countdown("BTCUSDT", 60_000, 5), "countdownCancelAll"),
    ):
        where, _, query = target_of(request).partition("?")
        assert where == root + path
        payload, _, signature = query.rpartition("&signature=")
        assert is_signed("the-secret", payload, signature)
        assert dict(parse_qsl(payload)).items() >= {"recvWindow": "1000", "timestamp": "5"}.items()
        assert b"the-secret" not in request
    assert target_of(requests.time()) == root + "time"
    assert requests.cancel("BTCUSDT", "t1", 5).startswith(b"DELETE ")


def test_list_is_read_by_symbol_and_id_alone() -> None:
    odd = b'{"symbol":"BTCUSDT","clientOrderId":"t1","status":"A_NEW_ONE"}'
    body = b"[" + odd + b',{"symbol":"B","clientOrderId":"x"}]'
    assert open_orders_of(body) == (OpenOrder("BTCUSDT", "t1"), OpenOrder("B", "x"))
    assert open_orders_of(b"[]") == ()


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b'[{"symbol":"B"}]', b"<html>", b"[" * 100_000])
def test_what_is_no_list_is_never_zero_orders(body: bytes) -> None:
    assert open_orders_of(body) is None


@given(st.binary(max_size=100))
def test_any_bytes_are_read_without_an_error(body: bytes) -> None:
    open_orders_of(body)
    server_time_ms_of(body)
    refusal_code_of(body)


def test_time_and_refusals_are_read() -> None:
    assert server_time_ms_of(b'{"serverTime":12}') == 12
    assert refusal_code_of(b'{"code":-1021,"msg":"x"}') == -1021
    assert refusal_code_of(b"<html>") == 0
