"""The kill key from a real terminal, seen by a second process, while everything else stands still.

The numbers are printed (`pytest -s`); what is asserted leaves room for a busy machine with few cores.
"""

from __future__ import annotations

import math
import statistics
import threading
import time
from collections.abc import Iterator
from functools import partial

import pytest

from pipeline.runtime.gate import Gate
from tests.fakes.demo_sessions import DemoSession, demo_session
from tests.fakes.noise import Noise
from tests.fakes.terminals import Terminal

KILL, HALT = b"\x0b", b"\x1b[19~"
ROUNDS = 100
FROZEN_S = 4.0
BUDGET_MS, SLACK_P99_MS = 20.0, 150.0
LONGEST_GAP_S = 0.3
"""The budget is 0.1 s; the rest is for a machine with other work to do, and twice its noise comes on top."""


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
    started_s = time.perf_counter()
    terminal.type(keys)
    while gate.is_open():
        assert time.perf_counter() - started_s < 5, "the gate was not closed"
        time.sleep(0.0002)
    return (time.perf_counter() - started_s) * 1000


def release(gate: Gate) -> None:
    """Take everything back, also a latch that comes a moment after the close."""
    until_s = time.monotonic() + 5
    while True:
        state = gate.state()
        if not state.open:
            shown = {record.closer: record.generation for record in state.closers}
            gate.release(shown, "test", "", "", time.time_ns(), latches=state.latches)
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
    """Watches how long the session ever went without computing a feature row, as seen from outside."""

    def __init__(self, session: DemoSession) -> None:
        super().__init__(daemon=True)
        self._session = session
        self._done = threading.Event()
        self.longest_s = 0.0

    def run(self) -> None:
        rows, since_s = -1, time.monotonic()
        while not self._done.is_set():
            now = self._session.status()["features"]
            if now != rows:
                self.longest_s = max(self.longest_s, time.monotonic() - since_s)
                rows, since_s = now, time.monotonic()
            time.sleep(0.02)

    def finish(self) -> float:
        self._done.set()
        self.join()
        return self.longest_s


def say(words: str) -> None:
    """Put a measured number where `pytest -s` shows it."""
    print(f"\n{words}", end="")  # noqa: T201 - measured numbers are to be read


def percentile(values: list[float], share: float) -> float:
    """Give the value a share of all is not above (nearest rank)."""
    return sorted(values)[max(0, math.ceil(len(values) * share) - 1)]


def test_a_frozen_terminal_keeps_neither_the_kill_key_nor_the_session_waiting(
    session: DemoSession, gate: Gate
) -> None:
    with console(session) as terminal, Noise() as noise:
        terminal.until(shows_prices)
        lag_before_us = session.status()["latency_us"]["loop_lag"]["max"]
        watch = Progress(session)
        watch.start()
        time.sleep(FROZEN_S)  # nobody reads: the link to the terminal is stuck
        gap_s = watch.finish()
        lag_us = session.status()["latency_us"]["loop_lag"]["max"]
        took_ms = []
        for turn in range(ROUNDS):
            took_ms.append(closed_after_ms(gate, terminal, HALT if turn % 10 == 9 else KILL))
            release(gate)
        noise_ms = 1000 * noise.worst_s
        p50, p99 = statistics.median(took_ms), percentile(took_ms, 0.99)
        say(f"frozen: key to gate p50 {p50:.1f} p99 {p99:.1f} max {max(took_ms):.1f} ms of {ROUNDS}")
        say(f"frozen: longest between feature rows {1000 * gap_s:.0f} ms, as polled every 20 ms")
        say(f"loop lag max {lag_us:.0f} us, before {lag_before_us:.0f}; the machine's own {noise_ms:.0f} ms")
        assert p50 <= BUDGET_MS
        assert p99 <= SLACK_P99_MS + 2 * noise_ms
        assert gap_s <= LONGEST_GAP_S + 2 * noise.worst_s
        assert lag_us / 1e6 <= LONGEST_GAP_S + 2 * noise.worst_s
        terminal.until(shows_prices)
        assert terminal.process.poll() is None


PLACES = (
    ("dialog", b"q", "Leave?"),
    ("input field", b":seek 1234", "seek 1234"),
    ("palette", b"\x10re", "ACTIONS"),
    ("unfinished paste", b"\x1b[200~pasted and not ended", ""),
)
FORMS = (KILL, b"\x1b[20~", b"\x1b[107;5u", b"\x1b[27;5;107~")
"""0x0B, F9, and Ctrl+K of the two newer keyboard protocols."""
BANNER = "Orders stop."


def test_every_form_of_the_kill_key_works_where_keys_are_text(session: DemoSession, gate: Gate) -> None:
    with console(session) as terminal, Noise() as noise:
        for (place, keys, sign), form in zip(PLACES, FORMS, strict=True):
            terminal.until(lambda text: shows_prices(text) and BANNER not in text)
            terminal.type(keys)
            terminal.until(partial(contains, sign))
            terminal.read(0.3)
            took_ms = closed_after_ms(gate, terminal, form)
            say(f"{place}: key to gate {took_ms:.1f} ms")
            assert [record.reason for record in gate.state().closers] == ["kill key"]
            terminal.until(partial(contains, BANNER))
            terminal.until(partial(lacks, sign))
            assert took_ms <= SLACK_P99_MS + 2000 * noise.worst_s
            release(gate)


def test_an_app_whose_loop_is_held_does_not_hold_the_kill_key(session: DemoSession, gate: Gate) -> None:
    held = ["-m", "tests.fakes.held_console", session.place.name, "5"]
    with Terminal(held) as terminal, Noise() as noise:
        terminal.until(shows_prices)
        terminal.type(b"b")
        terminal.read(0.5)  # now it is busy, and draws nothing
        took_ms = []
        for _ in range(20):
            took_ms.append(closed_after_ms(gate, terminal, KILL))
            release(gate)
        p50, worst = statistics.median(took_ms), max(took_ms)
        say(f"loop held: key to gate p50 {p50:.1f} max {worst:.1f} ms of {len(took_ms)}")
        assert p50 <= BUDGET_MS
        assert worst <= SLACK_P99_MS + 2000 * noise.worst_s
