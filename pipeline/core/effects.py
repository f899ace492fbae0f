"""Everything the engine may ask the world to do, as frozen structs; `Effect` is their union.

The session carries effects out in the order they were returned. Each docstring names the input that answers.
Floats never appear here: they are integers of 1e-6, so that the hash of all effects is the same on every
processor.
"""

from __future__ import annotations

import enum

import msgspec

from pipeline.core.model_inputs import ModelAct
from pipeline.core.params import ModelSpec
from pipeline.core.types import RiskApproved, Severity, Trigger


class RequestInference(msgspec.Struct, frozen=True, tag=True):
    """Ask a worker for one row's probabilities; answered by `PredictionReceived` or `PredictionVoid`."""

    symbol: str
    feature_seq: int
    epoch: int
    trigger: Trigger
    row_e6: tuple[int, ...]
    """The features the model declares, in its order, each value * 1e6 rounded half to even; for a model that
    reads several rows at once all of them, oldest first (`row_window.py`)."""
    model_id: str
    generation: int
    schema_hash: str
    ts_ns: int
    """Decision time; the row contains only events received before it."""
    newest_recv_ns: int
    """Receive time of the newest event the row contains."""
    touch_digest: int = 0
    """Running checksum of every best price and size seen so far, 64 bits: two runs whose books differed in
    one of them, even for a moment no row saw, ask different rows."""
    shadow_of: int = 0
    """For a shadow model's row, the `feature_seq` of the live model's row of the same moment; else 0."""


class SubmitOrder(msgspec.Struct, frozen=True, tag=True):
    """Send an approved order; answered by `ExecutionReport`, `SendRefused` or `SendFailed`."""

    approved: RiskApproved
    ts_ns: int


class CancelOrder(msgspec.Struct, frozen=True, tag=True):
    """Cancel one order of ours; answered by `ExecutionReport` CANCELED or `CancelRejected`."""

    symbol: str
    client_order_id: str
    reason: str
    ts_ns: int


class CancelAll(msgspec.Struct, frozen=True, tag=True):
    """Cancel all our orders on a symbol; answered by one `ExecutionReport` for each."""

    symbol: str
    reason: str
    ts_ns: int


class CancelAccount(msgspec.Struct, frozen=True, tag=True):
    """Cancel every open order of the account, foreign ones too: a person chose it while killed."""

    reason: str
    ts_ns: int


class RequestSnapshot(msgspec.Struct, frozen=True, tag=True):
    """Fetch a whole book; answered by `DepthSnapshot`."""

    symbol: str
    reason: str
    epoch: int
    ts_ns: int


class Subscribe(msgspec.Struct, frozen=True, tag=True):
    """Subscribe a symbol's channels again; answered by `FeedStatusChanged`."""

    symbol: str
    epoch: int
    ts_ns: int


class CloseGate(msgspec.Struct, frozen=True, tag=True):
    """Close the engine's own closer of the gate; answered by `GateChanged`."""

    reason: str
    latch: bool
    ts_ns: int


class OpenGate(msgspec.Struct, frozen=True, tag=True):
    """Open the engine's own closer after a resume; other closers stay; answered by `GateChanged`."""

    ts_ns: int


class PrepareModel(msgspec.Struct, frozen=True, tag=True):
    """Let every worker load, check and warm a model beside those it has; answered by `ModelPrepared`."""

    model: ModelSpec
    act: ModelAct
    ts_ns: int


class HoldModels(msgspec.Struct, frozen=True, tag=True):
    """Keep these generations loaded and let go of the others; answered by nothing."""

    live: int
    """Generation of the live model."""
    generations: tuple[int, ...]
    ts_ns: int


class TakeHome(msgspec.Struct, frozen=True, tag=True):
    """Make home what the account holds beyond our fills; answered by `AccountRead` and `BalancesCompared`."""

    ts_ns: int


class AlertCode(enum.StrEnum):
    """What an alert is about; widgets make the words."""

    SESSION_STARTED = "SESSION_STARTED"
    BOOK_SYNCED = "BOOK_SYNCED"
    BOOK_GAP = "BOOK_GAP"
    BOOK_CROSSED = "BOOK_CROSSED"
    BOOK_STALE = "BOOK_STALE"
    FRAME_REFUSED = "FRAME_REFUSED"
    FEED_DOWN = "FEED_DOWN"
    FEED_UP = "FEED_UP"
    WORKER_STALLED = "WORKER_STALLED"
    WORKER_DEAD = "WORKER_DEAD"
    WORKER_READY = "WORKER_READY"
    WORKER_REPLACED = "WORKER_REPLACED"
    PREDICTION_LATE = "PREDICTION_LATE"
    PREDICTION_REFUSED = "PREDICTION_REFUSED"
    LATENCY_HIGH = "LATENCY_HIGH"
    LATENCY_OK = "LATENCY_OK"
    LOOP_LAG = "LOOP_LAG"
    CLOCK_SKEW = "CLOCK_SKEW"
    MEMORY_HIGH = "MEMORY_HIGH"
    ORDER_DENIED = "ORDER_DENIED"
    ORDER_REJECTED = "ORDER_REJECTED"
    ORDER_FILLED = "ORDER_FILLED"
    ORDER_UNKNOWN = "ORDER_UNKNOWN"
    FILL_DUPLICATE = "FILL_DUPLICATE"
    FILL_FOREIGN = "FILL_FOREIGN"
    PERMIT_OPENED = "PERMIT_OPENED"
    PERMIT_USED = "PERMIT_USED"
    PERMIT_ENDED = "PERMIT_ENDED"
    PERMIT_REFUSED = "PERMIT_REFUSED"
    AUTHORITY_CHANGED = "AUTHORITY_CHANGED"
    TRADING_STATE_CHANGED = "TRADING_STATE_CHANGED"
    GATE_CLOSED = "GATE_CLOSED"
    GATE_OPENED = "GATE_OPENED"
    LOSS_LIMIT = "LOSS_LIMIT"
    CONSOLE_LOST = "CONSOLE_LOST"
    UNMANAGED_POSITION = "UNMANAGED_POSITION"
    COMMAND_REFUSED = "COMMAND_REFUSED"
    ORDERS_GONE = "ORDERS_GONE"
    ORDERS_LEFT = "ORDERS_LEFT"
    ACCOUNT_CANCELED = "ACCOUNT_CANCELED"
    REPLAY_LAP = "REPLAY_LAP"
    ORDER_PATH_UP = "ORDER_PATH_UP"
    ORDER_PATH_DOWN = "ORDER_PATH_DOWN"
    FOREIGN_ORDERS = "FOREIGN_ORDERS"
    POSITION_BREAK = "POSITION_BREAK"
    DISK_LOW = "DISK_LOW"
    FILES_HIGH = "FILES_HIGH"
    FEED_SLOW = "FEED_SLOW"
    JOURNAL_FAILED = "JOURNAL_FAILED"
    MODEL_SKILL = "MODEL_SKILL"
    MODEL_STOPPED = "MODEL_STOPPED"
    MODEL_LOADING = "MODEL_LOADING"
    MODEL_SWAPPED = "MODEL_SWAPPED"
    MODEL_SHADOWED = "MODEL_SHADOWED"
    MODEL_KEPT = "MODEL_KEPT"
    SHADOW_NOT_TAKEN = "SHADOW_NOT_TAKEN"
    MODEL_GATE_CLOSED = "MODEL_GATE_CLOSED"
    MODEL_GATE_OPENED = "MODEL_GATE_OPENED"
    MODEL_PROVEN = "MODEL_PROVEN"
    MODEL_FALLBACK = "MODEL_FALLBACK"
    MODEL_RECORD = "MODEL_RECORD"
    MODEL_RECORD_REFUSED = "MODEL_RECORD_REFUSED"
    ALERT_UNNOTED = "ALERT_UNNOTED"
    SYMBOL_STATUS = "SYMBOL_STATUS"
    INSTRUMENT_DIFFERS = "INSTRUMENT_DIFFERS"
    START_DIFFERS = "START_DIFFERS"
    START_SETTLED = "START_SETTLED"
    HEALTH_OK = "HEALTH_OK"
    DAY_CARRIED = "DAY_CARRIED"
    HEAD_NOT_KEPT = "HEAD_NOT_KEPT"
    HEAD_KEPT = "HEAD_KEPT"
    MARKET_DATA = "MARKET_DATA"
    SYMBOL_STOPPED = "SYMBOL_STOPPED"


class Alert(msgspec.Struct, frozen=True, tag=True):
    """Tell the operator; `values` are integers whose meaning the code fixes, `detail` is a name or code."""

    alert_id: int
    code: AlertCode
    severity: Severity
    symbol: str
    detail: str
    values: tuple[int, ...]
    ts_ns: int


Effect = (
    RequestInference
    | SubmitOrder
    | CancelOrder
    | CancelAll
    | CancelAccount
    | RequestSnapshot
    | Subscribe
    | CloseGate
    | OpenGate
    | PrepareModel
    | HoldModels
    | TakeHome
    | Alert
)
