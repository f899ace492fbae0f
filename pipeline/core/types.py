"""Values that every room of the core shares: enums, instruments, order intents and risk verdicts.

Prices are integers in ticks. Sizes of book levels and trades are integers in size units (the venue's
printed precision). Quantities of orders and positions are integers in lots. Money is an integer in 1e-8 of
the quote currency. Fractions that are not money (fees, scores) are integers of 1e-6.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

import msgspec

QUOTE_SCALE = 100_000_000
"""Money integers count 1e-8 of one quote unit."""

E6 = 1_000_000
"""Scores, probabilities in effects and fees are integers of 1e-6."""

Level = tuple[int, int]
"""One book level: (price_ticks, size_units); a size of 0 removes the level."""


class Side(enum.IntEnum):
    """Direction of an order or of a trade's aggressor; the value is the sign of the exposure it adds."""

    BUY = 1
    SELL = -1

    @property
    def opposite(self) -> Side:
        """Give the other side."""
        return Side.SELL if self is Side.BUY else Side.BUY


class SyncRule(enum.StrEnum):
    """How a venue proves that its depth updates are contiguous (VENUES 1.4, 2.3 and 6.3)."""

    CONTIGUOUS = "CONTIGUOUS"
    """Binance spot: `first_update_id` is the previous `last_update_id` + 1."""
    CHAINED = "CHAINED"
    """Binance USD-M: `prev_update_id` is the previous `last_update_id`."""
    STREAMED = "STREAMED"
    """Bybit: the snapshot comes in the stream, and each update after it has the next id."""


class BookState(enum.StrEnum):
    """What may be believed of a book; only SYNCED feeds features, signals and sizes."""

    EMPTY = "EMPTY"
    SYNCING = "SYNCING"
    SYNCED = "SYNCED"
    GAP = "GAP"
    CHECKSUM = "CHECKSUM"
    CROSSED = "CROSSED"
    STALE = "STALE"
    SUSPENDED = "SUSPENDED"


class WorkerState(enum.StrEnum):
    """Life of an inference worker as the session sees it."""

    STARTING = "STARTING"
    READY = "READY"
    BUSY = "BUSY"
    STALLED = "STALLED"
    DEAD = "DEAD"


class VenueMode(enum.StrEnum):
    """Where orders go; LIVE is printed for real money only."""

    REPLAY = "REPLAY"
    SIM = "SIM"
    PAPER = "PAPER"
    LIVE = "LIVE"


class Authority(enum.IntEnum):
    """What the machine may do by itself, least first."""

    OBSERVE = 0
    APPROVE = 1
    AUTO = 2


class TradingState(enum.IntEnum):
    """What may leave at all, least first."""

    KILLED = 0
    HALTED = 1
    REDUCING = 2
    ACTIVE = 3


class OrderType(enum.StrEnum):
    """How an order meets the book."""

    POST_ONLY = "POST_ONLY"
    LIMIT_IOC = "LIMIT_IOC"


class Origin(enum.StrEnum):
    """Who caused an order."""

    MODEL = "MODEL"
    EXIT = "EXIT"
    MANUAL = "MANUAL"
    FLATTEN = "FLATTEN"


class OrderState(enum.StrEnum):
    """Life of an order; the legal moves are the table in `orders.py`."""

    INITIALIZED = "INITIALIZED"
    DENIED = "DENIED"
    SUBMITTED = "SUBMITTED"
    ACCEPTED = "ACCEPTED"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    PENDING_CANCEL = "PENDING_CANCEL"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    UNKNOWN = "UNKNOWN"


class Trigger(enum.IntEnum):
    """What asked for a decision."""

    GRID = 0
    L1_CHANGE = 1


class Severity(enum.IntEnum):
    """Weight of an alert."""

    INFO = 0
    WARN = 1
    CRITICAL = 2


@dataclass(frozen=True, slots=True)
class Fees:
    """Fee rates of one instrument, as integers of 1e-6 of the notional; negative is a rebate."""

    maker_e6: int
    taker_e6: int
    source: str
    """Where the rates come from: `venue`, `configuration`, `option` or `assumed`."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """One tradable symbol and its exact decimal scales.

    A price in ticks is `ticks * tick_units / 10**price_decimals`; a book size is
    `units / 10**size_decimals`; a quantity is `lots * lot_units / 10**size_decimals`.
    """

    venue: str
    symbol: str
    base: str
    quote: str
    price_decimals: int
    tick_units: int
    size_decimals: int
    """Printed decimals of sizes in the feed."""
    lot_units: int
    """Size units in one lot."""
    min_notional_quote_e8: int
    max_qty_lots: int
    sync_rule: SyncRule
    fees: Fees
    contract_multiplier: int = 1
    margin: bool = False
    """True for derivatives: a sale needs no balance and reduce-only exists."""

    @property
    def lot_decimals(self) -> int:
        """Give the decimals a quantity needs, e.g. 5 for a lot of 0.00001."""
        units, decimals = self.lot_units, self.size_decimals
        while decimals > 0 and units % 10 == 0:
            units //= 10
            decimals -= 1
        return decimals

    @property
    def notional_scale(self) -> tuple[int, int]:
        """Give (numerator, denominator) that turn ticks * lots into 1e-8 quote units exactly or rounded."""
        numerator = self.tick_units * self.lot_units * self.contract_multiplier * QUOTE_SCALE
        return numerator, int(10 ** (self.price_decimals + self.size_decimals))

    def notional_quote_e8(self, price_ticks: int, lots: int) -> int:
        """Give price * quantity in 1e-8 quote units, rounded away from zero where it is not exact."""
        numerator, denominator = self.notional_scale
        value = abs(price_ticks * lots) * numerator
        rounded = -(-value // denominator)
        return rounded if price_ticks * lots >= 0 else -rounded

    def price_text(self, price_ticks: int) -> str:
        """Print a price exactly, with the instrument's decimals."""
        return scaled_text(price_ticks * self.tick_units, self.price_decimals)

    def qty_text(self, lots: int) -> str:
        """Print a quantity exactly, with the lot's decimals."""
        drop = self.size_decimals - self.lot_decimals
        return scaled_text(lots * self.lot_units // 10**drop, self.lot_decimals)

    def size_text(self, size_units: int) -> str:
        """Print a book or trade size exactly, with the feed's decimals."""
        return scaled_text(size_units, self.size_decimals)


def scaled_text(value: int, decimals: int) -> str:
    """Print `value / 10**decimals` exactly, with a leading zero and all its decimals.

    >>> scaled_text(-1, 3)
    '-0.001'
    >>> scaled_text(6421010, 2)
    '64210.10'
    """
    sign = "-" if value < 0 else ""
    if decimals == 0:
        return f"{sign}{abs(value)}"
    whole, rest = divmod(abs(value), 10**decimals)
    return f"{sign}{whole}.{rest:0{decimals}d}"


class DenyReason(enum.StrEnum):
    """Why our own risk refused an order, or why a decision stayed without one; in order of checking."""

    GATE_CLOSED = "GATE_CLOSED"
    VENUE_DOWN = "VENUE_DOWN"
    """The order path is not up: nothing can be sent."""
    VENUE_LIMIT = "VENUE_LIMIT"
    """The venue's request limits leave no room for a new order beside the reserve for cancels."""
    NO_JOURNAL = "NO_JOURNAL"
    """What caused the order could not be put on record."""
    KILLED = "KILLED"
    UNRECONCILED = "UNRECONCILED"
    """What an earlier session left at the venue is not settled: adopt it or cancel it."""
    HALTED = "HALTED"
    REDUCE_ONLY = "REDUCE_ONLY"
    MODE = "MODE"
    CLOCK = "CLOCK"
    """Our clock is too far from the venue's or the system's."""
    FEED_SLOW = "FEED_SLOW"
    MODEL_DISABLED = "MODEL_DISABLED"
    MODEL_UNPROVEN = "MODEL_UNPROVEN"
    """What came of the model's answers does not show that they are worth anything: reductions only."""
    NO_PERMIT = "NO_PERMIT"
    PERMIT_SPENT = "PERMIT_SPENT"
    NO_LIMITS = "NO_LIMITS"
    NOT_TRADABLE = "NOT_TRADABLE"
    BOOK_NOT_OK = "BOOK_NOT_OK"
    MAX_OPEN_ORDERS = "MAX_OPEN_ORDERS"
    NOT_A_NUMBER = "NOT_A_NUMBER"
    OFF_GRID = "OFF_GRID"
    MAX_QTY = "MAX_QTY"
    MIN_NOTIONAL = "MIN_NOTIONAL"
    MAX_NOTIONAL = "MAX_NOTIONAL"
    COLLAR_MID = "COLLAR_MID"
    COLLAR_LAST = "COLLAR_LAST"
    NO_REFERENCE_PRICE = "NO_REFERENCE_PRICE"
    COLLAR_TIME = "COLLAR_TIME"
    SPREAD = "SPREAD"
    TOUCH_SIZE = "TOUCH_SIZE"
    """More rests at a best price than any market has."""
    MARKET_JUMP = "MARKET_JUMP"
    PARENT_EXCEEDED = "PARENT_EXCEEDED"
    MAX_POSITION = "MAX_POSITION"
    MAX_GROSS = "MAX_GROSS"
    MARGIN_RATIO = "MARGIN_RATIO"
    """The positions orders may lead to would bind too much of the account."""
    NO_BALANCE = "NO_BALANCE"
    RATE_NEW = "RATE_NEW"
    ORDER_TO_TRADE = "ORDER_TO_TRADE"
    """Too many orders for what they traded."""
    SYMBOL_STOPPED = "SYMBOL_STOPPED"
    """Its market made no sense too often; a person lets it trade again."""
    REPEATED_EXECUTION = "REPEATED_EXECUTION"
    DUPLICATE = "DUPLICATE"
    SELF_MATCH = "SELF_MATCH"
    EDGE_BELOW_COST = "EDGE_BELOW_COST"
    BELOW_LOT = "BELOW_LOT"
    SCORE_BELOW_ENTRY = "SCORE_BELOW_ENTRY"
    STALE_PREDICTION = "STALE_PREDICTION"
    DAILY_LOSS = "DAILY_LOSS"
    AT_TARGET = "AT_TARGET"
    """The position already is what the score asks for, or nearer to it than an order is worth."""
    EXIT_FIRST = "EXIT_FIRST"
    """A position of the other side stands; its exit rule closes it before anything opens."""


class OrderIntent(msgspec.Struct, frozen=True):
    """One order somebody wants: what the risk checks see, before they said yes."""

    symbol: str
    side: Side
    qty_lots: int
    price_ticks: int
    order_type: OrderType
    reduce_only: bool
    origin: Origin
    permit_id: int
    """0 for orders no permit is needed for (exits, flatten)."""
    idea_id: int
    feature_seq: int
    """Row the decision was made from; 0 for manual orders."""
    model_id: str
    generation: int
    score_e6: int
    edge_e6: int
    """Net edge the decision expected, in 1e-6 of the notional."""
    ts_ns: int


class RiskApproved(msgspec.Struct, frozen=True):
    """An intent every check has passed; the only thing that can become an order.

    Made by `risk.RiskEngine.check` alone; the position it may cause is already reserved.
    """

    intent: OrderIntent
    client_order_id: str
    policy_hash: str


class RiskDenied(msgspec.Struct, frozen=True):
    """An intent a check refused, with the limit and the value that broke it, in the limit's own unit."""

    intent: OrderIntent
    reason: DenyReason
    limit: int
    value: int
