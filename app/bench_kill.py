"""Ctrl+K to the gate, beside the least a program can do about a key, in turns.

The console's terminal is not read, as on a link that stands still. What a busy machine adds meets the control
(`bench_key_control`) as well: the budget is judged by what the console takes beyond it.
"""

from __future__ import annotations

import contextlib
import mmap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from app.bench_key_control import PAGE_BYTES, READY
from app.bench_report import Budget, Row
from app.bench_terminal import TerminalProgram
from app.bench_tools import BenchError, Plan, percentile
from app.shell import ShellError, release
from pipeline.runtime.gate import Gate
from pipeline.runtime.places import SessionPlace

BUDGET_MS = Budget(20.0)
ROWS, COLUMNS = 48, 160
START_S = 40.0
FROZEN_S = 30.0
QUICK_FROZEN_S = 3.0
SEEN_S = 5.0
LOOK_S = 0.0002
"""Between two looks of the second process: one that never rests takes the processor from what it measures."""
BETWEEN_S = 0.03
KEY = b"\x0b"


@dataclass(slots=True)
class Presses:
    """How long keys took, ours and the control's, in ms; a round adds one of each."""

    ours_ms: list[float] = field(default_factory=list)
    control_ms: list[float] = field(default_factory=list)

    def take_turns(self, ours: Callable[[], float], control: Callable[[], float]) -> None:
        """Press both keys once; each is first as often."""
        turns = [(self.ours_ms, ours), (self.control_ms, control)]
        for kept, press in turns if len(self.ours_ms) % 2 else reversed(turns):
            kept.append(press())

    def beyond_ms(self, share: float = 0.99) -> float:
        """Give how much longer ours took than the control at a share of all rounds; at least 0."""
        return max(0.0, percentile(self.ours_ms, share) - percentile(self.control_ms, share))

    def text(self) -> str:
        """Say both in one line."""
        each = (
            f"p50 {percentile(times, 0.5):.1f}, p99 {percentile(times, 0.99):.1f}, largest {max(times):.1f}"
            for times in (self.ours_ms, self.control_ms)
        )
        return f"{len(self.ours_ms)} rounds: " + " ms; control ".join(each) + " ms"


class KeyControl:
    """The program that does the least, in a terminal of its own."""

    def __init__(self, program: TerminalProgram, page: mmap.mmap) -> None:
        self._program = program
        self._page = page

    def press_ms(self) -> float:
        """Press the key; give how long it took until this process saw the number stored."""
        before = self._page[:8]
        return seen_after_ms(lambda: self._program.type(KEY), lambda: self._page[:8] != before)


@contextlib.contextmanager
def key_control(folder: Path, *options: str) -> Iterator[KeyControl]:
    """Run the control; with the option `busy` its main thread never rests, as an app whose loop is held.

    Raises:
        BenchError: it does not start.
    """
    path = folder / "key-control"
    path.write_bytes(bytes(PAGE_BYTES))
    with path.open("r+b") as file, mmap.mmap(file.fileno(), PAGE_BYTES) as page:
        module = "app.bench_key_control"
        with TerminalProgram((str(path), *options), ROWS, COLUMNS, module=module) as program:
            drawn, until_s = b"", time.perf_counter() + START_S
            while READY.strip() not in drawn:
                if time.perf_counter() > until_s:
                    raise BenchError("the control did not start")
                drawn += program.read(0.1)
            yield KeyControl(program, page)


def seen_after_ms(press: Callable[[], None], seen: Callable[[], bool]) -> float:
    """Press, look until it is seen, and give how long that took.

    Raises:
        BenchError: it was not seen within 5 s.
    """
    started_s = time.perf_counter()
    press()
    while not seen():
        if time.perf_counter() - started_s > SEEN_S:
            raise BenchError(f"nothing was seen within {SEEN_S:.0f} s of the key")
        time.sleep(LOOK_S)
    return (time.perf_counter() - started_s) * 1e3


def measure_kill(plan: Plan, place: SessionPlace) -> Row:
    """Measure from the byte of Ctrl+K to the gate seen closed by this process, the terminal unread meanwhile.

    The gate is released after each; so the session of `place` is HALTED afterwards.
    """
    presses, frozen_s = Presses(), QUICK_FROZEN_S if plan.quick else FROZEN_S
    with key_control(plan.home) as control, TerminalProgram(("attach", place.name), ROWS, COLUMNS) as console:
        console.wait_for_prices(START_S)
        time.sleep(frozen_s)
        gate = Gate.attach(place.root)
        try:
            for _ in range(plan.of(100, 30)):
                presses.take_turns(
                    lambda: seen_after_ms(lambda: console.type(KEY), lambda: not gate.is_open()),
                    control.press_ms,
                )
                _release(gate, place)
                time.sleep(BETWEEN_S)
        finally:
            gate.detach()
    return kill_row(presses, frozen_s)


def kill_row(presses: Presses, frozen_s: float) -> Row:
    """Judge the presses by what they took beyond the control."""
    beyond_ms = presses.beyond_ms()
    return Row(
        what="Ctrl+K byte -> gate closed, p99 beyond a bare program",
        unit="ms",
        measured=beyond_ms,
        budget=BUDGET_MS,
        note=f"{presses.text()}; terminal not read for {frozen_s:.0f} s and on",
        profile=f"p90 {presses.beyond_ms(0.9):.1f} ms beyond, p50 {presses.beyond_ms(0.5):.1f} ms"
        if beyond_ms > BUDGET_MS.limit
        else "",
    )


def _release(gate: Gate, place: SessionPlace) -> None:
    """Open the gate again; the latch may be written while the first release runs, so it may take two."""
    until_s = time.perf_counter() + SEEN_S
    while not gate.is_open():
        if time.perf_counter() > until_s:
            raise BenchError("the gate could not be released")
        with contextlib.suppress(ShellError):
            release(place)
