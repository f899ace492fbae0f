"""Everything that can happen to the engine, as frozen structs; `Input` is their union.

Market data inputs are made by `pipeline.wire` from raw frames; the others enter from the session and are
journalled as they are. Every input carries its own time; the engine reads no clock.
"""

from __future__ import annotations

import enum

import msgspec

from pipeline.core.earlier import BalancesCompared, BooksCarried, BooksKept, DayCarried, OrderFound
from pipeline.core.evidence import HeadLeft, Seen
from pipeline.core.model_inputs import ModelAct, ModelPrepared, ModelWanted
from pipeline.core.monitor_state import MonitorState
from pipeline.core.order_inputs import (
    AccountRead,
    CancelRejected,
    ExecutionReport,
    InstrumentDiffers,
    OpenOrdersListed,
    OrderPathChanged,
    PositionBroke,
    SendFailed,
    SendRefused,
    SymbolStatus,
)
from pipeline.core.types import Level, Side, WorkerState

__all__ = [
    "AccountRead",
    "BalancesCompared",
    "BookTicker",
    "BooksCarried",
    "BooksKept",
    "CONNECTING",
    "CancelRejected",
    "Command",
    "DayCarried",
    "DepthSnapshot",
    "DepthUpdate",
    "ExecutionReport",
    "FeedStatusChanged",
    "FrameIgnored",
    "FrameRefused",
    "GateChanged",
    "HeadLeft",
    "HealthRead",
    "Input",
    "InstrumentDiffers",
    "LinkChanged",
    "MarketInput",
    "ModelAct",
    "ModelPrepared",
    "ModelWanted",
    "ModelRecord",
    "OpenOrdersListed",
    "OperatorCommand",
    "OrderFound",
    "OrderPathChanged",
    "PositionBroke",
    "PredictionReceived",
    "PredictionVoid",
    "RefusalReason",
    "SendFailed",
    "SendRefused",
    "SymbolStatus",
    "TimerBeat",
    "Trade",
    "WindowTerms",
    "WireInput",
    "WorkerCounters",
    "WorkerStatus",
]


class DepthSnapshot(msgspec.Struct, frozen=True, tag=True, gc=False):
    """A whole book as the venue's REST or WebSocket API gave it.

    `bids` and `asks` are best first; sizes are absolute. `ts_event_ns` is 0 where the venue gives none.
    """

    symbol: str
    last_update_id: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    ts_event_ns: int
    ts_recv_ns: int
    epoch: int = 0


class DepthUpdate(msgspec.Struct, frozen=True, tag=True, gc=False):
    """A batch of changed levels; sizes are absolute, 0 removes; no order is promised.

    `prev_update_id` is the venue's link to the previous update (Binance USD-M `pu`), -1 where it has none.
    """

    symbol: str
    first_update_id: int
    last_update_id: int
    prev_update_id: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    ts_event_ns: int
    ts_recv_ns: int
    epoch: int = 0


class BookTicker(msgspec.Struct, frozen=True, tag=True, gc=False):
    """Best prices and sizes with the update id they are true at."""

    symbol: str
    update_id: int
    bid_ticks: int
    bid_units: int
    ask_ticks: int
    ask_units: int
    ts_event_ns: int
    """0 on Binance spot, which prints no time."""
    ts_recv_ns: int
    epoch: int = 0


class Trade(msgspec.Struct, frozen=True, tag=True, gc=False):
    """One print of the tape; `aggressor_side` is the taker's side."""

    symbol: str
    price_ticks: int
    size_units: int
    aggressor_side: Side
    trade_id: int
    ts_event_ns: int
    ts_recv_ns: int
    epoch: int = 0


class RefusalReason(enum.StrEnum):
    """Why a frame was refused by its codec."""

    NOT_JSON = "NOT_JSON"
    TOO_LARGE = "TOO_LARGE"
    TOO_DEEP = "TOO_DEEP"
    BAD_FIELD = "BAD_FIELD"
    BAD_NUMBER = "BAD_NUMBER"
    OFF_GRID = "OFF_GRID"
    UNKNOWN_SYMBOL = "UNKNOWN_SYMBOL"


class FrameRefused(msgspec.Struct, frozen=True, tag=True):
    """A frame the codec could not believe; counted as a wire error, the engine goes on."""

    reason: RefusalReason
    detail: str
    """At most 120 characters, cleaned of control characters."""
    ts_ns: int


class FrameIgnored(msgspec.Struct, frozen=True, tag=True):
    """A well-formed frame of a kind the engine has no use for (mark price, subscription answers)."""

    kind: str
    ts_ns: int


class PredictionReceived(msgspec.Struct, frozen=True, tag=True):
    """A worker's answer to one `RequestInference`; the three probabilities are finite and sum to 1 ± 1e-3."""

    symbol: str
    model_id: str
    generation: int
    schema_hash: str
    feature_seq: int
    p_down: float
    p_flat: float
    p_up: float
    horizon_ms: int
    started_ns: int
    finished_ns: int
    worker_id: int
    epoch: int
    ts_ns: int
    """When it entered the engine."""


class PredictionVoid(msgspec.Struct, frozen=True, tag=True):
    """A row no answer will come for: worker dead, row replaced by a newer one, or answer bad."""

    symbol: str
    feature_seq: int
    cause: str
    """`worker`, `conflated`, `late` or `invalid`."""
    ts_ns: int


class TimerBeat(msgspec.Struct, frozen=True, tag=True, gc=False):
    """The session's 10 ms beat."""

    ts_ns: int
    loop_lag_ns: int = 0


CONNECTING = "connecting"
"""Reason before the first attempt has ended: nothing to warn of."""


class FeedStatusChanged(msgspec.Struct, frozen=True, tag=True):
    """A connection or a channel of the feed came up, went down or fell silent; `epoch` counts connections."""

    channel: str
    up: bool
    epoch: int
    reason: str
    ts_ns: int
    symbol: str = ""
    """Whose channel it is; empty for a connection, which concerns every symbol."""
    depth: bool = True
    """False for what no book depends on (trades, the snapshot service): no book is lost by it."""


class WorkerStatus(msgspec.Struct, frozen=True):
    """Counters of one inference worker, read from its shared memory."""

    worker_id: int
    pid: int
    state: WorkerState
    served: int
    late: int
    restarts: int
    queue_depth: int
    p50_us: float
    p99_us: float
    rss_mb: float
    model_id: str
    generation: int
    heartbeat_age_ms: int


class WorkerCounters(msgspec.Struct, frozen=True, tag=True):
    """Health of the worker pool, once a second and at each change."""

    workers: tuple[WorkerStatus, ...]
    conflated: int
    ts_ns: int


class GateChanged(msgspec.Struct, frozen=True, tag=True):
    """The gate's closers or latch changed, as the session saw them; an open one tells who released it."""

    open: bool
    latched: bool
    closers: tuple[str, ...]
    who: str
    reason: str
    generation: int
    ts_ns: int
    tty: str = ""
    acted_ns: int = 0
    """When the act was recorded in the gate, by the system's clock; 0 where that is not known."""
    killers: tuple[str, ...] = ()
    """The closers of it that killed; empty also where the latch was made by hand."""
    kills: int = 0
    """Grows with every kill by a closer."""


class LinkChanged(msgspec.Struct, frozen=True, tag=True):
    """How many consoles are attached; 0 means nobody can permit anything."""

    consoles: int
    ts_ns: int


class Command(enum.StrEnum):
    """What an operator can ask of the engine; keys, the `:` line and the shell all end here."""

    PERMIT_ONCE = "PERMIT_ONCE"
    DECLINE = "DECLINE"
    PERMIT_WINDOW = "PERMIT_WINDOW"
    END_PERMITS = "END_PERMITS"
    AUTHORITY_DOWN = "AUTHORITY_DOWN"
    SET_AUTHORITY = "SET_AUTHORITY"
    HALT = "HALT"
    REDUCE = "REDUCE"
    RESUME = "RESUME"
    KILL = "KILL"
    RELEASE = "RELEASE"
    CANCEL_ORDER = "CANCEL_ORDER"
    CANCEL_ALL = "CANCEL_ALL"
    CANCEL_ACCOUNT = "CANCEL_ACCOUNT"
    LEAVE_ORDERS = "LEAVE_ORDERS"
    FLATTEN = "FLATTEN"
    EDIT_SIZE = "EDIT_SIZE"
    NOTE_ALERT = "NOTE_ALERT"
    ADOPT = "ADOPT"
    """Take over what an earlier session left: its orders, missed fills, the balance as found."""
    CANCEL_EARLIER = "CANCEL_EARLIER"
    """Cancel the orders an earlier session left."""


class WindowTerms(msgspec.Struct, frozen=True):
    """Terms of a window permit as the panel showed them when Enter armed it."""

    sides: tuple[Side, ...]
    max_order_lots: int
    max_net_lots: int
    max_orders: int
    max_loss_quote_e8: int
    min_net_edge_e6: int
    lowest_ticks: int
    highest_ticks: int
    duration_ns: int


class OperatorCommand(msgspec.Struct, frozen=True, tag=True):
    """One act of a person, bound to what was on that person's screen."""

    command: Command
    who: str
    tty: str
    symbol: str
    target_id: int
    """Idea, permit, order or alert id; 0 where the command has none."""
    revision: int
    """Revision of the idea as drawn; a press binds to (id, revision)."""
    ts_ns: int
    client_order_id: str = ""
    authority: int = 0
    qty_lots: int = 0
    terms: WindowTerms | None = None
    drawn_seq: int = 0
    """Sequence number of the snapshot last drawn to that terminal."""
    seen: Seen | None = None
    """What that screen showed; None for acts of the session itself."""


class HealthRead(msgspec.Struct, frozen=True, tag=True):
    """The session's readings of itself and its machine, once a second (C25, C26)."""

    clock_ahead_ns: int
    """The worst of: the system's clock against ours since the start, ours against the venue's, and what NTP
    has yet to correct."""
    rss_mb: int
    disk_free_percent: int
    """Of the disk the journal is on."""
    files_percent: int
    """Open files, of those allowed."""
    journal_ok: bool
    stages_ns: tuple[int, ...]
    """Newest delay since receive of each of `health.STAGES`; negative where nothing was measured."""
    ts_ns: int
    day_quote_e8: int = 0
    """The engine's own words on the day, for the next run to read (`DayCarried`); it acts on neither."""
    peak_quote_e8: int = 0


class ModelRecord(msgspec.Struct, frozen=True, tag=True):
    """What an earlier session learned of a model on a symbol; enters once, before any row is asked for."""

    symbol: str
    state: MonitorState
    ts_ns: int


MarketInput = DepthSnapshot | DepthUpdate | BookTicker | Trade
WireInput = MarketInput | FrameRefused | FrameIgnored
Input = (
    DepthSnapshot
    | DepthUpdate
    | BookTicker
    | Trade
    | FrameRefused
    | FrameIgnored
    | PredictionReceived
    | PredictionVoid
    | ExecutionReport
    | CancelRejected
    | SendRefused
    | SendFailed
    | OrderPathChanged
    | AccountRead
    | PositionBroke
    | OpenOrdersListed
    | TimerBeat
    | FeedStatusChanged
    | WorkerCounters
    | GateChanged
    | LinkChanged
    | OperatorCommand
    | SymbolStatus
    | InstrumentDiffers
    | HealthRead
    | HeadLeft
    | ModelWanted
    | ModelPrepared
    | ModelRecord
    | BooksCarried
    | BooksKept
    | DayCarried
    | OrderFound
    | BalancesCompared
)
