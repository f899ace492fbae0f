"""The paper venue under random markets: what it may never do, and that it does the same each time."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.book import OrderBook
from pipeline.core.inputs import CancelRejected, ExecutionReport
from pipeline.core.orders import OrderStore
from pipeline.core.portfolio import Portfolio
from pipeline.core.types import Instrument, OrderState, OrderType, RiskApproved, Side
from pipeline.sim.paper import PaperVenue
from tests.fakes.trading import ASK, BID, MS, PERP, POLICY, SPOT, START, book, cancel, intent, submit, trade

LOT = SPOT.lot_units
NEAR = st.integers(-4, 4)
UNITS = st.integers(0, 30_000)

OPS = st.lists(
    st.one_of(
        st.tuples(st.just("book"), st.sampled_from(Side), NEAR, UNITS),
        st.tuples(st.just("print"), st.sampled_from(Side), NEAR, UNITS),
        st.tuples(st.just("order"), st.sampled_from(Side), NEAR, st.integers(1, 40)),
        st.tuples(st.just("take"), st.sampled_from(Side), NEAR, st.integers(1, 40)),
        st.tuples(st.just("cancel"), st.sampled_from(Side), NEAR, st.integers(0, 40)),
    ),
    max_size=60,
)


class Run:
    """One venue driven by a list of operations 3 ms apart, with our own store and portfolio beside it.

    `balance` is what the account opens with, in lots and in the money that many lots cost.
    """

    def __init__(self, instrument: Instrument, balance: int) -> None:
        base_e8, quote_e8 = balance * 1_000, balance * (ASK + 5) * 10
        self.instrument = replace(instrument, min_notional_quote_e8=1)
        self.venue = PaperVenue(
            (self.instrument,),
            ack_latency_ns=5 * MS,
            cancel_latency_ns=4 * MS,
            home_base_e8=base_e8,
            balance_quote_e8=quote_e8,
            jitter_ns=6 * MS,
            seed=9,
        )
        self.store = OrderStore(session_number=1)
        self.portfolio = Portfolio((self.instrument,), base_e8, quote_e8)
        self.market: OrderBook = book(
            {BID - step: 20_000 for step in range(5)}, {ASK + step: 20_000 for step in range(5)}
        )
        self.now_ns = START
        self.reports: list[ExecutionReport | CancelRejected] = []
        self.venue.on_book("BTCUSDT", self.market, START)

    def step(self, op: tuple[str, Side, int, int]) -> None:
        kind, side, offset, size = op
        self.now_ns += 3 * MS
        self.collect()
        touch = BID if side is Side.BUY else ASK
        price = touch + offset
        if kind == "book":
            levels = ((touch - side * abs(offset), size),)
            self.market.apply(*((levels, ()) if side is Side.BUY else ((), levels)))
            self.venue.on_book("BTCUSDT", self.market, self.now_ns)
        elif kind == "print":
            before = sum(one.filled_lots for one in self.venue.fills)
            self.venue.on_trade(trade(price, size, side, self.now_ns))
            made = sum(one.filled_lots for one in self.venue.fills) - before
            assert made * self.instrument.lot_units <= size
        elif kind == "cancel":
            open_orders = self.venue.open_orders()
            if open_orders:
                client_id = open_orders[size % len(open_orders)]
                self.store.cancel_asked(client_id, self.now_ns)
                self.venue.cancel(cancel(client_id), self.now_ns)
        else:
            self.send(kind, side, price, size)

    def send(self, kind: str, side: Side, price: int, lots: int) -> None:
        client_id = self.store.next_client_order_id()
        how = OrderType.POST_ONLY if kind == "order" else OrderType.LIMIT_IOC
        order = intent(side=side, price_ticks=price, qty_lots=lots, order_type=how)
        self.store.add(RiskApproved(order, client_id, POLICY), self.now_ns)
        changes: dict[str, Any] = {"side": side, "price_ticks": price, "qty_lots": lots, "order_type": how}
        self.venue.submit(submit(client_id, **changes), self.now_ns)

    def collect(self) -> None:
        for one in self.venue.due(self.now_ns):
            self.reports.append(one)
            assert one.ts_ns <= self.now_ns
            applied = self.store.apply(one)
            assert applied.problem is None, (applied.problem, one)
            if applied.fill is not None:
                self.portfolio.on_fill(applied.fill)

    def finish(self) -> None:
        while self.venue.next_due_ns is not None:
            self.now_ns = max(self.now_ns, self.venue.next_due_ns)
            self.collect()


def run(ops: list[tuple[str, Side, int, int]], instrument: Instrument = SPOT, balance: int = 90) -> Run:
    driven = Run(instrument, balance)
    for op in ops:
        driven.step(op)
        assert driven.venue.account.quote_e8 >= 0 or instrument.margin
        assert driven.venue.account.base_lots("BTCUSDT") >= 0 or instrument.margin
    driven.finish()
    return driven


@settings(max_examples=120, deadline=None)
@given(ops=OPS, balance=st.sampled_from([45, 90, 100_000]))
def test_venue_never_breaks_its_own_rules(ops: list[tuple[str, Side, int, int]], balance: int) -> None:
    driven = run(ops, balance=balance)
    filled: Counter[str] = Counter()
    for one in driven.reports:
        if not isinstance(one, ExecutionReport) or one.filled_lots == 0:
            continue
        order = driven.store.order(one.client_order_id)
        assert order is not None
        filled[one.client_order_id] += one.filled_lots
        assert filled[one.client_order_id] <= order.intent.qty_lots
        assert one.maker == (order.intent.order_type is OrderType.POST_ONLY)
        better = order.side * (order.intent.price_ticks - one.fill_price_ticks)
        assert better == 0 if one.maker else better >= 0
    times = [one.ts_ns for one in driven.reports]
    assert times == sorted(times)


@settings(max_examples=80, deadline=None)
@given(ops=OPS, instrument=st.sampled_from([SPOT, PERP]))
def test_our_books_and_the_venues_agree(
    ops: list[tuple[str, Side, int, int]], instrument: Instrument
) -> None:
    driven = run(ops, instrument)
    holding, position = driven.venue.account.holding("BTCUSDT"), driven.portfolio.position("BTCUSDT")
    assert holding is not None
    assert (holding.lots, holding.cash_tick_lots) == (position.lots, position.cash_tick_lots)
    assert holding.fees_quote_e8 == position.fees_quote_e8
    assert driven.venue.fill_count == driven.portfolio.fills
    live = {order.client_order_id for order in driven.store.all_live()}
    assert live == {*driven.venue.open_orders()}
    states = {order.state for order in driven.store.all_live()}
    assert OrderState.UNKNOWN not in states


@settings(max_examples=40, deadline=None)
@given(ops=OPS)
def test_same_operations_give_the_same_reports(ops: list[tuple[str, Side, int, int]]) -> None:
    assert run(ops).reports == run(ops).reports


@settings(max_examples=80, deadline=None)
@given(
    ahead=st.integers(0, 40),
    orders=st.lists(st.integers(1, 40), min_size=1, max_size=3),
    prints=st.lists(st.integers(1, 30), max_size=12),
)
def test_makers_get_what_is_printed_beyond_the_queue(
    ahead: int, orders: list[int], prints: list[int]
) -> None:
    driven = Run(SPOT, 100_000)
    driven.market.apply(((BID, ahead * LOT),), ())
    for qty in orders:
        driven.send("order", Side.BUY, BID, qty)
    driven.finish()
    for lots in prints:
        driven.now_ns += MS
        driven.venue.on_trade(trade(BID, lots * LOT, Side.SELL, driven.now_ns))
    driven.finish()
    beyond = max(0, sum(prints) - ahead)
    assert sum(one.filled_lots for one in driven.venue.fills) == min(sum(orders), beyond)


@settings(max_examples=80, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 60), min_size=5, max_size=5),
    wants=st.lists(st.tuples(st.integers(1, 80), st.integers(0, 5)), max_size=8),
)
def test_takers_together_get_no_more_than_was_displayed(
    sizes: list[int], wants: list[tuple[int, int]]
) -> None:
    driven = Run(SPOT, 100_000)
    driven.market.apply((), tuple((ASK + step, size * LOT) for step, size in enumerate(sizes)))
    for lots, reach in wants:
        driven.send("take", Side.BUY, ASK + reach, lots)
    driven.finish()
    by_price: Counter[int] = Counter()
    for one in driven.venue.fills:
        by_price[one.fill_price_ticks] += one.filled_lots
    assert all(by_price[ASK + step] <= size for step, size in enumerate(sizes))


@settings(max_examples=60, deadline=None)
@given(
    orders=st.lists(
        st.tuples(st.sampled_from(["order", "take"]), st.sampled_from(Side), st.integers(1, 60)),
        min_size=1,
        max_size=8,
    ),
    balance=st.integers(1, 100),
)
def test_everything_accepted_can_be_paid_for(orders: list[tuple[str, Side, int]], balance: int) -> None:
    driven = Run(SPOT, balance)
    for kind, side, lots in orders:
        touch = BID if (side is Side.BUY) is (kind == "order") else ASK
        driven.send(kind, side, touch, lots)
    driven.finish()
    for side, beyond in ((Side.SELL, BID - 1), (Side.BUY, ASK + 1)):
        driven.venue.on_trade(trade(beyond, 10**9, side, driven.now_ns))
        assert driven.venue.account.quote_e8 >= 0
        assert driven.venue.account.base_lots("BTCUSDT") >= 0
    driven.finish()
    assert driven.venue.open_orders() == ()
