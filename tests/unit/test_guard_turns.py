"""The guard's own decisions, with a real gate, a real process to watch, and no venue."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.runtime.gate import Closer, Gate
from pipeline.runtime.guard import PAUSE_NS, Guard
from pipeline.runtime.guard_engine import PidfdEngine
from pipeline.runtime.guard_params import GuardParams
from pipeline.runtime.guard_report import GuardReport, read_report, write_report
from pipeline.runtime.heart import Heart, Life
from pipeline.runtime.latch import LatchDir


class Bench:
    """A guard and the process it takes for its engine."""

    def __init__(self, directory: Path, *, acts: bool = True) -> None:
        self.directory = directory
        self.engine = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        self.pidfd = os.pidfd_open(self.engine.pid)
        self.gate, self.heart = Gate.create(directory), Heart.create(directory)
        self.heart.set_life(Life.RUNS)
        params = GuardParams("one", ("BTCUSDT",), acts=acts, id_prefix="t")
        tell = functools.partial(write_report, directory=directory)
        engine = PidfdEngine(self.pidfd)
        self.guard = Guard(params, self.gate, self.heart, engine, None, tell, time.time_ns, os.getpid())
        self.turns = 0

    def turn(self, count: int = 1, *, beats: bool = True) -> bool:
        """Let the guard turn; say whether it goes on."""
        goes_on = True
        for _ in range(count):
            self.turns += 1
            if beats:
                self.heart.beat_engine(self.turns, healthy=True)
            goes_on = self.guard.turn(self.turns * PAUSE_NS)
        return goes_on

    @property
    def report(self) -> GuardReport:
        return read_report(self.directory) or GuardReport()

    def end(self) -> None:
        self.engine.kill()
        self.engine.communicate()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    tmp_path.chmod(0o700)
    one = Bench(tmp_path)
    yield one
    one.end()
    os.close(one.pidfd)
    one.gate.detach()
    one.heart.detach()


def test_dead_engine_is_swept_though_the_disk_takes_no_latch(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LatchDir, "engage", lambda *_: False)
    bench.end()
    assert bench.turn(3)
    assert bench.report.phase == "cancelling"
    assert not bench.gate.is_open()


def test_deaf_engine_is_fenced_before_anything_else(bench: Bench) -> None:
    bench.gate.close(Closer.SHELL, "ada", "", "kill", 1)
    bench.gate.latch("ada", "", "kill", 1)
    bench.turn(10)
    assert bench.engine.poll() is None
    assert bench.report.phase == "waiting"
    bench.turn(10)
    assert bench.engine.wait(5) == -9
    bench.turn()
    assert (bench.report.engine, bench.report.phase) == ("fenced", "cancelling")


def test_kill_fences_a_deaf_engine_though_the_disk_takes_no_latch(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LatchDir, "engage", lambda *_: False)
    bench.gate.close(Closer.CONSOLE, "ada", "", "kill key", 1, kill=True)
    assert not bench.gate.latch("ada", "", "kill key", 1)
    bench.turn(20)
    assert bench.engine.wait(5) == -9
    bench.turn()
    assert (bench.report.engine, bench.report.phase) == ("fenced", "cancelling")


def test_halt_fences_nobody_and_a_release_ends_the_matter(bench: Bench) -> None:
    generation = bench.gate.close(Closer.SHELL, "ada", "", "halt", 1)
    bench.turn(40)
    assert bench.engine.poll() is None
    bench.gate.release({Closer.SHELL: generation}, "ada", "", "", 1)
    bench.turn()
    assert bench.report.phase == "watching"


def test_latch_made_by_hand_is_a_kill_the_engine_must_acknowledge(bench: Bench) -> None:
    (bench.directory / "KILL").touch()
    bench.turn()
    assert [record.closer for record in bench.gate.state().closers] == [Closer.GUARD]
    bench.gate.acknowledge(bench.gate.state().closers)
    bench.turn(30)
    assert bench.engine.poll() is None
    assert bench.report.phase == "cancelling"


def test_goodbye_ends_the_guard_and_leaves_the_gate_alone(bench: Bench) -> None:
    bench.turn()
    bench.heart.set_life(Life.ENDED)
    assert not bench.turn()
    assert bench.gate.is_open()
    assert bench.report.phase == "ended"


def test_guard_of_a_paper_session_only_watches(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    one = Bench(tmp_path, acts=False)
    one.turn(400, beats=False)
    assert one.engine.poll() is None
    assert one.gate.is_open()
    assert one.report.engine == "late"
    one.end()
    assert not one.turn()


def spared(bench: Bench, turns: int) -> None:
    """Let the engine acknowledge and say that a person spares our orders."""
    bench.gate.acknowledge(bench.gate.state().closers)
    for _ in range(turns):
        bench.turns += 1
        bench.heart.beat_engine(bench.turns, healthy=True, spared=bench.gate.state().generation)
        bench.guard.turn(bench.turns * PAUSE_NS)


def test_orders_a_person_left_are_not_swept_until_the_engine_stops_saying_so(bench: Bench) -> None:
    bench.gate.close(Closer.CONSOLE, "ada", "", "kill key", 1, kill=True)
    spared(bench, 400)
    assert bench.report.phase == "sparing"
    assert not bench.guard.is_busy
    bench.turn(2)
    assert bench.report.phase == "cancelling"


def test_orders_a_person_left_are_swept_once_the_engine_is_dead(bench: Bench) -> None:
    bench.gate.close(Closer.CONSOLE, "ada", "", "kill key", 1, kill=True)
    spared(bench, 10)
    bench.end()
    bench.turn(3, beats=False)
    assert (bench.report.engine, bench.report.phase) == ("dead", "cancelling")


def test_engine_that_spares_orders_and_then_hangs_is_fenced(bench: Bench) -> None:
    bench.gate.close(Closer.CONSOLE, "ada", "", "kill key", 1, kill=True)
    spared(bench, 10)
    bench.turn(80, beats=False)
    assert bench.engine.wait(5) == -9
    bench.turn()
    assert bench.report.phase == "cancelling"


def test_orders_left_at_an_orderly_end_are_swept_and_nobody_is_killed(bench: Bench) -> None:
    bench.turn(2)
    bench.heart.set_life(Life.OWING)
    assert bench.turn(2)
    assert (bench.report.engine, bench.report.phase) == ("ended", "cancelling")
    assert bench.report.reason == "orders left at an orderly end"
    bench.end()
    assert bench.turn(3)
    assert bench.report.phase == "cancelling"
    assert bench.gate.is_open()
