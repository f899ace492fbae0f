"""The safety oracle: judges a rehearsal by the exchange's ledger and the bytes that left, not our store.

What it knows of an order: its intent, from the effect; that it left, from the wire; whether it is still under
way, from the network; and all the rest from the exchange. Of the engine it reads what is to be judged: its
state at the moment an order leaves, its alerts, and at rest its books.
"""

from __future__ import annotations

from collections.abc import Callable

from pipeline.core.earlier import BalancesCompared, BooksCarried, OrderFound
from pipeline.core.effects import Alert, AlertCode, Effect, SubmitOrder
from pipeline.core.inputs import (
    AccountRead,
    DepthSnapshot,
    DepthUpdate,
    ExecutionReport,
    GateChanged,
    Input,
    SendFailed,
)
from pipeline.core.types import (
    OrderIntent,
    OrderState,
    Origin,
    TradingState,
    VenueMode,
)
from pipeline.rehearsal.memory_journal import Disk
from pipeline.rehearsal.order_network import Traffic
from pipeline.rehearsal.process import LIMITS, Process
from pipeline.rehearsal.rules import Rule, RuleBroken
from pipeline.rehearsal.street import StreetMarket
from pipeline.rehearsal.symbol_witness import SymbolWitness
from pipeline.runtime.gate import Gate
from pipeline.runtime.gateway import passes_closed_gate
from pipeline.runtime.guard_report import GuardReport
from pipeline.sim.exchange.account import Account
from pipeline.sim.exchange.ledger import Entry, EntryKind

_PLACE = b'"order.place"'
_ID = b'"newClientOrderId":"'
_ID_BYTES = 16
_ALERT_NS = 5_000_000_000
_DOUBT_NS = 500_000_000
"""A doubt is told sooner: it may be over before five seconds are."""
_WINDOW_NS = 1_000_000_000
"""recvWindow: what has been under way longer is refused."""
_FOLLOWS_NS = 200_000_000
"""How soon an engine that lives must have followed a kill."""
_E8 = 10**8


class Oracle(Traffic):
    """Watches one rehearsal; the first broken rule is kept."""

    def __init__(self) -> None:
        self.broken: RuleBroken | None = None
        self.orders_left = 0
        self.fills = 0
        self.zero_since_ns = -1
        """Since when NO ORDERS LEFT stands; -1 while it does not."""
        self.kill = 0
        """Number of the kill that stands and that nobody has taken back; 0 for none."""
        self.wire: dict[str, int] = {}
        """Every client order id that left, and by which process."""
        self._intents: dict[str, OrderIntent] = {}
        self._causes: dict[str, int] = {}
        self._under_way: dict[str, int] = {}
        """Orders on their way to the exchange, by when they left."""
        self._doubts: dict[str, int] = {}
        self._closed_since_ns = -1
        """Since when the gate is closed; -1 while it is open, -2 once the engine has said so."""
        self._kill_seen = (0, -1)
        """The kill that stands, and since when it does for this process."""
        self._symbols: dict[str, SymbolWitness] = {}
        self._carried: dict[str, int] = {}
        """Orders of earlier processes this one took over, and how many of their fills its books had."""
        self._market: StreetMarket | None = None
        self._gate: Gate | None = None
        self._process: Process | None = None
        self._disk: Disk | None = None
        self._live = False
        self._now_ns = 0
        self._gate_was_open = True
        """How the gate stood when the send that is next was allowed, where the process stood still since."""
        self._held = False
        self._guard_zero = False
        self.judge_guard: Callable[[], None] = lambda: None
        """Called for each order that leaves without a person behind it."""

    def open(self, market: StreetMarket, account: Account, gate: Gate, mode: VenueMode) -> None:
        """Take the exchange, the account and another process's view of the gate."""
        self._market, self._gate = market, gate
        for one in market.listings:
            self._symbols[one.symbol] = SymbolWitness(one.instrument, market, account, self.break_)
        self._live = mode is VenueMode.LIVE

    def started(self, process: Process, disk: Disk) -> None:
        """Take a new process; what the old one believed is gone."""
        self._process, self._disk = process, disk
        for one in self._symbols.values():
            one.started()
        self._carried = {}
        self._doubts.clear()
        self._closed_since_ns, self._kill_seen = -1, (0, -1)
        self.zero_since_ns = -1

    @property
    def under_way(self) -> int:
        """Count the orders on their way to the exchange."""
        return len(self._under_way)

    def died(self) -> None:
        """Take the end of the process."""
        self._process = None

    def break_(self, rule: Rule, found: str) -> None:
        """Keep a broken rule; the first one counts."""
        if self.broken is None:
            self.broken = RuleBroken(rule, found)

    # --- the wire -----------------------------------------------------------------------------------------

    def left(self, frame: bytes) -> None:
        """Judge a frame at the moment it leaves."""
        if _PLACE not in frame:
            return
        client_id, process = _client_id(frame), self._process
        if client_id in self.wire:
            self.break_(Rule.SENT_TWICE, client_id)
        if process is None:
            return
        self.wire[client_id] = process.number
        self._under_way[client_id] = self._now_ns
        self.orders_left += 1
        intent = self._intents.get(client_id)
        if intent is None:
            self.break_(Rule.NOT_JOURNALLED, f"{client_id} left and no effect asked for it")
            return
        self._judge(client_id, intent, process)

    def held(self) -> None:
        """Note that the process stands still with a frame in hand, after its look at the gate."""
        assert self._gate is not None
        self._held, self._gate_was_open = True, self._gate.is_open()

    def gone(self, frame: bytes) -> None:
        """Learn that a frame is no longer under way."""
        if _PLACE in frame:
            self._under_way.pop(_client_id(frame), None)

    def _judge(self, client_id: str, intent: OrderIntent, process: Process) -> None:
        by_person, state = passes_closed_gate(intent), process.engine.trading_state
        held, self._held = self._held, False
        if not by_person:
            self.judge_guard()
            if self._gate is not None and not (self._gate_was_open if held else self._gate.is_open()):
                self.break_(Rule.SENT_WHILE_CLOSED, f"{client_id} {intent.origin}")
            allowed = TradingState.REDUCING if intent.origin is Origin.EXIT else TradingState.ACTIVE
            if state < allowed:
                self.break_(Rule.SENT_WHILE_STOPPED, f"{client_id} {intent.origin} in {state.name}")
            others = [one for one in self._doubts if one != client_id and self._is_on(one, intent.symbol)]
            if others:
                self.break_(Rule.SENT_IN_DOUBT, f"{client_id} while {others[0]} is UNKNOWN")
        if intent.qty_lots > LIMITS.max_qty_lots:
            self.break_(Rule.TOO_LARGE, f"{client_id} {intent.qty_lots} lots")
        if self._live and self._disk is not None and self._disk.durable < self._causes[client_id]:
            found = f"{client_id} needs record {self._causes[client_id]}, the disk has {self._disk.durable}"
            self.break_(Rule.NOT_JOURNALLED, found)
        self._check_exposure(client_id)

    def _is_on(self, client_id: str, symbol: str) -> bool:
        """Say whether an order may be on a symbol; one of an earlier process is on every one."""
        intent = self._intents.get(client_id)
        return intent is None or intent.symbol == symbol

    # --- the engine ---------------------------------------------------------------------------------------

    def handled(self, event: Input, effects: list[Effect]) -> None:
        """Look at an input and what the engine wants done, before it is done."""
        match event:
            case SendFailed():
                self._doubts.setdefault(event.client_order_id, self._now_ns)
            case ExecutionReport():
                self._doubts.pop(event.client_order_id, None)
            case AccountRead():
                for symbol, base_e8 in event.base_e8:
                    self._symbols[symbol].account_read(base_e8)
            case BooksCarried():
                self._carried = {one.client_order_id: len(one.trades) for one in event.orders}
            case OrderFound():
                self._carried.setdefault(event.order.client_order_id, 0)
            case BalancesCompared() if event.differ:
                self.break_(Rule.POSITION_DIFFERS, f"the account is not explained: {event.differ}")
            case GateChanged() if event.open:
                self.zero_since_ns = -1
            case DepthUpdate() | DepthSnapshot() if self._process is not None:
                self._symbols[event.symbol].check_book(self._process)
            case _:
                pass
        for effect in effects:
            match effect:
                case SubmitOrder():
                    self._wanted(effect)
                case Alert():
                    self._alerted(effect)
                case _:
                    pass

    def _wanted(self, effect: SubmitOrder) -> None:
        process, client_id = self._process, effect.approved.client_order_id
        if process is None or self._disk is None:
            return
        self._intents[client_id] = effect.approved.intent
        self._causes[client_id] = len(self._disk.records)
        if not self._symbols[effect.approved.intent.symbol].is_synced(process):
            self.break_(Rule.SENT_WITHOUT_BOOK, client_id)

    def _alerted(self, alert: Alert) -> None:
        match alert.code:
            case AlertCode.ORDERS_GONE:
                self._zero("the engine")
            case AlertCode.GATE_CLOSED:
                self._closed_since_ns = -2
            case AlertCode.ORDER_UNKNOWN:
                for one in self._doubts:
                    if one in alert.detail:
                        self._doubts[one] = -1
            case _:
                pass

    def guard_said(self, report: GuardReport) -> None:
        """Judge a guard's report at the moment it is made."""
        if report.confirmed and not self._guard_zero:
            # A guard cannot know of what a person sends through the closed gate after it began to look.
            self._zero("a guard", but=self._by_person)
        self._guard_zero = report.confirmed

    def _by_person(self, client_id: str) -> bool:
        intent = self._intents.get(client_id)
        return intent is not None and passes_closed_gate(intent)

    def _zero(self, who: str, but: Callable[[str], bool] = lambda _: False) -> None:
        """Judge NO ORDERS LEFT; it stands until the gate opens, and not at all after a release."""
        self.zero_since_ns = self._now_ns if self._gate is None or not self._gate.is_open() else -1
        young = [one for one, left in self._under_way.items() if left > self._now_ns - _WINDOW_NS]
        standing = [one for one in (*self._open_ids(), *young) if not but(one)]
        if standing:
            self.break_(Rule.NOT_ZERO, f"{who}: {standing[0]} stands or is under way")

    # --- the exchange -------------------------------------------------------------------------------------

    def entry(self, entry: Entry) -> None:
        """Look at a line of the exchange's ledger."""
        if entry.kind is EntryKind.ACCEPTED and self.zero_since_ns >= 0:
            intent = self._intents.get(entry.client_order_id)
            if intent is not None and not passes_closed_gate(intent):
                self.break_(Rule.NOT_ZERO, f"{entry.client_order_id} came after NO ORDERS LEFT")
        if entry.kind is EntryKind.FILLED and entry.side is not None:
            self.fills += 1
            self._symbols[entry.symbol].filled(entry)

    def step(self, now_ns: int, *, awake: bool = True) -> None:
        """Judge what stands after a step; a process that is not `awake` is late for nothing."""
        passed_ns, self._now_ns = now_ns - self._now_ns, now_ns
        if not awake:
            self._wait(passed_ns)
        for one in self._symbols.values():
            one.step()
        process = self._process
        if process is None or self._gate is None:
            return
        self._check_exposure("after a step")
        self._check_ended(process)
        self._check_kill(process)
        self._check_alerts(now_ns)

    def _wait(self, passed_ns: int) -> None:
        """Give the process the time back in which it stood still."""
        self._kill_seen = (self._kill_seen[0], self._kill_seen[1] + passed_ns)
        if self._closed_since_ns >= 0:
            self._closed_since_ns += passed_ns
        self._doubts = {one: ns + passed_ns if ns >= 0 else ns for one, ns in self._doubts.items()}

    def _check_ended(self, process: Process) -> None:
        """Judge what we hold for ended: the exchange ends an order first, and then we hear of it."""
        for client_id in self._open_ids():
            order = process.engine.state.orders.order(client_id)
            if order is not None and not order.is_live:
                self.break_(Rule.ORDERS_DIFFER, f"{client_id} is open, for us it is {order.state}")

    def _check_kill(self, process: Process) -> None:
        assert self._gate is not None
        if self.kill != self._kill_seen[0]:
            self._kill_seen = (self.kill, self._now_ns)
        if not self.kill:
            return
        follows = self._now_ns - self._kill_seen[1] > _FOLLOWS_NS
        if self._gate.is_open():
            self.break_(Rule.KILL_LOST, "the gate is open")
        elif follows and process.engine.trading_state is not TradingState.KILLED:
            self.break_(Rule.KILL_LOST, f"the engine is {process.engine.trading_state.name}")

    def _check_alerts(self, now_ns: int) -> None:
        assert self._gate is not None
        if self._gate.is_open():
            self._closed_since_ns = -1
        elif self._closed_since_ns == -1:
            self._closed_since_ns = now_ns
        elif self._closed_since_ns >= 0 and now_ns - self._closed_since_ns > _ALERT_NS:
            self.break_(Rule.SILENT, "the gate is closed")
        for client_id, since_ns in self._doubts.items():
            if since_ns >= 0 and now_ns - since_ns > _DOUBT_NS:
                self.break_(Rule.SILENT, f"{client_id} is UNKNOWN")

    def _check_exposure(self, when: str) -> None:
        under_way = [self._intents[one] for one in self._under_way if one in self._intents]
        for one in self._symbols.values():
            one.check_exposure(when, under_way)

    # --- at rest ------------------------------------------------------------------------------------------

    def check_rest(self) -> None:
        """Compare the engine's books with the exchange's, when nothing is under way."""
        process = self._process
        if process is None or not all(one.knows_home for one in self._symbols.values()):
            self.break_(Rule.NOT_SETTLED, "no session that knows its account")
            return
        for one in self._symbols.values():
            one.check_rest(process)
        state = process.engine.state
        ours = sorted(order.client_order_id for order in state.orders.all_live())
        if ours != sorted(self._open_ids()):
            self.break_(Rule.ORDERS_DIFFER, f"ours {ours}, the exchange's {self._open_ids()}")
        fills, known = self._fills_of(process.number), state.portfolio.fills
        if known != fills:
            self.break_(Rule.FILLS_DIFFER, f"ours {known}, the exchange's {fills}")
        if any(order.state is OrderState.UNKNOWN for order in state.orders.all_live()):
            self.break_(Rule.NOT_SETTLED, f"UNKNOWN still: {ours}")

    def _fills_of(self, number: int) -> int:
        assert self._market is not None
        filled = [
            one.client_order_id
            for one in self._market.exchange.ledger.entries
            if one.kind is EntryKind.FILLED
        ]
        own = sum(1 for one in filled if self.wire.get(one) == number)
        carried = sum(1 for one in filled if one in self._carried)
        return own + carried - sum(self._carried.values())

    def _open_ids(self) -> list[str]:
        return [client_id for one in self._symbols.values() for client_id in one.open_ids()]


OPENING_BALANCES = {"BTC": 10 * _E8, "ETH": 100 * _E8, "USDT": 1_000_000 * _E8}
"""What the account holds before the first session."""


def _client_id(frame: bytes) -> str:
    start = frame.index(_ID) + len(_ID)
    return frame[start : start + _ID_BYTES].decode()
