"""One life of the session's process: the real gateway, gate, engine and run, without sockets and clocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from pipeline.core.earlier import BooksCarried
from pipeline.core.effects import Effect, SubmitOrder
from pipeline.core.engine import Engine
from pipeline.core.inputs import Command, Input, LinkChanged, OperatorCommand
from pipeline.core.order import client_order_id
from pipeline.core.params import (
    DecisionParams,
    EngineParams,
    ExecutionParams,
    HealthParams,
    PermitParams,
    RiskLimits,
    SizingParams,
)
from pipeline.core.types import QUOTE_SCALE, Instrument, VenueMode
from pipeline.rehearsal.memory_journal import MemoryJournal
from pipeline.rehearsal.order_network import OrderNetwork
from pipeline.rehearsal.planted import MODEL, PlantedPool
from pipeline.rehearsal.scenario import Scenario
from pipeline.runtime.clock import SessionClock
from pipeline.runtime.gate import Gate
from pipeline.runtime.gate_watch import GateWatch
from pipeline.runtime.guard_child import GuardStarter
from pipeline.runtime.guard_duty import GuardDuty, chain_is_healthy
from pipeline.runtime.guard_keeper import GuardKeeper
from pipeline.runtime.guard_params import GuardParams
from pipeline.runtime.live_run import LiveRun
from pipeline.runtime.venue_gateway import VenueGateway
from pipeline.runtime.venue_params import VenueParams
from pipeline.runtime.venue_start import INSTALL_CHARACTERS
from pipeline.sim.chance import Chance
from pipeline.wire.binance_requests import ApiKey
from pipeline.wire.venues import codec_for

KEY = ApiKey("k" * 64, "s" * 64)
INSTALLATION = 77 << 20
_MS = 1_000_000
_MOVES_PER_FEE = 12
"""The signal promises so much more where the account pays: it is to trade all the same."""
_BEAT_NS = 20 * _MS

LIMITS = RiskLimits(
    profile="rehearsal",
    max_qty_lots=2_000,
    max_notional_quote_e8=600 * QUOTE_SCALE,
    max_position_quote_e8=600 * QUOTE_SCALE,
    max_gross_quote_e8=1_000 * QUOTE_SCALE,
    max_daily_loss_quote_e8=1_000 * QUOTE_SCALE,
    new_per_second=50,
    new_burst=50,
    throttle_orders=100_000,
    throttle_same_side=100_000,
    duplicate_window_ns=1,
    max_orders_per_trade=100_000,
    max_market_breaches=100,
)
"""Sizes bind, rates do not: a rehearsal is to trade as much as it can."""

ORDERS = VenueParams(
    api_url="",
    key_path="",
    account="rehearsal",
    connect_ms=1_000,
    ready_ms=4_000,
    answer_ms=500,
    ask_after_ms=(100, 200, 400),
    absent_after_ms=2_000,
    list_every_ms=700,
    list_closed_ms=400,
    time_every_ms=2_000,
    ping_after_ms=600,
    ping_answer_ms=600,
    backoff_first_ms=50,
    backoff_longest_ms=300,
    attempts=1_000,
)
"""The order path's own rules with shorter waits; recvWindow and what follows from it stay."""


def guard_params(symbols: tuple[str, ...], session_number: int) -> GuardParams:
    """Give what guards of this rehearsal are started with."""
    return GuardParams(
        session="rehearsal",
        symbols=symbols,
        acts=True,
        venue="binance",
        rest_url="http://rehearsal",
        id_prefix=client_order_id(session_number, 0)[:INSTALL_CHARACTERS],
        recv_window_ms=ORDERS.recv_window_ms,
    )


def engine_params(scenario: Scenario, instruments: tuple[Instrument, ...], number: int) -> EngineParams:
    """Give what an engine of this scenario is built from."""
    return EngineParams(
        mode=scenario.mode,
        authority=scenario.authority,
        instruments=instruments,
        model=msgspec.structs.replace(
            MODEL,
            horizon_ms=scenario.horizon_ms,
            mean_move_e6=MODEL.mean_move_e6 + _MOVES_PER_FEE * max(scenario.fees_e6),
        ),
        decision=DecisionParams(grid_ns=60 * _MS, max_row_age_ns=150 * _MS),
        sizing=SizingParams(max_notional_quote_e8=550 * QUOTE_SCALE, no_trade_band_e6=0),
        execution=ExecutionParams(
            entry=scenario.entry,
            requote_after_ns=150 * _MS,
            exit_after_ns=800 * _MS,
            exit_rest_ns=150 * _MS,
            retry_after_ns=60 * _MS,
        ),
        permits=PermitParams(
            born_after_ns=60 * _MS, arming_ns=50 * _MS, repeat_ns=50 * _MS, vacated_ns=50 * _MS
        ),
        limits={one.symbol: LIMITS for one in instruments},
        health=HealthParams(latency_warn_ns=500 * _MS, latency_degrade_ns=900 * _MS),
        session_number=INSTALLATION | number,
    )


class WatchedEngine(Engine):
    """An engine with somebody who looks at every input and what it caused, before it is carried out."""

    def __init__(self, params: EngineParams, watch: Callable[[Input, list[Effect]], None]) -> None:
        super().__init__(params)
        self._watch = watch

    def handle(self, event: Input) -> list[Effect]:
        """Take one input; give what is to be done."""
        effects = super().handle(event)
        self._watch(event, effects)
        return effects


class InterruptedRun(LiveRun):
    """A run whose orders can be overtaken by the world between decision and send."""

    instant: Callable[[], None] = staticmethod(lambda: None)

    def _carry_out(self, effect: Effect) -> None:
        if type(effect) is SubmitOrder:
            self.instant()
        super()._carry_out(effect)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a process finds when it starts, and what outlives it."""

    scenario: Scenario
    instruments: tuple[Instrument, ...]
    directory: Path
    network: OrderNetwork
    our_ns: Callable[[], int]
    watch: Callable[[Input, list[Effect]], None]
    instant: Callable[[], None]
    guards: Callable[[GuardParams, Process], GuardStarter]
    """Gives what starts guards of a process."""


class Process:
    """A session as `LiveSession` hosts it, one turn at a time."""

    def __init__(
        self,
        around: Surroundings,
        number: int,
        journal: MemoryJournal,
        chance: Chance,
        books: BooksCarried | None,
    ) -> None:
        """Begin; `books` is what the journal of the process before has."""
        scenario = around.scenario
        self.number = number
        self.gone = False
        self.fenced = False
        """True once its guard has sent it SIGKILL."""
        self._our_ns = around.our_ns
        self.params = engine_params(scenario, around.instruments, number)
        self.gate = Gate.create(around.directory)
        self.engine = WatchedEngine(self.params, around.watch)
        self._gate_watch = GateWatch(self.gate)
        clock = SessionClock(around.our_ns, around.our_ns)
        instruments = {one.symbol: one for one in around.instruments}
        self.gateway = VenueGateway(
            # Before the first session there was none to wait for.
            msgspec.structs.replace(ORDERS, earlier_ms=0) if number == 1 else ORDERS,
            instruments,
            KEY,
            self.params.session_number,
            self.gate,
            clock,
            journal=journal if scenario.mode is VenueMode.LIVE else None,
            books=books,
            connect=around.network.connect,
            chance=chance.unit,
        )
        self.run = InterruptedRun(
            self.engine,
            codec_for("binance", instruments),
            self.gateway,
            PlantedPool(chance, scenario.horizon_ms),
            journal,
            ("", *scenario.symbols),
            clock,
            self._gate_watch.carry_out,
        )
        self.run.instant = around.instant
        self._books = books
        self.gateway.on_reports = self.run.venue_reported
        around.network.session_now_ns = clock.now_ns
        guarded = guard_params(scenario.symbols, self.params.session_number)
        self.keeper = GuardKeeper(guarded, around.directory, _BEAT_NS, starter=around.guards(guarded, self))
        self._duty = GuardDuty(self.keeper, self.gate, self._gate_watch)

    def start(self) -> None:
        """Do what a session does before its first turn."""
        if self._books is not None:
            self.run.put(msgspec.structs.replace(self._books, ts_ns=self.run.now_ns))
        self._look_at_gate()
        self.run.put(LinkChanged(1, self.run.now_ns))

    def turn(self) -> None:
        """Do one turn of the session's loop."""
        self._look_at_gate()
        self.run.collect_answers()
        self.run.beat(0)
        self.gateway.release_parked(self.run.now_ns)
        healthy = chain_is_healthy(self.engine, path_up=self.gateway.is_up, workers=True)
        spared = self.engine.spared_generation
        if self._duty.look(self._our_ns(), self.run.put, self.run.now_ns, healthy=healthy, spared=spared):
            self.gateway.tick(self.run.now_ns)

    def command(self, command: Command, **fields: Any) -> str:
        """Carry out a person's command as the session host does; give a refusal or an empty text."""
        if command is Command.RESUME and self.keeper.resume_refusal:
            return self.keeper.resume_refusal
        if command in (Command.RELEASE, Command.RESUME):
            refusal = self._gate_watch.release(command, "ada", "")
            self._look_at_gate()
            if refusal:
                return refusal
        now_ns = self.run.now_ns
        base = OperatorCommand(command, "ada", "", self.params.instruments[0].symbol, 0, 0, now_ns)
        self.run.put(msgspec.structs.replace(base, **fields))
        return ""

    def end(self) -> None:
        """Let go of everything, as the kernel does when a process is gone."""
        self.gone = True
        self.gateway.close()
        self.gate.detach()

    def has_ended(self) -> bool:
        """Say whether it is gone, for its guard."""
        return self.gone or self.fenced

    def fence(self) -> None:
        """Take a SIGKILL: not one more of its lines runs, stopped or not."""
        self.fenced = True

    def _look_at_gate(self) -> None:
        self._gate_watch.look(self.run.put, self.run.now_ns)
