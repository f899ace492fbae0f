"""Real session processes without a console: status, halt, kill, release, signals, ends, starts."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from app.launch import LaunchError, start_session
from app.replay_command import ReplayOptions, build_session
from pipeline.core.inputs import Command
from pipeline.runtime.gate import Gate
from pipeline.runtime.link_messages import (
    CommandResult,
    DetachNotice,
    ReplayControl,
    SessionEnding,
    StopSession,
)
from pipeline.runtime.locks import is_held
from tests.fakes.session_processes import LinkClient, LiveSession, live_session
from tests.fakes.sessions import run_lobdeck, synthetic_lines, write_capture

UNSOUND = "[decision\nentry ="


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path))
    return tmp_path


def lobdeck(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_lobdeck(home, *arguments, timeout_s=30)


def signalled(session: LiveSession, number: signal.Signals) -> None:
    os.kill(session.process.pid, number)


class TestShell:
    def test_sees_halts_and_releases_a_session(self, home: Path) -> None:
        with live_session("one", model=False) as session:
            listed = lobdeck(home, "sessions")
            assert listed.returncode == 0
            assert "one" in listed.stdout
            assert "running" in listed.stdout
            assert "open" in listed.stdout

            status = lobdeck(home, "status", "--json")
            assert status.returncode == 0
            assert f'"engine": {session.process.pid}' in status.stdout
            assert '"trading_state": "ACTIVE"' in status.stdout

            halted = lobdeck(home, "halt", "one")
            assert (halted.returncode, halted.stdout) == (0, "one: gate closed, HALTED\n")
            session.until(lambda content: content["trading_state"] == "HALTED")
            assert "closed by shell" in lobdeck(home, "sessions").stdout

            refused = lobdeck(home, "release", "one", "--phrase", "RELEASE two")
            assert refused.returncode == 2
            assert len(refused.stderr.strip().splitlines()) == 1
            released = lobdeck(home, "release", "one", "--phrase", "RELEASE one")
            assert released.returncode == 0
            assert "HALTED until" in released.stdout
            assert session.status()["trading_state"] == "HALTED"
            with LinkClient(session.place) as client:
                client.attach()
                assert client.command(Command.RESUME).text == "ACTIVE"

    def test_kill_without_name_reaches_every_session_with_orders_gone(self, home: Path) -> None:
        with live_session("one") as one, live_session("two", model=False) as two:
            one.until(lambda content: content["orders"] > 0)
            (home / "broken.toml").write_text(UNSOUND)
            killed = run_lobdeck(home, "kill", timeout_s=30)
            assert killed.returncode == 0, killed.stdout + killed.stderr
            lines = killed.stdout.splitlines()
            assert lines == [f"{name}: KILLED and latched; no orders left" for name in ("one", "two")]
            for session in (one, two):
                content = session.status()
                assert (content["trading_state"], content["open_orders"]) == ("KILLED", 0)
                assert session.place.latch.exists()
            signalled(one, signal.SIGTERM)
            assert one.wait() == 4
            assert one.summary()["exit"] == "killed"

    def test_kill_works_beside_a_broken_configuration_and_a_broken_gate(
        self, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        config = home / "config.toml"
        config.write_text(UNSOUND)
        with live_session("one", model=False), live_session("two", model=False) as two:
            monkeypatch.setenv("LOBDECK_DECISION__ENTRY_ABOVE_HALF", "rubbish")
            # Not cut short first: a session that looks at a gate of no bytes is ended by the kernel.
            with (home / "sessions" / "one" / "gate").open("r+b") as gate:
                gate.write(b"no gate")
            killed = lobdeck(home, "kill")
            assert killed.returncode == 3
            assert killed.stdout.splitlines()[0].startswith("one: NOT CLOSED: ")
            assert killed.stdout.splitlines()[1] == "two: KILLED and latched; no orders left"
            assert two.status()["trading_state"] == "KILLED"

    def test_kill_is_not_confirmed_by_a_session_that_hangs(self, home: Path) -> None:
        with live_session("one", model=False) as session:
            signalled(session, signal.SIGSTOP)
            killed = lobdeck(home, "kill", "one")
            assert killed.returncode == 3
            assert "NOT CONFIRMED" in killed.stdout
            assert session.place.latch.exists()
            signalled(session, signal.SIGCONT)
            session.until(lambda content: content["trading_state"] == "KILLED")
            assert lobdeck(home, "kill", "one").returncode == 0

    def test_nothing_to_act_on_is_one_line(self, home: Path) -> None:
        for arguments in (("kill",), ("halt",), ("status", "--json"), ("kill", "nobody"), ("release", "x")):
            done = lobdeck(home, *arguments)
            assert done.returncode == 2, arguments
            assert len(done.stderr.strip().splitlines()) == 1, done.stderr
            assert done.stdout == ""

    def test_status_of_several_wants_a_name(self, home: Path) -> None:
        with live_session("one", model=False), live_session("two", model=False):
            done = lobdeck(home, "status", "--json")
            assert done.returncode == 2
            assert "one, two" in done.stderr
            assert lobdeck(home, "status", "two", "--json").returncode == 0


def paused_with_orders(session: LiveSession) -> None:
    """Bring a replay to stand while orders of ours work."""
    deadline_s = time.monotonic() + 20
    with LinkClient(session.place) as client:
        client.attach()
        while time.monotonic() < deadline_s:
            client.send(ReplayControl(1, "pause", 0.0))
            client.until(CommandResult)
            if session.status()["open_orders"]:
                client.send(DetachNotice())
                return
            client.send(ReplayControl(2, "resume", 0.0))
            client.until(CommandResult)
            time.sleep(0.05)
    pytest.fail("no order worked within 20 s")


class TestPaused:
    def test_kill_is_confirmed_while_time_stands(self, home: Path) -> None:
        with live_session("one") as session:
            paused_with_orders(session)
            before = session.status()
            killed = lobdeck(home, "kill", "one")
            assert (killed.returncode, killed.stdout) == (0, "one: KILLED and latched; no orders left\n")
            after = session.status()
            assert (after["trading_state"], after["open_orders"]) == ("KILLED", 0)
            # Time stands again: nothing but the few milliseconds of the cancels has passed.
            assert after["frames"] - before["frames"] < 100
            time.sleep(0.3)
            assert session.status()["frames"] == after["frames"]
            assert "KILLED" in lobdeck(home, "sessions").stdout


class TestSignals:
    def test_terminate_ends_clean_with_a_summary_and_no_socket(self, home: Path) -> None:
        with live_session("one") as session:
            session.until(lambda content: content["orders"] > 0)
            with LinkClient(session.place) as client:
                client.attach()
                signalled(session, signal.SIGTERM)
                ending = client.until(SessionEnding)
            assert (ending.reason, ending.exit_status) == ("signal SIGTERM", 0)
            assert session.wait() == 0
            summary = session.summary()
            assert (summary["exit"], summary["open_orders"]) == ("clean", 0)
            assert summary["trading_state"] == "HALTED"
            assert not session.place.link_socket.exists()
            assert "ended" in lobdeck(home, "sessions").stdout

    def test_terminate_confirms_its_cancels_while_paused(self) -> None:
        with live_session("one") as session:
            paused_with_orders(session)
            signalled(session, signal.SIGTERM)
            started_s = time.monotonic()
            assert session.wait() == 0
            assert time.monotonic() - started_s < 5
            assert session.summary()["open_orders"] == 0

    def test_a_hang_up_ends_nothing(self) -> None:
        with live_session("one", model=False) as session:
            before = session.status()["frames"]
            signalled(session, signal.SIGHUP)
            session.until(lambda content: content["frames"] > before)

    def test_user_signal_kills(self) -> None:
        with live_session("one", model=False) as session:
            signalled(session, signal.SIGUSR1)
            session.until(lambda content: content["trading_state"] == "KILLED")
            assert session.place.latch.exists()
            gate = Gate.attach(session.place.root)
            assert [record.closer.name for record in gate.state().closers] == ["SIGNAL"]
            gate.detach()


class TestEnds:
    def test_a_session_nobody_watches_lingers_and_ends(self) -> None:
        with live_session("one", model=False, spec_changes={"linger_s": 0.5}) as session:
            assert session.wait() == 0

    def test_a_console_that_left_on_purpose_leaves_it_running(self) -> None:
        with live_session("one", model=False, spec_changes={"linger_s": 1.5}) as session:
            with LinkClient(session.place) as client:
                client.attach()
                client.send(DetachNotice())
                time.sleep(0.1)
            time.sleep(2.5)
            assert session.process.poll() is None
            with LinkClient(session.place) as client:
                client.attach()
                time.sleep(0.1)
            assert session.wait() == 0

    def test_a_console_that_was_killed_starts_the_linger(self) -> None:
        with live_session("one", model=False, spec_changes={"linger_s": 1.0}) as session:
            with LinkClient(session.place) as client:
                client.attach()
                time.sleep(1.5)
                assert session.process.poll() is None
            assert session.wait() == 0

    def test_the_console_that_quits_ends_it(self) -> None:
        with live_session("one") as session:
            session.until(lambda content: content["orders"] > 0)
            with LinkClient(session.place) as client:
                client.attach()
                client.send(StopSession(4, "cancel"))
                assert client.until(SessionEnding).reason == "quit from the console"
            assert session.wait() == 0

    def test_a_time_limit_ends_it_and_its_last_summary_stays_readable(self, home: Path) -> None:
        with live_session("one", model=False, seconds=0.5) as session:
            assert session.wait() == 0
        text, told = lobdeck(home, "status", "one"), lobdeck(home, "status", "one", "--json")
        assert (text.returncode, told.returncode) == (0, 0)
        assert text.stdout.startswith("ENDED clean at ")
        assert '"how": "clean"' in told.stdout

    def test_a_capture_truncated_on_the_way_ends_it_in_words(self, home: Path) -> None:
        lines = synthetic_lines(3_000)
        capture = write_capture(home / "cut.txt", [*lines[:2_500], b"rubbish", *lines[2_500:]])
        with live_session("one", model=False, paths=(capture,), speed=0.0, loop=False) as session:
            assert session.wait() == 2
            log = session.place.log.read_text()
            assert "line 2501" in log
            assert "Traceback" not in log
            assert not session.place.link_socket.exists()


class TestStarts:
    def test_a_killed_session_is_listed_as_ended_and_its_name_starts_again(self, home: Path) -> None:
        with live_session("one", model=False) as session:
            signalled(session, signal.SIGKILL)
            session.wait()
            assert session.place.link_socket.exists()
            assert "ended" in lobdeck(home, "sessions").stdout
            died = lobdeck(home, "status", "one", "--json")
            assert died.returncode == 2
            assert died.stderr.startswith("lobdeck: session one died without a summary; no guard acted")
        with live_session("one", model=False) as again:
            assert again.status()["pids"]["engine"] == again.process.pid

    def test_a_name_that_runs_is_refused_in_one_line_and_left_alone(self, home: Path) -> None:
        with live_session("one", model=False) as session:
            spec, place = build_session(ReplayOptions(paths=(write_small(home),), prefix="x", name="one"))
            before = (place.root / "spec").read_bytes()
            with pytest.raises(LaunchError, match="one runs already"):
                start_session(spec, place)
            done = lobdeck(home, "replay", str(write_small(home)), "--headless", "--name", "one")
            assert done.returncode == 2
            assert done.stderr.strip().splitlines() == [
                "lobdeck: session one runs already: `lobdeck attach one`, or use another --name"
            ]
            assert (place.root / "spec").read_bytes() == before
            assert session.status()["trading_state"] == "ACTIVE"

    def test_what_a_console_needs_is_loaded_while_the_session_starts(self, home: Path) -> None:
        spec, place = build_session(ReplayOptions(paths=(write_small(home),), prefix="x", name="two"))
        held: list[bool] = []
        process = start_session(spec, place, meanwhile=lambda: held.append(is_held(place.lock)))
        try:
            assert held == [False]
            assert is_held(place.lock)
        finally:
            process.kill()
            process.wait(10)

    def test_a_latched_name_starts_killed(self, home: Path) -> None:
        with live_session("one", model=False):
            assert lobdeck(home, "kill", "one").returncode == 0
        with live_session("one", model=False) as again:
            assert again.status()["trading_state"] == "KILLED"


def write_small(home: Path) -> Path:
    return write_capture(home / "small.txt", synthetic_lines(500))
