"""Limits beside what a session used of them, and what our own risk refused: rows of the page for risk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pipeline.core.params import SECOND, EngineParams, RiskLimits
from pipeline.core.session_facts import OrderFact, PeakFact, SessionFacts
from pipeline.core.types import DenyReason, Instrument, OrderState
from pipeline.research.report_parts import moment, money

_MONEY = (
    DenyReason.MIN_NOTIONAL,
    DenyReason.MAX_NOTIONAL,
    DenyReason.MAX_POSITION,
    DenyReason.MAX_GROSS,
    DenyReason.DAILY_LOSS,
    DenyReason.COLLAR_TIME,
)
_POINTS = (DenyReason.COLLAR_MID, DenyReason.COLLAR_LAST, DenyReason.SPREAD, DenyReason.MARKET_JUMP)

LIMIT_HEADS = ("limit", "symbol", "control", "set to", "most used", "share", "refused for it")
DENIAL_HEADS = ("code", "symbol", "times", "first", "last", "furthest", "limit")


class LimitRow(NamedTuple):
    """One limit, what was used of it, and how often an order was refused for it."""

    name: str
    symbol: str
    control: str
    limit: int
    used: int
    text: tuple[str, str]
    """Limit and use as printed."""
    refused: int

    @property
    def reached(self) -> bool:
        """Say whether it was used up."""
        return self.limit > 0 and self.used >= self.limit

    def cells(self) -> tuple[str, ...]:
        """Give the cells of its row."""
        share = f"{100 * self.used // self.limit} %" if self.limit else "–"
        refused = f"{self.refused:,}"
        return self.name, self.symbol or "account", self.control, *self.text, share, refused


def limit_rows(params: EngineParams, facts: SessionFacts) -> list[LimitRow]:
    """Give every limit with a figure the journal tells; a symbol without limits cannot trade and has none."""
    rows: list[LimitRow] = []
    for instrument, peak in zip(params.instruments, facts.peaks, strict=True):
        limits = params.limits.get(instrument.symbol)
        if limits is not None:
            rows += _of_symbol(instrument, limits, peak, facts)
    return [*rows, *_of_account(list(params.limits.values()), facts)]


def _of_symbol(
    instrument: Instrument, limits: RiskLimits, peak: PeakFact, facts: SessionFacts
) -> Iterator[LimitRow]:
    symbol = instrument.symbol
    orders = [one for one in facts.orders if one.intent.symbol == symbol]
    largest = max((one.intent.qty_lots for one in orders), default=0)
    dearest = max((_value(instrument, one) for one in orders), default=0)
    busiest = _busiest_second(orders)

    def row(
        name: str, control: str, limit: int, used: int, text: tuple[str, str], code: DenyReason
    ) -> LimitRow:
        return LimitRow(name, symbol, control, limit, used, text, _refused(facts, code, symbol))

    quantities = instrument.qty_text(limits.max_qty_lots), instrument.qty_text(largest)
    yield row("order quantity", "C1", limits.max_qty_lots, largest, quantities, DenyReason.MAX_QTY)
    for name, control, limit, used, code in (
        ("order value", "C2", limits.max_notional_quote_e8, dearest, DenyReason.MAX_NOTIONAL),
        ("position, worst case", "C5", limits.max_position_quote_e8, peak.worst_quote_e8, _POSITION),
    ):
        yield row(name, control, limit, used, (money(limit), money(used)), code)
    for name, control, limit, used, code in (
        ("new orders in a second", "C7", limits.new_burst, busiest, DenyReason.RATE_NEW),
        ("open orders", "C12", limits.max_open_orders, peak.open_orders, DenyReason.MAX_OPEN_ORDERS),
    ):
        yield row(name, control, limit, used, (f"{limit:,}", f"{used:,}"), code)


_POSITION = DenyReason.MAX_POSITION


def _of_account(limits: list[RiskLimits], facts: SessionFacts) -> Iterator[LimitRow]:
    if not limits:
        return
    loss = max((-one.day_quote_e8 for one in facts.equity), default=0)
    fall = max((one.drawdown_quote_e8 for one in facts.equity), default=0)
    gross = max((one.gross_quote_e8 for one in facts.equity), default=0)
    most_fall = min(one.max_drawdown_quote_e8 or one.max_daily_loss_quote_e8 for one in limits)
    for name, control, limit, used, code in (
        ("gross exposure", "C5", min(one.max_gross_quote_e8 for one in limits), gross, DenyReason.MAX_GROSS),
        ("loss of the day", "C6", min(one.max_daily_loss_quote_e8 for one in limits), max(0, loss), _LOSS),
    ):
        text = money(limit), money(used)
        yield LimitRow(name, "", control, limit, used, text, _refused(facts, code))
    yield LimitRow("drawdown", "", "C6", most_fall, fall, (money(most_fall), money(fall)), 0)


_LOSS = DenyReason.DAILY_LOSS


def changed_limits(
    before: dict[str, RiskLimits], after: dict[str, RiskLimits]
) -> Iterator[tuple[str, str, str, str]]:
    """Give (symbol, limit, before, after) of each that differs, in its own unit; a dash for none."""
    for symbol in sorted(before.keys() | after.keys()):
        old, new = before.get(symbol), after.get(symbol)
        for name in RiskLimits.__struct_fields__:
            was, now = ("–" if one is None else str(getattr(one, name)) for one in (old, new))
            if was != now:
                yield symbol, name, was, now


def denial_cells(facts: SessionFacts, instruments: dict[str, Instrument]) -> Iterator[tuple[str, ...]]:
    """Give a row for each code and symbol, the most frequent first."""
    for one in sorted(facts.denials, key=lambda denial: -denial.count):
        instrument = instruments.get(one.symbol)
        shown = (figure(one.reason, number, instrument) for number in (one.value, one.limit))
        values = shown if one.value or one.limit else ("–", "–")
        yield (
            one.reason.value,
            one.symbol,
            f"{one.count:,}",
            moment(one.first_ns),
            moment(one.last_ns),
            *values,
        )


def figure(code: DenyReason, value: int, instrument: Instrument | None) -> str:
    """Print what a check measured, or its limit, in the unit of that check."""
    if code in _MONEY:
        return money(value)
    if code in _POINTS:
        return f"{value / 100:.2f} bp"
    if code is DenyReason.MAX_QTY and instrument is not None:
        return instrument.qty_text(value)
    return f"{value:,}"


def _value(instrument: Instrument, order: OrderFact) -> int:
    worst = max(order.intent.price_ticks, -(-(order.bid_ticks + order.ask_ticks) // 2))
    return instrument.notional_quote_e8(worst, order.intent.qty_lots)


def _busiest_second(orders: list[OrderFact]) -> int:
    seconds: dict[int, int] = {}
    for one in orders:
        if one.state is not OrderState.DENIED:
            second = one.sent_ns // SECOND
            seconds[second] = seconds.get(second, 0) + 1
    return max(seconds.values(), default=0)


def _refused(facts: SessionFacts, code: DenyReason, symbol: str = "") -> int:
    return sum(one.count for one in facts.denials if one.reason is code and symbol in ("", one.symbol))
