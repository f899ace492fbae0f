"""Sessions at a simulated venue that is silent, talks nonsense, stands still; stepped clocks, a full disk."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.guard_wait import wait_for_guard
from app.shell import kill
from pipeline.core.inputs import Command
from tests.fakes.disks import fill, small_file_system
from tests.fakes.guards import (
    guard_ready,
    lines_of,
    open_ids,
    until,
)
from tests.fakes.session_processes import LinkClient
from tests.fakes.sim_process import sim_process
from tests.fakes.stepped_session import step
from tests.fakes.venue_sessions import VenueSession, venue_session

RESTING = {"LOBDECK_EXECUTION__ENTRY": "passive", "LOBDECK_EXECUTION__REQUOTE_AFTER_MS": "60000"}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path))
    monkeypatch.setenv("LOBDECK_EXECUTION__ENTRY", "cross")
    monkeypatch.setenv("LOBDECK_EXECUTION__EXIT_AFTER_S", "1")
    monkeypatch.setenv("LOBDECK_EXECUTION__EXIT_REST_S", "1")
    return tmp_path


@contextlib.contextmanager
def trading(records: Path, *faults: str, **options: Any) -> Iterator[tuple[Any, VenueSession, LinkClient]]:
    """A sim, a session that trades there in AUTO, and somebody attached to it."""
    given = [word for fault in faults for word in ("--fault", fault)]
    written = ("--ledger", str(records / "ledger"), "--requests", str(records / "requests"))
    with (
        sim_process("--seed", "7", *written, *given) as sim,
        venue_session(sim.at, "faulty", **options) as one,
    ):
        guard_ready(one)
        with LinkClient(one.place) as client:
            client.attach()
            until(lambda: book(client) == "SYNCED", what="it has a book")
            yield sim, one, client


def accepted(records: Path, first_ns: int = 0) -> list[dict[str, Any]]:
    """Orders the venue took since a time."""
    found = lines_of(records / "ledger")
    return [one for one in found if one["kind"] == "ACCEPTED" and one["ts_ns"] >= first_ns]


def book(client: LinkClient) -> str:
    state: str = client.status()["book"]["BTCUSDT"]["state"]
    return state


def test_a_silent_venue_is_not_believed_and_its_nonsense_is_counted(home: Path) -> None:
    turns = range(5, 60, 14)  # a machine that starts slowly takes a later one
    silent = [f"silence@{second}+3" for second in turns]
    wild = [f"{kind}=0.3@{second + 3}+1" for second in turns for kind in ("garbage", "bad-utf8", "crossed")]
    with trading(home, *silent, *wild) as (_, session, client):
        until(lambda: book(client) == "STALE", what="the book is STALE")
        began_ns = ended_ns = time.time_ns()
        while book(client) == "STALE":
            ended_ns = time.time_ns()
        assert [one for one in accepted(home, began_ns) if one["ts_ns"] < ended_ns] == []
        until(lambda: client.status()["wire_errors"] > 0, what="nonsense is counted")
        until(lambda: book(client) == "SYNCED", what="the book comes back")
        decided = client.status()["decisions"]
        until(lambda: client.status()["decisions"] > decided, what="it decides again")
        assert session.process.poll() is None


def test_a_venue_that_stands_still_keeps_a_kill_unconfirmed_until_it_is_back(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.shell.wait_for_guard", lambda place: wait_for_guard(place, 1.0))
    with trading(home) as (sim, session, client):
        until(lambda: client.status()["trading_state"] == "ACTIVE", what="the order path is up")
        sim.process.send_signal(signal.SIGSTOP)
        until(lambda: book(client) == "STALE", what="the book is STALE")
        until(lambda: client.status()["trading_state"] == "HALTED", what="the order path is down")
        (line,), confirmed = kill([session.place])
        assert not confirmed
        assert "NOT CONFIRMED" in line
        sim.process.send_signal(signal.SIGCONT)
        word = wait_for_guard(session.place, 20)
        assert word.confirmed, word
        assert asyncio.run(open_ids(sim.at)) == set()
        assert session.process.poll() is None


def test_no_order_leaves_while_the_wall_clock_is_off(home: Path) -> None:
    (home / "sessions").mkdir(mode=0o700)
    step(home / "sessions", 0)
    program = ("-m", "tests.fakes.stepped_session")
    with trading(home, program=program) as (_, session, client):
        for seconds in (5.0, -3_600.0):
            step(home / "sessions", seconds)
            denied = client.status()["denied"].get("CLOCK", 0)
            until(lambda: client.status()["denied"].get("CLOCK", 0) > denied, what="held back")  # noqa: B023
            held_ns = time.time_ns()
            until(lambda: client.status()["denied"].get("CLOCK", 0) > denied + 3, what="held back still")  # noqa: B023
            assert accepted(home, held_ns) == []
        step(home / "sessions", 0)
        back_ns = time.time_ns()
        until(lambda: accepted(home, back_ns), what="orders leave again")
        assert client.status()["gaps"] == 0
        assert session.process.poll() is None


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a file system of its own; skip where this user may not mount one."""
    with small_file_system(tmp_path / "disk", "24m") as folder:
        yield folder


def test_a_full_disk_halts_and_a_kill_there_still_ends_at_the_venues_zero(
    home: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOBDECK_HOME", str(small_disk))
    for name, value in RESTING.items():
        monkeypatch.setenv(name, value)
    with trading(home, spec_changes={"journal_segment_mb": 1}) as (sim, session, client):
        until(lambda: asyncio.run(open_ids(sim.at)), what="an order rests")
        fill(small_disk)
        until(lambda: client.status()["trading_state"] == "HALTED", what="halted")
        client.command(Command.RESUME)
        until(
            lambda: client.status()["trading_state"] == "HALTED", what="halted again: there is still no room"
        )
        halted_ns = time.time_ns()
        (line,), confirmed = kill([session.place])
        assert confirmed, line
        assert accepted(home, halted_ns) == []
        assert asyncio.run(open_ids(sim.at)) == set()
        (small_disk / "ballast").unlink()
        session.stop()
        assert session.status in (3, 4), "3 where a position is left"
