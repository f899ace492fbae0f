"""The console behind a link of 8 kB/s that pictures fill: what a person does must not queue behind them.

The link is the terminal's reader, which takes so many bytes a second and no more. What the machine itself
adds is measured beside it, and a word that came late is typed again: a slow path is slow every time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.bench_kill import Presses, key_control
from pipeline.runtime.gate import Gate
from tests.fakes.demo_sessions import DemoSession, demo_session
from tests.fakes.noise import Noise
from tests.fakes.terminals import Terminal
from tests.process.test_console_kill import BUDGET_MS, KILL, closed_after_ms, release, say, shows_prices

THIN = 8_000
"""Bytes a second."""
SHOWN_S = 3.0
START_S = 60.0
TURN_S = 0.1
WORDS = ("alpha", "bravo", "cobra", "delta")


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoSession]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOBDECK_HOME", str(tmp_path_factory.mktemp("home")))
        with demo_session("thin") as running:
            yield running


def until(terminal: Terminal, holds: Callable[[str], bool], timeout_s: float) -> float:
    """Read as the thin link does until the screen is as wanted; give how long that took."""
    started_s = time.monotonic()
    while not holds(terminal.text()):
        waited_s = time.monotonic() - started_s
        assert waited_s < timeout_s, f"not within {timeout_s} s:\n{terminal.text()}"
        terminal.read_slowly(TURN_S, THIN)
    return time.monotonic() - started_s


def typed_after_s(terminal: Terminal, word: str) -> float:
    """Type a word on the command line, give how long until it stands there, and leave the line."""
    terminal.type(b":" + word.encode())
    took_s = until(terminal, lambda text: word in text.splitlines()[-1], START_S)
    terminal.type(b"\x1b")
    until(terminal, lambda text: word not in text.splitlines()[-1], START_S)
    return took_s


def test_typing_shows_and_kill_closes_the_gate_while_pictures_fill_a_thin_link(
    session: DemoSession, tmp_path: Path
) -> None:
    gate = Gate.attach(session.place.root)
    with (
        key_control(tmp_path) as control,
        Terminal(["-m", "app", "attach", session.place.name]) as terminal,
        Noise() as noise,
    ):
        until(terminal, shows_prices, START_S)
        before, since_s = len(terminal.output), time.monotonic()
        terminal.read_slowly(5, THIN)
        filled = (len(terminal.output) - before) / (time.monotonic() - since_s) / THIN
        say(f"thin link: {100 * filled:.0f} % of it is used")
        assert filled > 0.4, "the screen was too quiet to fill the link"

        took_s = [typed_after_s(terminal, word) for word in WORDS]
        say(f"thin link: typed words stand after {', '.join(f'{each:.1f}' for each in took_s)} s")
        assert sorted(took_s)[1] <= SHOWN_S + 2 * noise.worst_s

        presses = Presses()
        for _ in range(30):
            terminal.read_slowly(TURN_S, THIN)
            presses.take_turns(lambda: closed_after_ms(gate, terminal, KILL), control.press_ms)
            release(gate)
        say(f"thin link: key to gate, {presses.text()}")
        assert presses.beyond_ms(0.9) <= BUDGET_MS

        until(terminal, lambda text: "HALTED" in text.splitlines()[0], START_S)
        closed_after_ms(gate, terminal, KILL)
        shown_s = until(terminal, lambda text: "KILLED" in text.splitlines()[0], START_S)
        say(f"thin link: the banner stands after {shown_s:.1f} s")
        assert shown_s <= SHOWN_S + 2 * noise.worst_s
    gate.detach()
