"""A client that is not ours, told nothing but another URL, trades with the venue (extra `bench`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.sim_process import sim_process

ccxt = pytest.importorskip("ccxt", reason="ccxt comes with the extra `bench`")

BTC = "BTC/USDT"


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with sim_process("--fees", "10/10") as sim:
        found = ccxt.binance(
            {
                "apiKey": sim.at["api_key"],
                "secret": sim.at["secret"],
                # Spot alone: the others are hosts of their own.
                "options": {
                    "fetchCurrencies": False,
                    "fetchMargins": False,
                    "fetchMarkets": {"types": ["spot"]},
                },
            }
        )
        for name in ("public", "private"):
            found.urls["api"][name] = f"{sim.at['rest_url']}/api/v3"
        found.load_markets()
        yield found


def test_it_reads_the_market_and_its_steps(client: Any) -> None:
    market = client.market(BTC)
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.01, 0.00001)
    assert market["limits"]["cost"]["min"] == 5.0
    book = client.fetch_order_book(BTC, 20)
    assert len(book["bids"]) == len(book["asks"]) == 20
    assert book["bids"][0][0] < book["asks"][0][0]


def test_it_places_queries_and_cancels_an_order(client: Any) -> None:
    bid = client.fetch_order_book(BTC, 5)["bids"][0][0]
    order = client.create_order(BTC, "limit", "buy", 0.01, bid - 50)
    assert order["status"] == "open"
    assert client.fetch_order(order["id"], BTC)["price"] == pytest.approx(bid - 50)
    assert [one["id"] for one in client.fetch_open_orders(BTC)] == [order["id"]]
    assert client.cancel_order(order["id"], BTC)["status"] == "canceled"
    assert client.fetch_open_orders(BTC) == []


def test_it_trades_and_sees_fee_balance_and_fill(client: Any) -> None:
    before = client.fetch_balance()["BTC"]["total"]
    order = client.create_order(BTC, "market", "buy", 0.02)
    assert (order["status"], order["filled"]) == ("closed", 0.02)
    assert order["fee"] == {"currency": "BTC", "cost": pytest.approx(0.00002)}
    assert client.fetch_balance()["BTC"]["total"] == pytest.approx(before + 0.01998)
    trades = client.fetch_my_trades(BTC)
    assert sum(one["amount"] for one in trades if one["order"] == order["id"]) == pytest.approx(0.02)


def test_it_understands_the_refusals(client: Any) -> None:
    bid = client.fetch_order_book(BTC, 5)["bids"][0][0]
    with pytest.raises(ccxt.InsufficientFunds):
        client.create_order(BTC, "limit", "buy", 100, bid)
    with pytest.raises(ccxt.OrderNotFound):
        client.cancel_order("999999", BTC)
    with pytest.raises(ccxt.BadRequest, match="NOTIONAL"):
        client.create_order(BTC, "limit", "buy", 0.00001, bid)


@pytest.fixture(scope="module")
def futures() -> Iterator[Any]:
    with sim_process("--venue", "binance-usdm", "--fees", "2/5") as sim:
        found = ccxt.binanceusdm(
            {
                "apiKey": sim.at["api_key"],
                "secret": sim.at["secret"],
                "options": {
                    "fetchCurrencies": False,
                    "fetchMargins": False,
                    "fetchMarkets": {"types": ["linear"]},
                },
            }
        )
        for name in list(found.urls["api"]):
            if name.startswith("fapi"):
                version = name[-2:].lower() if name[-2:] in ("V2", "V3") else "v1"
                found.urls["api"][name] = f"{sim.at['rest_url']}/fapi/{version}"
        found.load_markets()
        yield found


def test_it_trades_the_futures_and_reads_the_position(futures: Any) -> None:
    symbol = "BTC/USDT:USDT"
    book = futures.fetch_order_book(symbol, 20)
    far = book["bids"][0][0] - 200
    order = futures.create_order(symbol, "limit", "buy", 0.01, far)
    assert [one["id"] for one in futures.fetch_open_orders(symbol)] == [order["id"]]
    assert futures.fetch_order(order["id"], symbol)["price"] == pytest.approx(far)
    assert futures.cancel_order(order["id"], symbol)["status"] == "canceled"
    assert futures.create_order(symbol, "market", "buy", 0.02)["filled"] == 0.02
    (held,) = futures.fetch_positions([symbol])
    assert (held["contracts"], held["side"]) == (0.02, "long")
    assert held["entryPrice"] == pytest.approx(book["asks"][0][0], rel=0.01)
    closed = futures.create_order(symbol, "market", "sell", 0.02, None, {"reduceOnly": True})
    assert closed["reduceOnly"] is True
    assert futures.fetch_positions([symbol]) == []
    fees = sum(one["fee"]["cost"] for one in futures.fetch_my_trades(symbol))
    assert fees == pytest.approx(2 * 0.02 * held["entryPrice"] * 0.0005, rel=0.01)
    with pytest.raises(ccxt.ExchangeError, match="-2022"):
        futures.create_order(symbol, "market", "sell", 0.02, None, {"reduceOnly": True})
