"""The order store against a venue that knows the truth, whatever the wire does to the reports."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pipeline.core.inputs import CancelRejected, ExecutionReport, SendFailed, SendRefused
from pipeline.core.orders import Order, OrderAnswer, OrderStore
from pipeline.core.types import OrderState, Side
from tests.fakes.trading import BID, START, approved, fill, report

S = OrderState


@dataclass
class VenueOrder:
    """What really happened at the venue."""

    client_id: str
    side: Side
    qty: int
    open: bool = True
    heard: bool = False
    fills: dict[int, int] = field(default_factory=dict)
    delivered: dict[int, int] = field(default_factory=dict)

    @property
    def filled(self) -> int:
        return sum(self.fills.values())


class OrderLife(RuleBasedStateMachine):
    """A truthful venue behind a wire that reorders, repeats and breaks."""

    def __init__(self) -> None:
        super().__init__()
        self.store = OrderStore(session_number=1)
        self.truth: dict[str, VenueOrder] = {}
        self.wire: list[OrderAnswer] = []
        self.old: list[OrderAnswer] = []
        self.trade_id = 0
        self.ended: dict[str, None] = {}

    def pick(self, index: int, *, still_open: bool) -> VenueOrder | None:
        orders = [order for order in self.truth.values() if order.open or not still_open]
        return orders[index % len(orders)] if orders else None

    @precondition(lambda self: len(self.truth) < 6)
    @rule(side=st.sampled_from(Side), qty=st.integers(1, 20))
    def send(self, side: Side, qty: int) -> None:
        client_id = self.store.next_client_order_id()
        self.store.add(approved(client_id, side=side, qty_lots=qty), START)
        self.truth[client_id] = VenueOrder(client_id, side, qty)

    @rule(index=st.integers(0, 9))
    def venue_accepts(self, index: int) -> None:
        order = self.pick(index, still_open=True)
        if order is not None and not order.heard:
            order.heard = True
            self.wire.append(report(order.client_id, S.ACCEPTED))

    @rule(index=st.integers(0, 9))
    def venue_rejects(self, index: int) -> None:
        order = self.pick(index, still_open=True)
        if order is not None and not order.heard:
            order.heard, order.open = True, False
            self.wire.append(report(order.client_id, S.REJECTED))

    @rule(index=st.integers(0, 9), lots=st.integers(1, 20))
    def venue_fills(self, index: int, lots: int) -> None:
        order = self.pick(index, still_open=True)
        if order is None:
            return
        order.heard = True
        lots = min(lots, order.qty - order.filled)
        self.trade_id += 1
        order.fills[self.trade_id] = lots
        order.open = order.filled < order.qty
        status = S.PARTIALLY_FILLED if order.open else S.FILLED
        self.wire.append(fill(order.client_id, lots, self.trade_id, status=status))

    @rule(index=st.integers(0, 9), how=st.sampled_from([S.CANCELED, S.EXPIRED]))
    def venue_ends(self, index: int, how: OrderState) -> None:
        order = self.pick(index, still_open=True)
        if order is not None:
            order.heard, order.open = True, False
            self.wire.append(report(order.client_id, how))

    @rule(index=st.integers(0, 9))
    def cancel(self, index: int) -> None:
        order = self.pick(index, still_open=False)
        if order is not None and self.store.cancel_asked(order.client_id, START) and not order.open:
            self.wire.append(CancelRejected("BTCUSDT", order.client_id, "-2011", START))

    @rule(index=st.integers(0, 9))
    def send_breaks(self, index: int) -> None:
        order = self.pick(index, still_open=False)
        if order is not None:
            self.wire.append(SendFailed(order.client_id, "broken pipe", START))

    @precondition(lambda self: self.wire)
    @rule(index=st.integers(0, 30))
    def deliver(self, index: int) -> None:
        self.take(self.wire.pop(index % len(self.wire)))

    @precondition(lambda self: self.old)
    @rule(index=st.integers(0, 30))
    def deliver_an_old_fill_again(self, index: int) -> None:
        self.take(self.old[index % len(self.old)])

    @rule()
    def wait_in_vain(self) -> None:
        self.store.give_up_waiting(START + 1, 1)

    def take(self, answer: OrderAnswer) -> None:
        applied = self.store.apply(answer)
        if isinstance(answer, ExecutionReport) and answer.filled_lots:
            truth = self.truth[answer.client_order_id]
            new = answer.trade_id not in truth.delivered
            assert (applied.fill is not None) == new
            truth.delivered[answer.trade_id] = answer.filled_lots
            self.old.append(answer)

    def order(self, truth: VenueOrder) -> Order:
        order = self.store.order(truth.client_id)
        assert order is not None
        return order

    @invariant()
    def filled_is_the_sum_of_distinct_fills(self) -> None:
        for truth in self.truth.values():
            assert self.order(truth).filled_lots == sum(truth.delivered.values())

    @invariant()
    def whatever_may_still_fill_is_exposure(self) -> None:
        for truth in self.truth.values():
            order = self.order(truth)
            if truth.open:
                assert order.filled_lots + order.leaves_lots >= truth.qty

    @invariant()
    def ended_orders_stay_ended(self) -> None:
        for truth in self.truth.values():
            order = self.order(truth)
            if not order.is_live:
                self.ended[truth.client_id] = None
            assert order.is_live != (truth.client_id in self.ended)

    @invariant()
    def exposure_is_the_sum_over_live_orders(self) -> None:
        live = [self.order(truth) for truth in self.truth.values() if self.order(truth).is_live]
        exposure = self.store.exposure("BTCUSDT")
        assert exposure.buy_lots == sum(o.leaves_lots for o in live if o.side is Side.BUY)
        assert exposure.sell_lots == sum(o.leaves_lots for o in live if o.side is Side.SELL)
        assert exposure.buy_tick_lots == exposure.buy_lots * BID
        assert (exposure.orders, self.store.open_orders) == (len(live), len(live))
        assert exposure.unknown == sum(o.state is S.UNKNOWN for o in live)

    def teardown(self) -> None:
        """Let the wire run dry: then we and the venue agree on what was traded and on what is open."""
        while self.wire:
            self.take(self.wire.pop(0))
        for truth in self.truth.values():
            order = self.order(truth)
            assert order.filled_lots == truth.filled
            assert order.is_live == truth.open


OrderLife.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestOrderLife = OrderLife.TestCase

NUMBERS = st.integers(-(2**63), 2**63)
ANSWERS = st.one_of(
    st.builds(
        ExecutionReport,
        symbol=st.sampled_from(["BTCUSDT", "ETHUSDT", ""]),
        client_order_id=st.sampled_from(["c1", "c2", "x"]),
        venue_order_id=NUMBERS,
        status=st.sampled_from(OrderState),
        trade_id=st.integers(-2, 5),
        filled_lots=st.one_of(NUMBERS, st.integers(-1, 30)),
        fill_price_ticks=st.one_of(NUMBERS, st.integers(0, 2)),
        fee_quote_e8=NUMBERS,
        maker=st.booleans(),
        reason=st.text(max_size=5),
        ts_event_ns=NUMBERS,
        ts_ns=NUMBERS,
    ),
    st.builds(
        CancelRejected, st.just("BTCUSDT"), st.sampled_from(["c1", "c2"]), st.text(max_size=3), NUMBERS
    ),
    st.builds(SendRefused, st.sampled_from(["c1", "c2"]), st.text(max_size=3), NUMBERS),
    st.builds(SendFailed, st.sampled_from(["c1", "c2"]), st.text(max_size=3), NUMBERS),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(ANSWERS, max_size=25))
def test_any_answers_in_any_order_are_taken(answers: list[OrderAnswer]) -> None:
    store = OrderStore(session_number=1)
    store.add(approved("c1", qty_lots=10), START)
    store.add(approved("c2", qty_lots=10, side=Side.SELL), START)
    for answer in answers:
        applied = store.apply(answer)
        assert (applied.order is None) == (applied.before is None)
        exposure = store.exposure("BTCUSDT")
        assert 0 <= exposure.buy_lots <= 10
        assert 0 <= exposure.sell_lots <= 10
