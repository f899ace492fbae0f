"""Policy, risk, order store, portfolio and paper venue together, in a market that moves at random.

The loop is the engine's order side without its decisions: scores come from the test.
"""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.effects import CancelOrder, SubmitOrder
from pipeline.core.execution import (
    CancelWorking,
    ExecutionPolicy,
    ExecutionView,
    PlaceEntry,
    WantedEntry,
    to_intent,
)
from pipeline.core.exits import least_order_lots
from pipeline.core.orders import OrderStore
from pipeline.core.params import EntryStyle, ExecutionParams
from pipeline.core.portfolio import Portfolio
from pipeline.core.risk import RiskEngine
from pipeline.core.types import QUOTE_SCALE, DenyReason, Origin, RiskDenied, Side, TradingState
from pipeline.sim.paper import PaperVenue
from tests.fakes.trading import BID, LIMITS, MS, POLICY, SECOND, SPOT, START, book, context, trade, wanted

STEP_NS = 100 * MS
PARAMS = ExecutionParams(exit_after_ns=3 * SECOND, exit_rest_ns=SECOND, requote_after_ns=300 * MS)
ROOMY = msgspec.structs.replace(LIMITS, throttle_orders=10_000, throttle_same_side=10_000)

MOVES = st.tuples(
    st.sampled_from([None, Side.BUY, Side.SELL, Side.BUY, Side.SELL]),
    st.integers(-30, 30),
    st.integers(0, 8),
    st.sampled_from(Side),
    st.integers(0, 4_000),
)
"""(score's side, drift of the mid in ticks, half the spread, aggressor of a print, its lots).

Each eighth side is kept for eight steps."""

STATES = st.sampled_from([TradingState.ACTIVE] * 6 + [TradingState.HALTED, TradingState.REDUCING])


class Loop:
    """One symbol's order side, stepped by 100 ms."""

    def __init__(self, style: EntryStyle) -> None:
        home, money = 10 * QUOTE_SCALE, 1_000_000 * QUOTE_SCALE
        self.style = style
        self.store = OrderStore(session_number=1)
        self.portfolio = Portfolio((SPOT,), home, money)
        self.risk = RiskEngine({"BTCUSDT": ROOMY}, self.store, self.portfolio, POLICY)
        self.policy = ExecutionPolicy(SPOT, PARAMS, ROOMY, 2 * SECOND)
        self.venue = PaperVenue(
            (SPOT,),
            ack_latency_ns=12 * MS,
            cancel_latency_ns=12 * MS,
            home_base_e8=home,
            balance_quote_e8=money,
        )
        self.now_ns = START
        self.bid, self.ask = BID, BID + 2
        self.seq = 0
        self.state = TradingState.ACTIVE
        self.held: Side | None = None
        self.flatten = False
        self.denied: list[DenyReason] = []
        self.market()

    def market(self) -> None:
        # A level whose size stays as it was has not been renewed: what we took of it stays taken.
        shown = 500_000 + self.seq
        bids = {self.bid - step: shown for step in range(5)}
        asks = {self.ask + step: shown for step in range(5)}
        self.venue.on_book("BTCUSDT", book(bids, asks), self.now_ns)
        self.portfolio.on_mark("BTCUSDT", self.bid, self.ask)

    def step(self, held: Side | None, drift: int, half_spread: int, aggressor: Side, lots: int) -> None:
        self.advance(self.now_ns + STEP_NS)
        self.held = held
        self.bid = max(BID - 5_000, min(BID + 5_000, self.bid + drift))
        self.ask = self.bid + 1 + 2 * half_spread
        self.market()
        if lots:
            price = self.bid if aggressor is Side.SELL else self.ask
            self.venue.on_trade(trade(price, lots * SPOT.lot_units, aggressor, self.now_ns))
        self.seq += 1
        self.work()

    def advance(self, until_ns: int) -> None:
        while (due_ns := self.venue.next_due_ns) is not None and due_ns <= until_ns:
            self.now_ns = max(self.now_ns, due_ns)
            for answer in self.venue.due(self.now_ns):
                applied = self.store.apply(answer)
                assert applied.problem is None, applied
                self.risk.on_applied(applied)
                if applied.fill is not None:
                    before = self.portfolio.position("BTCUSDT").lots
                    self.portfolio.on_fill(applied.fill)
                    after = self.portfolio.position("BTCUSDT").lots
                    if applied.fill.origin is not Origin.MODEL:
                        assert abs(after) < abs(before)
                        assert before * after >= 0
                self.work()
        self.now_ns = until_ns

    def view(self) -> ExecutionView:
        position = self.portfolio.position("BTCUSDT")
        return ExecutionView(
            trading_state=self.state,
            book_ok=True,
            bid_ticks=self.bid,
            ask_ticks=self.ask,
            position_lots=position.lots,
            opened_ns=position.opened_ns,
            held_side=self.held,
            wanted=self.wanted(),
            orders=self.store.live("BTCUSDT"),
            flatten=self.flatten,
        )

    def wanted(self) -> WantedEntry | None:
        if self.held is None:
            return None
        worst = self.ask + 5 if self.held is Side.BUY else self.bid - 5
        return wanted(side=self.held, style=self.style, worst_ticks=worst, feature_seq=self.seq, permit_id=0)

    def work(self) -> None:
        for action in self.policy.plan(self.view(), self.now_ns):
            if isinstance(action, CancelWorking):
                if self.store.cancel_asked(action.client_order_id, self.now_ns):
                    order = CancelOrder("BTCUSDT", action.client_order_id, action.reason, self.now_ns)
                    self.venue.cancel(order, self.now_ns)
                continue
            assert not (isinstance(action, PlaceEntry) and self.state is not TradingState.ACTIVE)
            where = context(
                trading_state=self.state,
                bid_ticks=self.bid,
                ask_ticks=self.ask,
                last_ticks=self.bid,
                permit=None,
            )
            verdict = self.risk.check(to_intent(action, "BTCUSDT", self.now_ns), where, self.now_ns)
            if isinstance(verdict, RiskDenied):
                self.denied.append(verdict.reason)
                continue
            self.venue.submit(SubmitOrder(verdict, self.now_ns), self.now_ns)
        entries = [order for order in self.store.live("BTCUSDT") if order.intent.origin is Origin.MODEL]
        assert len(entries) <= 1

    def is_out(self) -> bool:
        """Say whether nothing works and nothing is left but what the venue would not take."""
        lots = abs(self.portfolio.position("BTCUSDT").lots)
        dust = least_order_lots(SPOT, self.bid)
        return lots < dust and (lots > 0) == self.policy.dust and not self.store.live("BTCUSDT")

    def check_books(self) -> None:
        """Compare our books with the venue's once every report has come."""
        self.advance(self.now_ns + SECOND)
        holding, position = self.venue.account.holding("BTCUSDT"), self.portfolio.position("BTCUSDT")
        assert holding is not None
        assert (holding.lots, holding.cash_tick_lots) == (position.lots, position.cash_tick_lots)
        assert holding.fees_quote_e8 == position.fees_quote_e8


@settings(max_examples=60, deadline=None)
@given(
    style=st.sampled_from(EntryStyle),
    moves=st.lists(MOVES, max_size=60),
    states=st.lists(STATES, min_size=1, max_size=8),
)
def test_position_always_finds_its_way_out(
    style: EntryStyle, moves: list[tuple[Side | None, int, int, Side, int]], states: list[TradingState]
) -> None:
    loop = Loop(style)
    for number, move in enumerate(moves):
        loop.state = states[number // 8 % len(states)]
        loop.step(moves[number // 8 * 8][0], *move[1:])
    loop.check_books()
    loop.state = TradingState.ACTIVE
    loop.policy.adopt()
    for _ in range(100):
        loop.step(None, 0, 0, Side.BUY, 0)
    assert loop.is_out()
    assert {*loop.denied} <= {DenyReason.RATE_NEW, DenyReason.DUPLICATE, DenyReason.MAX_POSITION}
    loop.check_books()


@settings(max_examples=40, deadline=None)
@given(style=st.sampled_from(EntryStyle), moves=st.lists(MOVES, min_size=5, max_size=40))
def test_flatten_goes_home_while_killed(
    style: EntryStyle, moves: list[tuple[Side | None, int, int, Side, int]]
) -> None:
    loop = Loop(style)
    for number, move in enumerate(moves):
        loop.step(moves[number // 8 * 8][0], *move[1:])
    loop.state, loop.flatten = TradingState.KILLED, True
    for _ in range(40):
        loop.step(Side.BUY, 0, 0, Side.BUY, 0)
    assert loop.is_out()
    loop.check_books()


def test_loop_really_trades() -> None:
    """Without this the properties above could hold in a loop that does nothing."""
    for style in EntryStyle:
        loop = Loop(style)
        for number in range(200):
            held = Side.BUY if number // 40 % 2 == 0 else Side.SELL
            loop.step(held, (-1) ** number, 0, held.opposite, 4_000)
        position = loop.portfolio.position("BTCUSDT")
        assert position.fills > 8
