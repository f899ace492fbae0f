"""Requests as they go out: exact prints, our id, the window, a signature the venue accepts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.core.types import OrderType, RiskApproved, Side
from pipeline.wire.binance_requests import ApiKey, SpotRequests
from pipeline.wire.binance_signing import api_payload, is_signed
from tests.fakes.trading import ETH, POLICY, SPOT, intent

KEY = ApiKey("key-1", "secret-1")
REQUESTS = SpotRequests(KEY, 900)
NOW_MS = 1_700_000_000_123


def approved(**changes: Any) -> RiskApproved:
    return RiskApproved(intent(**changes), "t000000100000001", POLICY)


def sent(frame: bytes) -> dict[str, Any]:
    """The parameters of a request, after its signature was checked as the venue does."""
    params: dict[str, Any] = json.loads(frame)["params"]
    texts = {name: str(value) for name, value in params.items()}
    assert is_signed(KEY.secret, api_payload(texts), params["signature"])
    assert (params["apiKey"], params["recvWindow"], params["timestamp"]) == ("key-1", 900, NOW_MS)
    return params


def test_a_resting_order_is_post_only_with_our_id_and_exact_numbers() -> None:
    frame = REQUESTS.place("p1", approved(price_ticks=6_000_001, qty_lots=1), SPOT, NOW_MS)
    params = sent(frame)
    assert {name: params[name] for name in ("symbol", "side", "type", "price", "quantity")} == {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "type": "LIMIT_MAKER",
        "price": "60000.01",
        "quantity": "0.00001",
    }
    assert params["newClientOrderId"] == "t000000100000001"
    assert params["newOrderRespType"] == "FULL"
    assert "timeInForce" not in params
    assert (json.loads(frame)["id"], json.loads(frame)["method"]) == ("p1", "order.place")


def test_an_order_that_takes_is_a_limit_that_never_rests() -> None:
    params = sent(REQUESTS.place("p", approved(side=Side.SELL, order_type=OrderType.LIMIT_IOC), ETH, NOW_MS))
    assert (params["side"], params["type"], params["timeInForce"]) == ("SELL", "LIMIT", "IOC")
    assert params["quantity"] == "0.1000"


def test_queries_and_cancels_name_our_own_id() -> None:
    for frame in (
        REQUESTS.cancel("c", "BTCUSDT", "tx", NOW_MS),
        REQUESTS.order("q", "BTCUSDT", "tx", NOW_MS),
    ):
        assert sent(frame)["origClientOrderId"] == "tx"
    assert sent(REQUESTS.trades("t", "BTCUSDT", 77, NOW_MS))["orderId"] == 77
    for frame in (REQUESTS.open_orders("o", "BTCUSDT", NOW_MS), REQUESTS.cancel_all("a", "BTCUSDT", NOW_MS)):
        assert sent(frame)["symbol"] == "BTCUSDT"
    assert "symbol" not in sent(REQUESTS.account("b", NOW_MS))
    assert json.loads(REQUESTS.time("t")) == {"id": "t", "method": "time"}


def test_a_symbol_beyond_ascii_is_signed_as_it_is_sent() -> None:
    assert sent(REQUESTS.open_orders("o", "币BTC", NOW_MS))["symbol"] == "币BTC"


@pytest.mark.parametrize("window", [0, 1_001])
def test_a_window_a_stale_order_could_slip_through_is_refused(window: int) -> None:
    with pytest.raises(ValueError, match="1 to 1000"):
        SpotRequests(KEY, window)


def test_a_key_does_not_show_itself() -> None:
    assert "secret" not in repr(KEY)
    assert "key-1" not in repr(KEY)
