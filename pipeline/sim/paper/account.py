"""The paper account: what it holds, what its open orders lock, and what the venue would refuse.

Holdings are exact (lots, and ticks * lots of cash), so that they can be compared with the engine's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.core.position import fee_quote_e8
from pipeline.core.types import QUOTE_SCALE, Instrument, OrderIntent, OrderType, Side
from pipeline.sim.paper.resting import RestingOrder


@dataclass(slots=True)
class PaperHolding:
    """What trading one symbol has made of the account since its start."""

    instrument: Instrument
    start_lots: int
    lots: int = 0
    """Bought minus sold."""
    cash_tick_lots: int = 0
    """Sum of price * lots over sales minus purchases."""
    fees_quote_e8: int = 0

    @property
    def cash_quote_e8(self) -> int:
        """Give the cash in 1e-8 quote, rounded down."""
        numerator, denominator = self.instrument.notional_scale
        return self.cash_tick_lots * numerator // denominator


class PaperAccount:
    """Balances of one account in the quote currency and in each symbol's base currency."""

    def __init__(self, instruments: Iterable[Instrument], home_base_e8: int, balance_quote_e8: int) -> None:
        """Open the account with the same amount of each base currency, in whole lots."""
        self._start_quote_e8 = balance_quote_e8
        self._holdings = {one.symbol: PaperHolding(one, _lots(home_base_e8, one)) for one in instruments}

    def holding(self, symbol: str) -> PaperHolding | None:
        """Give what trading a symbol has made; None for a symbol the venue does not list."""
        return self._holdings.get(symbol)

    @property
    def quote_e8(self) -> int:
        """Give the quote balance, locked money included."""
        return self._start_quote_e8 + sum(
            holding.cash_quote_e8 - holding.fees_quote_e8 for holding in self._holdings.values()
        )

    def base_lots(self, symbol: str) -> int:
        """Give the balance of a symbol's base currency in lots."""
        holding = self._holdings[symbol]
        return holding.start_lots + holding.lots

    def take(self, symbol: str, side: Side, lots: int, price_ticks: int, maker: bool) -> int:
        """Book a fill and give its fee in 1e-8 quote."""
        holding = self._holdings[symbol]
        instrument = holding.instrument
        rate_e6 = instrument.fees.maker_e6 if maker else instrument.fees.taker_e6
        fee = fee_quote_e8(instrument.notional_quote_e8(price_ticks, lots), rate_e6)
        holding.lots += side * lots
        holding.cash_tick_lots -= side * lots * price_ticks
        holding.fees_quote_e8 += fee
        return fee

    def refusal(self, intent: OrderIntent, resting: list[RestingOrder]) -> str:
        """Give why the venue would refuse an order for want of a balance; empty when it would not."""
        holding = self._holdings[intent.symbol]
        if holding.instrument.margin:
            reduces = intent.qty_lots <= -intent.side * holding.lots - _leaves(intent, resting)
            return "-2022 ReduceOnly Order is rejected." if intent.reduce_only and not reduces else ""
        if intent.side is Side.SELL:
            short = intent.qty_lots > self.base_lots(intent.symbol) - _leaves(intent, resting)
        else:
            locked = sum(
                _cost_quote_e8(order.instrument, order.intent, order.leaves_lots) for order in resting
            )
            cost = _cost_quote_e8(holding.instrument, intent, intent.qty_lots)
            short = cost > self.quote_e8 - locked
        return "-2010 Account has insufficient balance for requested action." if short else ""


def filter_refusal(instrument: Instrument, intent: OrderIntent) -> str:
    """Give which of the venue's filters an order fails; empty when it passes all."""
    if intent.price_ticks <= 0:
        return "-1013 Filter failure: PRICE_FILTER"
    if not 0 < intent.qty_lots <= instrument.max_qty_lots:
        return "-1013 Filter failure: LOT_SIZE"
    value = instrument.notional_quote_e8(intent.price_ticks, intent.qty_lots)
    if value >= instrument.min_notional_quote_e8 or (instrument.margin and intent.reduce_only):
        return ""
    least = "-4164 Order's notional must be no smaller than the least, unless reduce only."
    return least if instrument.margin else "-1013 Filter failure: NOTIONAL"


def would_take(instrument: Instrument) -> str:
    """Give the refusal of a post-only order that would cross."""
    if instrument.margin:
        return "-5022 Post Only order could not be executed as maker and is rejected."
    return "-2010 Order would immediately match and take."


def _leaves(intent: OrderIntent, resting: list[RestingOrder]) -> int:
    return sum(
        order.leaves_lots
        for order in resting
        if order.intent.symbol == intent.symbol and order.intent.side is intent.side
    )


def _cost_quote_e8(instrument: Instrument, intent: OrderIntent, lots: int) -> int:
    """Give the quote money a spot purchase may need; each fill's fee is rounded up, so a lot adds one."""
    if instrument.margin or intent.side is Side.SELL:
        return 0
    value = instrument.notional_quote_e8(intent.price_ticks, lots)
    fees = instrument.fees
    rate_e6 = fees.maker_e6 if intent.order_type is OrderType.POST_ONLY else fees.taker_e6
    return value + max(0, fee_quote_e8(value, rate_e6)) + lots + 1


def _lots(base_e8: int, instrument: Instrument) -> int:
    return base_e8 * int(10**instrument.size_decimals) // QUOTE_SCALE // instrument.lot_units
