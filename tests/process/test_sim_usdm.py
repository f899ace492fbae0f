"""The simulated futures as a process: a live session on their feed, and a client that trades and dies."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from pipeline.wire.binance_signing import signed_query
from tests.fakes.live_sessions import end_all, launch, reached
from tests.fakes.sim_process import ApiClient, SimProcess, api, sim_process

ORDER: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.010",
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path))
    yield tmp_path
    end_all()


def signed_post(sim: SimProcess, path: str, **params: str) -> httpx.Response:
    texts = {**params, "timestamp": str(time.time_ns() // 1_000_000)}
    return httpx.post(
        f"{sim.at['rest_url']}{path}",
        content=signed_query(sim.at["secret"], texts),
        headers={"X-MBX-APIKEY": sim.at["api_key"]},
    )


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


async def test_a_live_session_follows_the_simulated_futures(home: Path) -> None:
    with sim_process("--venue", "binance-usdm", "--fault", "disconnect@4:market") as sim:
        session = await launch(home, sim.at["base_url"], "BTCUSDT", command="record", venue="binance-usdm")
        await reached(
            session,
            lambda content: (
                content["feed"]["lost"] >= 2
                and content["updates"] > 500
                and content["trades"] > 10
                and content["book"]["BTCUSDT"]["state"] == "SYNCED"
            ),
            seconds=30,
        )
        summary = await session.stop()
    assert (summary["gaps"], summary["wire_errors"]) == (0, 0)


async def test_a_client_trades_flattens_and_is_cancelled_when_it_falls_silent(tmp_path: Path) -> None:
    ledger, requests = tmp_path / "ledger", tmp_path / "requests"
    options = ("--venue", "binance-usdm", "--ledger", str(ledger), "--requests", str(requests))
    with sim_process(*options) as sim:
        async with api(sim.at) as socket:
            client = ApiClient(socket, sim.at)
            started = await client.ask("userDataStream.start", apiKey=sim.at["api_key"])
            key = started["result"]["listenKey"]
            async with connect(f"{sim.at['base_url']}/private/ws?listenKey={key}") as private:
                await trade(client, private)
            armed = await asyncio.to_thread(
                signed_post, sim, "/fapi/v1/countdownCancelAll", symbol="BTCUSDT", countdownTime="700"
            )
            assert armed.json() == {"symbol": "BTCUSDT", "countdownTime": "700"}
        await until_flat(sim)
        status, summary = await asyncio.to_thread(sim.stop)
    assert (status, summary["open_orders"]) == (0, 0)
    assert summary["positions"]["BTCUSDT"]["lots"] == 0
    assert_who_did_what(lines(ledger), lines(requests))


async def trade(client: ApiClient, private: Any) -> None:
    """Buy, sell reduce-only, and leave one order far away from the market."""
    how: dict[str, Any] = {"symbol": "BTCUSDT", "type": "MARKET", "newOrderRespType": "RESULT"}
    bought = (await client.signed("order.place", side="BUY", quantity="0.020", **how))["result"]
    assert bought["status"] == "FILLED"
    (held,) = (await client.signed("v2/account.position"))["result"]
    assert held["positionAmt"] == "0.020"
    sold = await client.signed("order.place", side="SELL", quantity="0.020", reduceOnly="true", **how)
    assert sold["result"]["status"] == "FILLED"
    refused = await client.signed("order.place", side="SELL", quantity="0.020", reduceOnly="true", **how)
    assert refused["error"]["code"] == -2022
    left = await client.signed("order.place", price="62000.0", newClientOrderId="left", **ORDER)
    assert left["result"]["status"] == "NEW"
    kinds: list[str] = []
    while len(kinds) < 9:
        kinds.append(json.loads(await asyncio.wait_for(private.recv(), 5))["e"])
    fill = ["ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE", "TRADE_LITE", "ORDER_TRADE_UPDATE"]
    assert kinds == [*fill, *fill, "ORDER_TRADE_UPDATE"]


async def until_flat(sim: SimProcess) -> None:
    """Ask over a new connection until the dead-man switch has cancelled what the gone client left."""
    async with api(sim.at) as socket, asyncio.timeout(5):
        watcher = ApiClient(socket, sim.at)
        while True:
            found = await watcher.signed("order.status", symbol="BTCUSDT", origClientOrderId="left")
            if found["result"]["status"] == "CANCELED":
                return
            await asyncio.sleep(0.05)


def assert_who_did_what(ledger: list[dict[str, Any]], requests: list[dict[str, Any]]) -> None:
    """Hold the ledger against the request log: orders by their connection, the last cancel by nobody."""
    opened = {one["connection"]: one["name"] for one in requests if one["what"] == "opened"}
    assert sorted(set(opened.values())) == ["/fapi/v1/countdownCancelAll", "/private/ws", "/ws-fapi/v1"]
    (trader,) = {one["connection"] for one in ledger if one["kind"] in ("ACCEPTED", "REFUSED")}
    assert opened[trader] == "/ws-fapi/v1"
    placed = [one for one in requests if one["name"] == "order.place"]
    assert {one["connection"] for one in placed} == {trader}
    assert [one["code"] for one in placed] == [0, 0, -2022, 0]
    (cancelled,) = [one for one in ledger if one["kind"] == "CANCELED"]
    assert (cancelled["client_order_id"], cancelled["connection"]) == ("left", 0)
    armed_ns = next(one["ts_ns"] for one in requests if one["name"] == "POST /fapi/v1/countdownCancelAll")
    assert 700_000_000 <= cancelled["ts_ns"] - armed_ns < 720_000_000
    assert {one["connection"] for one in requests if one["what"] == "closed"} == set(opened)
