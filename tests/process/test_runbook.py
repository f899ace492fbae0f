"""What docs/RUNBOOK.md says of a restart and an upgrade with orders at the venue, done."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.inputs import Command
from pipeline.core.order import client_order_id
from pipeline.core.types import Authority
from pipeline.runtime.link_messages import SnapshotFrame
from pipeline.runtime.spec import read_spec
from tests.fakes.guards import guard_ready, lines_of, lobdeck, open_ids, place_resting, until
from tests.fakes.session_processes import LinkClient
from tests.fakes.sim_process import sim_process
from tests.fakes.venue_sessions import VenueSession, venue_session

RESTS = {"LOBDECK_EXECUTION__ENTRY": "passive", "LOBDECK_EXECUTION__REQUOTE_AFTER_MS": "60000"}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path))
    for name, value in RESTS.items():
        monkeypatch.setenv(name, value)
    return tmp_path


def leave_orders_behind(at: dict[str, Any], session: VenueSession) -> list[str]:
    """Lose engine and guard at once, as a machine that loses its power; give the ids of what is left."""
    number = read_spec(session.place.root / "spec").params.session_number
    guard = guard_ready(session).pid
    for pid in (session.process.pid, guard):
        os.kill(pid, signal.SIGSTOP)
    left = asyncio.run(place_resting(at, number, ours=2, foreign=1))
    for pid in (guard, session.process.pid):
        os.kill(pid, signal.SIGKILL)
    session.process.wait(10)
    return left


def test_a_restart_waits_for_a_person_about_what_was_left_and_a_stop_leaves_nothing(home: Path) -> None:
    ledger = home / "ledger"
    with sim_process("--seed", "7", "--ledger", str(ledger)) as sim:
        with venue_session(sim.at, "before", authority="observe") as session:
            left = leave_orders_behind(sim.at, session)
        listed = lobdeck("sessions")
        assert "before" in listed.stdout
        verified = lobdeck("journal", "verify", str(session.place.journal_dir))
        assert verified.returncode in (0, 3), verified
        with venue_session(sim.at, "after") as session, attached(session) as client:
            until(lambda: "START_DIFFERS" in alerts(client), what="told what was left")
            assert ":cancel-earlier" in client.command(Command.RESUME).text
            assert own(asyncio.run(open_ids(sim.at))) == set(left)
            client.command(Command.CANCEL_EARLIER)
            until(lambda: not own(asyncio.run(open_ids(sim.at))), what="what was left is cancelled")
            until(lambda: client.command(Command.RESUME).text == "ACTIVE", what="settled")
            client.command(Command.SET_AUTHORITY, authority=int(Authority.AUTO))
            until(lambda: own(asyncio.run(open_ids(sim.at))), what="it trades again")
            told = lobdeck("status", "after", "--json")
            assert told.returncode == 0
            summary = session.stop()
        entries = lines_of(ledger)
        ended = [one for one in entries if one["kind"] == "CANCELED"]
        canceled = [one["ts_ns"] for one in ended if one["client_order_id"] in left]
        first = min(one["ts_ns"] for one in entries if is_new(one, left))
        assert len(canceled) == len(left)
        assert max(canceled) < first, "nothing is sent before what was left is gone"
        assert asyncio.run(open_ids(sim.at)) == {"x-foreign-0"}
        assert summary["open_orders"] == 0


@contextmanager
def attached(session: VenueSession) -> Iterator[LinkClient]:
    """Attach to a session once its guard watches."""
    guard_ready(session)
    with LinkClient(session.place) as client:
        client.attach()
        yield client


def alerts(client: LinkClient) -> set[str]:
    return {one.code for one in client.until(SnapshotFrame).snapshot.alerts}


def own(ids: set[str]) -> set[str]:
    return {one for one in ids if not one.startswith("x-foreign")}


def is_new(entry: dict[str, Any], left: list[str]) -> bool:
    """Say whether an entry is of an order the second session sent."""
    name: str = entry["client_order_id"]
    return entry["kind"] == "ACCEPTED" and name not in left and name[:1] == client_order_id(1, 1)[:1]
