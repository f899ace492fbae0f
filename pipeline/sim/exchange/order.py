"""Orders at the exchange: what is asked for, what rests, what is reported.

Binance's own words are the enum values, because they go out as they are.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from pipeline.core.types import Side
from pipeline.sim.exchange.listing import Listing

STREET = 0
"""Owner of the background orders; accounts count from 1."""

NO_TRADE = -1


class OrderKind(enum.StrEnum):
    """How an order meets the book."""

    LIMIT = "LIMIT"
    MARKET = "MARKET"
    LIMIT_MAKER = "LIMIT_MAKER"


class TimeInForce(enum.StrEnum):
    """What happens to what does not trade at once."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    GTX = "GTX"
    """Post-only; USD-M alone."""


_WAITING = (TimeInForce.GTC, TimeInForce.GTX)


class OrderStatus(enum.StrEnum):
    """Where an order stands; the last four are final."""

    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    EXPIRED_IN_MATCH = "EXPIRED_IN_MATCH"


class ExecutionType(enum.StrEnum):
    """What a report reports."""

    NEW = "NEW"
    TRADE = "TRADE"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    TRADE_PREVENTION = "TRADE_PREVENTION"


class SelfTrade(enum.StrEnum):
    """Who gives way when an account would trade with itself; the taker's word counts."""

    NONE = "NONE"
    EXPIRE_TAKER = "EXPIRE_TAKER"
    EXPIRE_MAKER = "EXPIRE_MAKER"
    EXPIRE_BOTH = "EXPIRE_BOTH"


@dataclass(frozen=True, slots=True)
class NewOrder:
    """One order as it was asked for, before any rule; prices and quantities in 1e-8, 0 where not given."""

    symbol: str
    side: Side
    kind: OrderKind
    time_in_force: TimeInForce = TimeInForce.GTC
    price_e8: int = 0
    quantity_e8: int = 0
    quote_quantity_e8: int = 0
    """MARKET only: what to spend or to raise, instead of a quantity."""
    client_order_id: str = ""
    """"" lets the venue make one up."""
    self_trade: SelfTrade = SelfTrade.EXPIRE_MAKER
    reduce_only: bool = False
    """On margin: may close a position and never open one."""


@dataclass(slots=True, eq=False)
class BookOrder:
    """What the book knows of an order; `lots` are what is left of it."""

    order_id: int
    owner: int
    side: Side
    ticks: int
    lots: int


@dataclass(slots=True, eq=False)
class ClientOrder:
    """An account's order and its life; written by the exchange alone."""

    order_id: int
    owner: int
    client_order_id: str
    listing: Listing
    side: Side
    kind: OrderKind
    time_in_force: TimeInForce
    ticks: int
    """The limit; of a MARKET order 0."""
    lots: int
    """As ordered."""
    self_trade: SelfTrade
    created_ns: int
    quote_quantity_e8: int = 0
    reduce_only: bool = False
    updated_ns: int = 0
    filled_lots: int = 0
    filled_quote_e8: int = 0
    """Price times quantity over all fills."""
    locked_e8: int = 0
    """What the account has locked for it now, in the asset it pays with."""
    status: OrderStatus = OrderStatus.NEW
    resting: BookOrder | None = None

    @property
    def leaves_lots(self) -> int:
        """Give what is not filled."""
        return self.lots - self.filled_lots

    @property
    def is_open(self) -> bool:
        """Say whether the order can still trade."""
        return self.status is OrderStatus.NEW or self.status is OrderStatus.PARTIALLY_FILLED

    @property
    def rests(self) -> bool:
        """Say whether what does not trade at once is to wait in the book."""
        return self.kind is not OrderKind.MARKET and self.time_in_force in _WAITING

    @property
    def pays_with(self) -> str:
        """Give the asset the order gives away."""
        instrument = self.listing.instrument
        return instrument.quote if self.side is Side.BUY else instrument.base

    @property
    def receives(self) -> str:
        """Give the asset the order gets, which is also what its commission is taken from."""
        instrument = self.listing.instrument
        return instrument.base if self.side is Side.BUY else instrument.quote


@dataclass(frozen=True, slots=True)
class OrderReport:
    """One event of an order's life, with its state right after it."""

    order: ClientOrder
    """For what never changes; what does is copied below."""
    execution: ExecutionType
    status: OrderStatus
    execution_id: int
    ts_ns: int
    filled_lots: int
    filled_quote_e8: int
    last_lots: int = 0
    last_ticks: int = 0
    trade_id: int = NO_TRADE
    commission_e8: int = 0
    """In the asset the order receives; on margin in the quote currency."""
    realised_e8: int = 0
    """On margin: what the fill won or lost by closing, before commission."""
    maker: bool = False
    working: bool = False
    """True while the order waits, or would wait, in the book."""
    cancel_client_id: str = ""
    """On CANCELED: the id the cancel request gave itself."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class BalanceReport:
    """What an account holds of the assets an event touched, right after it, in 1e-8."""

    owner: int
    balances: tuple[tuple[str, int, int], ...]
    """(asset, free, locked)."""
    ts_ns: int


@dataclass(frozen=True, slots=True)
class PositionReport:
    """An account on margin right after a fill: its wallet and the position the fill changed."""

    owner: int
    symbol: str
    wallet_e8: int
    lots: int
    entry_e8: int
    realised_e8: int
    unrealised_e8: int
    ts_ns: int


@dataclass(frozen=True, slots=True)
class TradePrint:
    """One match as everybody sees it."""

    symbol: str
    trade_id: int
    ticks: int
    lots: int
    aggressor: Side
    ts_ns: int


AccountEvent = OrderReport | BalanceReport | PositionReport
VenueEvent = AccountEvent | TradePrint
