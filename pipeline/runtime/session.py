"""A replay session: a capture or a journal in virtual time, with pause, step, seek and loop.

One loop does everything in turn: look at the gate, let the run advance for a few milliseconds, take the
workers' answers, draw pictures for attached consoles. Nothing in it waits for a console, a disk or a worker.
How late the loop comes back from its sleeps is measured and shown (`loop_lag`).
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from pipeline.core.engine import Engine
from pipeline.core.inputs import Command, LinkChanged
from pipeline.core.params import MS, EngineParams
from pipeline.core.snapshot import ReplayView
from pipeline.core.types import Authority, TradingState
from pipeline.runtime.capture import CapturedFrame, capture_length_ns, open_capture
from pipeline.runtime.capture_run import CaptureRun, Progress
from pipeline.runtime.gate import Gate
from pipeline.runtime.journal_reader import read_journal
from pipeline.runtime.journal_run import JournalRun
from pipeline.runtime.link_messages import CommandRequest, CommandResult, ReplayControl
from pipeline.runtime.link_server import Client
from pipeline.runtime.locks import InstanceLock
from pipeline.runtime.model_switch import model_files
from pipeline.runtime.notices import Notices
from pipeline.runtime.pool_params import PoolParams
from pipeline.runtime.replay_control import ReplayClock, Target
from pipeline.runtime.session_host import SessionHost
from pipeline.runtime.settling import Settling
from pipeline.runtime.spec import SessionSpec
from pipeline.runtime.workers import WorkerPool
from pipeline.wire.venues import codec_for

SLICE_S = 0.008
"""Longest the run may hold the loop while consoles may be attached."""
IDLE_S = 0.010
HEADLESS_WAIT_S = 0.005
HEADLESS_SLICE_S = 0.050
COUNTERS_EVERY_S = 1.0


class ReplaySession(SessionHost):
    """Hosts one engine over a capture or a journal."""

    def __init__(
        self,
        spec: SessionSpec,
        directory: Path,
        gate: Gate,
        pool: WorkerPool | None,
        lock: InstanceLock,
    ) -> None:
        super().__init__(spec, directory, gate, pool, lock)
        self._clock = ReplayClock(_source_name(spec), spec.speed, loop=spec.loop)
        self._instruments = {i.symbol: i for i in spec.params.instruments}
        self._next_tick_s = 0.0
        self._next_counters_s = 0.0
        self._progress = Progress.REACHED
        self._settling = Settling()
        self._said = Notices()
        self._run = self._new_run(spec.params)

    @property
    def run_(self) -> CaptureRun | JournalRun:
        """Give the run that feeds the engine now; a jump back makes a new one."""
        return self._run

    # --- life ---------------------------------------------------------------------------------------------

    async def _drive(self) -> None:
        measuring = asyncio.ensure_future(asyncio.to_thread(capture_length_ns, _paths(self.spec)))
        self._clock.restarted(time.monotonic(), self._run.start_ns)
        self._watch_gate()
        try:
            while not self._is_over():
                if measuring.done() and self._clock.length_ns < 0:
                    self._clock.length_ns = measuring.result() or -2
                await self._turn()
        finally:
            measuring.cancel()

    def _has_ended(self) -> str:
        return "the capture has ended" if self._clock.ended else ""

    def _can_converge(self) -> bool:
        """Say no in a journal, whose orders ended long ago."""
        return not self.spec.is_journal

    async def _turn(self) -> None:
        now_s = time.monotonic()
        if self._watch_gate():
            self._settling.begin(self._run.now_ns)
        if self._pool is not None and now_s >= self._next_tick_s:
            self._next_tick_s = now_s + IDLE_S
            self._look_after_workers(self._pool, now_s)
        self._look_after_models()
        self._advance(now_s)
        self._link.tick(time.monotonic())
        self._each_second(now_s)
        await self._sleep(self._pause_s())

    def _look_after_workers(self, pool: WorkerPool, now_s: float) -> None:
        """Replace what is dead or hung, and say so beside the engine: its effects must not tell."""
        if pool.tick(self._run.now_ns) or now_s >= self._next_counters_s:
            self._next_counters_s = now_s + COUNTERS_EVERY_S
            self._said.workers(pool.counters(self._run.now_ns))

    def _pause_s(self) -> float:
        if self._progress is Progress.WAITING:
            if self.spec.headless and self._pool is not None:
                self._pool.wait_any(HEADLESS_WAIT_S)
                return 0.0
            return 0.0005
        if self._progress is Progress.BUDGET:
            return 0.0
        return min(IDLE_S, max(self._until_next_due_s(), 0.0005))

    def _until_next_due_s(self) -> float:
        if self._clock.paused or self._clock.ended:
            return IDLE_S
        return self._clock.real_seconds_until(self._run.next_due_ns, time.monotonic())

    # --- the run ------------------------------------------------------------------------------------------

    def _new_run(self, params: EngineParams) -> CaptureRun | JournalRun:
        spec = self.spec
        if spec.is_journal:
            header, records = read_journal(_paths(spec)[0])
            most = header.max_frame_bytes
            codec = codec_for(spec.venue, self._instruments, max_frame_bytes=most)
            return JournalRun(Engine(params), codec, records, header.sources)
        frames: Iterator[CapturedFrame] = open_capture(_paths(spec), spec.venue)
        run = CaptureRun(
            engine=Engine(params),
            codec=codec_for(spec.venue, self._instruments),
            frames=frames,
            gateway=self._paper_gateway(),
            pool=self._pool,
            journal=self._journal,
            inference_latency_ns=spec.inference_latency_ns,
            sources=spec.symbols,
            on_gate=self._gate_watch.carry_out,
        )
        run.on_model = self._models.carry_out
        return run

    def _rebuild(self, now_s: float) -> None:
        """Start again from the first frame; authority and trading state never rise by it.

        A journal goes in one direction only: it ends with the first jump back.
        """
        engine = self._run.engine
        self._close_journal()
        book = engine.models
        params = _with_authority(self.spec.params, engine.authority)
        if self._pool is not None and book.live is not None:
            drain(self._pool)
            self._pool.hold(book.live.generation, book.generations)
            params = msgspec.structs.replace(params, model=book.live, shadows=book.shadows)
        histograms = self._run.pump.histograms
        self._run = self._new_run(params)
        self._run.pump.histograms = histograms
        if self._pool is not None:
            # A journal gives its generations itself.
            self._run.engine.models.follow(book)
        self._models.start_again()
        self._clock.restarted(now_s, self._run.start_ns)
        self._gate_watch.look_anew()
        self._watch_gate()
        self._settling.begin(self._run.now_ns)
        self._run.put(LinkChanged(self._link.controllers, self._run.now_ns))
        if engine.trading_state is TradingState.HALTED:
            self._command(Command.HALT, "replay")
        elif engine.trading_state is TradingState.REDUCING:
            self._command(Command.REDUCE, "replay")

    def _advance(self, now_s: float) -> None:
        self._run.collect_answers()
        target = self._clock.target(now_s, self._run.now_ns, self._run.frames_done)
        if target is None:
            self._run.pump.stood_still()
            self._progress = self._settling.step(self._run)
            return
        if target.rebuild:
            self._start_again(now_s)
        self._progress = self._run.advance(target.until_ns, self._slice_s(target), target.frame_limit)
        if self._progress is Progress.ENDED and self._clock.reached_end():
            self._start_again(time.monotonic())
            self._said.lap(self._clock.loops + 1, self._run.now_ns)
        if self._clock.paused and self._progress is Progress.REACHED:
            self._run.pump.stood_still()

    def _start_again(self, now_s: float) -> None:
        """Rebuild, then let the old engine go: it refers to itself, and the collector is tamed."""
        self._rebuild(now_s)
        self._said.start_again()
        gc.collect()

    def _slice_s(self, target: Target) -> float:
        return HEADLESS_SLICE_S if self.spec.headless and target.in_hurry else SLICE_S

    # --- consoles -----------------------------------------------------------------------------------------

    def _notices(self) -> Notices:
        return self._said

    def _replay_view(self) -> ReplayView:
        return self._clock.view(self._run.now_ns)

    def command(self, request: CommandRequest, client: Client) -> CommandResult:
        """Hand over a command; what it cancels is answered even while virtual time stands."""
        result = super().command(request, client)
        self._settling.begin(self._run.now_ns)
        noting = request.command.command is Command.NOTE_ALERT and not client.watch
        if noting and result.text and self._said.note(client.who):
            return CommandResult(request.request_id, ok=True, text="")
        return result

    def _command(self, command: Command, who: str) -> None:
        super()._command(command, who)
        self._settling.begin(self._run.now_ns)

    def replay(self, request: ReplayControl) -> CommandResult:
        """Steer the replay."""
        try:
            text = self._clock.request(
                request.action, request.value, time.monotonic(), self._run.now_ns, self._run.frames_done
            )
        except ValueError as problem:
            return CommandResult(request.request_id, ok=False, text=str(problem))
        return CommandResult(request.request_id, ok=True, text=text)


def open_pool(spec: SessionSpec, directory: Path) -> WorkerPool | None:
    """Start the workers of a session; None without a model.

    A replay waits for every answer, so that it gives the same on any machine; live data wait for none.
    """
    files = model_files(spec)
    if not files:
        return None
    params = PoolParams(
        workers=spec.workers,
        spares=spec.worker_spares,
        depth=spec.ring_depth,
        deadline_ns=spec.worker_deadline_ms * MS,
        lockstep=spec.feed is None,
        hang_ns=spec.worker_hang_ms * MS,
        backoff_ns=spec.worker_restart_first_ms * MS,
        backoff_max_ns=spec.worker_restart_max_ms * MS,
        log_path=directory / "workers.log",
    )
    live, shadows = files[0], files[1:]
    pinned = live.order().expectation
    pool = WorkerPool(live.path, live.model, pinned, params, shadows=shadows)
    pool.start()
    return pool


def drain(pool: WorkerPool, longest_s: float = 1.0) -> None:
    """Let every row in flight end, so that none of a run given up is taken for one of the next."""
    deadline_s = time.monotonic() + longest_s
    pool.poll(0)
    while pool.counts.open and time.monotonic() < deadline_s:
        pool.wait_any(0.005)
        pool.tick(0)
        pool.poll(0)


def _with_authority(params: EngineParams, authority: Authority) -> EngineParams:
    lowered = min(params.authority, authority)
    fields = {name: getattr(params, name) for name in EngineParams.__struct_fields__}
    return EngineParams(**{**fields, "authority": Authority(lowered)})


def _paths(spec: SessionSpec) -> list[Path]:
    return [Path(path) for path in spec.captures]


def _source_name(spec: SessionSpec) -> str:
    names = [Path(path).name for path in spec.captures]
    return names[0] if len(names) == 1 else f"{names[0]} +{len(names) - 1}"


@contextlib.contextmanager
def collector_tamed() -> Iterator[None]:
    """Keep the garbage collector out of the hot path: freeze what start-up made, collect rarely."""
    gc.collect()
    gc.freeze()
    thresholds = gc.get_threshold()
    gc.set_threshold(50_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
