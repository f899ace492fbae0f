"""The dead-man switch of the futures, by a guard alone: there is no order path to that venue yet."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Any

import pytest

from app.shell import kill
from pipeline.core.order import client_order_id
from pipeline.runtime.guard_dead_man import FOREIGN
from pipeline.runtime.guard_params import GuardSettings
from tests.fakes.guards import guard_connections, lines_of, report_of, until
from tests.fakes.order_hosts import host, venue
from tests.fakes.sim_process import ApiClient, api

NUMBER = 9 << 20
SWITCH_MS = 1_500
SETTINGS = GuardSettings(ack_ms=100, settle_ms=100, dead_man_ms=SWITCH_MS)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path))
    return tmp_path


async def place(at: dict[str, Any], *ids: str) -> None:
    """Put orders far below the market."""
    async with api(at) as socket:
        client = ApiClient(socket, at)
        book = (await client.ask("depth", symbol="BTCUSDT", limit=5))["result"]
        far = f"{float(book['bids'][0][0]) * 0.97:.1f}"
        for one in ids:
            answer = await client.limit("BUY", far, "0.010", newClientOrderId=one)
            assert answer["status"] == 200, answer


def switched(home: Path) -> int:
    """How often guards set the switch."""
    guards = guard_connections(home / "requests")
    asked = (one for one in lines_of(home / "requests") if one["connection"] in guards)
    return sum(1 for one in asked if one["name"].endswith("countdownCancelAll") and one["status"] == 200)


def ended(home: Path) -> list[dict[str, Any]]:
    """Orders the venue cancelled or let expire."""
    return [one for one in lines_of(home / "ledger") if one["kind"] in ("CANCELED", "EXPIRED")]


def test_switch_is_refreshed_while_the_chain_is_well_and_runs_out_when_it_is_not(home: Path) -> None:
    with venue(home, name="binance-usdm") as at, host(at, NUMBER, settings=SETTINGS) as one:
        until(lambda: report_of(one.place).dead_man == "armed", 20, "armed")
        asyncio.run(place(at, client_order_id(NUMBER, 1)))
        until(lambda: switched(home) >= 6, 10, "refreshed for longer than the switch is")
        assert ended(home) == []
        (one.place.root / "sick").touch()
        until(lambda: ended(home), 5, "the venue cancels")
        assert [entry["connection"] for entry in ended(home)] == [0], "nobody's request"


def test_foreign_orders_hold_the_switch_back_and_survive_a_kill(home: Path) -> None:
    with venue(home, name="binance-usdm") as at:
        asyncio.run(place(at, "x-foreign"))
        with host(at, NUMBER, settings=SETTINGS) as one:
            until(lambda: report_of(one.place).dead_man == FOREIGN, 20, "held back")
            one.signal(signal.SIGSTOP)
            asyncio.run(place(at, client_order_id(NUMBER, 1), client_order_id(NUMBER, 2)))
            (line,), confirmed = kill([one.place])
            assert confirmed, line
            assert "2 cancels" in line
            assert "1 foreign kept" in line
            assert {entry["client_order_id"] for entry in ended(home)} == {
                client_order_id(NUMBER, 1),
                client_order_id(NUMBER, 2),
            }
            assert switched(home) == 0
