"""What a session did, as typed facts: who asked for what, which orders came of it, what stopped the others.

`fact_collector` makes these from the inputs and effects of one engine run; `runtime/session_reader.py` plays
a journal into it. Reports read nothing else. Times are ns of the session's clock, prices ticks, quantities
lots, money 1e-8 of the quote currency.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.core.effects import Alert
from pipeline.core.evidence import HeadLeft
from pipeline.core.inputs import GateChanged, HealthRead, OperatorCommand
from pipeline.core.params import EngineParams, RiskLimits
from pipeline.core.permit import Permit
from pipeline.core.types import Authority, DenyReason, OrderIntent, OrderState, Side, TradingState


@dataclass(frozen=True, slots=True)
class CommandFact:
    """One act of a person (or of the session itself) and what it was answered."""

    place: int
    """Counts the session's commands from 1 on; what a permit or a change points to."""
    command: OperatorCommand
    answer: str
    """Empty where the screen alone showed the result."""
    authority: Authority
    """After the command, as is `trading_state`."""
    trading_state: TradingState


@dataclass(frozen=True, slots=True)
class PermitFact:
    """A permit from its opening to its end."""

    permit: Permit
    opened_by: int
    """`place` of the command that opened it; 0 for AUTO's own."""
    used: int
    end: str
    """Reason code; empty while it was open when the journal ends."""
    ended_ns: int


@dataclass(frozen=True, slots=True)
class CheckFact:
    """One check an order passed: what it measured and its limit, in the limit's own unit."""

    code: DenyReason
    value: int
    limit: int


@dataclass(frozen=True, slots=True)
class OrderFact:
    """One order that was sent: what it came from, what was seen then, what became of it."""

    number: int
    client_order_id: str
    intent: OrderIntent
    policy_hash: str
    sent_ns: int
    bid_ticks: int
    """Best prices of the book when it was sent; 0 without one, as is `update_id`."""
    ask_ticks: int
    update_id: int
    worker_id: int
    """Whose answer was decided on; -1 for orders without a row."""
    row_ns: int
    """When that row was asked for; 0 for orders without one."""
    checks: tuple[CheckFact, ...]
    answered_ns: int
    """When the venue was first heard of it; -1 never."""
    ended_ns: int
    """-1 while it was live when the journal ends."""
    state: OrderState
    filled_lots: int
    fee_quote_e8: int
    reason: str
    cancel_asked_ns: int
    """-1 where nobody asked for a cancel."""
    unknown_ns: int
    """When it last became UNKNOWN; -1 never."""


@dataclass(frozen=True, slots=True)
class FillFact:
    """One trade of ours."""

    ts_ns: int
    symbol: str
    number: int
    """Of its order."""
    side: Side
    lots: int
    price_ticks: int
    fee_quote_e8: int
    maker: bool
    trade_id: int
    mid_half_ticks: int
    """Twice the mid when we heard of it; 0 without a book that is ok."""
    position_lots: int
    """After it."""
    late: bool
    """It came after a cancel was asked for, or after the order was given up as UNKNOWN."""


@dataclass(frozen=True, slots=True)
class DenialFact:
    """What our own risk refused for one reason on one symbol."""

    reason: DenyReason
    symbol: str
    count: int
    first_ns: int
    last_ns: int
    value: int
    """What broke the rule furthest among those said in an alert, and its limit, in the limit's own unit."""
    limit: int


@dataclass(frozen=True, slots=True)
class AlertFact:
    """An alert and who noted it."""

    alert: Alert
    noted_by: str
    noted_ns: int
    """0 where nobody did."""


@dataclass(frozen=True, slots=True)
class StateFact:
    """A change of the trading state."""

    ts_ns: int
    who: str
    before: TradingState
    after: TradingState


@dataclass(frozen=True, slots=True)
class KillFact:
    """One closing of the gate, from when the engine heard of it to the venue's zero."""

    who: str
    tty: str
    reason: str
    acted_ns: int
    """When the act was recorded in the gate, by the system's clock; 0 where that is not known."""
    ts_ns: int
    latched: bool
    """False for a halt, which cancels nothing by itself."""
    ours: int
    """Our working orders then."""
    cancels_sent: int
    canceled: int
    filled: int
    first_cancel_ns: int
    """0 where none was sent."""
    gone_ns: int
    """When the venue was known to have nothing of ours; 0 never."""


@dataclass(frozen=True, slots=True)
class GateFileFact:
    """A kill, halt or release on file beside the journal that its chain does not tell of."""

    acted_ns: int
    """By the system's clock, as is `gone_ns`, which is the venue's."""
    kind: str
    """KILL, halt or release."""
    who: str
    tty: str
    reason: str
    source: str
    """Which file has it."""
    guard: str = ""
    """The phase the guard reports, where its report is about this one; the other fields are its as well."""
    engine: str = ""
    cancels: int = 0
    gone_ns: int = 0
    """NO ORDERS LEFT; 0 where the guard did not confirm it."""


@dataclass(frozen=True, slots=True)
class EquityFact:
    """The account at one second."""

    ts_ns: int
    day_quote_e8: int
    """Closed plus open minus fees."""
    fees_quote_e8: int
    drawdown_quote_e8: int
    gross_quote_e8: int
    lots: tuple[int, ...]
    """Positions, in the order of the parameters' instruments."""


@dataclass(frozen=True, slots=True)
class PeakFact:
    """The furthest one symbol went; 0 where nothing happened."""

    symbol: str
    lots: int
    """Position of the greatest size, signed."""
    lots_ns: int
    worst_lots: int
    """The same with every live order counted as filled on its worse side."""
    worst_ns: int
    worst_quote_e8: int
    """What that was worth."""
    open_orders: int


@dataclass(frozen=True, slots=True)
class AnswerFact:
    """One answer of a worker that was asked for: three times of its life."""

    asked_ns: int
    worked_ns: int
    """How long the worker took, by its own clock."""
    age_ns: int
    """From the row to its decision."""


@dataclass(frozen=True, slots=True)
class AfterFillFact:
    """Where the mid went after fills of one kind, over one horizon."""

    horizon_ns: int
    maker: bool
    fills: int
    """That have matured."""
    mean_e6: int
    """In 1e-6 of the price, positive for us; 0 while none has matured."""


@dataclass(frozen=True, slots=True)
class ChainFact:
    """What checking the journal found."""

    head: str
    sound: bool
    complete: bool
    """The newest run was ended in good order."""
    runs: int
    segments: int
    records: int
    unsealed: int
    problems: tuple[str, ...]
    torn: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunFact:
    """Of which run of which session the facts are, and whether all of it could be read."""

    session: str
    run: int
    code_version: str
    journal_version: int
    created_ns: int
    params: EngineParams
    notes: dict[str, str]
    chain: ChainFact
    inputs_sha256: str
    effects_sha256: str
    frames: int
    cut_short: str
    """Why reading stopped before the end; empty where it did not."""
    evidence: tuple[tuple[int, str], ...]
    """NOTE records, (time, text), in order."""
    limits_before: dict[str, RiskLimits] | None = None
    """Those of the run before in the same journal; None without one that can be read."""
    beside: tuple[GateFileFact, ...] = ()
    """What is on file beside the journal and not in its chain, in order of time."""


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """All of it, each kind in order of time."""

    policy_hash: str
    started_ns: int
    """Time of the first input; 0 without one, as is `ended_ns`."""
    ended_ns: int
    commands: tuple[CommandFact, ...]
    permits: tuple[PermitFact, ...]
    orders: tuple[OrderFact, ...]
    fills: tuple[FillFact, ...]
    denials: tuple[DenialFact, ...]
    stopped: dict[str, int]
    """What stopped decisions and orders, by code, as the summary counts it."""
    alerts: tuple[AlertFact, ...]
    states: tuple[StateFact, ...]
    gates: tuple[GateChanged, ...]
    kills: tuple[KillFact, ...]
    equity: tuple[EquityFact, ...]
    """Once a second."""
    peaks: tuple[PeakFact, ...]
    """By symbol, in the order of the parameters' instruments."""
    health: tuple[HealthRead, ...]
    answers: tuple[AnswerFact, ...]
    """At most one a second, so that a day's journal fits."""
    after_fills: tuple[AfterFillFact, ...]
    """Shorter horizons first, takers before makers."""
    heads: tuple[HeadLeft, ...]
    """Of the journal, as they were sent out of the box."""
    duplicate_fills: int
    foreign_answers: int
    counts: dict[str, object]
    """The counters of the summary."""
    position: dict[str, dict[str, str]]
    """As in the summary: exact decimal text."""
