"""The exchange under random orders: no money is made, nobody jumps the queue, no price is passed over."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.types import QUOTE_SCALE, Fees, Side
from pipeline.sim.exchange.account import Account
from pipeline.sim.exchange.errors import VenueError
from pipeline.sim.exchange.exchange import Exchange
from pipeline.sim.exchange.ledger import EntryKind
from pipeline.sim.exchange.order import (
    ExecutionType,
    OrderKind,
    OrderReport,
    SelfTrade,
    TimeInForce,
    TradePrint,
)
from pipeline.sim.protocol.order_requests import SPOT_TIMES
from tests.fakes.venue import ASK, BID, BUY, SYMBOL, T0, account, exchange, listing, order, quoted, total_e8

NEAR = st.integers(-3, 3)
LOTS = st.integers(50, 900)

ORDER = st.tuples(
    st.just("order"),
    st.sampled_from(("ours", "theirs")),
    st.sampled_from(Side),
    NEAR,
    LOTS,
    st.sampled_from(OrderKind),
    st.sampled_from(SPOT_TIMES),
    st.sampled_from(SelfTrade),
)
STREET = st.tuples(st.just("street"), st.sampled_from(Side), NEAR, LOTS, st.booleans())
CANCEL = st.tuples(st.just("cancel"), st.sampled_from(("ours", "theirs")), st.integers(0, 9))
ALL = st.tuples(st.just("all"), st.sampled_from(("ours", "theirs")))
OPS = st.lists(st.one_of(ORDER, ORDER, STREET, STREET, CANCEL, ALL), min_size=10, max_size=60)
FEES = st.sampled_from((Fees(0, 0, ""), Fees(1_000, 2_000, ""), Fees(-50, 333, "")))


@dataclass
class Run:
    venue: Exchange
    people: dict[str, Account]
    money: dict[str, int]
    now_ns: int = T0
    reports: list[OrderReport] = field(default_factory=list)
    prints: list[TradePrint] = field(default_factory=list)

    def step(self, op: tuple[object, ...]) -> None:
        self.now_ns += 1_000_000
        with suppress(VenueError):
            self.act(op)
        for event in self.venue.take_events():
            if isinstance(event, OrderReport):
                self.reports.append(event)
            if isinstance(event, TradePrint):
                self.prints.append(event)

    def act(self, op: tuple[object, ...]) -> None:
        match op:
            case ("order", str(who), Side() as side, int(offset), int(lots), kind, tif, self_trade):
                assert isinstance(kind, OrderKind)
                ticks = (BID if side is BUY else ASK) + offset
                in_force = tif if kind is OrderKind.LIMIT else TimeInForce.GTC
                wanted = order(side, ticks, lots, kind, time_in_force=in_force, self_trade=self_trade)
                self.venue.place(self.people[who], wanted, self.now_ns)
            case ("street", Side() as side, int(offset), int(lots), bool(rests)):
                ticks = (BID if side is BUY else ASK) + offset
                self.venue.street_order(SYMBOL, side, ticks, lots, self.now_ns, rests=rests)
            case ("cancel", str(who), int(which)):
                found = self.venue.orders.open_orders(self.people[who].owner)
                if found:
                    self.venue.cancel(found[which % len(found)], self.now_ns)
            case ("all", str(who)):
                self.venue.cancel_all(self.people[who], SYMBOL, self.now_ns)


def started(fees: Fees) -> Run:
    venue = quoted(exchange(listing(fees)), lots=400)
    people = {name: account(venue, name, btc=1, usdt=3_000) for name in ("ours", "theirs")}
    return Run(venue, people, {asset: total_e8(venue, asset) for asset in ("BTC", "USDT")})


def played(ops: list[tuple[object, ...]], fees: Fees) -> Run:
    run = started(fees)
    for op in ops:
        run.step(op)
        check_book(run)
        check_money(run)
    return run


def check_book(run: Run) -> None:
    book = run.venue.markets[SYMBOL].book
    bid, _, ask, _ = book.top
    assert not (bid and ask) or bid < ask, "crossed"
    for side in (book.bids, book.asks):
        assert side.keys == sorted(ticks * side.side for ticks in side.levels)
        for level in side.levels.values():
            assert level.orders
            assert level.lots == sum(one.lots for one in level.orders.values()) > 0
            assert level.client_lots == sum(one.lots for one in level.orders.values() if one.owner)
            ids = list(level.orders)
            assert ids == sorted(ids), "who came later queues later"
    resting = {
        order_id for side in (book.bids, book.asks) for one in side.levels.values() for order_id in one.orders
    }
    for who in run.people.values():
        for one in run.venue.orders.open_orders(who.owner):
            assert one.order_id in resting
            assert one.resting is not None
            assert one.resting.lots == one.leaves_lots


def check_money(run: Run) -> None:
    for asset, total in run.money.items():
        assert total_e8(run.venue, asset) == total, f"{asset} was made or lost"
    for who in run.people.values():
        needed = {"BTC": 0, "USDT": 0}
        for one in run.venue.orders.open_orders(who.owner):
            lots = one.leaves_lots
            worth = one.listing.notional_e8(one.ticks, lots) if one.side is BUY else lots * one.listing.lot_e8
            needed[one.pays_with] += worth
            assert one.locked_e8 == worth
        assert who.locked == needed
        assert min(who.free.values()) >= 0


@settings(max_examples=120, deadline=None)
@given(OPS, FEES)
def test_book_and_money_hold_after_every_order(ops: list[tuple[object, ...]], fees: Fees) -> None:
    played(ops, fees)


@settings(max_examples=100, deadline=None)
@given(OPS, FEES)
def test_ledger_adds_up_to_the_balances_and_to_the_reports(ops: list[tuple[object, ...]], fees: Fees) -> None:
    run = played(ops, fees)
    entries = list(run.venue.ledger.entries)
    assert [entry.seq for entry in entries] == list(range(len(entries)))
    assert [entry.ts_ns for entry in entries] == sorted(entry.ts_ns for entry in entries)
    for name, who in run.people.items():
        sums = {"BTC": 0, "USDT": 0}
        for entry in entries:
            if entry.account != name:
                continue
            if entry.kind is EntryKind.OPENED:
                sums[entry.asset] += entry.base_e8
            else:
                sums["BTC"] += entry.base_e8
                sums["USDT"] += entry.quote_e8
        assert sums == {asset: who.free[asset] + who.locked[asset] for asset in sums}
    fills = [
        (entry.trade_id, entry.account, entry.maker) for entry in entries if entry.kind is EntryKind.FILLED
    ]
    reported = [
        (one.trade_id, run.venue.accounts[one.order.owner].name, one.maker)
        for one in run.reports
        if one.execution is ExecutionType.TRADE
    ]
    assert fills == reported
    assert {trade_id for trade_id, _, _ in fills} <= {one.trade_id for one in run.prints}


@settings(max_examples=100, deadline=None)
@given(OPS, FEES)
def test_no_fill_is_worse_than_the_orders_price_and_fills_add_up(
    ops: list[tuple[object, ...]], fees: Fees
) -> None:
    run = played(ops, fees)
    filled: dict[int, int] = {}
    spent: dict[int, int] = {}
    for one in run.reports:
        mine = one.order
        if one.execution is ExecutionType.TRADE:
            assert mine.kind is OrderKind.MARKET or mine.side * (mine.ticks - one.last_ticks) >= 0
            assert not one.maker or one.last_ticks == mine.ticks
            assert not (one.maker and mine.time_in_force is not TimeInForce.GTC)
            filled[mine.order_id] = filled.get(mine.order_id, 0) + one.last_lots
            money = one.last_ticks * one.last_lots * mine.listing.tick_e8 * mine.listing.lot_e8 // QUOTE_SCALE
            spent[mine.order_id] = spent.get(mine.order_id, 0) + money
        assert one.filled_lots == filled.get(mine.order_id, 0) <= mine.lots
        assert one.filled_quote_e8 == spent.get(mine.order_id, 0)
        if mine.kind is OrderKind.LIMIT_MAKER and one.execution is ExecutionType.TRADE:
            assert one.maker


@settings(max_examples=60, deadline=None)
@given(OPS, FEES)
def test_a_better_price_is_never_passed_over(ops: list[tuple[object, ...]], fees: Fees) -> None:
    run = started(fees)
    for op in ops:
        book = run.venue.markets[SYMBOL].book
        before = {side: book.on(side).best_ticks for side in Side if book.on(side).keys}
        printed = len(run.prints)
        run.step(op)
        made = run.prints[printed:]
        if made and op[0] == "street":
            assert made[0].ticks == before[made[0].aggressor.opposite]
        prices = [one.aggressor * one.ticks for one in made]
        assert prices == sorted(prices)


@settings(max_examples=30, deadline=None)
@given(OPS, FEES)
def test_the_same_orders_give_the_same_ledger(ops: list[tuple[object, ...]], fees: Fees) -> None:
    first, second = played(ops, fees), played(ops, fees)
    assert list(first.venue.ledger.entries) == list(second.venue.ledger.entries)
    assert first.prints == second.prints
