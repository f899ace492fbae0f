"""One order of ours, its client id, its fills and what it may still do; `orders.py` holds them all.

Quantities are in lots, prices in ticks. The order itself is mutable and changed by `OrderStore` alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.core.order_moves import LIVE_STATES
from pipeline.core.types import OrderIntent, OrderState, Origin, Side

_ALPHABET = "0123456789abcdefghijklmnopqrstuv"
"""RFC 4648 base32hex in lower case: sorts as the numbers do."""


def client_order_id(session_number: int, counter: int) -> str:
    """Give `t` + 7 base32 digits of the session number + 8 of the counter: 16 characters.

    Raises:
        ValueError: a number does not fit; ids must never repeat, so they may not wrap.
    """
    return "t" + _base32(session_number, 7) + _base32(counter, 8)


def _base32(value: int, digits: int) -> str:
    if not 0 <= value < 32**digits:
        raise ValueError(f"{value} does not fit into {digits} base32 digits")
    return "".join(_ALPHABET[(value >> shift) & 31] for shift in range(5 * (digits - 1), -1, -5))


@dataclass(slots=True, eq=False)
class Order:
    """One order of ours; `OrderStore` alone changes it, everybody else reads."""

    number: int
    """Counts all orders of the session, denied ones included; the number on the screen."""
    client_order_id: str
    """Empty for an order that our own risk denied."""
    intent: OrderIntent
    state: OrderState
    created_ns: int
    venue_order_id: int = 0
    filled_lots: int = 0
    filled_tick_lots: int = 0
    """Sum of price * lots over the fills, in ticks * lots."""
    fee_quote_e8: int = 0
    first_answer_ns: int = -1
    """When the venue was first heard of it; -1 before. Minus `created_ns` it is the ack latency."""
    unknown_ns: int = -1
    """When it last became UNKNOWN; -1 if it never did."""
    cancel_asked_ns: int = -1
    cancel_refusals: int = 0
    ended_ns: int = -1
    reason: str = ""
    repeats: int = 0
    """Denied orders: how many more like this one were denied since."""

    @property
    def symbol(self) -> str:
        """Give the symbol."""
        return self.intent.symbol

    @property
    def side(self) -> Side:
        """Give the side."""
        return self.intent.side

    @property
    def is_live(self) -> bool:
        """Say whether the venue has it or may have it."""
        return self.state in LIVE_STATES

    @property
    def leaves_lots(self) -> int:
        """Give the quantity that may still fill, in lots; 0 once ended."""
        return max(0, self.intent.qty_lots - self.filled_lots) if self.is_live else 0

    @property
    def avg_half_ticks(self) -> int:
        """Give twice the average fill price in ticks, rounded down; 0 without fills."""
        return 2 * self.filled_tick_lots // self.filled_lots if self.filled_lots else 0


@dataclass(frozen=True, slots=True)
class Fill:
    """One trade of ours, seen for the first time; what the portfolio is built from."""

    symbol: str
    side: Side
    lots: int
    price_ticks: int
    fee_quote_e8: int
    maker: bool
    trade_id: int
    client_order_id: str
    origin: Origin
    permit_id: int
    idea_id: int
    ts_ns: int


@dataclass(frozen=True, slots=True)
class Exposure:
    """What the live orders of one symbol may still do."""

    buy_lots: int = 0
    sell_lots: int = 0
    buy_tick_lots: int = 0
    """Sum of limit price * open lots over buys."""
    sell_tick_lots: int = 0
    orders: int = 0
    unknown: int = 0
    """How many of them are UNKNOWN."""

    def lots(self, side: Side) -> int:
        """Give the open lots of one side."""
        return self.buy_lots if side is Side.BUY else self.sell_lots

    @property
    def net_lots(self) -> int:
        """Give buys minus sells, for sizing against the position the open orders aim at."""
        return self.buy_lots - self.sell_lots

    def worst_case_lots(self, position_lots: int) -> int:
        """Give the position of greatest size, signed, that fills of the open orders can lead to."""
        long, short = position_lots + self.buy_lots, position_lots - self.sell_lots
        return long if abs(long) >= abs(short) else short
