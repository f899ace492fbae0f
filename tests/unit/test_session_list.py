"""The list of sessions: what trades, what is stopped, and by what first of all."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import session_list
from app.link_call import NoAnswerError
from app.session_list import gate_words, sessions_text
from pipeline.runtime.gate import Closer, Gate
from pipeline.runtime.locks import InstanceLock
from pipeline.runtime.places import SessionPlace, list_sessions, make_session


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def one() -> Iterator[SessionPlace]:
    """Give a session that lives as far as anybody can see."""
    place = make_session("one")
    Gate.create(place.root).detach()
    with InstanceLock.acquire(place.lock, "ada", 1):
        yield place


def answers(monkeypatch: pytest.MonkeyPatch, trading_state: str) -> None:
    said = json.dumps({"trading_state": trading_state}).encode()
    monkeypatch.setattr(session_list, "ask_status", lambda *_, **__: said)


def close(place: SessionPlace, closer: Closer, reason: str, *, latch: bool = False) -> None:
    gate = Gate.attach(place.root)
    gate.close(closer, "ada", "/dev/pts/3", reason, time.time_ns())
    if latch:
        gate.latch("ada", "/dev/pts/3", reason, time.time_ns())
    gate.detach()


def row_of(name: str) -> str:
    return next(row for row in sessions_text(list_sessions()).splitlines() if row.split()[0] == name)


def test_a_kill_stands_before_a_newer_halt(one: SessionPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "KILLED")
    close(one, Closer.SHELL, "kill from the shell", latch=True)
    close(one, Closer.CONSOLE, "halt key")
    row = row_of("one")
    assert row.split()[1:3] == ["running", "KILLED"]
    assert "KILLED by ada /dev/pts/3 " in row
    assert row.endswith("kill from the shell")


def test_a_halt_alone_is_named_by_its_closer(one: SessionPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "HALTED")
    close(one, Closer.CONSOLE, "halt key")
    row = row_of("one")
    assert row.split()[1:3] == ["running", "HALTED"]
    assert "closed by console: ada" in row


def test_a_latch_made_by_hand_counts(one: SessionPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "KILLED")
    one.latch.touch()
    assert gate_words(one) == [f"KILLED, latched: {one.latch}"]


@pytest.mark.usefixtures("one")
def test_a_session_that_does_not_answer_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: object, **__: object) -> bytes:
        raise NoAnswerError("it did not answer")

    monkeypatch.setattr(session_list, "ask_status", silent)
    assert row_of("one").split()[1:3] == ["running", "silent"]


def test_a_gate_whose_file_is_gone_is_not_open(one: SessionPlace) -> None:
    gate = Gate.attach(one.root)
    one.gate.unlink()
    assert gate.state().orphaned
    gate.detach()
    assert "gate" in gate_words(one)[0]


def test_ended_and_refused_sessions_are_listed_too(home: Path) -> None:
    assert sessions_text(list_sessions()) == "no sessions yet; `lobdeck demo` starts one"
    Gate.create(make_session("two").root).detach()
    (home / "sessions" / "open").mkdir()
    (home / "sessions" / "open").chmod(0o777)
    assert row_of("two").split()[1:] == ["ended", "open"]
    assert "refused" in row_of("open")
    assert len(sessions_text(list_sessions()).splitlines()) == 3


def test_who_killed_first_stays_named(one: SessionPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "KILLED")
    close(one, Closer.SHELL, "kill from the shell", latch=True)
    gate = Gate.attach(one.root)
    gate.latch("guard", "", "kill not acknowledged", time.time_ns())
    gate.detach()
    close(one, Closer.SHELL, "a second kill", latch=True)
    assert "KILLED by ada" in row_of("one")
    assert row_of("one").endswith("kill from the shell")
