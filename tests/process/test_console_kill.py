"""The kill key from a real terminal, seen by a second process, while everything else stands still.

Each key is pressed in turns with one for a bare program (`app.bench_key_control`) on the same machine at the
same time. What is asserted is the budget beyond that control: a busy machine delays both, a slow path only
ours. The numbers are printed (`pytest -s`).
"""

from __future__ import annotations

import fcntl
import struct
import termios
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import cycle, repeat
from pathlib import Path
from typing import NamedTuple

import pytest

from app.bench_kill import KeyControl, Presses, key_control, seen_after_ms
from pipeline.runtime.gate import Gate
from tests.fakes.demo_sessions import DemoSession, demo_session
from tests.fakes.noise import Noise
from tests.fakes.session_processes import LinkClient
from tests.fakes.terminals import Terminal

KILL, HALT = b"\x0b", b"\x1b[19~"
ROUNDS = 100
MOST_ROUNDS = 300
"""The 99th percentile of a hundred is its second largest; where that is too late, more rounds tell."""
FROZEN_S = 30.0
BUDGET_MS = 20.0
LONGEST_GAP_S = 0.1
"""What the machine's own noise comes on top of, twice: once for the session, once for who asks it."""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoSession]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOBDECK_HOME", str(tmp_path_factory.mktemp("home")))
        with demo_session("frozen") as running:
            yield running


@pytest.fixture
def gate(session: DemoSession) -> Iterator[Gate]:
    gate = Gate.attach(session.place.root)
    yield gate
    gate.detach()


def closed_after_ms(gate: Gate, terminal: Terminal, keys: bytes) -> float:
    """Type keys and give how long it took until this process saw the gate closed."""
    return seen_after_ms(lambda: terminal.type(keys), lambda: not gate.is_open())


def measured(turns: Iterable[Callable[[Presses], None]], what: str) -> Presses:
    """Take turns in rounds of a hundred until the tail is within the budget, or is known for good."""
    presses = Presses()
    for turn in turns:
        turn(presses)
        count = len(presses.ours_ms)
        if count == MOST_ROUNDS or (count % ROUNDS == 0 and presses.beyond_ms() <= BUDGET_MS):
            break
    say(f"{what}: key to gate, {presses.text()}")
    return presses


def release(gate: Gate) -> None:
    """Take everything back, also a latch that comes a moment after the close."""
    until_s = time.monotonic() + 5
    while True:
        state = gate.state()
        if not state.open:
            shown = {record.closer: record.generation for record in state.closers}
            gate.release(shown, "test", "", "", time.time_ns(), latches=state.latches, kills=state.kills)
        time.sleep(0.02)
        if gate.is_open():
            return
        assert time.monotonic() < until_s


def console(session: DemoSession) -> Terminal:
    return Terminal(["-m", "app", "attach", session.place.name])


def contains(sign: str, text: str) -> bool:
    return sign in text


def lacks(sign: str, text: str) -> bool:
    return not sign or sign not in text


def shows_prices(text: str) -> bool:
    return "LADDER" in text and "BTCUSDT" in text


class Progress(threading.Thread):
    """Watches how long the session ever went without taking a frame, as seen from outside."""

    def __init__(self, session: DemoSession) -> None:
        super().__init__(daemon=True)
        self._session = session
        self._done = threading.Event()
        self.longest_s = 0.0

    def run(self) -> None:
        frames, since_s = -1, time.monotonic()
        with LinkClient(self._session.place) as client:
            while not self._done.is_set():
                now = client.status()["frames"]
                if now != frames:
                    self.longest_s = max(self.longest_s, time.monotonic() - since_s)
                    frames, since_s = now, time.monotonic()
                time.sleep(0.01)

    def finish(self) -> float:
        self._done.set()
        self.join()
        return self.longest_s


def unread(terminal: Terminal) -> int:
    """Give how many bytes the terminal holds that nobody has read."""
    (count,) = struct.unpack("I", fcntl.ioctl(terminal.master, termios.FIONREAD, bytes(4)))
    assert isinstance(count, int)
    return count


def say(words: str) -> None:
    """Put a measured number where `pytest -s` shows it."""
    print(f"\n{words}", end="")  # noqa: T201 - measured numbers are to be read


def test_a_frozen_terminal_keeps_neither_the_kill_key_nor_the_session_waiting(
    session: DemoSession, gate: Gate, tmp_path: Path
) -> None:
    with key_control(tmp_path) as control, console(session) as terminal:
        terminal.until(shows_prices)
        with Noise() as noise:
            watch = Progress(session)
            watch.start()
            time.sleep(FROZEN_S / 2)  # nobody reads: the link to the terminal is stuck
            held = unread(terminal)
            time.sleep(FROZEN_S / 2)
            gap_s = watch.finish()
        assert unread(terminal) == held > 0
        presses = measured(repeat(partial(press_both, gate, terminal, control)), "frozen")
        say(f"frozen: longest between frames {1000 * gap_s:.0f} ms; the machine's {1000 * noise.worst_s:.0f}")
        assert presses.beyond_ms() <= BUDGET_MS
        assert gap_s <= LONGEST_GAP_S + 2 * noise.worst_s
        terminal.until(shows_prices)
        assert terminal.process.poll() is None


def press_both(gate: Gate, terminal: Terminal, control: KeyControl, presses: Presses) -> None:
    """Press the kill key, and every tenth time the halt key, beside the control; open the gate again."""
    keys = HALT if len(presses.ours_ms) % 10 == 9 else KILL
    presses.take_turns(lambda: closed_after_ms(gate, terminal, keys), control.press_ms)
    release(gate)


class Place(NamedTuple):
    """Where keys are text, or belong to a box."""

    keys: bytes
    """What leads there."""
    sign: str
    """What the screen shows there, and nowhere else."""


PLACES = (Place(b"q", "Leave?"), Place(b":seek 1234", "seek 1234"), Place(b"\x10re", "ACTIONS"))
FORMS = (KILL, b"\x1b[20~", b"\x1b[107;5u", b"\x1b[27;5;107~")
"""0x0B, F9, and Ctrl+K of the two newer keyboard protocols."""
BANNER = "Orders stop."


def test_every_form_of_the_kill_key_works_where_keys_are_text(
    session: DemoSession, gate: Gate, tmp_path: Path
) -> None:
    with key_control(tmp_path) as control, console(session) as terminal:
        terminal.until(shows_prices)

        def press(keys: bytes, sign: str, form: bytes, presses: Presses) -> None:
            terminal.type(keys)
            terminal.until(partial(contains, sign))
            presses.take_turns(lambda: closed_after_ms(gate, terminal, form), control.press_ms)
            assert [record.reason for record in gate.state().closers] == ["kill key"]
            terminal.until(partial(lacks, sign))
            release(gate)

        def turns() -> Iterator[Callable[[Presses], None]]:
            for place, form in zip(cycle(PLACES), cycle(FORMS + FORMS[:1]), strict=False):
                yield partial(press, place.keys, place.sign, form)

        assert measured(turns(), "where keys are text").beyond_ms() <= BUDGET_MS
        terminal.type(b"\x1b[200~0123456789")
        terminal.read(0.3)
        closed_after_ms(gate, terminal, KILL)
        terminal.until(partial(contains, BANNER))
        release(gate)


HELD_S = 5.0


def test_an_app_whose_loop_is_held_does_not_hold_the_kill_key(
    session: DemoSession, gate: Gate, tmp_path: Path
) -> None:
    held = ["-m", "tests.fakes.held_console", session.place.name, str(HELD_S)]
    with key_control(tmp_path, "busy") as control, Terminal(held) as terminal:
        until_s = 0.0

        def press(presses: Presses) -> None:
            nonlocal until_s
            if time.monotonic() > until_s:
                terminal.read(HELD_S)
                terminal.until(shows_prices)
                terminal.type(b"b")
                terminal.read(0.5)  # now it is busy, and draws nothing
                until_s = time.monotonic() + HELD_S - 1.0
            press_both(gate, terminal, control, presses)

        assert measured(repeat(press), "loop held").beyond_ms() <= BUDGET_MS
