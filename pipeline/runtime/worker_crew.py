"""Keeps the workers of a pool manned: starts processes, finds the dead and the hung, replaces them.

    started -> bench -> ready: takes the first empty desk, or stays as a warm spare
    at a desk or on the bench -> exited, or silent too long and killed -> dying -> reaped: its rows go back

Every process that is ready is told of the models it lacks, so that one that was started before a swap and
finished after it ends up with the same models as the others; only such a one may take a desk.

A desk is a worker number; processes come and go at it. A replacement is started after a back-off. A model
that was refused, or `deaths_max` processes within `deaths_window_ns` that ended before they were proven, end
the replacing: an empty desk then stays DEAD, for starting once more would not help.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from pipeline.core.inputs import WorkerStatus
from pipeline.core.params import MS, SECOND, ModelSpec
from pipeline.core.types import WorkerState
from pipeline.runtime.model_orders import ModelOrder
from pipeline.runtime.pool_params import PoolParams
from pipeline.runtime.worker_memory import Phase, Word
from pipeline.runtime.worker_process import Launch, WorkerProcess

_LONGEST_STEP_NS = 100 * MS
"""A tick counts at most this much silence: what the session itself slept through says nothing of a worker."""


Start = Callable[[Launch, int], WorkerProcess]
"""How a process is started, with the eventfd it announces answers on; raises OSError when it cannot be."""


@dataclass(slots=True)
class Desk:
    """One worker number and the process at it; None while it is empty."""

    worker_id: int
    process: WorkerProcess | None = None
    served: int = 0
    """Answers taken from all processes that have sat here."""
    late: int = 0
    manned: int = 0
    """Processes that have sat here."""
    waiting: int = 0


class WorkerCrew:
    """Desks and processes of one pool; `tick` moves them, everything else only looks."""

    def __init__(self, launch: Launch, params: PoolParams, done_fd: int, start: Start) -> None:
        """Prepare empty desks; the first `tick` starts the processes, each with a call of `start`."""
        self.desks = [Desk(number) for number in range(params.workers)]
        self.gave_up = ""
        """Why nothing is started any more; empty while all is well."""
        self.serving: list[WorkerProcess] = []
        """Processes that may have rows in flight: those at a desk, and those that worked and are dying."""
        self.catalog: dict[int, ModelOrder] = {order.generation: order for order in launch.models}
        """Models every worker must hold, by generation."""
        self.checks = dict(launch.checks)
        """By generation, the `schema_check` a worker must have found in the file."""
        self.pending: ModelOrder | None = None
        """A model all workers are asked to load, which none needs yet."""
        self._launch = launch
        self._params = params
        self._done_fd = done_fd
        self._start = start
        self._bench: list[WorkerProcess] = []
        self._dying: list[WorkerProcess] = []
        self._deaths: deque[int] = deque(maxlen=params.deaths_max)
        self._start_at_ns = 0
        self._tick_ns = 0

    @property
    def spares_ready(self) -> int:
        """Count warm processes that wait for a desk."""
        return sum(process.ready for process in self._bench)

    @property
    def processes(self) -> list[WorkerProcess]:
        """Give every process there is, those at a desk first."""
        return [*(desk.process for desk in self.desks if desk.process), *self._dying, *self._bench]

    def tick(self, clock_ns: int) -> list[WorkerProcess]:
        """Move everything one step; gives processes that are gone.

        The caller takes their last answers, ends the rows still in flight there, and closes them.
        """
        step_ns = min(clock_ns - self._tick_ns, _LONGEST_STEP_NS)
        self._tick_ns = clock_ns
        for process in [p for p in self.processes if p not in self._dying and self._is_lost(p, step_ns)]:
            self._dying.append(process)
        self._bench = [process for process in self._bench if process not in self._dying]
        for desk in self.desks:
            if desk.process in self._dying:
                desk.process = None
        gone = [process for process in self._dying if process.reap()]
        for process in gone:
            self._dying.remove(process)
            self._note_death(process, clock_ns)
        for process in self.processes:
            if process not in self._dying:
                self._see_to_models(process)
        self._man_desks()
        self._start_missing(clock_ns)
        self.serving = [process for process in self.processes if process not in self._bench]
        return gone

    def agreement(self, generation: int) -> tuple[bool, str]:
        """Say whether every process at a desk and every ready spare holds a generation, and why not ever.

        Words mean that it will not come to that: a worker refused, or found another schema in the file.
        """
        seated = [desk.process for desk in self.desks]
        present = [process for process in (*seated, *self._bench) if process is not None and process.ready]
        for process in present:
            if generation in process.refused:
                return False, f"{_named(process)}: {process.refused[generation]}"
            if process.holds.get(generation, self.checks[generation]) != self.checks[generation]:
                return False, f"{_named(process)} found another schema in the file"
        manned = all(process is not None and process.ready for process in seated)
        return manned and all(generation in process.holds for process in present), ""

    def stop(self, by_force: bool) -> bool:
        """Ask all processes to end, or kill them; True when none is left. For the end of the pool."""
        for process in self.processes:
            if by_force:
                process.kill()
            else:
                process.ask_to_stop()
        left = [process for process in self.processes if not process.reap()]
        return not left

    def state(self, desk: Desk, clock_ns: int) -> WorkerState:
        """Give a desk's state as the console shows it."""
        process = desk.process
        if process is None:
            return WorkerState.DEAD if self.gave_up or not self._bench else WorkerState.STARTING
        if process.oldest_ns is None:
            return WorkerState.READY
        stalled = clock_ns - process.oldest_ns > self._params.deadline_ns
        return WorkerState.STALLED if stalled else WorkerState.BUSY

    def status(self, desk: Desk, clock_ns: int, model: ModelSpec) -> WorkerStatus:
        """Give a desk's counters; an empty desk has pid 0."""
        process = desk.process
        p50_ns, p99_ns, rss_kb = (
            0 if process is None else process.memory.get(word)
            for word in (Word.P50_NS, Word.P99_NS, Word.RSS_KB)
        )
        return WorkerStatus(
            worker_id=desk.worker_id,
            pid=0 if process is None else process.pid,
            state=self.state(desk, clock_ns),
            served=desk.served,
            late=desk.late,
            restarts=max(desk.manned - 1, 0),
            queue_depth=desk.waiting + (0 if process is None else len(process.in_flight)),
            p50_us=p50_ns / 1000,
            p99_us=p99_ns / 1000,
            rss_mb=rss_kb / 1024,
            model_id=model.model_id,
            generation=model.generation,
            heartbeat_age_ms=-1 if process is None else process.silent_ns // MS,
        )

    def _is_lost(self, process: WorkerProcess, step_ns: int) -> bool:
        if process.reap():
            return True
        process.watch(step_ns)
        params = self._params
        if process.phase is Phase.STARTING:
            hung = process.silent_ns > params.start_ns
        else:
            limit_ns = params.hang_ns if process.in_flight else params.idle_hang_ns
            hung = process.silent_ns > limit_ns or process.stuck_ns > params.idle_hang_ns
        if hung:
            process.kill()
        return hung

    def _note_death(self, process: WorkerProcess, clock_ns: int) -> None:
        if process.phase is Phase.REFUSED:
            self.gave_up = process.memory.text
            return
        proven = process.answered >= self._params.proven_after
        self._back_off(clock_ns, proven, process.memory.text or f"exit status {process.exit_status}")

    def _back_off(self, clock_ns: int, proven: bool, last_words: str) -> None:
        params = self._params
        if not proven:
            self._deaths.append(clock_ns)
        recent = [at for at in self._deaths if clock_ns - at <= params.deaths_window_ns]
        delay_ns = min(params.backoff_ns << len(recent), params.backoff_max_ns)
        self._start_at_ns = max(self._start_at_ns, clock_ns + delay_ns)
        if len(recent) == params.deaths_max:
            window_s = params.deaths_window_ns // SECOND
            self.gave_up = f"{len(recent)} workers ended early within {window_s} s; the last: {last_words}"

    def _see_to_models(self, process: WorkerProcess) -> None:
        """Tell a ready process what to load and let go; one that cannot have what all have is no worker."""
        if not process.ready:
            return
        process.read_reports()
        wanted = dict(self.catalog)
        if self.pending is not None:
            wanted[self.pending.generation] = self.pending
        for generation, order in wanted.items():
            if generation not in process.asked:
                process.load(order)
        for generation in [one for one in process.holds if one not in wanted]:
            process.drop(generation)
        if any(generation in process.refused for generation in self.catalog):
            process.kill()

    def _holds_all(self, process: WorkerProcess) -> bool:
        return process.ready and all(generation in process.holds for generation in self.catalog)

    def _man_desks(self) -> None:
        for desk in self.desks:
            if desk.process is None:
                desk.process = next((process for process in self._bench if self._holds_all(process)), None)
                if desk.process is not None:
                    self._bench.remove(desk.process)
                    desk.process.worker_id = desk.worker_id
                    desk.manned += 1

    def _launch_now(self) -> Launch:
        """Give what a process is started with: the models all hold, not one that may still be given up."""
        checks = {generation: self.checks[generation] for generation in self.catalog}
        return replace(self._launch, models=tuple(self.catalog.values()), checks=checks)

    def _start_missing(self, clock_ns: int) -> None:
        if self.gave_up or clock_ns < self._start_at_ns:
            return
        wanted = self._params.workers + self._params.spares
        for _ in range(wanted - len(self.processes) + len(self._dying)):
            try:
                self._bench.append(self._start(self._launch_now(), self._done_fd))
            except OSError as error:
                self._back_off(clock_ns, proven=False, last_words=f"cannot be started: {error}")
                return


def _named(process: WorkerProcess) -> str:
    return f"worker {process.worker_id}" if process.worker_id >= 0 else "a spare worker"
