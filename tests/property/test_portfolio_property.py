"""The portfolio against a recomputation in fractions from the list of fills."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.portfolio import Portfolio
from pipeline.core.types import Side
from tests.fakes.trading import PERP, SPOT, START, Desk
from tests.unit.test_portfolio_unit import bought

FILLS = st.lists(
    st.tuples(st.sampled_from(Side), st.integers(1, 50), st.integers(900, 1_100), st.integers(-5, 40)),
    max_size=40,
)


def recomputed(fills: list[tuple[Side, int, int, int]]) -> tuple[int, Fraction, Fraction]:
    """Give (position, average, closed in tick-lots) lot by lot: the slow definition of average cost."""
    position, cost, closed = 0, Fraction(), Fraction()
    for side, lots, price, _ in fills:
        for _ in range(lots):
            if position * side >= 0:
                cost += side * price
            else:
                average = cost / position
                closed += -side * (price - average)
                cost += side * average
            position += side
    return position, cost / position if position else Fraction(), closed


@settings(max_examples=100, deadline=None)
@given(fills=FILLS, bid=st.integers(900, 1_100), spread=st.integers(1, 20))
def test_average_and_profit_are_those_of_the_definition(
    fills: list[tuple[Side, int, int, int]], bid: int, spread: int
) -> None:
    account = Portfolio((SPOT,))
    for side, lots, price, fee in fills:
        account.on_fill(bought(lots, price, side=side, fee_quote_e8=fee))
    account.on_mark("BTCUSDT", bid, bid + spread)
    lots, average, closed = recomputed(fills)
    position = account.position("BTCUSDT")
    assert (position.lots, position.average_ticks) == (lots, average)
    mark = bid if lots > 0 else bid + spread
    assert position.closed_quote_e8 == closed * 10 // 1
    opened = lots * (mark - average)
    assert position.profit_quote_e8 == (closed + opened) * 10
    fees = sum(fee for *_, fee in fills)
    assert position.day_quote_e8 == position.closed_quote_e8 + position.open_quote_e8 - fees
    assert account.day_quote_e8 == position.day_quote_e8


@settings(max_examples=60, deadline=None)
@given(fills=FILLS)
def test_what_is_closed_flat_is_the_cash_that_moved(fills: list[tuple[Side, int, int, int]]) -> None:
    account = Portfolio((PERP,))
    for side, lots, price, _ in fills:
        account.on_fill(bought(lots, price, side=side))
    position = account.position("BTCUSDT")
    if position.lots:
        side = Side.SELL if position.lots > 0 else Side.BUY
        account.on_fill(bought(abs(position.lots), 1_000, side=side))
    cash = sum(-side * lots * price for side, lots, price, _ in fills)
    cash += (sum(side * lots for side, lots, *_ in fills)) * 1_000
    assert position.closed_quote_e8 == position.profit_quote_e8 == cash * 10_000
    assert (position.open_quote_e8, account.drawdown_quote_e8 >= 0) == (0, True)


@settings(max_examples=60, deadline=None)
@given(marks=st.lists(st.integers(5_000_000, 7_000_000), min_size=1, max_size=30))
def test_drawdown_is_the_distance_to_the_best_day_so_far(marks: list[int]) -> None:
    desk = Desk()
    desk.hold(1_000)
    account, days = desk.portfolio, [0, desk.portfolio.day_quote_e8]
    for mark in marks:
        account.on_mark("BTCUSDT", mark, mark + 1)
        account.on_beat(START)
        days.append(account.day_quote_e8)
    assert account.drawdown_quote_e8 == max(days) - days[-1]
    assert account.day_loss_quote_e8 == max(0, -days[-1])
