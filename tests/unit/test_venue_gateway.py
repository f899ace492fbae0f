"""The order connection on fake sockets: opened, watched, opened again; orders may wait for the journal."""

from __future__ import annotations

import asyncio
import json

import pytest

from pipeline.core.effects import CancelOrder, SubmitOrder
from pipeline.core.inputs import ExecutionReport, Input, OrderPathChanged, SendFailed, SendRefused
from pipeline.core.types import RiskApproved
from pipeline.runtime.venue_gateway import VenueGateway
from tests.fakes.feeds import FakeVenue, Times
from tests.fakes.trading import POLICY, SPOT, intent
from tests.fakes.venue_bench import KEY, SESSION, quick

PARAMS = quick(api_url="ws://venue/ws-api/v3", backoff_first_ms=100, backoff_longest_ms=100)
RESULTS: dict[str, object] = {
    "userDataStream.subscribe.signature": {"subscriptionId": 0},
    "openOrders.status": [],
    "account.status": {"balances": [{"asset": "BTC", "free": "1", "locked": "0"}]},
}


class Disk:
    """A journal whose disk is in the test's hands."""

    def __init__(self) -> None:
        self.healthy = True
        self.appended = self.safe = 0

    def barrier(self) -> int:
        self.appended += 1
        return self.appended

    def durable(self, token: int) -> bool:
        return token <= self.safe


class Bench:
    """A gateway, a venue of fake sockets, and what the run was told."""

    def __init__(self, journal: Disk | None = None) -> None:
        self.times = Times()
        self.venue = FakeVenue()
        self.told: list[Input] = []
        self.gateway = VenueGateway(
            PARAMS,
            {"BTCUSDT": SPOT},
            KEY,
            SESSION,
            None,
            self.times.clock,
            journal=journal,
            connect=self.venue.connect,
            chance=lambda: 1.0,
        )
        self.gateway.on_reports = self._take

    def _take(self) -> None:
        while self.gateway.next_due_ns is not None:
            self.told += self.gateway.due(self.times.clock.now_ns())

    async def tick(self, seconds: float = 0.01) -> None:
        """Let time pass, look, and let attempts to connect come to their end."""
        self.gateway.tick(self.times.pass_s(seconds))
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    def answer(self) -> None:
        """Answer every request of the newest connection that was not answered."""
        socket = self.venue.sockets[-1]
        while socket.sent:
            request = json.loads(socket.sent.pop(0))
            method, now_ms = request["method"], self.times.clock.now_ns() // 10**6
            result = {"serverTime": now_ms} if method == "time" else RESULTS.get(method)
            if result is not None:
                frame = {"id": request["id"], "status": 200, "result": result}
                socket.say(json.dumps(frame).encode())

    async def up(self) -> Bench:
        await self.tick()
        self.answer()
        assert self.gateway.is_up
        return self

    def submit(self, client_order_id: str = "t1") -> SendRefused | None:
        effect = SubmitOrder(RiskApproved(intent(), client_order_id, POLICY), 1)
        return self.gateway.submit(effect, self.times.clock.now_ns())

    def placed(self) -> list[str]:
        sent = [json.loads(frame) for frame in self.venue.sockets[-1].sent]
        return [r["params"]["newClientOrderId"] for r in sent if r["method"] == "order.place"]


async def test_it_connects_is_reconciled_and_sends() -> None:
    bench = await Bench().up()
    assert [type(report).__name__ for report in bench.told] == [
        "OpenOrdersListed",
        "AccountRead",
        "BalancesCompared",
        "OrderPathChanged",
    ]
    assert bench.submit() is None
    assert bench.placed() == ["t1"]
    assert (bench.gateway.sent, bench.gateway.refused, bench.gateway.connections) == (1, 0, 1)


async def test_a_lost_connection_is_told_and_opened_again_after_its_wait() -> None:
    bench = await Bench().up()
    bench.submit()
    bench.venue.sockets[-1].end()
    assert [type(report) for report in bench.told[-2:]] == [SendFailed, OrderPathChanged]
    refused = bench.submit("t2")
    assert refused is not None
    assert refused.reason == "VENUE_DOWN"
    await bench.tick(0.05)
    assert len(bench.venue.sockets) == 1
    await bench.tick(0.06)
    assert len(bench.venue.sockets) == 2


async def test_a_venue_that_refuses_is_asked_again_within_its_budget() -> None:
    bench = Bench()
    bench.venue.refuses = True
    for _ in range(100):
        await bench.tick(0.2)
    assert bench.venue.attempts == PARAMS.attempts
    assert bench.told == []


async def test_silence_is_asked_about_and_then_ends_the_connection() -> None:
    bench = await Bench().up()
    await bench.tick(PARAMS.ping_after_ms / 1_000 + 0.1)
    assert bench.venue.sockets[-1].pings == 1
    await bench.tick(PARAMS.ping_answer_ms / 1_000 + 0.1)
    assert bench.venue.sockets[0].closed
    assert not bench.gateway.is_up


async def test_the_end_of_the_user_stream_ends_the_connection() -> None:
    bench = await Bench().up()
    bench.venue.sockets[-1].say(b'{"event":{"e":"eventStreamTerminated","E":1}}')
    assert bench.venue.sockets[0].closed
    assert bench.told[-1] == OrderPathChanged(False, "eventStreamTerminated", bench.told[-1].ts_ns)  # type: ignore[union-attr]


async def test_a_connection_that_is_never_reconciled_is_given_up() -> None:
    bench = Bench()
    await bench.tick()
    await bench.tick(PARAMS.answer_ms / 1_000 + 0.1)
    assert bench.venue.sockets[0].closed
    assert bench.told == []


async def test_nothing_is_opened_after_the_end() -> None:
    bench = await Bench().up()
    bench.gateway.close()
    await bench.tick(1.0)
    assert bench.venue.sockets[0].closed
    assert len(bench.venue.sockets) == 1


async def test_an_order_waits_until_its_cause_is_on_the_disk_and_none_overtakes() -> None:
    disk = Disk()
    bench = await Bench(disk).up()
    assert bench.submit("t1") is None
    disk.safe = 1
    assert bench.submit("t2") is None
    assert bench.placed() == []
    await bench.tick()
    assert bench.placed() == ["t1"]
    disk.safe = 2
    bench.gateway.release_parked(bench.times.clock.now_ns())
    assert bench.placed() == ["t1", "t2"]


async def test_a_cancel_does_not_wait_for_the_disk() -> None:
    disk = Disk()
    bench = await Bench(disk).up()
    bench.submit("t1")
    bench.gateway.cancel(CancelOrder("BTCUSDT", "t1", "test", 1), bench.times.clock.now_ns())
    await bench.tick()
    assert [report.reason for report in bench.told if isinstance(report, SendRefused)] == ["CANCELED_UNSENT"]
    disk.safe = 9
    await bench.tick()
    assert bench.placed() == []


async def test_a_failed_journal_sends_nothing_and_hands_back_what_waited() -> None:
    disk = Disk()
    bench = await Bench(disk).up()
    bench.submit("t1")
    disk.healthy = False
    refused = bench.submit("t2")
    assert refused is not None
    assert refused.reason == "NO_JOURNAL"
    await bench.tick()
    assert [r.client_order_id for r in bench.told if isinstance(r, SendRefused)] == ["t1"]
    assert not [r for r in bench.told if isinstance(r, ExecutionReport)]


@pytest.mark.parametrize("price", ["60000.01", "NaN"])
async def test_a_fill_of_another_session_with_our_prefix_is_told_or_refused(price: str) -> None:
    bench = await Bench().up()
    before = len(bench.told)
    event = {
        "e": "executionReport",
        "E": 1,
        "s": "BTCUSDT",
        "c": "foreign",
        "i": 1,
        "X": "FILLED",
        "x": "TRADE",
        "q": "1",
        "z": "1",
        "l": "1",
        "L": price,
        "t": 1,
    }
    bench.venue.sockets[-1].say(json.dumps({"event": event}).encode())
    assert [type(report).__name__ for report in bench.told[before:]] == (
        [] if price == "60000.01" else ["FrameRefused"]
    )
