"""A session that ends under its console, in order or not, and one that has ended before somebody attaches."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.fakes.session_processes import live_session
from tests.fakes.sessions import run_lobdeck
from tests.fakes.terminals import Terminal


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path))
    return tmp_path


def console(name: str, *arguments: str) -> Terminal:
    return Terminal(["-m", "app", "attach", name, *arguments])


def test_a_killed_session_is_said_across_the_screen_within_a_second(home: Path) -> None:
    with live_session("one", model=False) as session, console("one") as terminal:
        terminal.until(lambda text: "ACTIVE" in text)
        os.kill(session.process.pid, signal.SIGKILL)
        session.wait()
        killed_s = time.monotonic()
        text = terminal.until(lambda text: "SESSION GONE" in text, timeout_s=5)
        assert time.monotonic() - killed_s < 1.5
        assert "ACTIVE" not in text
        assert "were on paper and ended with it" in text
        assert "OLD" in text
        terminal.type(b"q")
        assert terminal.wait() == 5
        assert b"session one is gone: its process ended without a word" in terminal.output[-400:]

    again = run_lobdeck(home, "attach", "one", timeout_s=30)
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr.startswith("lobdeck: session one is gone: ")
    assert again.stderr.count("\n") == 1


def test_a_console_leaves_with_a_session_that_ends_in_order(home: Path) -> None:
    with live_session("one", model=False) as session, console("one", "--watch") as terminal:
        terminal.until(lambda text: "ACTIVE" in text)
        assert run_lobdeck(home, "kill", "one", timeout_s=30).returncode == 0
        os.kill(session.process.pid, signal.SIGTERM)
        assert terminal.wait() == 4
        assert b"session one ended: signal SIGTERM" in terminal.output[-400:]

    again = run_lobdeck(home, "attach", "one", timeout_s=30)
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr.startswith("lobdeck: session one has ended (summary: ")
    assert again.stderr.count("\n") == 1
