"""What is said of a session that no longer runs: its last summary, its position, or that it died."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import shell
from app.last_summary import last_summary, position_words
from app.release_check import check_list
from app.session_list import sessions_text
from app.shell import ShellError
from app.status_text import status_line
from pipeline.runtime.gate import Gate
from pipeline.runtime.guard_report import GuardReport, write_report
from pipeline.runtime.locks import InstanceLock
from pipeline.runtime.places import SessionPlace, list_sessions, make_session
from tests.fakes.summaries import summary


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SessionPlace:
    """Give a session that ran and runs no more; it has no summary yet."""
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path))
    place = make_session("one")
    Gate.create(place.root).detach()
    InstanceLock.acquire(place.lock, "ada", 1).release()
    return place


def leave(place: SessionPlace, quantity: str = "0.01000") -> dict[str, Any]:
    content = summary()
    content["position"]["BTCUSDT"]["qty"] = quantity
    place.summary.write_text(json.dumps(content))
    return content


def row() -> str:
    return sessions_text(list_sessions()).splitlines()[1]


def test_status_gives_the_last_summary_and_says_that_it_has_ended(place: SessionPlace) -> None:
    content = leave(place)
    found = shell.status("one")
    ended = found.pop("ended")
    assert found == content
    assert ended["how"] == "clean"
    text = status_line({**found, "ended": ended}).splitlines()
    assert text[0] == f"ENDED clean at {ended['at']}; its last summary:"
    assert any(line.startswith("position  BTCUSDT 0.01000") for line in text)


def test_status_of_a_session_that_died_says_what_is_known(place: SessionPlace) -> None:
    with pytest.raises(ShellError, match="one died without a summary; no guard acted") as found:
        shell.status("one")
    assert str(place.journal_dir) in str(found.value)
    write_report(GuardReport(acts=True, phase="cancelling", ours_left=2), place.root)
    with pytest.raises(ShellError, match="its guard: cancelling, 2 orders left, NOT CONFIRMED"):
        shell.status("one")
    write_report(GuardReport(acts=True, confirmed=True), place.root)
    with pytest.raises(ShellError, match="its guard: NO ORDERS LEFT"):
        shell.status("one")


def test_the_list_says_how_it_ended_and_the_position_left(place: SessionPlace) -> None:
    assert row().split()[1:3] == ["ended", "died"]
    assert row().endswith("position not known")
    leave(place)
    assert row().split()[1:3] == ["ended", "clean"]
    assert row().endswith("; position BTCUSDT 0.01000 left")
    leave(place, "0.00000")
    assert row().endswith("open")


def test_kill_and_release_say_the_position(place: SessionPlace) -> None:
    assert shell.kill([place])[0][0].endswith("; position not known")
    assert "position  not known" in check_list(place).lines
    leave(place, "-0.5")
    assert shell.kill([place])[0][0].endswith("; position BTCUSDT -0.5")
    assert "position  BTCUSDT -0.5, as it ended" in check_list(place).lines
    leave(place, "0")
    assert "position  flat, as it ended" in check_list(place).lines


def test_release_does_not_contradict_itself(place: SessionPlace) -> None:
    report = GuardReport(acts=True, phase="confirmed", confirmed=True, generation=0)
    write_report(report, place.root)
    shell.kill([place])
    (line,) = (line for line in check_list(place).lines if line.startswith("guard"))
    assert line == "guard     NOT CONFIRMED, only an earlier kill was confirmed  NOT OK"


@given(st.binary(max_size=200))
def test_a_damaged_summary_is_none(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    place = SessionPlace("one", tmp_path_factory.mktemp("one"))
    place.summary.write_bytes(raw)
    assert last_summary(place) is None


def test_a_flat_position_is_not_worth_a_word() -> None:
    assert position_words({"position": {"BTCUSDT": {"qty": "0.000"}}}) == ""
    assert position_words({"position": {"A": {"qty": "1"}, "B": {"qty": "?"}}}) == "position A 1, B ?"
