"""A worker pool whose processes are played by the test, on a clock the test moves."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.core.params import MS, ModelSpec
from pipeline.models.expectation import Expectation
from pipeline.runtime.model_orders import ModelReport, Order, next_order, schema_check, send
from pipeline.runtime.pool_params import PoolParams
from pipeline.runtime.rings import RESULT, TICKET
from pipeline.runtime.worker_memory import Phase, Word, WorkerMemory
from pipeline.runtime.worker_process import Launch, WorkerProcess
from pipeline.runtime.workers import ModelFile, WorkerPool
from tests.fakes.models import request

SPEC = ModelSpec(
    model_id="ab" * 32,
    name="fake",
    generation=1,
    schema_hash="cd" * 32,
    features=("qi_1", "micro_dev", "tfi_1s"),
    horizon_ms=1000,
    binary=True,
    sigma_train_e6=60,
    mean_move_e6=60,
    move_rate_e6=500_000,
)

CHECK = schema_check(SPEC.schema_hash)


class FakePopen:
    """A process that ends when told."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        return self.returncode

    def kill(self) -> None:
        if self.returncode is None:
            self.returncode = -signal.SIGKILL


class FakeProcess(WorkerProcess):
    """The session's end is real; the worker's end of the same memory is the test's."""

    def __init__(self, launch: Launch, done_fd: int, pid: int) -> None:
        self._fake = FakePopen(pid)
        super().__init__(launch, done_fd)
        self.worker = WorkerMemory.attach(os.dup(self.memory.fd))

    def _start(self, *_: object) -> Any:
        return self._fake

    def become_ready(self) -> None:
        self.beat()
        self.worker.put(Word.PHASE, Phase.READY)

    def beat(self) -> None:
        self.worker.put(Word.HEARTBEAT, self.worker.get(Word.HEARTBEAT) + 1)

    def answer(
        self, at_most: int = 1_000, *, valid: bool = True, claim: int = 0, check: int | None = None
    ) -> int:
        """Answer up to this many rows the way a worker does; gives how many there were.

        `claim` and `check` name another generation and schema than the row's.
        """
        for done in range(at_most):
            payload = self.worker.requests.pop()
            if payload is None:
                return done
            ticket, generation = TICKET.unpack_from(payload)
            check = CHECK if check is None else check
            answer = (ticket, 5, 9, 0.25, 0.0, 0.75, int(valid), claim or generation, check)
            assert self.worker.results.push(RESULT.pack(*answer))
            self.beat()
        return at_most

    def orders(self) -> list[Order]:
        """Take the orders about models that came."""
        found = []
        while (order := next_order(self._orders.read_fd)) is not None:
            found.append(order)
        return found

    def report(self, generation: int, why: str = "", schema_hash: str = SPEC.schema_hash) -> None:
        """Say what became of an order."""
        message = ModelReport(generation, "" if why else "any", "" if why else schema_hash, why, 1)
        assert send(self._reports.write_fd, message)

    def refuse(self, text: str) -> None:
        self.worker.say(Phase.REFUSED, text)
        self._fake.returncode = 3

    def die(self) -> None:
        self._fake.kill()

    def ask_to_stop(self) -> None:
        super().ask_to_stop()
        self.die()

    def close(self) -> None:
        self.worker.close()
        super().close()


class FakeFloor:
    """A pool, its processes in order of their start, and its clock."""

    def __init__(self, model: ModelSpec = SPEC, shadows: Sequence[ModelFile] = (), **settings: Any) -> None:
        self.now_ns = 10_000_000_000
        self.started: list[FakeProcess] = []
        self.cannot_start = False
        self._seq = 0
        params = PoolParams(**{"workers": 1, "depth": 4, **settings})
        self.pool = WorkerPool(
            Path("none.onnx"), model, Expectation(), params, lambda: self.now_ns, self._start, shadows
        )

    def _start(self, launch: Launch, done_fd: int) -> FakeProcess:
        if self.cannot_start:
            raise OSError(24, "Too many open files")
        self.started.append(FakeProcess(launch, done_fd, 1000 + len(self.started)))
        return self.started[-1]

    def ready(self) -> FakeFloor:
        """Start, and let every process be ready."""
        self.pool.start()
        for process in self.started:
            process.become_ready()
        self.pool.tick(self.now_ns)
        return self

    def ask(self, symbol: str = "BTCUSDT") -> int:
        """Submit the next row and give its number."""
        self._seq += 1
        self.pool.submit(request(SPEC, self._seq, symbol, self.now_ns))
        return self._seq

    def pass_ms(self, ms: int, *, step_ms: int = 10, beating: bool = True) -> None:
        """Let time pass in ticks; ready processes beat unless told otherwise."""
        for _ in range(0, ms, step_ms):
            self.now_ns += step_ms * MS
            for process in self.started:
                if beating and not process.reap() and process.ready:
                    process.beat()
            self.pool.tick(self.now_ns)

    def ends(self) -> list[tuple[int, str]]:
        """Give the rows that ended: number, and `answer` or the cause of the void."""
        return [(end.feature_seq, getattr(end, "cause", "answer")) for end in self.pool.poll(self.now_ns)]
