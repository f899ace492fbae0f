"""Signatures against the vectors of the venue's own documentation."""

from __future__ import annotations

import pytest

from pipeline.wire.binance_signing import (
    api_payload,
    is_signed,
    rest_query,
    signature,
    signed_params,
    signed_query,
)

SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
REST = {
    "symbol": "LTCBTC",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "1",
    "price": "0.1",
    "recvWindow": "5000",
    "timestamp": "1499827319559",
}
REST_SIGNATURE = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
API: dict[str, str | int] = {
    "symbol": "BTCUSDT",
    "side": "SELL",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01000000",
    "price": "52000.00",
    "recvWindow": 100,
    "timestamp": 1645423376532,
    "apiKey": "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A",
}
API_SIGNATURE = "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24"


def test_rest_vector() -> None:
    assert signature(SECRET, rest_query(REST)) == REST_SIGNATURE
    assert signed_query(SECRET, REST).endswith(f"&timestamp=1499827319559&signature={REST_SIGNATURE}")


def test_websocket_api_vector() -> None:
    assert signed_params(SECRET, API)["signature"] == API_SIGNATURE
    assert signed_params(SECRET, dict(reversed(API.items())))["signature"] == API_SIGNATURE


def test_a_signature_does_not_sign_itself() -> None:
    texts = {name: str(value) for name, value in signed_params(SECRET, API).items()}
    assert is_signed(SECRET, api_payload(texts), API_SIGNATURE)
    assert is_signed(SECRET, api_payload(texts), API_SIGNATURE.upper())


@pytest.mark.parametrize("wrong", ["", "0" * 64, API_SIGNATURE[:-1], API_SIGNATURE + "0", "ü"])
def test_anything_else_is_no_signature(wrong: str) -> None:
    texts = {name: str(value) for name, value in API.items()}
    assert not is_signed(SECRET, api_payload(texts), wrong)
    assert not is_signed(SECRET + "x", api_payload(texts), API_SIGNATURE)


def test_names_outside_ascii_are_encoded_before_they_are_signed() -> None:
    query = signed_query(SECRET, {"symbol": "币安USDT", "note": "a b&c=d"})
    assert query.startswith("symbol=%E5%B8%81%E5%AE%89USDT&note=a%20b%26c%3Dd&signature=")
    payload, _, given = query.rpartition("&signature=")
    assert is_signed(SECRET, payload, given)
