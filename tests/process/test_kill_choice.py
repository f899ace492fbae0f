"""The kill strip's choices on real processes: ours left resting, then every order of the account gone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.core.inputs import Command
from pipeline.core.types import Authority
from pipeline.runtime.gate import Closer, Gate
from pipeline.runtime.guard_params import GuardSettings
from pipeline.runtime.spec import read_spec
from tests.fakes.guards import guard_ready, lines_of, open_ids, place_resting, report_of, until
from tests.fakes.session_processes import LinkClient
from tests.fakes.sim_process import sim_process
from tests.fakes.venue_sessions import VenueSession, venue_session

FOREIGN = {"x-foreign-0", "x-foreign-1"}
HASTY = {"guard": GuardSettings(converge_ms=300, settle_ms=100)}
"""Were the guard not told, it would cancel 300 ms after the engine's word."""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path))
    return tmp_path


@contextmanager
def console(session: VenueSession) -> Iterator[LinkClient]:
    """A console that may control the session, once its guard is ready."""
    guard_ready(session)
    with LinkClient(session.place) as client:
        client.attach()
        yield client


def killed_with_an_order_left(session: VenueSession, client: LinkClient, gate: Gate) -> int:
    """Press the kill key while an order works, and leave it; give when. An order may fill just before."""
    for _ in range(10):
        until(lambda: client.status()["open_orders"] > 0, 20, "an order works")
        now_ns = time.time_ns()
        gate.close(Closer.CONSOLE, "ada", "/dev/pts/9", "kill key", now_ns, kill=True)
        gate.latch("ada", "/dev/pts/9", "kill key", now_ns)
        until(lambda: client.status()["trading_state"] == "KILLED", 5, "killed")
        if "left resting" in client.command(Command.LEAVE_ORDERS, revision=1).text:
            return now_ns
        until(lambda: report_of(session.place).confirmed, 10, "confirmed")
        until(lambda: client.command(Command.RELEASE).ok, 5, "released")
        client.command(Command.RESUME)
        client.command(Command.SET_AUTHORITY, authority=int(Authority.AUTO))
    raise AssertionError("no order worked at any kill")


def test_orders_are_left_and_then_all_of_the_account_goes_on_a_persons_word(home: Path) -> None:
    ledger = home / "ledger"
    with (
        sim_process("--seed", "7", "--ledger", str(ledger)) as sim,
        venue_session(sim.at, "choice", spec_changes=HASTY) as session,
        console(session) as client,
    ):
        number = read_spec(session.place.root / "spec").params.session_number
        asyncio.run(place_resting(sim.at, number, 0, 2))
        gate = Gate.attach(session.place.root)
        killed_ns = killed_with_an_order_left(session, client, gate)
        gate.detach()
        until(lambda: report_of(session.place).phase in ("sparing", "confirmed"), 5, "the guard spares them")
        until(lambda: time.time_ns() - killed_ns > 1_500_000_000, 5, "longer than the guard would wait")
        canceled = [one for one in lines_of(ledger) if one["kind"] == "CANCELED" and one["ts_ns"] > killed_ns]
        assert canceled == []
        assert asyncio.run(open_ids(sim.at)) >= FOREIGN
        assert client.command(Command.CANCEL_ACCOUNT).text == "cancelling every order of the account"
        until(lambda: asyncio.run(open_ids(sim.at)) == set(), 5, "nothing left on the account")
        until(lambda: report_of(session.place).confirmed, 5, "confirmed")
