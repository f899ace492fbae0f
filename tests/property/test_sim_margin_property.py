"""The futures exchange under random orders: positions and cash add up to zero, reduce-only never flips."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.types import Fees, Side
from pipeline.sim.exchange.account import Account
from pipeline.sim.exchange.errors import VenueError
from pipeline.sim.exchange.exchange import Exchange
from pipeline.sim.exchange.ledger import EntryKind
from pipeline.sim.exchange.order import (
    ExecutionType,
    OrderKind,
    OrderReport,
    PositionReport,
    TimeInForce,
)
from pipeline.sim.exchange.position import Position
from tests.fakes.usdm_venue import (
    ASK,
    BID,
    usdm_account,
    usdm_exchange,
    usdm_listing,
    usdm_order,
    usdm_quoted,
)
from tests.fakes.venue import SYMBOL, T0

NEAR = st.integers(-3, 3)
LOTS = st.integers(1, 60)
WHO = st.sampled_from(("ours", "theirs"))
SIDES = st.sampled_from(Side)

ORDER = st.tuples(
    st.just("order"),
    WHO,
    SIDES,
    NEAR,
    LOTS,
    st.sampled_from((OrderKind.LIMIT, OrderKind.MARKET)),
    st.sampled_from(TimeInForce),
    st.booleans(),
)
STREET = st.tuples(st.just("street"), SIDES, NEAR, LOTS, st.booleans())
CANCEL = st.tuples(st.just("cancel"), WHO, st.integers(0, 9))
OPS = st.lists(st.one_of(ORDER, ORDER, ORDER, STREET, STREET, CANCEL), min_size=10, max_size=60)
FEES = st.sampled_from((Fees(0, 0, ""), Fees(200, 500, ""), Fees(-50, 333, "")))


@dataclass
class Run:
    venue: Exchange
    people: dict[str, Account]
    opened_e8: int
    now_ns: int = T0
    told: list[OrderReport | PositionReport] = field(default_factory=list)

    def step(self, op: tuple[object, ...]) -> None:
        self.now_ns += 1_000_000
        with suppress(VenueError):
            self.act(op)
        for event in self.venue.take_events():
            if isinstance(event, OrderReport | PositionReport):
                self.told.append(event)

    def act(self, op: tuple[object, ...]) -> None:
        match op:
            case ("order", str(who), Side() as side, int(offset), int(lots), kind, tif, bool(reduces)):
                assert isinstance(kind, OrderKind)
                assert isinstance(tif, TimeInForce)
                in_force = tif if kind is OrderKind.LIMIT else TimeInForce.GTC
                ticks = (BID if side is Side.BUY else ASK) + offset
                wanted = usdm_order(side, ticks, lots, kind, time_in_force=in_force, reduce_only=reduces)
                self.venue.place(self.people[who], wanted, self.now_ns)
            case ("street", Side() as side, int(offset), int(lots), bool(rests)):
                ticks = (BID if side is Side.BUY else ASK) + offset
                self.venue.street_order(SYMBOL, side, ticks, lots, self.now_ns, rests=rests)
            case ("cancel", str(who), int(which)):
                found = self.venue.orders.open_orders(self.people[who].owner)
                if found:
                    self.venue.cancel(found[which % len(found)], self.now_ns)


def played(ops: list[tuple[object, ...]], fees: Fees) -> Run:
    venue = usdm_quoted(usdm_exchange(usdm_listing(fees)), lots=40)
    people = {"ours": usdm_account(venue, "ours", 2_000), "theirs": usdm_account(venue, "theirs")}
    run = Run(venue, people, sum(one.free["USDT"] for one in people.values()))
    for op in ops:
        run.step(op)
        check_conservation(run)
        check_reduce_only(run)
    return run


def check_conservation(run: Run) -> None:
    house, people = run.venue.clearing, run.people.values()
    lot_e8 = run.venue.markets[SYMBOL].listing.lot_e8
    positions = [one.position(SYMBOL) for one in people]
    assert sum(one.lots for one in positions) * lot_e8 + house.street.get(SYMBOL, 0) == 0
    wallets = sum(one.free["USDT"] for one in people)
    costs = sum(one.cost_e8 for one in positions)
    kept = house.street.get("USDT", 0) + house.commissions.get("USDT", 0)
    assert wallets - costs + kept == run.opened_e8, "cash was made or lost"
    for one in positions:
        assert one.lots * one.cost_e8 > 0 or (one.lots, one.cost_e8) == (0, 0)


def check_reduce_only(run: Run) -> None:
    for who in run.people.values():
        position = who.position(SYMBOL)
        for side in Side:
            waiting = sum(
                one.leaves_lots
                for one in run.venue.orders.open_orders(who.owner)
                if one.reduce_only and one.side is side
            )
            assert waiting <= position.closable(side), "more waits to reduce than there is"


@settings(max_examples=150, deadline=None)
@given(OPS, FEES)
def test_positions_and_cash_add_up_to_zero_after_every_order(
    ops: list[tuple[object, ...]], fees: Fees
) -> None:
    played(ops, fees)


@settings(max_examples=150, deadline=None)
@given(OPS, FEES)
def test_a_reduce_only_fill_never_opens_or_turns_a_position(
    ops: list[tuple[object, ...]], fees: Fees
) -> None:
    run = played(ops, fees)
    before = {who.owner: 0 for who in run.people.values()}
    for moved, fill in pairs(run):
        held, signed = before[moved.owner], fill.order.side * fill.last_lots
        assert moved.lots == held + signed
        if fill.order.reduce_only:
            assert held * signed < 0, "it opened"
            assert abs(signed) <= abs(held), "it turned"
        before[moved.owner] = moved.lots


def pairs(run: Run) -> list[tuple[PositionReport, OrderReport]]:
    """Each fill with the position it left, which is told right before it."""
    found = []
    for moved, report in zip(run.told, run.told[1:], strict=False):
        if isinstance(moved, PositionReport):
            assert isinstance(report, OrderReport)
            assert report.execution is ExecutionType.TRADE
            found.append((moved, report))
    return found


@settings(max_examples=100, deadline=None)
@given(OPS, FEES)
def test_ledger_gives_wallet_and_position_again(ops: list[tuple[object, ...]], fees: Fees) -> None:
    run = played(ops, fees)
    for name, who in run.people.items():
        mine = [entry for entry in run.venue.ledger.entries if entry.account == name]
        opened = sum(entry.base_e8 for entry in mine if entry.kind is EntryKind.OPENED)
        fills = [entry for entry in mine if entry.kind is EntryKind.FILLED]
        assert opened + sum(entry.quote_e8 for entry in fills) == who.free["USDT"]
        position = who.position(SYMBOL)
        assert sum(entry.base_e8 for entry in fills) == position.lots * 100_000
        assert sum(entry.realised_e8 for entry in fills) == position.realised_e8
        assert all(entry.quote_e8 == entry.realised_e8 - entry.commission_e8 for entry in fills)


FILLS = st.lists(st.tuples(SIDES, st.integers(1, 50), st.integers(600_000, 700_000)), max_size=40)


@given(FILLS)
def test_a_position_is_what_fractions_make_of_the_same_fills(fills: list[tuple[Side, int, int]]) -> None:
    mine, held, entry, won = Position(), 0, Fraction(0), Fraction(0)
    for side, lots, ticks in fills:
        mine.take(side, lots, lots * ticks)
        closing = min(lots, abs(held)) if held * side < 0 else 0
        won += -side * closing * (ticks - entry)
        opened = lots - closing
        if opened:
            left = abs(held) - closing
            entry = (entry * left + ticks * opened) / (left + opened)
        held += side * lots
        assert mine.lots == held
        # The remainder of each divided cost stays with the open part: less than one unit a fill.
        assert abs(mine.realised_e8 - won) <= len(fills)
        if held:
            assert abs(Fraction(mine.cost_e8, held) - entry) <= len(fills)
        else:
            assert mine.cost_e8 == 0


@settings(max_examples=60, deadline=None)
@given(OPS, FEES)
def test_nobody_opens_more_than_the_margin_allows(ops: list[tuple[object, ...]], fees: Fees) -> None:
    run = played(ops, fees)
    ours = run.people["ours"].position(SYMBOL)
    # 2,000 USDT carry 40,000 USDT at leverage 20; a lot is about 64 USDT; the price moves by a few ticks.
    assert abs(ours.lots) <= 626


@settings(max_examples=40, deadline=None)
@given(OPS, FEES)
def test_the_same_orders_give_the_same_ledger(ops: list[tuple[object, ...]], fees: Fees) -> None:
    first, second = played(ops, fees), played(ops, fees)
    assert list(first.venue.ledger.entries) == list(second.venue.ledger.entries)
