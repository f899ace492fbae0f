"""The session's side of inference: rows go to worker processes, answers come back, nothing ever waits.

A symbol stays with one worker. A row that finds its worker's rings full, or nobody at that desk, waits on
this side; of each symbol only the newest waits, the one it replaced is void and counted. Every row asked ends
once: answered, or void with cause `late`, `worker`, `conflated` or `invalid`.

A row names the generation it is for. Further models are loaded by `prepare`, which ends when every worker
holds the model or one cannot; `hold` says which generations stay. Which of them is the live one is the
engine's to know: the pool only takes rows of those it holds.

In lock-step (replay of a capture) the answers must not depend on how fast this machine is: every row waits
its turn, none is late, and the rows of a worker that died are asked again. Who keeps the workers alive is
`worker_crew.py`; what ring depth costs is in `rings.py`.
"""

from __future__ import annotations

import contextlib
import os
import select
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic_ns

import msgspec

from pipeline.core.effects import RequestInference
from pipeline.core.inputs import PredictionReceived, PredictionVoid, WorkerCounters
from pipeline.core.params import SECOND, ModelSpec
from pipeline.core.registry import NAMES
from pipeline.core.types import WorkerState
from pipeline.models.expectation import Expectation
from pipeline.runtime.model_orders import ModelOrder, schema_check
from pipeline.runtime.pool_params import PoolCounts, PoolParams
from pipeline.runtime.worker_crew import Desk, Start, WorkerCrew
from pipeline.runtime.worker_process import AskedRow, Launch, RawAnswer, WorkerProcess

Answer = PredictionReceived | PredictionVoid
"""How a row ends."""

_MOST_WAITING = 4_096
"""Rows one desk lets wait in lock-step, more than a host that waits for answers can ask."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model and where its file is; `expectation.sha256` is pinned to the model by the pool."""

    model: ModelSpec
    path: Path
    expectation: Expectation

    def order(self) -> ModelOrder:
        """Give what a worker is told."""
        pinned = msgspec.structs.replace(self.expectation, sha256=self.model.model_id)
        return ModelOrder(self.model.generation, str(self.path), pinned)


@dataclass(frozen=True, slots=True)
class Prepared:
    """How a preparation ended: all workers hold the generation, or `why` not."""

    generation: int
    why: str


class WorkerPool:
    """Worker processes for the models of a session; one owner, the thread that called `start`.

    Call `submit` for each row, `poll` when `fileno` is readable and at each beat, `tick` at each beat
    (10 ms), `close` once. Times called `now_ns` are the session's and only stamp what comes out; deadlines
    are measured by the pool's own clock.
    """

    def __init__(
        self,
        model_path: Path,
        model: ModelSpec,
        expectation: Expectation,
        params: PoolParams,
        clock: Callable[[], int] = monotonic_ns,
        start: Start = WorkerProcess,
        shadows: Sequence[ModelFile] = (),
    ) -> None:
        """Prepare a pool; `expectation` is what each worker checks the file against.

        `shadows` are held from the start too. A file that is not the one `model` was read from is refused
        where `expectation.sha256` says which it is.

        `clock` gives nanoseconds that only rise, and must be the system's monotonic clock outside tests;
        `start` starts one process.
        """
        self.counts = PoolCounts()
        files = (ModelFile(model, model_path, expectation), *shadows)
        self._models = {one.model.generation: one.model for one in files}
        self._live = model
        self._width = max(len(NAMES), *(one.model.width for one in files))
        self._prepare_until_ns = 0
        self._params = params
        self._clock = clock
        self._done_fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._done = select.poll()
        self._done.register(self._done_fd, select.POLLIN)
        launch = Launch(
            models=tuple(one.order() for one in files),
            checks={one.model.generation: schema_check(one.model.schema_hash) for one in files},
            depth=params.depth,
            width=self._width,
            spin_ns=params.spin_ns,
            log_path=params.log_path,
            log_bytes=params.log_bytes,
        )
        self._crew = WorkerCrew(launch, params, self._done_fd, start)
        self._waiting: list[dict[int | str, AskedRow]] = [{} for _ in self._crew.desks]
        self._anyone_waits = False
        self._homes: dict[str, Desk] = {}
        self._ended: list[Answer] = []
        self._shown: tuple[object, ...] = ()

    def start(self) -> None:
        """Start all processes and come back at once; they are ready 0.3 to 1 s later.

        The kernel kills a worker when the thread that started it ends: call this, and `tick`, from the
        thread the session lives in.
        """
        self.tick(0)

    def fileno(self) -> int:
        """Give the descriptor that is readable when answers or news are there; it never changes."""
        return self._done_fd

    @property
    def ready(self) -> int:
        """Count workers that take rows."""
        return sum(desk.process is not None for desk in self._crew.desks)

    @property
    def spares_ready(self) -> int:
        """Count warm processes that would take over at once."""
        return self._crew.spares_ready

    @property
    def gave_up(self) -> str:
        """Give why no worker is started any more (a refused model, deaths in a row); empty normally."""
        return self._crew.gave_up

    def submit(self, request: RequestInference) -> None:
        """Take a row; never blocks, never refuses. `poll` gives its end.

        Raises:
            ValueError: the row is for another model, generation or schema than this pool's, or not as wide.
        """
        model = self._models.get(request.generation)
        identity = (request.model_id, request.generation, request.schema_hash, len(request.row_e6))
        if model is None or identity != (model.model_id, model.generation, model.schema_hash, model.width):
            raise ValueError(f"row {request.feature_seq} is for {identity}, no worker holds that")
        self.counts.asked += 1
        desk = self._homes.get(request.symbol)
        if desk is None:
            desk = self._homes[request.symbol] = self._crew.desks[len(self._homes) % len(self._crew.desks)]
        row = AskedRow(request, self._clock())
        if desk.process is None or not desk.process.push(row):
            self._let_wait(desk, row)

    def prepare(self, file: ModelFile) -> str:
        """Let every worker load a model beside those it has; say why not, else `prepared` tells the end."""
        model, order = file.model, file.order()
        if model.width > self._width:
            width = self._width
            rings = f"the rings of this session's workers hold {width}: start it with --shadow"
            return f"E_IO: a row of {model.width} numbers; {rings}"
        self._models[model.generation] = model
        self._crew.checks[model.generation] = schema_check(model.schema_hash)
        self._crew.pending = order
        self._prepare_until_ns = self._clock() + self._params.prepare_ns
        return ""

    def prepared(self) -> Prepared | None:
        """Give how a preparation ended, once; None while none has. Then `hold` must say what stays."""
        pending = self._crew.pending
        if pending is None:
            return None
        agreed, why = self._crew.agreement(pending.generation)
        if not agreed and not why:
            if self.gave_up:
                why = self.gave_up
            elif self._clock() > self._prepare_until_ns:
                why = f"not every worker had loaded it after {self._params.prepare_ns // SECOND} s"
            else:
                return None
        self._crew.pending = None
        if agreed:
            self._crew.catalog[pending.generation] = pending
        return Prepared(pending.generation, why)

    def hold(self, live: int, generations: Sequence[int]) -> None:
        """Keep these generations and let go of all others; `live` is the one the counters name."""
        crew = self._crew
        if crew.pending is not None and crew.pending.generation not in generations:
            crew.pending = None
        crew.catalog = {one: order for one, order in crew.catalog.items() if one in generations}
        self._models = {one: model for one, model in self._models.items() if one in generations}
        self._live = self._models[live]

    def poll(self, now_ns: int) -> list[Answer]:
        """Take every row that has ended since the last call, oldest first."""
        self._collect(now_ns)
        ended, self._ended = self._ended, []
        return ended

    def tick(self, now_ns: int) -> bool:
        """Replace what is dead or hung, and let waiting rows in or end them.

        True when a worker's process or state changed, which is when `counters` is worth reading.
        """
        clock_ns = self._clock()
        for process in self._crew.tick(clock_ns):
            self._bury(process, now_ns, clock_ns)
        self._serve_waiting(now_ns)
        shown = tuple(
            (desk.process.pid if desk.process else 0, self._crew.state(desk, clock_ns) is WorkerState.STALLED)
            for desk in self._crew.desks
        )
        changed, self._shown = shown != self._shown, shown
        return changed

    def wait_any(self, timeout_s: float) -> bool:
        """Block until there is something to poll, at most `timeout_s`; for a host with nothing else to do."""
        return bool(self._ended) or bool(self._done.poll(timeout_s * 1000))

    def wait(self, feature_seq: int, timeout_s: float, now_ns: int) -> Answer | None:
        """Block until this row has ended and give its end; None after `timeout_s`.

        Other rows that end meanwhile stay for `poll`. The pool keeps ticking.
        """
        until_ns = self._clock() + int(timeout_s * SECOND)
        while True:
            self._collect(now_ns)
            for answer in self._ended:
                if answer.feature_seq == feature_seq:
                    self._ended.remove(answer)
                    return answer
            if self._clock() >= until_ns:
                return None
            if not self._done.poll(5):
                self.tick(now_ns)

    def wait_ready(self, timeout_s: float) -> bool:
        """Block until every worker takes rows; False after `timeout_s`, or at once when the pool gave up."""
        until_ns = self._clock() + int(timeout_s * SECOND)
        while self.ready < len(self._crew.desks):
            if self.gave_up or self._clock() >= until_ns:
                return False
            self._done.poll(5)
            self.tick(0)
        return True

    def counters(self, now_ns: int) -> WorkerCounters:
        """Give the health of every worker, for the engine and the screen."""
        clock_ns, model = self._clock(), self._live
        for desk, waiting in zip(self._crew.desks, self._waiting, strict=True):
            desk.waiting = len(waiting)
        statuses = [self._crew.status(desk, clock_ns, model) for desk in self._crew.desks]
        return WorkerCounters(workers=tuple(statuses), conflated=self.counts.conflated, ts_ns=now_ns)

    def close(self, now_ns: int) -> list[Answer]:
        """Stop every process, by force after half a second; gives the last ends, so that no row is open.

        The pool is of no use after; closing it again does nothing.
        """
        if self._done_fd < 0:
            return []
        until_ns = monotonic_ns() + SECOND // 2
        while not self._crew.stop(by_force=monotonic_ns() > until_ns):
            select.select([], [], [], 0.002)
        self._collect(now_ns)
        for process in self._crew.processes:
            for row in process.in_flight.values():
                self._end(row, "worker", now_ns)
            process.close()
        for waiting in self._waiting:
            for row in waiting.values():
                self._end(row, "worker", now_ns)
            waiting.clear()
        os.close(self._done_fd)
        self._done_fd = -1
        return self._ended

    def _let_wait(self, desk: Desk, row: AskedRow) -> None:
        waiting, request = self._waiting[desk.worker_id], row.request
        self._anyone_waits = True
        if self._params.lockstep:
            if len(waiting) >= _MOST_WAITING:
                raise RuntimeError(f"{_MOST_WAITING} rows wait for worker {desk.worker_id} in lock-step")
            waiting[request.feature_seq] = row
            return
        # A shadow's row must not take the live model's place.
        key = f"{request.symbol}/{request.generation}" if request.shadow_of else request.symbol
        replaced = waiting.pop(key, None)
        waiting[key] = row
        if replaced is not None:
            self._end(replaced, "conflated", request.ts_ns)

    def _serve_waiting(self, now_ns: int) -> None:
        clock_ns = self._clock()
        for desk, waiting in zip(self._crew.desks, self._waiting, strict=True):
            for key, row in [*waiting.items()]:
                if self._is_late(row, clock_ns):
                    self._end(waiting.pop(key), "late", now_ns)
                elif desk.process is not None and desk.process.push(row):
                    del waiting[key]
                elif desk.process is None and self._crew.gave_up:
                    self._end(waiting.pop(key), "worker", now_ns)
        self._anyone_waits = any(self._waiting)

    def _collect(self, now_ns: int) -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._done_fd)
        clock_ns = self._clock()
        for process in self._crew.serving:
            self._take_answers(process, now_ns, clock_ns)
        if self._anyone_waits:
            self._serve_waiting(now_ns)

    def _take_answers(self, process: WorkerProcess, now_ns: int, clock_ns: int) -> None:
        while (answer := process.take()) is not None:
            desk = self._crew.desks[process.worker_id]
            desk.served += 1
            if not answer.valid:
                self._end(answer.row, "invalid", now_ns)
            elif self._is_late(answer.row, clock_ns):
                desk.late += 1
                self._end(answer.row, "late", now_ns)
            else:
                self.counts.answered += 1
                self._ended.append(self._prediction(answer, process.worker_id, now_ns, now_ns - clock_ns))

    def _bury(self, process: WorkerProcess, now_ns: int, clock_ns: int) -> None:
        self._take_answers(process, now_ns, clock_ns)
        for row in process.in_flight.values():
            row.tries += 1
            if self._params.lockstep and row.tries < self._params.tries:
                self._waiting[process.worker_id][row.request.feature_seq] = row
            else:
                self._end(row, "worker", now_ns)
        process.close()

    def _is_late(self, row: AskedRow, clock_ns: int) -> bool:
        return not self._params.lockstep and clock_ns - row.asked_ns > self._params.deadline_ns

    def _end(self, row: AskedRow, cause: str, now_ns: int) -> None:
        counts = self.counts
        match cause:
            case "late":
                counts.late += 1
            case "worker":
                counts.worker += 1
            case "conflated":
                counts.conflated += 1
            case "invalid":
                counts.invalid += 1
        self._ended.append(PredictionVoid(row.request.symbol, row.request.feature_seq, cause, now_ns))

    def _prediction(
        self, answer: RawAnswer, worker_id: int, now_ns: int, to_session_ns: int
    ) -> PredictionReceived:
        """Make an input of an answer; which model gave it is the worker's word, for the engine to judge."""
        request, model = answer.row.request, self._models.get(answer.generation)
        known = model is not None and answer.check == self._crew.checks[answer.generation]
        return PredictionReceived(
            symbol=request.symbol,
            model_id=model.model_id if model is not None else "",
            generation=answer.generation,
            schema_hash=model.schema_hash if model is not None and known else f"{answer.check:016x}",
            feature_seq=request.feature_seq,
            p_down=answer.p_down,
            p_flat=answer.p_flat,
            p_up=answer.p_up,
            horizon_ms=model.horizon_ms if model is not None else 0,
            started_ns=answer.started_ns + to_session_ns,
            finished_ns=answer.finished_ns + to_session_ns,
            worker_id=worker_id,
            epoch=request.epoch,
            ts_ns=now_ns,
        )
