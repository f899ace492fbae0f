"""What the execution policy is told and what it answers: a view in, small actions out.

An action becomes an `OrderIntent` by `to_intent`, and an order only if the risk checks approve that.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.core.order import Order
from pipeline.core.params import EntryStyle
from pipeline.core.types import OrderIntent, OrderType, Origin, Side, TradingState

CANCEL_AGAIN_NS = 1_000_000_000
"""A cancel that was refused or not answered is asked again after this."""

NEVER_NS = 1 << 62
"""Later than any time: time alone changes nothing."""


@dataclass(frozen=True, slots=True)
class WantedEntry:
    """An entry the newest decision wants and a permit (or AUTO) allows."""

    side: Side
    qty_lots: int
    worst_ticks: int
    """A purchase goes no higher, a sale no lower."""
    style: EntryStyle
    permit_id: int
    idea_id: int
    feature_seq: int
    model_id: str
    generation: int
    score_e6: int
    edge_e6: int


@dataclass(frozen=True, slots=True)
class ExecutionView:
    """One symbol as the policy sees it now."""

    trading_state: TradingState
    book_ok: bool
    """SYNCED and fresh."""
    bid_ticks: int
    """Best prices of the fresher of book and ticker; 0 where a side is empty."""
    ask_ticks: int
    position_lots: int
    opened_ns: int
    """When the position left flat or changed side (`Position.opened_ns`)."""
    held_side: Side | None
    """Side of the score past entry and not below the leaving threshold yet (`Decision.held_side`)."""
    wanted: WantedEntry | None
    orders: tuple[Order, ...]
    """Live orders of the symbol (`OrderStore.live`)."""
    withdraw: bool = False
    """True when entries lost their permission: permit ended, authority lowered, model swapped."""
    flatten: bool = False
    """True from a person's flatten until the position is flat or the person thinks better of it."""

    @property
    def two_sided(self) -> bool:
        """Say whether there is a believable touch on both sides, not locked."""
        return self.book_ok and 0 < self.bid_ticks < self.ask_ticks

    def near_touch(self, side: Side) -> int:
        """Give the best price of the order's own side, where it can rest."""
        return self.bid_ticks if side is Side.BUY else self.ask_ticks

    def far_touch(self, side: Side) -> int:
        """Give the best price of the other side, where it can take."""
        return self.ask_ticks if side is Side.BUY else self.bid_ticks

    def of_origin(self, *origins: Origin) -> list[Order]:
        """Give the live orders somebody of these caused, oldest first."""
        return [order for order in self.orders if order.intent.origin in origins]


@dataclass(frozen=True, slots=True)
class PlaceEntry:
    """Open or add."""

    wanted: WantedEntry
    price_ticks: int
    order_type: OrderType


@dataclass(frozen=True, slots=True)
class PlaceExit:
    """Reduce; never beyond flat."""

    side: Side
    qty_lots: int
    price_ticks: int
    order_type: OrderType
    origin: Origin
    """EXIT by rule, FLATTEN by a person."""


@dataclass(frozen=True, slots=True)
class CancelWorking:
    """Ask the venue to cancel one working order."""

    client_order_id: str
    reason: str
    """SCORE_LEFT, HORIZON, OFF_TOUCH, BOOK_NOT_OK, NOT_ACTIVE, PERMIT, EXIT, SURPLUS, TAKE or FLATTEN."""


Action = PlaceEntry | PlaceExit | CancelWorking


def cancel_if_due(order: Order, reason: str, now_ns: int) -> list[CancelWorking]:
    """Give the cancel of a resting order unless one is under way; an IOC order ends by itself."""
    under_way = order.cancel_asked_ns >= 0 and now_ns - order.cancel_asked_ns < CANCEL_AGAIN_NS
    if under_way or order.intent.order_type is OrderType.LIMIT_IOC:
        return []
    return [CancelWorking(order.client_order_id, reason)]


def to_intent(action: PlaceEntry | PlaceExit, symbol: str, now_ns: int) -> OrderIntent:
    """Give the order an action wants, for `RiskEngine.check`."""
    if isinstance(action, PlaceExit):
        return OrderIntent(
            symbol=symbol,
            side=action.side,
            qty_lots=action.qty_lots,
            price_ticks=action.price_ticks,
            order_type=action.order_type,
            reduce_only=True,
            origin=action.origin,
            permit_id=0,
            idea_id=0,
            feature_seq=0,
            model_id="",
            generation=0,
            score_e6=0,
            edge_e6=0,
            ts_ns=now_ns,
        )
    wanted = action.wanted
    return OrderIntent(
        symbol=symbol,
        side=wanted.side,
        qty_lots=wanted.qty_lots,
        price_ticks=action.price_ticks,
        order_type=action.order_type,
        reduce_only=False,
        origin=Origin.MODEL,
        permit_id=wanted.permit_id,
        idea_id=wanted.idea_id,
        feature_seq=wanted.feature_seq,
        model_id=wanted.model_id,
        generation=wanted.generation,
        score_e6=wanted.score_e6,
        edge_e6=wanted.edge_e6,
        ts_ns=now_ns,
    )


class TouchWatch:
    """Since when a resting order has been away from the touch by too much."""

    def __init__(self, ticks: int) -> None:
        """Start with nothing watched; `ticks` is the distance that counts as away, at least 1."""
        self._ticks = max(1, ticks)
        self._client_id = ""
        self._since_ns = -1

    def away_ns(self, order: Order, view: ExecutionView, now_ns: int) -> int:
        """Give for how long the touch has been away from the order without a break; 0 when it is not."""
        distance = order.side * (view.near_touch(order.side) - order.intent.price_ticks)
        if not view.two_sided or distance < self._ticks:
            self._since_ns = -1
            return 0
        if self._since_ns < 0 or self._client_id != order.client_order_id:
            self._client_id = order.client_order_id
            self._since_ns = now_ns
        return now_ns - self._since_ns

    def due_ns(self, after_ns: int) -> int:
        """Give when the order watched last will have been away for so long, and for any time at all."""
        return NEVER_NS if self._since_ns < 0 else self._since_ns + max(1, after_ns)
