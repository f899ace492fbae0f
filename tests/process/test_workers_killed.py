"""Workers killed and stopped with rows in flight: every row ends, predictions are back within 1 s."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipeline.core.inputs import PredictionReceived
from pipeline.core.params import ModelSpec
from pipeline.core.types import WorkerState
from pipeline.models.loader import load_model
from pipeline.runtime.pool_params import PoolParams
from pipeline.runtime.workers import WorkerPool
from tests.fakes.models import expectation, request, spec_for, write_model

ROWS_PER_SECOND = 200
TIMES = 20
RESUMED_WITHIN_S = 1.0


@dataclass
class Host:
    """A session in miniature: asks at a steady pace, polls, ticks every 10 ms, remembers every end."""

    pool: WorkerPool
    spec: ModelSpec
    asked: dict[int, float] = field(default_factory=dict)
    ends: dict[int, str] = field(default_factory=dict)
    newest_answered_s: float = 0.0
    """When the newest row that was answered had been asked."""
    answered_at_s: float = 0.0

    def run(self, seconds: float, *, asking: bool = True) -> None:
        until_s = time.monotonic() + seconds
        next_row_s = next_tick_s = time.monotonic()
        while (now_s := time.monotonic()) < until_s:
            if asking and now_s >= next_row_s:
                next_row_s += 1 / ROWS_PER_SECOND
                seq = len(self.asked) + 1
                self.asked[seq] = now_s
                self.pool.submit(request(self.spec, seq))
            if now_s >= next_tick_s:
                next_tick_s = now_s + 0.010
                self.pool.tick(time.monotonic_ns())
            self.pool.wait_any(0.002)
            self.take()

    def take(self) -> None:
        for end in self.pool.poll(time.monotonic_ns()):
            assert end.feature_seq not in self.ends, "a row ended twice"
            if isinstance(end, PredictionReceived):
                self.ends[end.feature_seq] = "answer"
                self.newest_answered_s = self.asked[end.feature_seq]
                self.answered_at_s = time.monotonic()
            else:
                self.ends[end.feature_seq] = end.cause

    def pid(self) -> int:
        return self.pool.counters(0).workers[0].pid

    def until_warm(self) -> None:
        """Keep asking until the desk is manned and a spare stands by: each blow meets a whole crew."""
        for _ in range(200):
            self.run(0.05)
            if self.pool.ready == 1 and self.pool.spares_ready == 1:
                return
        pytest.fail(f"no warm spare within 10 s; {self.pool.gave_up}")


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    path = write_model(tmp_path)
    spec = spec_for(path)
    pool = WorkerPool(path, spec, expectation(), PoolParams(workers=1, log_path=tmp_path / "log"))
    pool.start()
    assert pool.wait_ready(20), pool.gave_up
    yield Host(pool, spec)
    pool.close(0)


def test_killed_and_stopped_in_flight_twenty_times_every_row_ends_and_answers_resume(host: Host) -> None:
    outages = []
    for blow in range(TIMES):
        host.until_warm()
        victim = host.pid()
        # A row is in flight at the moment of the blow: it is asked and not polled for.
        seq = len(host.asked) + 1
        host.asked[seq] = time.monotonic()
        os.kill(victim, signal.SIGSTOP)
        host.pool.submit(request(host.spec, seq))
        if blow % 2 == 0:
            os.kill(victim, signal.SIGKILL)
        struck_s = time.monotonic()
        while host.newest_answered_s < struck_s and time.monotonic() - struck_s < 5:
            host.run(0.02)
        outages.append(host.answered_at_s - struck_s)
        assert host.pid() != victim

    host.run(0.5, asking=False)
    counts = host.pool.counts
    assert counts.asked == len(host.asked) == counts.answered + counts.late + counts.worker + counts.conflated
    assert (counts.open, counts.invalid) == (0, 0)
    assert sorted(host.ends) == sorted(host.asked)
    assert counts.worker >= TIMES
    assert max(outages) < RESUMED_WITHIN_S, [round(outage, 3) for outage in outages]
    assert host.pool.counters(0).workers[0].restarts == TIMES
    assert host.pool.gave_up == ""


def test_without_a_spare_a_killed_worker_comes_back_all_the_same(tmp_path: Path) -> None:
    path = write_model(tmp_path)
    spec = spec_for(path)
    pool = WorkerPool(path, spec, expectation(), PoolParams(workers=1, spares=0))
    pool.start()
    try:
        assert pool.wait_ready(20)
        host = Host(pool, spec)
        host.run(0.2)
        first = host.pid()
        os.kill(first, signal.SIGKILL)
        host.run(0.05)
        assert pool.counters(0).workers[0].state in (WorkerState.DEAD, WorkerState.STARTING)
        assert pool.wait_ready(20)
        host.run(0.2)
        assert host.pid() != first
        assert host.ends[len(host.asked) - 2] == "answer"
    finally:
        pool.close(0)


def test_the_worker_answers_as_the_model_does_in_process(host: Host, tmp_path: Path) -> None:
    model = load_model(write_model(tmp_path), expectation())
    for seq in range(1, 30):
        row = request(host.spec, seq, ts_ns=seq)
        host.pool.submit(row)
        answer = host.pool.wait(seq, 5.0, 0)
        assert isinstance(answer, PredictionReceived)
        assert (answer.p_down, answer.p_flat, answer.p_up) == model.predict_into(
            [value / 1e6 for value in row.row_e6]
        )
