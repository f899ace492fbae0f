"""When a kill may be taken back, and the check list before it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app import release_check, shell
from app.cli import app
from app.reconcile_command import reconcile
from app.release_check import check_list
from app.session_list import sessions_text
from app.shell import ShellError
from pipeline.core.inputs import Command
from pipeline.runtime.gate import Closer, Gate
from pipeline.runtime.gate_watch import GateWatch
from pipeline.runtime.guard_report import GUARD_LOCK_NAME, GuardReport, write_report
from pipeline.runtime.locks import InstanceLock
from pipeline.runtime.places import SessionPlace, account_place, list_sessions, make_session, sentinel_path
from pipeline.runtime.release_agreed import (
    AGREED_NAME,
    HOLDS_S,
    Agreement,
    read_agreement,
    write_agreement,
)
from pipeline.runtime.release_policy import WAIT_S, release_refusal

SECOND = 1_000_000_000
WHY = "the model was stale; retrained"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def place() -> SessionPlace:
    return make_session("one")


def killed(place: SessionPlace, who: str, reason: str, ts_ns: int, *, live: bool = True) -> Gate:
    gate = Gate.create(place.root, account_place("main").root if live else None)
    gate.close(Closer.ENGINE, who, "", reason, ts_ns)
    gate.latch(who, "", reason, ts_ns)
    return gate


def test_person_who_killed_may_release_at_once(place: SessionPlace) -> None:
    for who, reason in (("ada", "kill key"), ("engine", "kill by ada"), ("guard", "engine-crash")):
        gate = killed(place, who, reason, time.time_ns())
        assert release_refusal(gate, gate.state(), "", time.time_ns()) == ""
        gate.detach()


def test_kill_by_a_limit_wants_a_quarter_of_an_hour_and_then_a_reason(place: SessionPlace) -> None:
    gate = killed(place, "engine", "daily loss limit", 0)
    state = gate.state()
    assert "in 15 min" in release_refusal(gate, state, WHY, 1)
    assert "in 1 min" in release_refusal(gate, state, WHY, (WAIT_S - 30) * SECOND)
    assert "--reason" in release_refusal(gate, state, "  short  ", WAIT_S * SECOND)
    assert release_refusal(gate, state, WHY, WAIT_S * SECOND) == ""
    gate.detach()


def test_another_limit_meanwhile_begins_the_wait_anew(place: SessionPlace) -> None:
    gate = killed(place, "engine", "daily loss limit", 0)
    gate.latch("engine", "", "order answer OVERFILL", 600 * SECOND)
    gate.latch("ada", "", "kill key", 700 * SECOND)
    assert "in 10 min" in release_refusal(gate, gate.state(), WHY, WAIT_S * SECOND)
    gate.detach()


def test_limit_kill_without_a_latch_file_waits_too(place: SessionPlace) -> None:
    gate = Gate.create(place.root, account_place("main").root)
    gate.close(Closer.ENGINE, "engine", "", "daily loss limit", 0, kill=True)
    assert "in 15 min" in release_refusal(gate, gate.state(), WHY, SECOND // 2)
    gate.detach()


def agree(gate: Gate, kill_ns: int, now_ns: int, uid: int = 65_000) -> None:
    write_agreement(Agreement(uid, "eve", now_ns, kill_ns), gate.session_dir)


def test_second_person_stands_in_for_time_and_reason(place: SessionPlace) -> None:
    gate = killed(place, "engine", "daily loss limit", SECOND)
    assert release_refusal(gate, gate.state(), "", 2 * SECOND)
    agree(gate, SECOND, 2 * SECOND)
    assert release_refusal(gate, gate.state(), "", 3 * SECOND) == ""
    gate.detach()


@pytest.mark.parametrize("case", ["oneself", "another kill", "too old", "from later"])
def test_second_persons_word_holds_for_one_kill_and_a_quarter_of_an_hour(
    place: SessionPlace, case: str
) -> None:
    gate = killed(place, "engine", "daily loss limit", 1_000 * SECOND)
    now_ns = 1_100 * SECOND
    match case:
        case "oneself":
            agree(gate, 1_000 * SECOND, now_ns, os.getuid())
        case "another kill":
            agree(gate, 999 * SECOND, now_ns)
        case "too old":
            agree(gate, 1_000 * SECOND, now_ns - HOLDS_S * SECOND)
        case _:
            agree(gate, 1_000 * SECOND, now_ns + 1)
    assert release_refusal(gate, gate.state(), "", now_ns)
    gate.detach()


@pytest.mark.parametrize("rubbish", [b"", b"{}", b"[]", b"\xff", b'{"uid":"x"}'])
def test_word_that_cannot_be_read_is_none(place: SessionPlace, rubbish: bytes) -> None:
    gate = killed(place, "engine", "daily loss limit", SECOND)
    (place.root / AGREED_NAME).write_bytes(rubbish)
    assert read_agreement(place.root) is None
    assert release_refusal(gate, gate.state(), "", 2 * SECOND)
    gate.detach()


def test_session_keeps_the_word_only_for_a_kill_that_wants_one(place: SessionPlace) -> None:
    gate = killed(place, "ada", "kill key", SECOND)
    assert GateWatch(gate).agree(65_000, "eve") == "no kill here wants a second person"
    gate.close(Closer.ENGINE, "engine", "", "daily loss limit", SECOND, kill=True)
    assert GateWatch(gate).agree(65_000, "eve") == ""
    assert GateWatch(gate).release(Command.RELEASE, "ada", "") == ""
    gate.detach()


def test_practice_may_be_released_at_once(place: SessionPlace) -> None:
    gate = killed(place, "engine", "daily loss limit", time.time_ns(), live=False)
    assert release_refusal(gate, gate.state(), "", time.time_ns()) == ""
    gate.detach()


def test_shell_refuses_and_leaves_the_gate_as_it_is_then_keeps_the_reason(place: SessionPlace) -> None:
    killed(place, "engine", "daily loss limit", time.time_ns()).detach()
    with pytest.raises(ShellError, match="not released: killed by 'daily loss limit'"):
        shell.release(place, WHY)
    gate = Gate.attach(place.root)
    assert gate.state().latched
    long_ago = time.time_ns() - 2 * WAIT_S * SECOND
    account_place("main").latch.unlink()
    gate.latch("engine", "", "daily loss limit", long_ago)
    assert "released" in shell.release(place, WHY)
    last = gate.state().last_release
    assert last is not None
    assert WHY in last.reason
    gate.detach()


@pytest.fixture
def running(place: SessionPlace) -> Iterator[SessionPlace]:
    """A session that is killed and lives, as far as its lock says, with a guard that acts."""
    killed(place, "ada", "kill key", 1, live=False).detach()
    with (
        InstanceLock.acquire(place.lock, "ada", 1),
        InstanceLock.acquire(place.root / GUARD_LOCK_NAME, "guard", 1),
    ):
        yield place


def answers(monkeypatch: pytest.MonkeyPatch, **status: Any) -> None:
    whole = {
        "open_orders": 0,
        "book": {"BTCUSDT": {"state": "SYNCED"}},
        "position": {"BTCUSDT": {"qty": "0.02"}},
    }
    monkeypatch.setattr(
        release_check, "ask_status", lambda *_, **__: json.dumps({**whole, **status}).encode()
    )


def test_list_shows_orders_book_position_guard_and_what_release_does(
    running: SessionPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(monkeypatch)
    write_report(GuardReport(acts=True, confirmed=True, generation=1, foreign=2), running.root)
    found = check_list(running)
    assert found.refusal == ""
    text = "\n".join(found.lines)
    for words in (
        "orders    none  ok",
        "BTCUSDT SYNCED  ok",
        "BTCUSDT 0.02",
        "NO ORDERS LEFT",
        "2 orders",
        "HALTED",
    ):
        assert words in text


def test_orders_that_are_not_gone_or_not_confirmed_forbid_a_release(
    running: SessionPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(monkeypatch, open_orders=3)
    write_report(GuardReport(acts=True, confirmed=True, generation=1), running.root)
    assert check_list(running).unconfirmed == "3 orders are not gone yet"
    assert check_list(running).lines[0].endswith("NOT GONE  NOT OK")
    answers(monkeypatch)
    write_report(GuardReport(acts=True, phase="cancelling"), running.root)
    assert "has not confirmed" in check_list(running).unconfirmed


def test_session_that_does_not_answer_is_not_released_one_that_has_ended_is(
    running: SessionPlace, place: SessionPlace
) -> None:
    assert check_list(running).refusal == "the session does not answer"
    (place.root / "lock").unlink()
    assert check_list(place).lines[0] == "session   not running"


@pytest.fixture
def dead(place: SessionPlace) -> SessionPlace:
    """A session that traded at a venue and died, and its guard with it, without a word of its orders."""
    Gate.create(place.root).detach()
    InstanceLock.acquire(place.lock, "ada", 1).release()
    write_report(GuardReport(acts=True, phase="watching", engine="runs"), place.root)
    return place


def released(place: SessionPlace, *more: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["release", place.name, "--phrase", f"RELEASE {place.name}", *more])
    return done.exit_code, f"{done.output}{done.exception}"


@pytest.mark.parametrize("phase", ["watching", "gave up"])
def test_kill_nobody_confirmed_is_released_only_after_a_person_looked(dead: SessionPlace, phase: str) -> None:
    write_report(GuardReport(acts=True, phase=phase), dead.root)
    assert not shell.kill([dead])[1]
    for more in ((), ("--unconfirmed",), ("--unconfirmed", "--reason", "no"), ("--reason", WHY)):
        status, text = released(dead, *more)
        assert status
        assert "not confirmed that no orders are left, and no guard is at work" in text
        assert "--unconfirmed --reason" in text
        assert dead.latch.exists()
    status, text = released(dead, "--unconfirmed", "--reason", WHY)
    assert status == 0, text
    gate = Gate.attach(dead.root)
    last = gate.state().last_release
    assert last is not None
    assert last.reason == f"UNCONFIRMED release: {WHY}"
    gate.detach()
    with pytest.raises(ShellError, match="no session is running"):
        shell.targets(None, dead=True)


def test_release_of_a_session_that_does_not_run_says_so_and_its_next_start_is_halted(
    place: SessionPlace,
) -> None:
    killed(place, "ada", "kill key", 1, live=False).detach()
    words = shell.release(place)
    assert "it is not running, its next start is HALTED" in words
    gate = Gate.create(place.root)
    state = gate.state()
    assert not state.open
    assert not state.latched
    assert GateWatch(gate).release(Command.RESUME, "ada", "") == ""
    assert gate.is_open()
    gate.detach()


def test_sentinel_file_forbids_a_release_and_is_named(dead: SessionPlace) -> None:
    write_report(GuardReport(acts=True, confirmed=True, engine="dead"), dead.root)
    shell.kill([dead])
    sentinel_path().touch()
    status, text = released(dead, "--unconfirmed", "--reason", WHY)
    assert status
    assert f"the sentinel file {sentinel_path()} is there" in text
    assert dead.latch.exists()
    sentinel_path().unlink()
    assert released(dead)[0] == 0


def test_kill_without_a_name_reaches_a_dead_session_whose_guard_died_too(dead: SessionPlace) -> None:
    assert "orders may be left at the venue" in sessions_text(list_sessions())
    with pytest.raises(ShellError, match="no session is running"):
        shell.targets(None)
    lines, confirmed = shell.kill(shell.targets(None, dead=True))
    assert not confirmed
    assert "one: KILLED and latched; died; NOT CONFIRMED: the guard is gone (watching)" in lines[0]
    assert dead.latch.exists()
    write_report(GuardReport(acts=True, confirmed=True, engine="dead"), dead.root)
    assert "may be left" not in sessions_text(list_sessions())
    with pytest.raises(ShellError, match="no session is running"):
        shell.targets(None, dead=True)


def test_nothing_names_a_log_that_is_not_there_and_reconcile_says_what_to_do(dead: SessionPlace) -> None:
    with pytest.raises(ShellError, match="one is not running; start it to reconcile$"):
        reconcile("one", None)
    with pytest.raises(ShellError) as found:
        shell.status("one")
    assert "log:" not in str(found.value)
    dead.log.touch()
    with pytest.raises(ShellError, match="log: "):
        shell.status("one")
