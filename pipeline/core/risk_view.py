"""What the risk checks look at: the context an order is judged in, gathered once for each order.

All of it is frozen and read only: a check is a pure function of a view and an intent.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.core.order import Exposure
from pipeline.core.params import RiskLimits
from pipeline.core.types import Authority, BookState, DenyReason, Instrument, OrderIntent, Side, TradingState

Breach = tuple[DenyReason, int, int]
"""Why not, the limit, and the value that broke it, both in the limit's own unit."""


@dataclass(frozen=True, slots=True)
class PermitTerms:
    """The bounds of one live permit, as the last check before the wire compares them."""

    permit_id: int
    sides: tuple[Side, ...]
    max_order_lots: int
    orders_left: int
    max_net_lots: int
    """Size of the position, open orders included, that the permit may lead to."""
    lowest_ticks: int
    """No sale below."""
    highest_ticks: int
    """No purchase above."""
    ends_ns: int
    model_id: str
    generation: int
    parent_lots: int = 0
    """All its orders together, as granted; 0 where only the limits bound them."""


@dataclass(frozen=True, slots=True)
class RiskContext:
    """What the engine knows at the moment of an order."""

    gate_open: bool
    trading_state: TradingState
    authority: Authority
    permit: PermitTerms | None
    """The permit the intent names, if it lives."""
    tradable: bool
    """The venue's word on the symbol."""
    book_state: BookState
    book_age_ns: int
    """Since the newest event that confirmed the book."""
    bid_ticks: int
    """Best prices; 0 where that side is empty."""
    ask_ticks: int
    last_ticks: int
    """Price of the newest print; 0 before the first."""
    blocked: DenyReason | None = None
    """What a health agent holds new orders back for."""
    jump_e6: int = 0
    """Distance of the mid from the one about a second ago."""
    most_jump_e6: int = 10_000
    """What it may be."""
    touch_quote_e8: int = 0
    """What the larger of the two best levels is worth."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Our own side of it: enough to say whether an order may go at all."""

    context: RiskContext
    position_lots: int
    exposure: Exposure
    now_ns: int

    def reducible_lots(self, side: Side) -> int:
        """Give how much an order of this side may still take off the position; 0 when it only adds."""
        return max(0, -side * self.position_lots - self.exposure.lots(side))

    def shrinks(self, intent: OrderIntent) -> bool:
        """Say whether the order can only bring the position nearer to flat, whatever else fills."""
        qty = intent.qty_lots
        return type(qty) is int and 0 < qty <= self.reducible_lots(intent.side)

    def side_lots(self, side: Side) -> int:
        """Give the position counted in favour of a side, every live order of that side filled."""
        return side * self.position_lots + self.exposure.lots(side)


@dataclass(frozen=True, slots=True)
class RiskView:
    """Everything one check may need."""

    standing: Standing
    instrument: Instrument
    limits: RiskLimits
    balance_lots: int
    """Base currency held, in lots; spot only."""
    free_quote_e8: int
    """Quote currency no live buy may still need."""
    equity_quote_e8: int
    """What the account is worth as far as margin counts it."""
    other_gross_quote_e8: int
    """Worst-case gross exposure of all other symbols."""
    day_loss_quote_e8: int
    new_burst: int
    new_used: int
    """Tokens out of the bucket for new orders."""
    repeated: tuple[int, int] | None
    """(limit, value) of the repeated-execution throttle where it stops model orders."""
    orders_per_trade: tuple[int, int]
    """Model orders and trades within the window."""
    stopped: bool
    """Its market made no sense too often."""
    repeat_age_ns: int
    """Age of an order just like this one; -1 without one inside the window."""
    last_feature_seq: int
    family_lots: int
    """Open, filled and unknown lots of the orders under the intent's permit."""
    aggressive_net_quote_e8: int
    """Taken on the intent's side within the window, less what was taken on the other."""
    own_opposite_ticks: int
    """Our own best resting price on the other side; 0 without one."""

    @property
    def mid_up_ticks(self) -> int:
        """Give the mid rounded up to a whole tick; 0 unless both sides are there."""
        context = self.standing.context
        both = context.bid_ticks > 0 and context.ask_ticks > 0
        return (context.bid_ticks + context.ask_ticks + 1) // 2 if both else 0
