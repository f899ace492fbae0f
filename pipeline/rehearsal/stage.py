"""One rehearsal: storm, deaths and restarts, calm, and the comparison at rest; all of it from the seed.

Within a step the world comes first (the venue's time, frames that arrive), then one turn of the session's
loop, then the people. A process that dies leaves its journal, the gate's file and what is under way; the next
one starts as `lobdeck` does, with the next session number, and has to find out.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from pipeline.core.earlier import BooksCarried
from pipeline.core.inputs import Command
from pipeline.core.types import Fees, OrderState, Side, TradingState
from pipeline.rehearsal.crash import Fuse, ProcessDied
from pipeline.rehearsal.feed_line import FeedLine
from pipeline.rehearsal.guard_judge import GuardJudge
from pipeline.rehearsal.guard_lines import GuardNetwork
from pipeline.rehearsal.memory_journal import Disk, MemoryJournal
from pipeline.rehearsal.oracle import OPENING_BALANCES, Oracle
from pipeline.rehearsal.order_network import OrderNetwork
from pipeline.rehearsal.person import Person
from pipeline.rehearsal.process import KEY, Process, Surroundings
from pipeline.rehearsal.rules import Rule
from pipeline.rehearsal.scenario import HAS_LOOKED_AT_GATE, STEP_NS, Scenario
from pipeline.rehearsal.street import StreetMarket
from pipeline.rehearsal.symbol_witness import FOREIGN_ID
from pipeline.rehearsal.watchmen import GuardHouse, GuardRoom
from pipeline.rehearsal.witness import orders_of, replayed_hash
from pipeline.runtime.earlier_books import BooksFold
from pipeline.runtime.gate import Gate
from pipeline.runtime.guard_params import GuardSettings
from pipeline.runtime.guard_report import GuardReport
from pipeline.runtime.journal_format import Record
from pipeline.sim.chance import Chance
from pipeline.sim.exchange.listing import spot_listings
from pipeline.sim.exchange.order import AccountEvent, NewOrder, OrderKind
from pipeline.sim.protocol.hub import MarketHub
from pipeline.sim.protocol.venue import SimVenue

START_NS = 1_767_225_600_000_000_000
_FOREIGN_PERCENT = 80
_CALM_STEPS = 700
_CALM_STEP_NS = 40_000_000
_REST_STEPS = 10
"""Steps in a row that must be quiet before books are compared."""
_PARTS = 2
"""Looks of the world to a step of the session."""
_KILLS_THE_STOPPED = 0.01
"""Chance of each 10 ms of standing still to bring a kill from a shell."""
_REPLAYS = 8
"""One seed in so many also replays the journal of a session that ended well."""


class Stage:
    """The world around the processes of one rehearsal."""

    def __init__(self, scenario: Scenario, directory: Path) -> None:
        self.scenario = scenario
        self.now_ns = START_NS
        self.deaths = 0
        seed = scenario.seed
        hub, inbox = MarketHub(), list[AccountEvent]()
        listings = spot_listings(scenario.symbols, Fees(*scenario.fees_e6, "venue"))
        self.oracle = Oracle()
        self.market = StreetMarket(listings, Chance(seed ^ 0x51), START_NS, hub, inbox, self.oracle.entry)
        account = self.market.exchange.open_account(
            "main", KEY.api_key, KEY.secret, OPENING_BALANCES, START_NS
        )
        for one in listings:
            foreign = NewOrder(
                one.symbol,
                Side.BUY,
                OrderKind.LIMIT,
                price_e8=one.open_ticks * one.tick_e8 * _FOREIGN_PERCENT // 100 // one.tick_e8 * one.tick_e8,
                quantity_e8=10**6,
                client_order_id=FOREIGN_ID,
            )
            self.market.exchange.place(account, foreign, START_NS)
        self.venue = SimVenue(self.market, hub, inbox, START_NS, seed=seed, faults=scenario.faults)
        self.network = OrderNetwork(self.venue, Chance(seed ^ 0x52), lambda: self.now_ns, self.oracle)
        self.feed = FeedLine(self.venue, scenario.symbols, Chance(seed ^ 0x53), lambda: self.now_ns)
        self.network.delay_ms = scenario.delay_ms
        self.feed.delay_ms = min(scenario.delay_ms, 60)
        self._gate = Gate.create(directory)
        self.person = Person(Chance(seed ^ 0x54), self._gate, scenario.act_rate, lambda: self.now_ns)
        self.oracle.open(self.market, account, self._gate, scenario.mode)
        self.guard_network = GuardNetwork(self.venue, Chance(seed ^ 0x56), lambda: self.now_ns)
        self.guard_network.delay_ms = scenario.guard_delay_ms
        our_ns = lambda: self.now_ns + scenario.skew_ns  # noqa: E731
        self.guards = GuardHouse(
            GuardRoom(
                scenario,
                directory,
                self.guard_network,
                Chance(seed ^ 0x57),
                lambda: self.now_ns,
                our_ns,
                KEY,
                self._guard_said,
            )
        )
        self.judge = GuardJudge(self.guards, self._gate, self.oracle.break_, GuardSettings())
        self.oracle.judge_guard = self.judge.left
        self._around = Surroundings(
            scenario,
            tuple(one.instrument for one in listings),
            directory,
            self.network,
            our_ns,
            self.oracle.handled,
            self._instant,
            self.guards.starter,
        )
        self.fenced = 0
        self.stopped_at: list[str] = []
        self._fuses: list[Fuse] = []
        self._stops = list(scenario.stops)
        self._busy_until_ns = 0
        self._gate_mark = b""
        self._chance = Chance(seed ^ 0x55)
        self._lives = list(scenario.deaths)
        self._number = 0
        self._disk = Disk([])
        self._kept: list[list[Record]] = []
        """What the disk has of the journals of dead processes."""
        self._starts_ns = START_NS
        self.process: Process | None = None
        self._storms = True

    async def play(self) -> None:
        """Go through storm and calm until a rule is broken or all is compared."""
        for _ in range(self.scenario.steps):
            await self._step(STEP_NS)
            if self.oracle.broken is not None:
                return
        self._calm()
        quiet = 0
        for number in range(_CALM_STEPS):
            await self._step(_CALM_STEP_NS)
            quiet = quiet + 1 if self._is_quiet() else 0
            if self.oracle.broken is not None or quiet >= _REST_STEPS:
                break
            if number % 25 == 0:
                self._ask_for_rest()
        else:
            self.oracle.break_(Rule.NOT_SETTLED, self._unrest())
        if self.oracle.broken is None:
            self.oracle.check_rest()
            self._check_replay()

    @property
    def fuses(self) -> list[Fuse]:
        """Give the fuse of every process there was, guards among them."""
        return [*self._fuses, *self.guards.fuses]

    def close(self) -> None:
        """Let go of everything."""
        if self.process is not None:
            self.process.end()
        self.guards.close()
        self._gate.detach()

    # --- a step -------------------------------------------------------------------------------------------

    async def _step(self, length_ns: int) -> None:
        self.oracle.kill = self.person.kill
        busy = self.now_ns < self._busy_until_ns
        try:
            self._freeze(frozen=busy)
            for _ in range(_PARTS):
                self._world(length_ns // _PARTS)
                self._heed_fence()
            if busy:
                self._instant()
            else:
                await self._turn()
        except ProcessDied:
            self._die()
        self._judge(awake=not busy)

    def _world(self, length_ns: int) -> None:
        """Let everything but the session's own loop go on."""
        self.now_ns += length_ns
        self.venue.advance(self.now_ns)
        self.guard_network.move()
        self.network.move()
        self.feed.move()
        self.guards.turn()

    def _judge(self, *, awake: bool) -> None:
        self.person.look_at_gate()
        if (mark := self._gate.mark()) != self._gate_mark:
            self._gate_mark = mark
            if not self.person.kill and self._gate.state().latched:
                self.person.killed()
        self.oracle.kill = self.person.kill
        self.oracle.step(self.now_ns, awake=awake)
        self.judge.step(self.process, self.now_ns)

    def _freeze(self, *, frozen: bool) -> None:
        self.network.frozen = self.feed.frozen = frozen

    def _heed_fence(self) -> None:
        if self.process is not None and self.process.fenced:
            raise ProcessDied("fenced")

    def _hold(self, length_ns: int, name: str) -> None:
        """Stop the process where it is, in the middle of a line, and let the world go on.

        Raises:
            ProcessDied: its guard fenced it meanwhile.
        """
        if not self._storms or self.network.frozen:
            return
        self.stopped_at.append(name)
        if name == HAS_LOOKED_AT_GATE:
            self.oracle.held()
        self._freeze(frozen=True)
        until_ns = self.now_ns + length_ns
        while self.now_ns < until_ns:
            self._world(STEP_NS // _PARTS)
            self._instant()
            if self._chance.unit() < _KILLS_THE_STOPPED:
                self.person.close_gate(latch=True)
            self._judge(awake=False)
            self._heed_fence()
        self._freeze(frozen=False)
        if self.process is not None:
            self.judge.turned(self.process, self.now_ns)

    async def _turn(self) -> None:
        if self.process is None:
            self._instant()
            if self.now_ns >= self._starts_ns:
                self._start()
            return
        self._strike()
        process = self.process
        process.turn()
        self.judge.turned(process, self.now_ns)
        if process.gateway.connections == process.gateway.lost:
            await asyncio.sleep(0)  # an attempt to connect goes on
        if self._storms:
            self.person.look(process)
            self._grow_slow()

    def _grow_slow(self) -> None:
        passed_ns = self.now_ns - START_NS
        for start_ns, length_ns, pause_ns in self.scenario.slow:
            if start_ns <= passed_ns < start_ns + length_ns:
                self._busy_until_ns = self.now_ns + pause_ns

    def _guard_said(self, report: GuardReport) -> None:
        self.oracle.guard_said(report)

    def _strike(self) -> None:
        if not self._storms:
            return
        if self._chance.unit() < self.scenario.cut_rate:
            self.network.strike()
        if self._chance.unit() < self.scenario.cut_rate / 2:
            self.feed.strike()
        if self._chance.unit() < self.scenario.cut_rate / 2:
            self.guard_network.strike()

    def _instant(self) -> None:
        """Let the world act between the engine's decision and the send."""
        if self._storms:
            self.person.interfere()

    # --- processes ----------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._number += 1
        death = self._lives.pop(0) if self._lives and self._storms else None
        fuse = Fuse(death, tuple(self._stops) if self._storms else (), self._hold)
        self._fuses.append(fuse)
        self.network.fuse, self._disk = fuse, Disk([])
        sync_ns = self.scenario.disk_ms * 1_000_000
        journal = MemoryJournal(self._disk, fuse, lambda: self.now_ns, sync_ns)
        chance = Chance(self.scenario.seed * 31 + self._number)
        self.process = process = Process(self._around, self._number, journal, chance, self._books())
        self.oracle.started(process, self._disk)
        self.judge.started()
        self.feed.attach(process.run)
        process.start()

    def _books(self) -> BooksCarried | None:
        """Give what the newest journal that knew the account has, as `lobdeck` finds it at a start."""
        for number, records in reversed(list(enumerate(self._kept, 1))):
            fold = BooksFold(f"life {number}", self._around.instruments)
            for record in records:
                fold.take(record)
            books = fold.books(self.now_ns)
            if books is not None:
                return books
        return None

    def _die(self) -> None:
        process = self.process
        if process is None:
            return
        self.deaths += 1
        self.fenced += process.fenced
        self.process = None
        self._busy_until_ns = 0
        self._freeze(frozen=False)
        power_lost = self._chance.unit() < self.scenario.power_rate and not process.fenced
        self.network.process_gone(with_machine=power_lost)
        self.feed.detach()
        process.end()
        self.oracle.died()
        self.judge.died(process)
        self._starts_ns = self.now_ns + self._chance.between(20, 1_500) * 1_000_000
        if power_lost:
            self.guards.power_lost()
        self._check_journal(process, power_lost=power_lost)

    def _check_journal(self, process: Process, *, power_lost: bool) -> None:
        """See whether what the disk has gives every order that left."""
        kept = self._disk.records
        if power_lost and process.params.mode.value == "LIVE":
            kept = kept[: self._disk.durable]
        self._kept.append(kept)
        asked = orders_of(process.params, kept)
        for client_id, number in self.oracle.wire.items():
            if number == process.number and client_id not in asked:
                self.oracle.break_(Rule.NOT_REPLAYED, f"{client_id} is not among {len(asked)} orders")

    def _check_replay(self) -> None:
        process = self.process
        if process is None or self.scenario.seed % _REPLAYS:
            return
        if replayed_hash(process.params, self._disk.records) != process.run.pump.effects_sha256:
            self.oracle.break_(Rule.NOT_REPLAYED, "the effects differ")

    # --- the end ------------------------------------------------------------------------------------------

    def _calm(self) -> None:
        self._storms = False
        self.market.calm = True
        self.network.heal()
        self.feed.delay_ms = 0
        self.network.fuse.disarm()
        self.guard_network.heal()
        self.guards.calm()

    def _ask_for_rest(self) -> None:
        """Halt what still trades, so that there is something to compare."""
        process = self.process
        if process is not None and process.engine.state.start.differs:
            process.command(Command.CANCEL_EARLIER)
            process.command(Command.ADOPT)
        if process is not None and process.engine.trading_state > TradingState.HALTED:
            process.command(Command.HALT)
        if process is not None and process.engine.open_orders:
            for symbol in process.engine.symbols:
                process.command(Command.CANCEL_ALL, symbol=symbol)

    def _is_quiet(self) -> bool:
        process = self.process
        if process is None or not process.gateway.is_up or self.oracle.under_way or self.guards.is_busy:
            return False
        engine = process.engine
        kill = engine.state.kill
        over = kill is None or not kill.latched or kill.confirmed_ts_ns > 0
        return over and engine.trading_state <= TradingState.HALTED and not engine.open_orders

    def _unrest(self) -> str:
        process = self.process
        if process is None:
            return "no process"
        engine, desk = process.engine, process.gateway.desk
        live = [f"{one.client_order_id} {one.state}" for one in engine.state.orders.all_live()]
        unknown = sum(1 for one in engine.state.orders.all_live() if one.state is OrderState.UNKNOWN)
        return (
            f"{engine.trading_state.name}, path {desk.phase.name} {desk.trouble}, live {live}, "
            f"guard {process.keeper.words}, {unknown} UNKNOWN, kill {engine.state.kill}"
        )
