"""One symbol's position and profit, exact: lots, ticks and rationals, rounded only where money is read.

The position is what our fills add up to; on spot that is the balance minus home inventory. The average is
of cost: a fill that grows the position moves it, one that shrinks it does not. Profit splits into *closed*
(against that average) and *open* (at the price one could leave at); the sum of the two is the cash we paid
and got plus what leaving would bring, and holds whatever the split is rounded to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from pipeline.core.earlier import EarlierPosition
from pipeline.core.types import E6, QUOTE_SCALE, Instrument, Side

_LONGEST_DENOMINATOR = 10**36
"""Part closes multiply the denominator of the cost; beyond this the average is rounded, or it would grow."""


@dataclass(slots=True, eq=False)
class Position:
    """Position of one symbol; `Portfolio` alone changes it."""

    instrument: Instrument
    lots: int = 0
    opened_ns: int = -1
    """When it last left flat or changed side; -1 while flat."""
    cost_tick_lots: Fraction = field(default_factory=Fraction)
    """What the open position cost, signed like it: average price * lots."""
    cash_tick_lots: int = 0
    """Sum of price * lots over sells minus the same over buys, without fees."""
    fees_quote_e8: int = 0
    fills: int = 0
    maker_fills: int = 0
    bid_ticks: int = 0
    """Best prices of the last ok book; 0 before the first."""
    ask_ticks: int = 0
    last_fill_ticks: int = 0

    def take(self, side: Side, lots: int, price_ticks: int, ts_ns: int) -> None:
        """Add a fill; a fill beyond flat closes everything and opens the rest at its own price."""
        signed = side * lots
        before = self.lots
        self.cash_tick_lots -= signed * price_ticks
        self.last_fill_ticks = price_ticks
        self.lots = before + signed
        if before * signed >= 0:
            self.cost_tick_lots += signed * price_ticks
        elif self.lots * before <= 0:
            self.cost_tick_lots = Fraction(self.lots * price_ticks)
        else:
            self.cost_tick_lots *= Fraction(self.lots, before)
            if self.cost_tick_lots.denominator > _LONGEST_DENOMINATOR:
                self.cost_tick_lots = self.cost_tick_lots.limit_denominator(_LONGEST_DENOMINATOR)
        if self.lots == 0:
            self.opened_ns = -1
        elif self.lots * before <= 0:
            self.opened_ns = ts_ns

    def carry(self, books: EarlierPosition) -> None:
        """Take over what an earlier session held and what it had made of it; its fills are not ours."""
        self.lots, self.cost_tick_lots, self.opened_ns = books.lots, Fraction(books.cost), books.opened_ns
        self.cash_tick_lots, self.fees_quote_e8 = books.cash_tick_lots, books.fees_quote_e8
        self.last_fill_ticks = int(self.average_ticks)

    @property
    def leave_ticks(self) -> int:
        """Give the price one could leave at: bid if long, ask if short, the last fill without a book."""
        return (self.bid_ticks if self.lots > 0 else self.ask_ticks) or self.last_fill_ticks

    @property
    def reference_ticks(self) -> int:
        """Give the price limits value the position at: the ask, never the smaller one; 0 before any."""
        return self.ask_ticks or self.last_fill_ticks

    @property
    def average_ticks(self) -> Fraction:
        """Give the exact average entry price in ticks; 0 while flat."""
        return self.cost_tick_lots / self.lots if self.lots else Fraction()

    @property
    def avg_price_e8(self) -> int:
        """Give the average entry price of one base unit in 1e-8 quote, rounded down; 0 while flat."""
        price = self.average_ticks * self.instrument.tick_units * QUOTE_SCALE
        return int(price / 10**self.instrument.price_decimals)

    @property
    def profit_quote_e8(self) -> int:
        """Give closed plus open profit before fees, rounded down."""
        return self._quote_e8(self.cash_tick_lots + self.lots * self.leave_ticks)

    @property
    def cash_quote_e8(self) -> int:
        """Give what sales brought minus what purchases cost, before fees, rounded down."""
        return self._quote_e8(self.cash_tick_lots)

    @property
    def closed_quote_e8(self) -> int:
        """Give the profit of what was closed, before fees, rounded down."""
        return self._quote_e8(self.cash_tick_lots + self.cost_tick_lots)

    @property
    def open_quote_e8(self) -> int:
        """Give what leaving now would add, before fees: with `closed_quote_e8` it makes the whole."""
        return self.profit_quote_e8 - self.closed_quote_e8

    @property
    def day_quote_e8(self) -> int:
        """Give closed + open - fees."""
        return self.profit_quote_e8 - self.fees_quote_e8

    @property
    def exit_fee_quote_e8(self) -> int:
        """Give the taker fee of leaving now; shown beside the open profit, no part of it."""
        return fee_quote_e8(self.notional_quote_e8, self.instrument.fees.taker_e6)

    @property
    def notional_quote_e8(self) -> int:
        """Give what the position is worth at the price one could leave at; never negative."""
        return self.instrument.notional_quote_e8(self.leave_ticks, abs(self.lots))

    def _quote_e8(self, tick_lots: Fraction | int) -> int:
        numerator, denominator = self.instrument.notional_scale
        return (tick_lots * numerator) // denominator


def fee_quote_e8(notional_quote_e8: int, rate_e6: int) -> int:
    """Give a fee in 1e-8 quote, rounded against us; negative for a rebate."""
    return -(-notional_quote_e8 * rate_e6 // E6)
