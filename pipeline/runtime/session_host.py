"""What every session is, whatever feeds it: a host for one engine, apart from every terminal.

Consoles come and go through the link, the gate is watched, commands are stamped, the end is orderly. Where
inputs come from, and how time passes, is the subclass's business (`session.py`: a capture or journal in
virtual time, `live_session.py`: a venue's feed in real time). Nothing waits for a console or a disk.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from pipeline import __version__
from pipeline.core.facts import RuntimeFacts
from pipeline.core.inputs import Command, LinkChanged, OperatorCommand
from pipeline.core.operator import UNSETTLED
from pipeline.core.snapshot import ConsoleSnapshot, ReplayView
from pipeline.core.view import ALERTS, build_snapshot
from pipeline.runtime.evidence import Evidence
from pipeline.runtime.facts_reader import MemoryWatch, stage_views, worker_views
from pipeline.runtime.gate import Gate
from pipeline.runtime.gate_watch import GateWatch
from pipeline.runtime.gateway import PaperGateway
from pipeline.runtime.guard_keeper import GuardKeeper
from pipeline.runtime.hosted_run import Run
from pipeline.runtime.left_words import left_lines
from pipeline.runtime.link_messages import (
    PROTOCOL_VERSION,
    CommandRequest,
    CommandResult,
    Hello,
    ModelRequest,
    ReplayControl,
    StopSession,
)
from pipeline.runtime.link_server import Client, LinkServer
from pipeline.runtime.locks import InstanceLock
from pipeline.runtime.model_switch import ModelSwitch, model_files
from pipeline.runtime.notices import Notices
from pipeline.runtime.places import models_dir
from pipeline.runtime.session_journal import open_journal
from pipeline.runtime.spec import SessionSpec
from pipeline.runtime.stop_door import DoorAnswer, StopDoor
from pipeline.runtime.summary import (
    EXIT_FAILED,
    EXIT_ORDERS_LEFT,
    FeedCounts,
    Summary,
    as_failed,
    build_summary,
)
from pipeline.runtime.workers import WorkerPool
from pipeline.sim.paper import PaperVenue

CONVERGE_S = 10.0
"""How long an orderly stop waits for cancels to be confirmed (SIGTERM, quit)."""

_WATCHER_MAY = (Command.HALT, Command.KILL, Command.REDUCE, Command.AUTHORITY_DOWN)


class SessionHost(ABC):
    """Hosts one engine; subclasses make its run and let it advance."""

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
        self._gate_watch = GateWatch(gate)
        self._pool = pool
        self._models = ModelSwitch(
            pool,
            model_files(spec),
            models_dir(),
            spec.params.instruments,
            spec.params.mode,
            spec.today,
        )
        self._journal = open_journal(spec, directory) if spec.journal else None
        self._head = ""
        self._evidence = Evidence(self._journal, lambda: self.run_.now_ns)
        self._link = LinkServer(self, directory / "link.sock", lock, self._evidence.note)
        self._lock = lock
        self._door: StopDoor | None = None
        if spec.kill_gid >= 0:
            home = directory.parent.parent
            self._door = StopDoor(self, home, spec.name, spec.kill_gid, spec.release_gid)
        self._memory = MemoryWatch()
        self._stop_how = ""
        self._how = ""
        self._stop_deadline_s = 0.0
        self._started_s = time.monotonic()
        self._detached = spec.headless
        self._alone_since_s = self._started_s
        self._seq = 0
        self._lag_us = 0
        self._next_second_s = 0.0
        self._guard: GuardKeeper | None = None

    # --- what a subclass is -------------------------------------------------------------------------------

    @property
    @abstractmethod
    def run_(self) -> Run:
        """Give the run that feeds the engine now."""

    @abstractmethod
    async def _drive(self) -> None:
        """Let the run advance, turn after turn, until `_is_over`."""

    @abstractmethod
    def replay(self, request: ReplayControl) -> CommandResult:
        """Steer the replay, or say that there is none."""

    def _replay_view(self) -> ReplayView | None:
        """Give where a replay stands; None where there is none."""
        return None

    def _notices(self) -> Notices | None:
        """Give what the session itself has to say; None where all of it enters the engine."""
        return None

    def _has_ended(self) -> str:
        """Give why the session ends by itself, or an empty text."""
        return ""

    def _feed_counts(self) -> FeedCounts:
        """Give what became of the connections of a feed; zeros where there is none."""
        return FeedCounts()

    def _sim_pid(self) -> int | None:
        """Give the process of the session's own exchange; None where it has none."""
        return None

    def _never_worked(self) -> str:
        """Say why a session that ends did nothing of what it was for; empty where it did."""
        return ""

    def _can_converge(self) -> bool:
        """Say whether waiting brings the answers to our cancels."""
        return True

    # --- life ---------------------------------------------------------------------------------------------

    async def run(self) -> Summary:
        """Run until the input has ended (headless), the time is up, or somebody stops the session."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ask_to_stop, "cancel", f"signal {number.name}")
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        loop.add_signal_handler(signal.SIGUSR1, self._gate_watch.kill_by_signal)
        if self._pool is not None:
            loop.add_reader(self._pool.fileno(), self._collect_answers)
        await self._link.start()
        if self._door is not None:
            await self._door.start(self._lock)
        self._started_s = time.monotonic()
        try:
            await self._drive()
        except Exception as problem:  # the loop's border: consoles are told, the host has the rest
            await self._link.stop(f"failed: {problem}", EXIT_FAILED)
            raise
        finally:
            if self._pool is not None:
                loop.remove_reader(self._pool.fileno())
            self._close_journal()
            if self._door is not None:
                self._door.close()
        summary = self._judged(self.summary())
        left = left_lines(self.run_.engine) if summary.exit_status == EXIT_ORDERS_LEFT else []
        for line in left:
            sys.stderr.write(f"lobdeck: left at the venue: {line}\n")
        words = f"; left at the venue: {'; '.join(left)}" if left else ""
        why = f"{self._stop_how or 'the session has ended'}{words}"
        await self._link.stop(why, summary.exit_status, self._head)
        return summary

    def _judged(self, summary: Summary) -> Summary:
        trouble = self._never_worked()
        if trouble:
            sys.stderr.write(f"lobdeck: {trouble}\n")
        return as_failed(summary) if trouble else summary

    def _is_over(self) -> bool:
        now_s = time.monotonic()
        if not self._stop_how:
            self._look_for_an_end(now_s)
        if not self._stop_how:
            return False
        converged = self.run_.engine.open_orders == 0 or not self._can_converge()
        return converged or self._how == "leave" or now_s > self._stop_deadline_s

    def _look_for_an_end(self, now_s: float) -> None:
        linger = self.spec.linger_s
        nobody = self._link.attached == 0 and not self._detached
        if self.spec.seconds and now_s - self._started_s >= self.spec.seconds:
            self._ask_to_stop("cancel", "time is up")
        elif self.spec.headless and self._has_ended():
            self._ask_to_stop("leave", self._has_ended())
        elif linger and nobody and now_s - self._alone_since_s > linger:
            self._ask_to_stop("cancel", "no console for a while")

    def _ask_to_stop(self, how: str, why: str) -> None:
        if not self._stop_how:
            self._stop_deadline_s = time.monotonic() + CONVERGE_S
        self._how, self._stop_how = how, why
        if how == "cancel":
            self._command(Command.HALT, "session")
            self._command(Command.CANCEL_ALL, "session")

    async def _sleep(self, pause_s: float) -> None:
        """Give the loop to others for a while; how late it comes back is measured."""
        before_s = time.monotonic()
        await asyncio.sleep(pause_s)
        late_ns = max(int((time.monotonic() - before_s - pause_s) * 1e9), 0)
        self._lag_us = late_ns // 1000
        self.run_.pump.histograms["loop_lag"].record(late_ns)

    def _each_second(self, now_s: float) -> None:
        """Read what is too dear for every turn, when a second has passed."""
        if now_s >= self._next_second_s:
            self._next_second_s = now_s + 1.0
            self._memory.read()

    def _look_after_models(self) -> None:
        """Tell the engine, and who asked, how a model that was being loaded ended."""
        self._models.tick(self.run_)

    def _collect_answers(self) -> None:
        self.run_.collect_answers()

    def _close_journal(self) -> None:
        if self._journal is not None:
            self._journal.close()
            self._head = self._journal.head()
            self._journal = None

    def _watch_gate(self) -> bool:
        return self._gate_watch.look(self.run_.put, self.run_.now_ns)

    def _paper_gateway(self) -> PaperGateway:
        """Make the paper venue of this session, with the gate before it."""
        spec = self.spec
        venue = PaperVenue(
            spec.params.instruments,
            ack_latency_ns=spec.ack_latency_ns,
            cancel_latency_ns=spec.cancel_latency_ns,
            home_base_e8=spec.params.home_base_e8,
            balance_quote_e8=spec.params.balance_quote_e8,
        )
        return PaperGateway(venue, self._gate)

    # --- consoles -----------------------------------------------------------------------------------------

    def hello(self) -> Hello:
        """Describe the session to a console."""
        return Hello(
            protocol=PROTOCOL_VERSION,
            version=__version__,
            session=self.spec.name,
            pid=os.getpid(),
            gate_path=str(self._directory),
            owns_life=True,
            keeps_shown=True,
        )

    def snapshot(self, symbol: str) -> ConsoleSnapshot:
        """Build one picture of the engine as it stands."""
        self._seq += 1
        return build_snapshot(self.run_.engine, symbol, self._seq, self.run_.now_ns, self.facts())

    def facts(self) -> RuntimeFacts:
        """Read what only the session knows."""
        histograms = self.run_.pump.histograms
        notices = self._notices()
        workers = () if self._pool is None else worker_views(self._pool.counters(time.monotonic_ns()))
        return RuntimeFacts(
            session=self.spec.name,
            operator=self.spec.operator,
            consoles=self._link.attached,
            stages=stage_views(histograms, self.spec.params.health.latency_warn_ns),
            workers=workers,
            loop_lag_us=self._lag_us,
            rss_mb=self._memory.rss_mb,
            replay=self._replay_view(),
            notices=() if notices is None else notices.views(ALERTS),
            notices_unnoted=0 if notices is None else notices.unnoted,
            planted=self.spec.planted,
            queue_ahead_units=self.run_.queue_ahead(),
            journal_ok=self._journal is None or self._journal.healthy,
            model_files=self._models.words,
            guard="none" if self._guard is None else self._guard.words,
        )

    def command(self, request: CommandRequest, client: Client) -> CommandResult:
        """Hand an operator's command to the engine, stamped with the session's time and the peer's name."""
        command = request.command
        refusal = ""
        if client.watch and command.command not in _WATCHER_MAY:
            refusal = "watching only: halt and kill work here"
        elif command.command in (Command.RELEASE, Command.RESUME):
            refusal = self._unreleasable(command.command) or self._gate_watch.release(
                command.command, client.who, client.tty
            )
            self._watch_gate()
        if refusal:
            self._evidence.note(client, f"{command.command.value} refused: {refusal}")
            return CommandResult(request.request_id, ok=False, text=refusal)
        self.run_.put(self._evidence.stamped(command, client))
        return CommandResult(request.request_id, ok=True, text=self.run_.engine.last_answer)

    def settle_start(self, request_id: int, command: Command, client: Client) -> CommandResult:
        """Carry out a person's word, given in a shell, on what an earlier session left."""
        given = OperatorCommand(command, client.who, client.tty, self.spec.symbols[0], 0, 0, self.run_.now_ns)
        self.run_.put(self._evidence.stamped(given, client))
        return CommandResult(request_id, ok=True, text=self.run_.engine.last_answer)

    def model(self, request: ModelRequest, who: tuple[str, str], reply: Callable[[bool, str], None]) -> None:
        """Begin an act on the models; the engine hears of it once a file is found and sound."""
        self._models.ask(request.act, request.name, who, lambda: self.run_, reply)

    def _unreleasable(self, command: Command) -> str:
        """Say why the gate may not open yet: orders of ours at the venue, an unsettled start, no guard."""
        left = self.run_.engine.open_orders
        if command is Command.RESUME and self.run_.engine.state.start.differs:
            return UNSETTLED
        if command is Command.RESUME and self._guard is not None and self._guard.resume_refusal:
            return self._guard.resume_refusal
        if command is Command.RELEASE and left and self._guard is not None and self._guard.acts:
            return f"{left} orders are not gone yet: the venue has the last word"
        return ""

    def stop_by(self, who: str, *, kill: bool) -> None:
        """Close the gate for a guest at the stop door, and let the engine know at once."""
        self._gate_watch.close_for(who, "kill by the group" if kill else "halt by the group", kill=kill)
        self._watch_gate()

    def stop_status(self) -> DoorAnswer:
        """Say how the session stands, and whether a kill has seen the venue's zero."""
        engine = self.run_.engine
        kill, left = engine.state.kill, engine.open_orders
        confirmed = kill is not None and kill.latched and kill.confirmed_ts_ns > 0
        orders = "no orders left" if confirmed else f"{left} orders open"
        return DoorAnswer(True, f"{engine.trading_state.name}, {orders}", confirmed)

    def agree_to_release(self, uid: int, who: str) -> DoorAnswer:
        """Keep a second person's word beside the latch."""
        try:
            refusal = self._gate_watch.agree(uid, who)
        except OSError as problem:
            refusal = f"it could not be written: {problem.strerror}"
        return DoorAnswer(not refusal, refusal or "agreed: the owner may release within 15 min")

    def stop(self, request: StopSession) -> CommandResult:
        """End the session as the quit dialog chose."""
        if request.how not in ("cancel", "leave"):
            text = f"stop {request.how[:20]!r}: wanted cancel or leave"
            return CommandResult(request.request_id, ok=False, text=text)
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
            pids={
                "engine": os.getpid(),
                "guard": None if self._guard is None else self._guard.pid,
                "sim": self._sim_pid(),
            },
            journal=str(self._directory / "journal") if self.spec.journal else "",
            feed=self._feed_counts(),
            head=self._head if self._journal is None else self._journal.head(),
            owns_venue=self.spec.replays_own_exchange,
        )

    def consoles_changed(self, attached: int, *, detached_on_purpose: bool) -> None:
        """Note who watches; the engine is told, since nothing may be permitted while nobody does."""
        self._detached = self._detached or detached_on_purpose
        if attached:
            self._detached = self.spec.headless
        else:
            self._alone_since_s = time.monotonic()
        # Who only watches permits nothing.
        self.run_.put(LinkChanged(self._link.controllers, self.run_.now_ns))

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
