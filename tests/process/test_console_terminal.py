"""The console on terminals that go away, stand still, change size, or can show little."""

from __future__ import annotations

import re
import shlex
import shutil
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.shell import halt, release
from tests.fakes.demo_sessions import DemoSession, demo_session
from tests.fakes.terminals import ROOT, Terminal

FAKE = ["-m", "tests.fakes.fake_console"]
COLOUR = re.compile(rb"\x1b\[[0-9;]*\b(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])\b[0-9;]*m")
RICH_COLOUR = re.compile(rb"\x1b\[[0-9;]*\b[34]8;[25];")
JOIN = "import os, sys; os.execvp(sys.argv[1], sys.argv[1:])"
GIVEN_BACK = (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l", b"\x1b[?2004l")
"""Main screen, cursor, mouse and paste as they were."""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoSession]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOBDECK_HOME", str(tmp_path_factory.mktemp("home")))
        with demo_session("terminal") as running:
            yield running


def console(session: DemoSession) -> Terminal:
    return Terminal(["-m", "app", "attach", session.place.name])


def shows_prices(text: str) -> bool:
    return "LADDER" in text and "BTCUSDT" in text


def test_a_console_killed_hung_up_told_to_end_or_left_leaves_the_session_running(
    session: DemoSession,
) -> None:
    with console(session) as killed:
        killed.until(shows_prices)
        killed.kill()
        assert killed.wait() == -signal.SIGKILL
    assert session.goes_on()
    with console(session) as hung_up:
        hung_up.until(shows_prices)
        hung_up.hang_up()
        assert hung_up.process.wait(10) == 0
    assert session.goes_on()
    leaves: tuple[Callable[[Terminal], None], ...] = (
        lambda terminal: terminal.kill(signal.SIGTERM),
        lambda terminal: terminal.type(b"qd"),
    )
    for leave in leaves:
        with console(session) as ended:
            ended.until(shows_prices)
            assert ended.attributes() != ended.before
            leave(ended)
            assert ended.wait() == 0
            assert all(sequence in ended.output[-2_000:] for sequence in GIVEN_BACK)
            assert ended.attributes() == ended.before
        assert session.goes_on()
    assert b"joins it again" in ended.output[-300:]


def test_a_terminal_that_stood_still_shows_exactly_what_a_repaint_shows(session: DemoSession) -> None:
    with console(session) as terminal:
        terminal.until(shows_prices)
        time.sleep(3)  # nobody reads: pictures are skipped, others may be cut
        terminal.type(b" ")
        terminal.until(lambda text: "PAUSED" in text)
        quiet(terminal)
        before = body(terminal)
        terminal.screen.reset()
        terminal.type(b"\x0c")
        terminal.until(shows_prices)
        quiet(terminal)
        assert body(terminal) == before
        terminal.type(b" ")
        terminal.until(lambda text: "PAUSED" not in text)


def test_a_stopped_console_holds_nothing_up_and_shows_the_truth_when_it_goes_on(
    session: DemoSession,
) -> None:
    with console(session) as terminal:
        assert "HALT" not in terminal.until(shows_prices).splitlines()[0]
        terminal.kill(signal.SIGSTOP)
        assert session.goes_on()
        halt([session.place])
        assert session.goes_on()
        terminal.kill(signal.SIGCONT)
        terminal.until(lambda text: "HALT" in text.splitlines()[0])
        release(session.place)


def test_a_detached_tmux_keeps_the_console_and_shows_it_again(session: DemoSession, tmp_path: Path) -> None:
    if shutil.which("tmux") is None:
        pytest.skip("no tmux here")
    server = ("tmux", "-f", "/dev/null", "-S", str(tmp_path / "tmux"))
    attach = shlex.join([sys.executable, "-m", "app", "attach", session.place.name])
    here = ("-c", str(ROOT), attach)
    subprocess.run([*server, "new-session", "-d", "-x", "160", "-y", "48", *here], check=True)
    try:
        with Terminal(["-c", JOIN, *server, "attach"]) as terminal:
            terminal.until(shows_prices)
            subprocess.run([*server, "detach-client"], check=True)
            terminal.wait()
        frames = session.status()["frames"]
        assert session.goes_on()
        with Terminal(["-c", JOIN, *server, "attach"]) as terminal:
            terminal.until(shows_prices)
            assert session.status()["frames"] > frames
            terminal.type(b"qd")
            terminal.wait()
    finally:
        subprocess.run([*server, "kill-server"], capture_output=True, check=False)


def quiet(terminal: Terminal) -> None:
    """Read until a paused screen has settled."""
    until_s = time.monotonic() + 1.0
    while time.monotonic() < until_s:
        terminal.read(0.05)


def body(terminal: Terminal) -> list[str]:
    """Give what a paused screen shows, without its header's turning mark and byte rate."""
    return terminal.text().splitlines()[2:]


def test_any_size_is_drawn_also_after_a_storm_of_them() -> None:
    with Terminal(FAKE, size=(20, 5)) as terminal:
        terminal.until(lambda text: "SIM" in text.splitlines()[0])
        for size in ((1, 1), (2, 40), (300, 90), (79, 24), (80, 23)):
            terminal.resize(*size)
            terminal.read(0.3)
        for turn in range(60):
            terminal.resize(20 + 7 * (turn * 13 % 40), 4 + 3 * (turn * 7 % 20))
            terminal.read(0.01)
        terminal.resize(120, 40)
        terminal.until(lambda text: shows_prices(text) and "q quit" in text.splitlines()[-1])
        terminal.until(lambda text: "Ctrl+K KILL" in text.splitlines()[0])


def test_no_color_sends_no_colours() -> None:
    with Terminal(FAKE, environment={"NO_COLOR": "1"}) as terminal:
        terminal.until(shows_prices)
        terminal.read(0.5)
        assert COLOUR.search(terminal.output) is None
        assert b"\x1b[" in terminal.output


def test_sixteen_colours_stay_sixteen() -> None:
    with Terminal(FAKE, environment={"TERM": "xterm", "COLORTERM": ""}) as terminal:
        terminal.until(shows_prices)
        terminal.read(0.5)
        assert RICH_COLOUR.search(terminal.output) is None
        assert COLOUR.search(terminal.output) is not None


def test_the_linux_console_gets_ascii_and_no_questions() -> None:
    with Terminal(FAKE, size=(80, 24), environment={"TERM": "linux", "COLORTERM": ""}) as terminal:
        terminal.until(shows_prices)
        terminal.type(b"q")
        terminal.until(lambda text: "Leave?" in text)
        terminal.type(b"\x1b")
        terminal.until(lambda text: "Leave?" not in text)
        terminal.type(b"?")
        terminal.until(lambda text: "KEYS" in text)
        assert terminal.output.isascii()
        for question in (b"\x1b[>", b"$p", b"\x1b[?1000h"):
            assert question not in terminal.output


def test_keys_other_programs_use_end_nothing() -> None:
    with Terminal(FAKE) as terminal:
        terminal.until(shows_prices)
        for key in (b"\x03", b"\x04", b"\x1a", b"\x1c", b"\x13"):
            terminal.type(key)
            terminal.until(lambda text: text.splitlines()[-1].strip().startswith("Ctrl+"))
        assert terminal.process.poll() is None
        assert not terminal.attributes()[3] & termios.ISIG


def test_bytes_no_keyboard_sends_do_not_end_the_input() -> None:
    with Terminal(FAKE) as terminal:
        terminal.until(shows_prices)
        for junk in (
            b"\x1b[99999999999;5u",
            b"\x1b[1;999999999999999999999u",
            b"\xff\xfe\xc3",
            b"\x1b[<0;0;0M" * 50,
            b"\x1b]52;c;" + b"A" * 300 + b"\x07",
            b"\x1b[200~" * 9 + b"\x1b[201~",
            bytes(range(0x80, 0x100)),
        ):
            terminal.type(junk)
            terminal.read(0.15)
        terminal.type(b"\x1b")
        terminal.read(1.2)
        terminal.type(b"6")
        terminal.until(lambda text: "KEYS" in text)
