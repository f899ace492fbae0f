"""The session's side of its guard, with guards that are no processes: lost ones, new ones, who may resume."""

from __future__ import annotations

from pathlib import Path

from pipeline.runtime.guard_keeper import GuardKeeper
from pipeline.runtime.guard_params import GuardParams
from pipeline.runtime.guard_report import GuardReport
from pipeline.runtime.heart import GuardState, Heart

MS = 1_000_000
PAUSE_NS = 10 * MS


class Child:
    """A guard that lives until it is ended."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.status: int | None = None

    def poll(self) -> int | None:
        return self.status

    def kill(self) -> None:
        self.status = -9


class Starter:
    """Starts such guards."""

    def __init__(self) -> None:
        self.children: list[Child] = []

    def start(self) -> Child:
        self.children.append(Child(4_000_000 + len(self.children)))
        return self.children[-1]

    def report(self) -> GuardReport | None:
        return None

    def close(self) -> None:
        pass


class Bench:
    """A keeper and the page its guards beat on."""

    def __init__(self, directory: Path) -> None:
        self.starter = Starter()
        params = GuardParams("one", ("BTCUSDT",), acts=True)
        self.keeper = GuardKeeper(params, directory, PAUSE_NS, starter=self.starter)
        self.heart = Heart.join(directory)
        self.turns = 0

    def turn(self, count: int = 1, *, beats: bool = True) -> None:
        for _ in range(count):
            self.turns += 1
            if beats:
                pid = self.starter.children[-1].pid if self.starter.children else 0
                self.heart.beat_guard(self.turns, pid, GuardState.WATCHES)
            self.keeper.look(self.turns * PAUSE_NS, healthy=True)


def test_nobody_resumes_before_a_guard_is_back(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.turn(2)
    bench.turn(2)
    assert bench.keeper.is_ready
    assert not bench.keeper.resume_refusal
    bench.starter.children[0].status = -9
    bench.turn(beats=False)
    assert bench.keeper.resume_refusal.startswith("guard DOWN")
    bench.turn(12, beats=False)
    assert len(bench.starter.children) == 2
    assert bench.keeper.resume_refusal.startswith("guard starts")
    bench.turn(2)
    assert not bench.keeper.resume_refusal


def test_guard_that_hangs_is_ended_and_nobody_resumes(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.turn(4)
    bench.turn(99, beats=False)
    assert not bench.keeper.resume_refusal
    bench.turn(2, beats=False)
    assert bench.starter.children[0].status == -9
    assert bench.keeper.resume_refusal
