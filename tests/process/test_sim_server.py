"""The simulated venue as a process of its own, spoken to over real sockets on loopback."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from pipeline.core.types import BookState
from pipeline.sim.synthetic import packaged_session
from tests.fakes.sim_market import Follower
from tests.fakes.sim_process import SERVER, ApiClient, SimProcess, api, popen, sim_process, streams


@pytest.fixture(scope="module")
def sim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimProcess]:
    """One venue for the tests that leave it as it was."""
    ledger = tmp_path_factory.mktemp("sim") / "ledger.jsonl"
    with sim_process("--seed", "3", "--fees", "1/2", "--ledger", str(ledger)) as process:
        process.at["ledger"] = str(ledger)
        yield process


def ledger_of(at: dict[str, Any]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(at["ledger"]).read_text().splitlines()]


async def follow(at: dict[str, Any], seconds: float, snapshot: bytes, follower: Follower) -> Follower:
    """Keep our own book from the streams for a while; the snapshot is taken once the stream runs."""
    async with streams(at) as market:
        async with asyncio.timeout(seconds + 10):
            follower.take((await market.recv(decode=False)), time.time_ns())
            follower.take(snapshot or await rest_depth(at), time.time_ns())
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                follower.take(await market.recv(decode=False), time.time_ns())
    return follower


async def until_closed(
    market: ClientConnection, follower: Follower | None = None, wait_s: float = 5.0
) -> ConnectionClosed:
    """Take frames until the connection ends; give how it did."""
    while True:
        try:
            frame = await asyncio.wait_for(market.recv(decode=False), wait_s)
        except ConnectionClosed as closed:
            return closed
        if follower is not None:
            follower.take(frame, time.time_ns())


async def rest_depth(at: dict[str, Any]) -> bytes:
    async with httpx.AsyncClient() as client:
        return (await client.get(f"{at['rest_url']}/api/v3/depth?symbol=BTCUSDT&limit=5000")).content


async def test_our_book_stays_synced_over_a_socket(sim: SimProcess) -> None:
    follower = await follow(sim.at, 3.0, b"", Follower())
    assert (follower.synced.state, follower.synced.gaps, follower.synced.crossed) == (BookState.SYNCED, 0, 0)
    assert follower.synced.check.shared == follower.synced.check.equal
    assert follower.synced.updates > 20
    assert follower.others == []


async def test_an_order_is_filled_in_part_cancelled_and_told_as_the_ledger_has_it(sim: SimProcess) -> None:
    async with api(sim.at) as socket_:
        client = ApiClient(socket_, sim.at)
        assert (await client.signed("userDataStream.subscribe.signature"))["result"] == {"subscriptionId": 0}
        result: dict[str, Any] = {}
        for attempt in range(20):
            _, ask = await client.touch()
            answer = await client.limit("BUY", ask, "8", newClientOrderId=f"part{attempt}")
            result = answer["result"]
            gone = await client.signed("order.cancel", symbol="BTCUSDT", orderId=result["orderId"])
            if result["status"] == "PARTIALLY_FILLED" and gone["status"] == 200:
                break
        assert result["status"] == "PARTIALLY_FILLED"
        assert gone["result"]["status"] == "CANCELED"
        await client.listen(0.3)
        mine = [one for one in client.events if one.get("i") == result["orderId"]]
        assert [one["x"] for one in mine][:2] == ["NEW", "TRADE"]
        assert mine[-1]["x"] == "CANCELED"
        written = [one for one in ledger_of(sim.at) if one["order_id"] == result["orderId"]]
        told = [(one["t"], one["l"]) for one in mine if one["x"] == "TRADE"]
        assert told == [
            (one["trade_id"], f"{one['lots'] / 1e5:.8f}") for one in written if one["kind"] == "FILLED"
        ]
        assert mine[-1]["z"] == gone["result"]["executedQty"]
        account = (await client.signed("account.status"))["result"]
        held = {one["asset"]: one for one in account["balances"]}
        assert held["USDT"]["locked"] == "0.00000000"


async def test_the_venues_refusals_come_over_the_wire(sim: SimProcess) -> None:
    async with api(sim.at) as socket_:
        client = ApiClient(socket_, sim.at)
        bid, _ = await client.touch()
        now_ms = time.time_ns() // 1_000_000
        refused = [
            (await client.limit("BUY", bid, "0.01", secret="wrong"), -1022),
            (await client.limit("BUY", bid, "0.01", timestamp=now_ms - 6_000), -1021),
            (await client.limit("BUY", bid, "0.01", timestamp=now_ms + 3_000), -1021),
            (await client.limit("BUY", bid, "0.01", apiKey="nobody"), -2015),
            (await client.limit("BUY", "64000.005", "0.01"), -1013),
            (await client.limit("BUY", bid, "0.00001"), -1013),
            (await client.limit("BUY", bid, "100"), -2010),
        ]
        assert [answer["error"]["code"] for answer, _ in refused] == [code for _, code in refused]
        low = f"{float(bid) * 0.9:.2f}"
        assert (await client.limit("BUY", low, "0.01", newClientOrderId="twice"))["status"] == 200
        twice = await client.limit("BUY", low, "0.01", newClientOrderId="twice")
        assert twice["error"] == {"code": -2010, "msg": "Duplicate order sent."}
        assert (await client.signed("openOrders.cancelAll", symbol="BTCUSDT"))["status"] == 200


async def test_rest_and_websockets_share_the_port(sim: SimProcess) -> None:
    async with httpx.AsyncClient(base_url=sim.at["rest_url"]) as client:
        for _ in range(2):
            assert (await client.get("/api/v3/ping")).json() == {}
        assert (await client.get("/api/v3/nothing")).status_code == 404
        posted = await client.post("/api/v3/order", content="symbol=BTCUSDT", headers={"X-MBX-APIKEY": "x"})
        assert (posted.status_code, posted.json()["code"]) == (401, -2015)
        closing = await client.get("/api/v3/time", headers={"Connection": "close"})
        assert closing.status_code == 200
    with pytest.raises(InvalidStatus):
        async with streams({"stream_url": f"{sim.at['base_url']}/elsewhere"}):
            pass


@pytest.mark.parametrize(
    "data",
    [b"hello\r\n\r\n", b"GET / HTTP/9\r\n\r\n", b"POST /x HTTP/1.1\r\nContent-Length: x\r\n\r\n"]
    + [b"GET /" + b"x" * 20_000, b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"\xff\xfe\r\n\r\n"],
)
def test_what_is_no_http_is_answered_with_400_and_closed(sim: SimProcess, data: bytes) -> None:
    port = int(sim.at["base_url"].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as raw:
        raw.sendall(data)
        answer = b""
        while chunk := raw.recv(4_096):
            answer += chunk
    assert answer.startswith(b"HTTP/1.1 400 ")


async def test_a_message_too_long_ends_the_connection_and_no_other(sim: SimProcess) -> None:
    async with api(sim.at) as bad, api(sim.at) as good:
        await bad.send("x" * 70_000)
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(bad.recv(), 5)
        assert (await ApiClient(good, sim.at).ask("ping"))["status"] == 200


def test_ctrl_c_says_goodbye_and_what_the_ledger_holds() -> None:
    async def trade(at: dict[str, Any]) -> None:
        async with api(at) as socket_, streams(at) as market:
            client = ApiClient(socket_, at)
            how: dict[str, Any] = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.5"}
            assert (await client.signed("order.place", **how))["result"]["status"] == "FILLED"
            sums.append(sim.stop())
            closed = await until_closed(market)
            assert closed.rcvd is not None
            assert closed.rcvd.code == 1_001

    sums: list[tuple[int, dict[str, Any]]] = []
    with sim_process() as sim:
        asyncio.run(trade(sim.at))
    status, summary = sums[0]
    assert status == 0
    assert summary["symbols"]["BTCUSDT"]["position_lots"] == 50_000
    assert summary["balances_e8"]["BTC"] == [1_050_000_000, 0]


def test_a_taken_port_is_said_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = popen(*SERVER, "--port", str(port))
        _, complaint = done.communicate(timeout=20)
    assert done.returncode == 2
    assert complaint.startswith(f"sim: port {port}: ")
    assert len(complaint.splitlines()) == 1


async def test_faults_reach_the_client_as_promised() -> None:
    faults = ("oversized=2000000@0:trade", "lost-ack=1:order.place", "disconnect@2.5", "garbage=0.2")
    with sim_process(*(word for one in faults for word in ("--fault", one)), "--seed", "5") as sim:
        follower, started = Follower(), time.monotonic()
        async with streams(sim.at, "trade", max_size=1_000_000) as small:
            closed = await until_closed(small)
        assert closed.sent is not None
        assert closed.sent.code == 1_009
        async with api(sim.at) as socket_:
            client = ApiClient(socket_, sim.at)
            bid, _ = await client.touch()
            assert await client.limit("BUY", bid, "0.01", newClientOrderId="lost", wait_s=0.2) == {}
            found = await client.signed("order.status", symbol="BTCUSDT", origClientOrderId="lost")
            assert found["result"]["clientOrderId"] == "lost"
        async with streams(sim.at, "depth@100ms", max_size=None) as market:
            follower.take(await market.recv(decode=False), time.time_ns())
            follower.take(await rest_depth(sim.at), time.time_ns())
            await until_closed(market, follower)
        assert time.monotonic() - started < 8
        assert follower.synced.gaps == 0
        assert follower.others


async def test_who_does_not_read_is_cut_off_and_holds_up_nobody() -> None:
    with sim_process("--fault", "oversized=20000000@0", "--fault", "oversized=20000001@0") as sim:
        port = int(sim.at["base_url"].rpartition(":")[2])
        with socket.socket() as lazy:
            lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            lazy.settimeout(5)
            lazy.connect(("127.0.0.1", port))
            lazy.sendall(
                b"GET /ws/btcusdt@bookTicker HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                b"Sec-WebSocket-Version: 13\r\n\r\n"
            )
            async with api(sim.at) as socket_:
                client = ApiClient(socket_, sim.at)
                for _ in range(5):
                    assert (await client.ask("ping", wait_s=1.0))["status"] == 200
                    await asyncio.sleep(0.1)
            assert until_gone(lazy) < 20_000_000


def until_gone(lazy: socket.socket) -> int:
    """Read what is left to read; give how much that was."""
    read = 0
    try:
        while chunk := lazy.recv(1 << 20):
            read += len(chunk)
    except ConnectionResetError:
        pass
    return read


def test_lobdeck_sim_serves_a_capture_to_its_end() -> None:
    command = ("-m", "app", "sim", "--json", "--port", "0", "--speed", "150")
    process = popen(*command, "--replay", str(packaged_session()))
    try:
        sim = SimProcess(process)
        follower = asyncio.run(played(sim.at))
        out, complaint = process.communicate(timeout=20)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, complaint
    assert json.loads(out.splitlines()[-1])["symbols"]["BTCUSDT"]["orders"] == 0
    assert (follower.synced.state, follower.synced.gaps) == (BookState.SYNCED, 0)
    assert follower.synced.updates > 2_000
    assert follower.synced.check.shared == follower.synced.check.equal > 1_000


async def played(at: dict[str, Any]) -> Follower:
    """Follow a capture that is served until the venue closes."""
    follower = Follower()
    async with streams(at) as market, asyncio.timeout(30):
        follower.take(await market.recv(decode=False), time.time_ns())
        follower.take(await rest_depth(at), time.time_ns())
        await until_closed(market, follower)
    return follower
