"""Real sessions that die, hang up or end, and the next one on the same account; the sim's ledger judges."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.reconcile_command import BALANCES, reconcile
from pipeline.core.inputs import Command, WindowTerms
from pipeline.core.order import client_order_id
from pipeline.core.types import QUOTE_SCALE, Side
from pipeline.runtime.gate import Gate
from pipeline.runtime.guard_params import GuardSettings
from pipeline.runtime.guard_report import GUARD_LOCK_NAME, GuardReport, read_report
from pipeline.runtime.journal_reader import read_journal
from pipeline.runtime.locks import is_held
from tests.fakes.session_processes import LinkClient
from tests.fakes.sim_process import ApiClient, api, sim_process
from tests.fakes.venue_sessions import VenueSession, venue_session

DUST_LOTS = 16
"""What a part fill may leave is worth less than the venue's least order and stays."""
PATIENT = {"guard": GuardSettings(halt_ms=20_000, late_ms=40_000, missing_ms=20_000, no_venue_ms=20_000)}
"""On a busy machine a late engine would be halted, and exits stop with it."""
FAR = {"BUY": "50000.00"}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path))
    monkeypatch.setenv("LOBDECK_EXECUTION__ENTRY", "cross")
    monkeypatch.setenv("LOBDECK_EXECUTION__EXIT_AFTER_S", "3")
    monkeypatch.setenv("LOBDECK_EXECUTION__EXIT_REST_S", "1")
    return tmp_path


def until(holds: Callable[[], object], seconds: float = 25.0) -> None:
    deadline_s = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline_s, "not in time"
        time.sleep(0.02)


def entries(ledger: Path, kind: str) -> list[dict[str, Any]]:
    lines = ledger.read_text().splitlines() if ledger.exists() else []
    return [one for line in lines if (one := json.loads(line))["kind"] == kind]


def held(ledger: Path) -> int:
    """The position by the ledger, in lots."""
    return sum(one["side"] * one["lots"] for one in entries(ledger, "FILLED"))


def status(session: VenueSession) -> dict[str, Any]:
    with LinkClient(session.place) as client:
        return client.status()


def compared(session: VenueSession) -> bool:
    return session.place.link_socket.exists() and status(session)["start"]["compared"]


def attached(session: VenueSession) -> LinkClient:
    until(lambda: session.place.link_socket.exists() and is_held(session.place.lock))
    client = LinkClient(session.place)
    client.attach()
    return client


async def rests(at: dict[str, Any], client_id: str) -> None:
    async with api(at) as socket:
        answer = await ApiClient(socket, at).limit("BUY", FAR["BUY"], "0.01", newClientOrderId=client_id)
        assert answer["status"] == 200


def test_a_killed_session_is_taken_over_and_settled_from_a_shell(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOBDECK_EXECUTION__EXIT_AFTER_S", "60")
    ledger = home / "ledger"
    with sim_process("--seed", "7", "--ledger", str(ledger)) as sim:
        with venue_session(sim.at, "one") as first:
            until(lambda: held(ledger))
            first.process.kill()
            first.process.wait()
            until(lambda: not is_held(first.place.root / GUARD_LOCK_NAME))
        header, _ = read_journal(first.place.journal_dir)
        stray = client_order_id(header.params.session_number, 999_999)
        asyncio.run(rests(sim.at, stray))
        sent = len(entries(ledger, "ACCEPTED"))
        with venue_session(sim.at, "two") as second:
            until(lambda: compared(second))
            found = status(second)
            assert found["start"]["session"] == "one"
            assert (stray, False) in [(one["id"], one["known"]) for one in found["start"]["orders"]]
            assert found["trading_state"] == "HALTED"
            lines, settled = reconcile("two", None)
            assert not settled
            assert any("IN NO JOURNAL" in line for line in lines)
            assert len(entries(ledger, "ACCEPTED")) == sent
            lots = held(ledger)
            reconcile("two", Command.CANCEL_EARLIER)
            lines, settled = reconcile("two", Command.ADOPT)
            assert (lines[-1], settled) == (BALANCES, True)
            assert stray in {one["client_order_id"] for one in entries(ledger, "CANCELED")}
            found = status(second)
            assert found["trading_state"] == "HALTED"
            assert float(found["position"]["BTCUSDT"]["qty"]) * lots > 0
            second.stop()
        left = held(ledger)
        assert second.status == 3
        assert "UNRECONCILED" in second.errors
        assert "what was left before is settled" in second.errors
        assert "left at the venue: position BTCUSDT" in second.errors
        with venue_session(sim.at, "three", authority="observe") as third:
            until(lambda: compared(third))
            found = status(third)
            assert not found["start"]["differs"]
            assert found["start"]["session"] == "two"
            assert (float(found["position"]["BTCUSDT"]["qty"]) > 0) is (left > 0)
            assert reconcile("three", None) == ([BALANCES], True)


def window() -> WindowTerms:
    return WindowTerms(
        sides=(Side.BUY, Side.SELL),
        max_order_lots=1_000,
        max_net_lots=2_000,
        max_orders=20,
        max_loss_quote_e8=5 * QUOTE_SCALE,
        min_net_edge_e6=0,
        lowest_ticks=1,
        highest_ticks=10**9,
        duration_ns=60 * 10**9,
    )


def test_exits_go_on_after_the_console_hung_up_and_nothing_new_is_opened(home: Path) -> None:
    ledger = home / "ledger"
    with (
        sim_process("--seed", "7", "--ledger", str(ledger)) as sim,
        venue_session(sim.at, "hung", spec_changes=PATIENT, authority="approve", headless=False) as session,
    ):
        console = attached(session)
        until(lambda: status(session)["book"]["BTCUSDT"]["state"] == "SYNCED")
        until(lambda: status(session)["trading_state"] == "ACTIVE")
        assert not console.command(Command.PERMIT_WINDOW, terms=window()).text
        until(lambda: held(ledger))
        console.__exit__(None, None, None)
        os.kill(session.process.pid, signal.SIGHUP)
        hung_ns, lots = time.time_ns(), held(ledger)
        until(lambda: abs(held(ledger)) < DUST_LOTS, 40)
        assert session.process.poll() is None
        closing = [one for one in entries(ledger, "FILLED") if one["ts_ns"] > hung_ns]
        late = [one for one in entries(ledger, "ACCEPTED") if one["ts_ns"] > hung_ns + 50_000_000]
        assert closing
        assert all(one["side"] * lots < 0 for one in (*closing, *late))
        summary = session.stop()
    assert session.status == (3 if held(ledger) else 0)
    assert summary["open_orders"] == 0


def swept(session: VenueSession) -> GuardReport | None:
    """The guard's report once it has sent a cancel, or the market took the order before."""
    report = read_report(session.place.root)
    return report if report is not None and (report.cancels_sent or report.confirmed) else None


_IMPATIENT = (
    "import sys; from pipeline.runtime import session_host; session_host.CONVERGE_S = 1.0; "
    "from pipeline.runtime.session_main import main; sys.exit(main(euid=1000))"
)


def test_orders_an_orderly_end_could_not_cancel_are_the_guards_to_sweep(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOBDECK_EXECUTION__ENTRY", "passive")
    monkeypatch.setenv("LOBDECK_EXECUTION__REQUOTE_AFTER_MS", "60000")
    ledger = home / "ledger"
    with (
        sim_process("--seed", "7", "--ledger", str(ledger), "--fault", "reject=1:order.cancel") as sim,
        venue_session(sim.at, "owes", program=("-c", _IMPATIENT)) as session,
    ):
        until(lambda: entries(ledger, "ACCEPTED"))
        session.stop()
        assert session.status == 3
        assert "left at the venue: order" in session.errors
        until(lambda: swept(session) is not None)
        report = swept(session)
        assert report is not None
        assert report.reason == "orders left at an orderly end"
        assert Gate.attach(session.place.root).is_open()
