"""A replay session: the engine's host, apart from every terminal.

One loop does everything in turn: look at the gate, let the run advance for a few milliseconds, take the
workers' answers, draw pictures for attached consoles. Nothing in it waits for a console, a disk or a worker.
How late the loop comes back from its sleeps is measured and shown (`loop_lag`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from pipeline import __version__
from pipeline.core.effects import CloseGate, OpenGate
from pipeline.core.engine import Engine
from pipeline.core.facts import RuntimeFacts
from pipeline.core.inputs import Command, GateChanged, LinkChanged, OperatorCommand
from pipeline.core.params import EngineParams
from pipeline.core.snapshot import ConsoleSnapshot
from pipeline.core.types import Authority, TradingState
from pipeline.core.view import build_snapshot
from pipeline.models.expectation import expectation_for
from pipeline.runtime.capture import CapturedFrame, capture_length_ns, open_capture
from pipeline.runtime.capture_run import CaptureRun, Progress
from pipeline.runtime.facts_reader import MemoryWatch, stage_views, worker_views
from pipeline.runtime.gate import Closer, Gate
from pipeline.runtime.gateway import PaperGateway
from pipeline.runtime.journal import JournalWriter
from pipeline.runtime.journal_format import JournalHeader
from pipeline.runtime.journal_reader import read_journal
from pipeline.runtime.journal_run import JournalRun
from pipeline.runtime.latch import LatchRecord
from pipeline.runtime.link_messages import (
    PROTOCOL_VERSION,
    CommandRequest,
    CommandResult,
    Hello,
    ReplayControl,
    StopSession,
)
from pipeline.runtime.link_server import Client, LinkServer
from pipeline.runtime.locks import InstanceLock
from pipeline.runtime.pool_params import PoolParams
from pipeline.runtime.replay_control import ReplayClock, Target
from pipeline.runtime.spec import SessionSpec
from pipeline.runtime.summary import Summary, build_summary
from pipeline.runtime.workers import WorkerPool
from pipeline.sim.paper import PaperVenue
from pipeline.wire.venues import codec_for

SLICE_S = 0.008
"""Longest the run may hold the loop while consoles may be attached."""
IDLE_S = 0.010
HEADLESS_WAIT_S = 0.005
HEADLESS_SLICE_S = 0.050
CONVERGE_S = 10.0
"""How long an orderly stop waits for cancels to be confirmed (SIGTERM, quit)."""

_WATCHER_MAY = (Command.HALT, Command.KILL, Command.REDUCE, Command.AUTHORITY_DOWN)


class ReplaySession:
    """Hosts one engine over a capture; consoles come and go."""

    def __init__(
        self,
        spec: SessionSpec,
        directory: Path,
        gate: Gate,
        pool: WorkerPool | None,
        lock: InstanceLock,
    ) -> None:
        self.spec = spec
        self._directory = directory
        self._gate = gate
        self._pool = pool
        self._link = LinkServer(self, directory / "link.sock", lock)
        self._clock = ReplayClock(_source_name(spec), spec.speed, loop=spec.loop)
        self._memory = MemoryWatch()
        self._instruments = {i.symbol: i for i in spec.params.instruments}
        self._params = spec.params
        self._stop_how = ""
        self._how = ""
        self._stop_deadline_s = 0.0
        self._detached = spec.headless
        self._alone_since_s = time.monotonic()
        self._gate_mark = b""
        self._seq = 0
        self._lag_us = 0
        self._next_second_s = 0.0
        self._next_tick_s = 0.0
        self._progress = Progress.REACHED
        self._journal = _open_journal(spec, directory) if spec.journal else None
        self.run_ = self._new_run(spec.params)

    # --- life ---------------------------------------------------------------------------------------------

    async def run(self) -> Summary:
        """Run until the capture has ended (headless), the time is up, or somebody stops the session."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ask_to_stop, "cancel", f"signal {number.name}")
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        loop.add_signal_handler(signal.SIGUSR1, self._kill_by_signal)
        if self._pool is not None:
            loop.add_reader(self._pool.fileno(), self._collect_answers)
        await self._link.start()
        measuring = asyncio.ensure_future(asyncio.to_thread(capture_length_ns, _paths(self.spec)))
        started_s = time.monotonic()
        self._clock.restarted(started_s, self.run_.start_ns)
        self._watch_gate()
        try:
            while not self._is_over(started_s):
                if measuring.done() and self._clock.length_ns < 0:
                    self._clock.length_ns = measuring.result() or -2
                await self._turn()
        finally:
            measuring.cancel()
            if self._pool is not None:
                loop.remove_reader(self._pool.fileno())
        self._close_journal()
        summary = self.summary()
        await self._link.stop(self._stop_how or "the replay has ended", summary.exit_status)
        return summary

    async def _turn(self) -> None:
        now_s = time.monotonic()
        self._watch_gate()
        if self._pool is not None and now_s >= self._next_tick_s:
            self._next_tick_s = now_s + IDLE_S
            self._pool.tick(self.run_.now_ns)
        self._advance(now_s)
        self._link.tick(time.monotonic())
        if now_s >= self._next_second_s:
            self._each_second(now_s)
        pause_s = self._pause_s()
        before_s = time.monotonic()
        await asyncio.sleep(pause_s)
        late_ns = int((time.monotonic() - before_s - pause_s) * 1e9)
        self._lag_us = max(late_ns, 0) // 1000
        self.run_.pump.histograms["loop_lag"].record(max(late_ns, 0))

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
        return self._clock.real_seconds_until(self.run_.next_due_ns, time.monotonic())

    def _is_over(self, started_s: float) -> bool:
        now_s = time.monotonic()
        if self.spec.seconds and now_s - started_s >= self.spec.seconds and not self._stop_how:
            self._ask_to_stop("cancel", "time is up")
        if self.spec.headless and self._clock.ended and not self._stop_how:
            self._ask_to_stop("leave", "the capture has ended")
        linger = self.spec.linger_s
        nobody = self._link.attached == 0 and not self._detached
        if linger and nobody and now_s - self._alone_since_s > linger and not self._stop_how:
            self._ask_to_stop("cancel", "no console for a while")
        if not self._stop_how:
            return False
        converged = self.run_.engine.open_orders == 0 or self._how == "leave"
        return converged or now_s > self._stop_deadline_s

    def _ask_to_stop(self, how: str, why: str) -> None:
        self._how = how
        self._stop_how = why
        self._stop_deadline_s = time.monotonic() + CONVERGE_S
        if how == "cancel":
            self._command(Command.HALT, "session")
            self._command(Command.CANCEL_ALL, "session")

    # --- the run ------------------------------------------------------------------------------------------

    def _new_run(self, params: EngineParams) -> CaptureRun | JournalRun:
        spec = self.spec
        codec = codec_for(spec.venue, self._instruments)
        if spec.is_journal:
            _, records = read_journal(_paths(spec)[0])
            return JournalRun(Engine(params), codec, records, spec.symbols[0])
        venue = PaperVenue(
            spec.params.instruments,
            ack_latency_ns=spec.ack_latency_ns,
            cancel_latency_ns=spec.cancel_latency_ns,
            home_base_e8=spec.params.home_base_e8,
            balance_quote_e8=spec.params.balance_quote_e8,
        )
        frames: Iterator[CapturedFrame] = open_capture(_paths(spec))
        return CaptureRun(
            engine=Engine(params),
            codec=codec,
            frames=frames,
            gateway=PaperGateway(venue, self._gate),
            pool=self._pool,
            journal=self._journal,
            inference_latency_ns=spec.inference_latency_ns,
            symbol_hint=spec.symbols[0],
            on_gate=self._gate_effect,
        )

    def _gate_effect(self, effect: CloseGate | OpenGate) -> None:
        """Move the engine's own closer; the engine hears of it through the gate like everybody else."""
        now_ns = time.time_ns()
        if isinstance(effect, CloseGate):
            self._gate.close(Closer.ENGINE, "engine", "", effect.reason, now_ns)
            if effect.latch:
                self._gate.latch("engine", "", effect.reason, now_ns)
            return
        shut = self._gate.state().closers
        ours: dict[Closer, int] = {r.closer: r.generation for r in shut if r.closer == Closer.ENGINE}
        if ours:
            self._gate.release(ours, "engine", "", "resumed", now_ns)

    def _rebuild(self, now_s: float) -> None:
        """Start again from the first frame; authority and trading state never rise by it.

        A journal goes in one direction only: it ends with the first jump back.
        """
        engine = self.run_.engine
        self._close_journal()
        params = _with_authority(self._params, engine.authority)
        if self._pool is not None:
            drain(self._pool)
        histograms = self.run_.pump.histograms
        self.run_ = self._new_run(params)
        self.run_.pump.histograms = histograms
        self._clock.restarted(now_s, self.run_.start_ns)
        self._gate_mark = b""
        self._watch_gate()
        self.run_.put(LinkChanged(self._link.attached, self.run_.now_ns))
        if engine.trading_state is TradingState.HALTED:
            self._command(Command.HALT, "replay")
        elif engine.trading_state is TradingState.REDUCING:
            self._command(Command.REDUCE, "replay")

    def _collect_answers(self) -> None:
        self.run_.collect_answers()

    def _close_journal(self) -> None:
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def _advance(self, now_s: float) -> None:
        self.run_.collect_answers()
        target = self._clock.target(now_s, self.run_.now_ns)
        if target is None:
            self._progress = Progress.REACHED
            return
        if target.rebuild:
            self._rebuild(now_s)
        self._progress = self.run_.advance(target.until_ns, self._slice_s(target), target.frame_limit)
        if self._progress is Progress.ENDED and self._clock.reached_end():
            self._rebuild(time.monotonic())

    def _slice_s(self, target: Target) -> float:
        return HEADLESS_SLICE_S if self.spec.headless and target.in_hurry else SLICE_S

    def _watch_gate(self) -> None:
        """Tell the engine of every close, release, latch and removal since the last look."""
        mark = self._gate.mark()
        if mark == self._gate_mark:
            return
        first, self._gate_mark = not self._gate_mark, mark
        state = self._gate.state()
        if first and state.open:
            return  # a gate that was never seen closed is no news
        newest = max(state.closers, key=lambda record: record.ts_ns, default=None)
        latest = max((r for latch in state.latches for r in latch.records), key=_when, default=None)
        self.run_.put(
            GateChanged(
                open=state.open,
                latched=state.latched,
                closers=tuple(record.closer.name.lower() for record in state.closers),
                who=newest.who if newest else latest.who if latest else "",
                reason=newest.reason if newest else latest.reason if latest else "",
                generation=state.generation,
                ts_ns=self.run_.now_ns,
            )
        )
        self._gate.acknowledge(state.closers)

    def _kill_by_signal(self) -> None:
        self._gate.close(Closer.SIGNAL, f"uid {os.getuid()}", "", "SIGUSR1", time.time_ns())
        self._gate.latch(f"uid {os.getuid()}", "", "SIGUSR1", time.time_ns())

    def _each_second(self, now_s: float) -> None:
        self._next_second_s = now_s + 1.0
        self._memory.read()

    # --- consoles -----------------------------------------------------------------------------------------

    def hello(self) -> Hello:
        """Describe the session to a console."""
        return Hello(
            protocol=PROTOCOL_VERSION,
            version="",
            session=self.spec.name,
            pid=os.getpid(),
            gate_path=str(self._directory),
            owns_life=True,
        )

    def snapshot(self, symbol: str) -> ConsoleSnapshot:
        """Build one picture of the engine as it stands."""
        self._seq += 1
        return build_snapshot(self.run_.engine, symbol, self._seq, self.run_.now_ns, self.facts())

    def facts(self) -> RuntimeFacts:
        """Read what only the session knows."""
        histograms = self.run_.pump.histograms
        workers = () if self._pool is None else worker_views(self._pool.counters(time.monotonic_ns()))
        return RuntimeFacts(
            session=self.spec.name,
            operator=self.spec.operator,
            consoles=self._link.attached,
            stages=stage_views(histograms, self._params.health.latency_warn_ns),
            workers=workers,
            loop_lag_us=self._lag_us,
            rss_mb=self._memory.rss_mb,
            replay=self._clock.view(self.run_.now_ns),
            planted=self.spec.planted,
            queue_ahead_units=self.run_.queue_ahead(),
            journal_ok=self._journal is None or self._journal.healthy,
        )

    def command(self, request: CommandRequest, client: Client) -> CommandResult:
        """Hand an operator's command to the engine, stamped with the replay's time and the peer's name."""
        command = request.command
        if client.watch and command.command not in _WATCHER_MAY:
            return CommandResult(request.request_id, ok=False, text="watching only: halt and kill work here")
        refusal = (
            self._release(command, client) if command.command in (Command.RELEASE, Command.RESUME) else ""
        )
        if refusal:
            return CommandResult(request.request_id, ok=False, text=refusal)
        self.run_.put(_stamped(command, client, self.run_.now_ns))
        return CommandResult(request.request_id, ok=True, text=self.run_.engine.last_answer)

    def replay(self, request: ReplayControl) -> CommandResult:
        """Steer the replay."""
        try:
            text = self._clock.request(
                request.action, request.value, time.monotonic(), self.run_.now_ns, self.run_.frames_done
            )
        except ValueError as problem:
            return CommandResult(request.request_id, ok=False, text=str(problem))
        return CommandResult(request.request_id, ok=True, text=text)

    def stop(self, request: StopSession) -> CommandResult:
        """End the session as the quit dialog chose."""
        self._ask_to_stop(request.how, "quit from the console")
        return CommandResult(request.request_id, ok=True, text="ending")

    def status_json(self) -> bytes:
        """Give the summary as it stands."""
        return self.summary().to_json()

    def summary(self) -> Summary:
        """Sum up the session so far."""
        run = self.run_
        return build_summary(
            engine=run.engine,
            pump=run.pump,
            pool=self._pool,
            pids={"engine": os.getpid(), "guard": None, "sim": None},
            journal=str(self._directory / "journal") if self.spec.journal else "",
        )

    def consoles_changed(self, attached: int, *, detached_on_purpose: bool) -> None:
        """Note who watches; the engine is told, since nothing may be permitted while nobody does."""
        self._detached = self._detached or detached_on_purpose
        if attached:
            self._detached = self.spec.headless
        else:
            self._alone_since_s = time.monotonic()
        self.run_.put(LinkChanged(attached, self.run_.now_ns))

    def _release(self, command: OperatorCommand, client: Client) -> str:
        """Take back what closes the gate, as it stands now; give a refusal or an empty text.

        RESUME takes back halts only, of which there is nothing to be shown but that it is closed; RELEASE
        takes the latch as well, after the console showed the record and the phrase was typed.
        """
        state = self._gate.state()
        if state.latched and command.command is Command.RESUME:
            return "KILLED is latched: `:release` first, or `lobdeck release`"
        shown = {record.closer: record.generation for record in state.closers}
        latches = state.latches if command.command is Command.RELEASE else ()
        result = self._gate.release(
            shown, client.who, client.tty, command.command.value, time.time_ns(), latches=latches
        )
        self._watch_gate()
        return "" if result.open else "the gate was closed again meanwhile: look at it, then once more"

    def _command(self, command: Command, who: str) -> None:
        for symbol in self.spec.symbols:
            self.run_.put(
                OperatorCommand(
                    command=command,
                    who=who,
                    tty="",
                    symbol=symbol,
                    target_id=0,
                    revision=0,
                    ts_ns=self.run_.now_ns,
                )
            )


def _open_journal(spec: SessionSpec, directory: Path) -> JournalWriter:
    header = JournalHeader(
        session=spec.name,
        code_version=__version__,
        created_ns=time.time_ns(),
        params=spec.params,
        codecs=(spec.venue,),
        sources=spec.symbols,
    )
    return JournalWriter.create(directory / "journal", header, segment_bytes=spec.journal_segment_mb << 20)


def open_pool(spec: SessionSpec, directory: Path) -> WorkerPool | None:
    """Start the workers of a session; None without a model."""
    if spec.is_journal or not spec.model_path or spec.params.model is None:
        return None
    params = PoolParams(
        workers=spec.workers,
        depth=spec.ring_depth,
        deadline_ns=spec.worker_deadline_ms * 1_000_000,
        lockstep=True,
        log_path=directory / "workers.log",
    )
    expectation = expectation_for(spec.params.instruments[0], spec.today, spec.params.model.model_id)
    pool = WorkerPool(Path(spec.model_path), spec.params.model, expectation, params)
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


def _when(record: LatchRecord) -> int:
    return record.ts_ns


def _stamped(command: OperatorCommand, client: Client, ts_ns: int) -> OperatorCommand:
    return OperatorCommand(
        command=command.command,
        who=client.who,
        tty=client.tty,
        symbol=command.symbol,
        target_id=command.target_id,
        revision=command.revision,
        ts_ns=ts_ns,
        client_order_id=command.client_order_id,
        authority=command.authority,
        qty_lots=command.qty_lots,
        terms=command.terms,
        drawn_seq=command.drawn_seq,
    )


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
    import gc

    gc.collect()
    gc.freeze()
    thresholds = gc.get_threshold()
    gc.set_threshold(50_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
