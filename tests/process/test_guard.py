"""The guard on real processes; the simulated venue's own records are the judge."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.shell import kill
from pipeline.core.inputs import Command
from pipeline.runtime.gate import Closer, Gate
from pipeline.runtime.locks import InstanceLock
from pipeline.runtime.places import make_session
from pipeline.runtime.spec import read_spec
from tests.fakes.guards import (
    guard_connections,
    guard_ready,
    is_alive,
    lines_of,
    lobdeck,
    open_ids,
    place_resting,
    report_of,
    until,
)
from tests.fakes.session_processes import LinkClient
from tests.fakes.sim_process import sim_process
from tests.fakes.venue_sessions import VenueSession, venue_session


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path))
    return tmp_path


@contextmanager
def guarded(home: Path, **options: Any) -> Iterator[tuple[dict[str, Any], VenueSession]]:
    """A venue, and a session at it that sends nothing by itself, with its guard ready."""
    records = ("--ledger", str(home / "ledger"), "--requests", str(home / "requests"))
    with (
        sim_process("--seed", "7", *records) as sim,
        venue_session(sim.at, "guarded", authority="observe", **options) as session,
    ):
        guard_ready(session)
        # The engine opens its own connection only once it has seen the guard.
        until(lambda: subscriptions(home / "requests"), what="the engine's user stream")
        yield sim.at, session


def subscriptions(requests: Path) -> list[int]:
    """When user streams were asked for."""
    return [one["ts_ns"] for one in lines_of(requests) if one["name"].startswith("userDataStream")]


def number_of(session: VenueSession) -> int:
    return read_spec(session.place.root / "spec").params.session_number


def stop_and_fill(at: dict[str, Any], session: VenueSession, ours: int, foreign: int = 0) -> list[str]:
    """Stop the engine, then put orders at the venue that it would have to cancel."""
    os.kill(session.process.pid, signal.SIGSTOP)
    return asyncio.run(place_resting(at, number_of(session), ours, foreign))


def test_kill_with_the_engine_stopped_cancels_all_fifty_from_the_guards_connection(home: Path) -> None:
    with guarded(home) as (at, session):
        ids = stop_and_fill(at, session, 50)
        # Not as a command of its own: how long an interpreter takes to start is the machine's business.
        commanded_ns = time.time_ns()
        (line,), confirmed = kill([session.place])
        assert confirmed, line
        assert "NO ORDERS LEFT" in line
        assert session.process.wait(5) == -signal.SIGKILL
        guards = guard_connections(home / "requests")
        canceled = [one for one in lines_of(home / "ledger") if one["kind"] == "CANCELED"]
        assert sorted(one["client_order_id"] for one in canceled) == sorted(ids)
        assert {one["connection"] for one in canceled} <= guards
        assert max(one["ts_ns"] for one in canceled) - commanded_ns < 1_500_000_000
        report = report_of(session.place)
        assert (report.engine, report.ours_left, report.cancels_sent) == ("fenced", 0, 50)
        assert asyncio.run(open_ids(at)) == set()
        until(lambda: not is_alive(report.pid), 3, "the guard ends")


def test_killed_engine_leaves_nothing_of_ours_and_everything_foreign(home: Path) -> None:
    with guarded(home) as (at, session):
        stop_and_fill(at, session, 3, foreign=2)
        guard = report_of(session.place).pid
        os.kill(session.process.pid, signal.SIGKILL)
        until(lambda: not is_alive(guard), 10, "the guard ends")
        report = report_of(session.place)
        assert (report.confirmed, report.engine, report.cancels_sent) == (True, "dead", 3)
        assert report.foreign == 2
        assert asyncio.run(open_ids(at)) == {"x-foreign-0", "x-foreign-1"}
        assert (session.place.root / "KILL").exists()
        lines, confirmed = kill([session.place])
        assert confirmed
        assert "2 foreign kept" in lines[0]


def test_engine_that_is_late_is_halted_then_fenced_and_its_orders_cancelled(home: Path) -> None:
    with guarded(home) as (at, session):
        gate = Gate.attach(session.place.root)
        stop_and_fill(at, session, 1)
        until(lambda: not gate.is_open(), 3, "the guard halts")
        assert [record.closer for record in gate.state().closers] == [Closer.GUARD]
        assert not gate.state().latched
        until(lambda: report_of(session.place).confirmed, 12, "confirmed")
        assert gate.state().latched
        gate.detach()
        assert report_of(session.place).engine == "fenced"
        assert asyncio.run(open_ids(at)) == set()


def test_acknowledged_kill_leaves_the_engine_alive_and_is_confirmed_by_the_venue(home: Path) -> None:
    with guarded(home) as (_, session):
        done = lobdeck("kill", "guarded")
        assert done.returncode == 0, done
        assert "NO ORDERS LEFT (venue " in done.stdout
        assert session.process.poll() is None
        assert report_of(session.place).engine == "runs"
        session.process.send_signal(signal.SIGTERM)
        session.ended()
        assert session.status == 4
        until(lambda: not is_alive(report_of(session.place).pid), 4, "the guard ends")


@pytest.mark.parametrize("how", ["signal", "sentinel"])
def test_signal_to_the_guard_and_the_sentinel_file_are_kills(home: Path, how: str) -> None:
    with guarded(home) as (_, session):
        if how == "signal":
            os.kill(report_of(session.place).pid, signal.SIGUSR1)
        else:
            (home / "KILL").touch()
        until(lambda: report_of(session.place).confirmed, 8, "confirmed")
        assert (session.place.root / "KILL").exists()
        assert session.process.poll() is None


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_guard_that_dies_or_hangs_is_replaced_and_the_engine_halts_until_somebody_resumes(
    home: Path, how: signal.Signals
) -> None:
    with guarded(home) as (_, session):
        gate = Gate.attach(session.place.root)
        first = report_of(session.place).pid
        os.kill(first, how)
        until(lambda: not gate.is_open(), 3, "the engine halts")
        assert [record.reason for record in gate.state().closers] == ["guard DOWN"]
        until(lambda: report_of(session.place).pid != first, 10, "another guard")
        second = guard_ready(session).pid
        assert second != first
        assert not gate.is_open(), "a new guard does not resume by itself"
        with LinkClient(session.place) as client:
            client.attach()
            # Refused until the session has seen the new guard's beat, which its report is ahead of.
            until(lambda: client.command(Command.RESUME).ok, 3, "the guard can act")
        until(gate.is_open, 3, "resumed")
        gate.detach()


def test_kill_without_a_name_reaches_every_session_with_a_broken_configuration(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_session("other")
    Gate.create(other.root).detach()
    with guarded(home) as (_, session), InstanceLock.acquire(other.lock, "ada", 1):
        monkeypatch.setenv("LOBDECK_EXECUTION__ENTRY", "nonsense")
        assert lobdeck("config", "show").returncode == 2
        done = lobdeck("kill")
        assert done.returncode == 3, "the other one has nobody who could confirm"
        assert "guarded: KILLED and latched; NO ORDERS LEFT" in done.stdout
        assert "other: KILLED and latched; NOT CONFIRMED" in done.stdout
        assert other.latch.exists()
        assert session.place.latch.exists()


def test_release_waits_for_the_venue_and_for_the_words(home: Path) -> None:
    with guarded(home) as (_, session):
        assert lobdeck("kill", "guarded").returncode == 0
        refused = lobdeck("release", "guarded", "--phrase", "release it")
        assert refused.returncode == 2
        assert "orders    none" in refused.stdout
        assert "NO ORDERS LEFT (venue " in refused.stdout
        assert session.place.latch.exists()
        done = lobdeck("release", "guarded", "--phrase", "RELEASE guarded")
        assert done.returncode == 0, done
        assert "HALTED, authority OBSERVE, permits ended" in done.stdout


def test_guard_ends_with_its_session_and_was_there_before_any_order_could_go(home: Path) -> None:
    with guarded(home, seconds=2) as (_, session):
        guard = report_of(session.place).pid
        summary = session.ended()
        assert summary["pids"]["guard"] == guard
        assert not is_alive(guard)
        assert session.status == 0
        log = lines_of(home / "requests")
        guards = guard_connections(home / "requests")
        first_guard = min(one["ts_ns"] for one in log if one["connection"] in guards)
        assert first_guard < min(subscriptions(home / "requests"))
