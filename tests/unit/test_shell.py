"""The gate and the list of sessions from any shell, with sessions played by the test."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app import shell
from app.cli import run
from app.link_call import NoAnswerError
from app.session_list import gate_words
from app.shell import ShellError
from pipeline.runtime.gate import Closer, Gate, ReleaseResult
from pipeline.runtime.guard_report import GuardReport, write_report
from pipeline.runtime.locks import InstanceLock
from pipeline.runtime.places import PlacesError, SessionPlace, make_session


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path))
    monkeypatch.setattr(shell, "KILL_CONFIRM_S", 0.3)
    return tmp_path


@pytest.fixture
def running() -> Iterator[Callable[[str], SessionPlace]]:
    """Make a session that lives as far as anybody can see."""
    locks = []

    def make(name: str) -> SessionPlace:
        place = make_session(name)
        Gate.create(place.root).detach()
        locks.append(InstanceLock.acquire(place.lock, "ada", 1))
        return place

    yield make
    for lock in locks:
        lock.release()


def answering(orders: int) -> Callable[..., bytes]:
    return lambda *_, **__: json.dumps({"open_orders": orders, "trading_state": "KILLED"}).encode()


def act_on(place: SessionPlace) -> None:
    """Do what a session does when it sees its gate closed."""
    gate = Gate.attach(place.root)
    gate.acknowledge(gate.state().closers)
    gate.detach()


def is_open(place: SessionPlace) -> bool:
    gate = Gate.attach(place.root)
    try:
        return gate.is_open()
    finally:
        gate.detach()


class TestWho:
    def test_names_the_user_and_over_ssh_the_client(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LOGNAME", "ada")
        monkeypatch.delenv("SSH_CONNECTION", raising=False)
        assert shell.operator() == "ada"
        monkeypatch.setenv("SSH_CONNECTION", "192.0.2.7 51234 192.0.2.1 22")
        assert shell.operator() == "ada@192.0.2.7"

    def test_without_an_entry_is_a_number(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def nobody() -> str:
            raise KeyError

        monkeypatch.setattr("getpass.getuser", nobody)
        assert shell.operator().startswith("uid ")

    def test_without_a_terminal_has_no_tty(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def none(_: int) -> str:
            raise OSError

        monkeypatch.setattr("os.ttyname", none)
        assert shell.controlling_tty() == ""
        monkeypatch.setattr("os.ttyname", lambda _: "/dev/pts/4")
        assert shell.controlling_tty() == "/dev/pts/4"


class TestTargets:
    def test_are_the_one_named_or_all_that_live(self, running: Callable[[str], SessionPlace]) -> None:
        one, two = running("one"), running("two")
        make_session("dead")
        assert shell.targets(None) == [one, two]
        assert shell.targets("dead")[0].name == "dead"
        with pytest.raises(ShellError, match="2 sessions are running: one, two"):
            shell.one_running(None)
        assert shell.one_running("two") == two

    def test_are_none_where_nothing_runs(self) -> None:
        with pytest.raises(ShellError, match="no session is running"):
            shell.targets(None)


class TestKill:
    def test_is_confirmed_by_zero_orders_after_the_session_acted(
        self, running: Callable[[str], SessionPlace], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        place = running("one")
        monkeypatch.setattr(shell, "ask_status", answering(0))
        monkeypatch.setattr(shell, "ASK_EVERY_S", 0.01)
        monkeypatch.setattr(shell, "_is_acknowledged", acts_after_a_while(place))
        lines, confirmed = shell.kill([place])
        assert (lines, confirmed) == (["one: KILLED and latched; no orders left"], True)

    def test_is_not_confirmed_by_an_answer_from_before(
        self, running: Callable[[str], SessionPlace], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shell, "ask_status", answering(0))
        lines, confirmed = shell.kill([running("one")])
        assert not confirmed
        assert lines[0].endswith("NOT CONFIRMED: the session has not acted on it")

    def test_is_not_confirmed_while_orders_stay(
        self, running: Callable[[str], SessionPlace], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        place = running("one")
        monkeypatch.setattr(shell, "ask_status", answering(3))
        monkeypatch.setattr(shell, "_is_acknowledged", lambda _: True)
        lines, confirmed = shell.kill([place])
        assert not confirmed
        assert lines[0].endswith("NOT CONFIRMED: 3 orders still open")

    def test_is_not_confirmed_by_silence(
        self, running: Callable[[str], SessionPlace], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def silent(*_: object, **__: object) -> bytes:
            raise NoAnswerError("it did not answer")

        place = running("one")
        monkeypatch.setattr(shell, "ask_status", silent)
        monkeypatch.setattr(shell, "_is_acknowledged", lambda _: True)
        assert shell.kill([place])[1] is False

    def test_of_a_dead_session_latches_it(self) -> None:
        place = make_session("dead")
        Gate.create(place.root).detach()
        lines, confirmed = shell.kill([place])
        assert confirmed
        assert "not running" in lines[0]
        assert place.latch.exists()

    @pytest.mark.parametrize(
        ("content", "words", "confirmed"),
        [
            ({"open_orders": 0, "pids": {"sim": 7}}, ", and its simulated exchange with it: no orders", True),
            ({"open_orders": 2, "pids": {"sim": 7}}, ", and its simulated exchange with it: no orders", True),
            ({"open_orders": 0, "pids": {"sim": None}}, "with no orders left", True),
            ({"open_orders": 2, "pids": {"sim": None}}, "NOT CONFIRMED: it has ended (clean, ", False),
        ],
    )
    def test_of_an_ended_session_says_how_it_ended_and_what_it_left(
        self, content: dict[str, object], words: str, confirmed: bool
    ) -> None:
        place = make_session("past")
        Gate.create(place.root).detach()
        write_report(GuardReport(acts=True, phase="ended", engine="ended", ts_ns=1), place.root)
        place.summary.write_text(json.dumps({"exit": "clean", "position": {}, **content}))
        lines, zero = shell.kill([place])
        assert words in lines[0]
        assert zero is confirmed
        assert len(lines) == 1

    def test_of_an_ended_session_whose_summary_is_an_older_runs_is_not_confirmed(self) -> None:
        place = make_session("past")
        Gate.create(place.root).detach()
        place.summary.write_text('{"exit": "clean", "open_orders": 0, "position": {}}')
        newer = time.time_ns() + 10**9
        write_report(GuardReport(acts=True, phase="ended", engine="ended", ts_ns=newer), place.root)
        lines, confirmed = shell.kill([place])
        assert "NOT CONFIRMED: the guard is gone (ended)" in lines[0]
        assert not confirmed

    def test_closes_every_gate_that_can_be_closed(
        self, running: Callable[[str], SessionPlace], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        broken, sound = running("a-broken"), running("b-sound")
        broken.gate.write_bytes(b"rubbish")
        monkeypatch.setattr(shell, "ask_status", answering(0))
        monkeypatch.setattr(shell, "_is_acknowledged", lambda _: True)
        lines, confirmed = shell.kill([broken, sound])
        assert not confirmed
        assert lines[0].startswith("a-broken: NOT CLOSED: ")
        assert lines[1] == "b-sound: KILLED and latched; no orders left"
        assert not is_open(sound)

    def test_without_a_place_for_the_latch_still_closes(
        self, running: Callable[[str], SessionPlace], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        place = running("one")
        monkeypatch.setattr(Gate, "latch", lambda *_: False)
        monkeypatch.setattr(shell, "ask_status", answering(0))
        monkeypatch.setattr(shell, "_is_acknowledged", lambda _: True)
        lines, confirmed = shell.kill([place])
        assert "KILLED, but the latch could not be written: it may not survive a restart" in lines[0]
        assert confirmed
        assert not is_open(place)


def acts_after_a_while(place: SessionPlace) -> Callable[[SessionPlace], bool]:
    sound, asked = shell._is_acknowledged, []

    def acknowledged(which: SessionPlace) -> bool:
        asked.append(which)
        if len(asked) == 3:
            act_on(place)
        return sound(which)

    return acknowledged


class TestOddHome:
    """Whatever is odd about the directories, what can only stop is done, and said."""

    @pytest.mark.parametrize("what", ["", "sessions", "sessions/one", "sessions/one/gate"])
    def test_others_may_write(
        self,
        running: Callable[[str], SessionPlace],
        home: Path,
        what: str,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        place = running("one")
        monkeypatch.setattr(shell, "_is_acknowledged", lambda _: True)
        monkeypatch.setattr(shell, "ask_status", answering(0))
        (home / what).chmod(0o777)
        for command in (["halt"], ["kill", "one"], ["kill"]):
            assert run(command) == 0, command
            out, err = capsys.readouterr()
            assert out.startswith("one: ")
            warnings = err.splitlines()
            assert len(warnings) == 1, err
            assert warnings[0].startswith("lobdeck: warning: ")
            assert str(home / what).rstrip("/") in warnings[0]
            assert warnings[0].endswith("(closing all the same)")
        (home / what).chmod(0o700)
        assert not is_open(place)
        assert place.latch.exists()

    def test_a_session_reached_by_a_link_is_closed(
        self, running: Callable[[str], SessionPlace], home: Path
    ) -> None:
        place = running("one")
        (home / "sessions" / "two").symlink_to(place.root)
        assert run(["halt", "two"]) == 0
        assert not is_open(place)

    def test_all_else_still_refuses(self, running: Callable[[str], SessionPlace], home: Path) -> None:
        running("one")
        home.chmod(0o770)
        for call in (
            lambda: shell.targets("one"),
            lambda: shell.attachable(None),
            lambda: shell.status(None),
        ):
            with pytest.raises(PlacesError, match="others can write to it"):
                call()

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a directory away")
    def test_root_stops_what_belongs_to_another(
        self, running: Callable[[str], SessionPlace], home: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        place = running("one")
        for path in (home, home / "sessions", place.root, place.gate):
            os.chown(path, 12_345, 12_345)
        assert run(["halt"]) == 0
        assert capsys.readouterr().err.count("belongs to uid 12345") == 3
        for path in (home, home / "sessions", place.root, place.gate):
            os.chown(path, 0, 0)
        assert not is_open(place)


class TestHaltAndRelease:
    def test_close_and_open_again(self, running: Callable[[str], SessionPlace]) -> None:
        place = running("one")
        assert shell.halt([place]) == (["one: gate closed, HALTED"], True)
        assert not is_open(place)
        (words,) = gate_words(place)
        assert words.startswith("closed by shell: ")
        assert words.endswith("halt from the shell")
        assert "released" in shell.release(place)
        assert is_open(place)
        assert gate_words(place) == []

    def test_a_gate_that_is_damaged_is_said(self, running: Callable[[str], SessionPlace]) -> None:
        place = running("one")
        place.gate.write_bytes(b"rubbish")
        lines, closed = shell.halt([place])
        assert not closed
        assert lines[0].startswith("one: NOT CLOSED: ")
        assert "gate" in gate_words(place)[0]

    def test_release_shows_and_takes_back_a_latch(self, running: Callable[[str], SessionPlace]) -> None:
        place = running("one")
        gate = Gate.attach(place.root)
        gate.close(Closer.GUARD, "guard", "", "loss", time.time_ns())
        gate.latch("guard", "", "loss", time.time_ns())
        gate.detach()
        words = gate_words(place)
        assert words[0].startswith("KILLED by guard")
        assert words[1].startswith("KILLED, latched: ")
        assert words[2].startswith("closed by guard: guard")
        shell.release(place)
        assert is_open(place)
        assert not place.latch.exists()

    def test_a_close_that_came_meanwhile_keeps_it_closed(
        self, running: Callable[[str], SessionPlace], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        place = running("one")
        shell.halt([place])
        sound = Gate.release

        def closing_again(gate: Gate, *arguments: object, **named: object) -> object:
            gate.close(Closer.CONSOLE, "eve", "", "again", time.time_ns())
            return sound(gate, *arguments, **named)  # type: ignore[arg-type]

        monkeypatch.setattr(Gate, "release", closing_again)
        with pytest.raises(ShellError, match="closed again meanwhile"):
            shell.release(place)
        assert not is_open(place)

    def test_two_releases_at_once_are_told_apart(
        self, running: Callable[[str], SessionPlace], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        place = running("one")
        busy = ReleaseResult((), (), (), busy=True, open=False)
        monkeypatch.setattr(Gate, "release", lambda *_, **__: busy)
        with pytest.raises(ShellError, match="another release of one is running"):
            shell.release(place)


def test_status_of_a_session_that_does_not_answer_names_its_log(
    running: Callable[[str], SessionPlace],
) -> None:
    place = running("one")
    with pytest.raises(ShellError, match="cannot connect to .*No such file"):
        shell.status("one")
    place.log.write_text("")
    with pytest.raises(ShellError, match=f"log: {place.log}"):
        shell.status("one")


def test_what_closed_the_gate_after_the_list_was_shown_is_not_released(
    running: Callable[[str], SessionPlace],
) -> None:
    place = running("s1")
    gate = Gate.attach(place.root)
    gate.close(Closer.CONSOLE, "ada", "tty", "halt key", 1)
    act_on(place)
    seen = shell.gate_now(place)
    gate.close(Closer.GUARD, "guard", "", "engine late", 2)
    gate.detach()
    act_on(place)
    with pytest.raises(ShellError, match="closed again meanwhile"):
        shell.release(place, seen=seen)
    assert not is_open(place)
