"""The safety oracle (CONTROLS, section 3): what must hold after every input, judged from outside the engine.

S1 no order leaves while killed, halted or without an ok book; S2 the worst case stays inside the limits;
S3 each client id is sent at most once; S4 after quiet our ledger is the venue's; S5 an ok book is the
venue's book as of its newest update; S6 what is critical raised an alert. The ledger here is the oracle's
own, made of effects and reports alone.
"""

from __future__ import annotations

from pipeline.core.effects import Alert, Effect, SubmitOrder
from pipeline.core.inputs import DepthUpdate, ExecutionReport, Input, SendRefused
from pipeline.core.types import BookState, OrderIntent, OrderState, Origin, TradingState
from tests.fakes.engines import Floor

_OVER = (OrderState.CANCELED, OrderState.REJECTED, OrderState.EXPIRED)
_REDUCING = (Origin.EXIT, Origin.FLATTEN)


class Oracle:
    """Watches one floor; every broken rule is an AssertionError that names it."""

    def __init__(self, floor: Floor) -> None:
        self.floor = floor
        self.true_bids: dict[int, int] = {}
        self.true_asks: dict[int, int] = {}
        self.sent: dict[str, OrderIntent] = {}
        self.open_lots: dict[str, int] = {}
        self.position = 0
        self.orders = 0
        self._handle = floor.engine.handle
        # The oracle stands between the floor and its engine.
        floor.engine.handle = self.handle  # type: ignore[method-assign]

    def handle(self, event: Input) -> list[Effect]:
        """Hand an input over and judge what came of it, before anything is carried out."""
        self._note_answer(event)
        effects = self._handle(event)
        for effect in effects:
            if isinstance(effect, SubmitOrder):
                self._judge(effect)
        if isinstance(event, DepthUpdate):
            self._check_book()
        return effects

    def _note_answer(self, event: Input) -> None:
        match event:
            case ExecutionReport():
                order_id = event.client_order_id
                self.position += self.sent[order_id].side * event.filled_lots
                self.open_lots[order_id] -= event.filled_lots
                if event.status in _OVER:
                    self.open_lots[order_id] = 0
            case SendRefused():
                self.open_lots[event.client_order_id] = 0
            case _:
                pass

    def _judge(self, effect: SubmitOrder) -> None:
        intent, order_id = effect.approved.intent, effect.approved.client_order_id
        by_person = intent.origin is Origin.FLATTEN and intent.reduce_only
        state = self.floor.engine.trading_state
        assert (
            state is TradingState.ACTIVE
            or by_person
            or (state is TradingState.REDUCING and intent.origin in _REDUCING)
        ), f"S1: {intent.origin} sent while {state.name}"
        assert self.floor.book.state is BookState.SYNCED, f"S1: sent while {self.floor.book.state}"
        assert order_id not in self.sent, f"S3: {order_id} sent twice"
        self.sent[order_id] = intent
        self.open_lots[order_id] = intent.qty_lots
        self.orders += 1
        self._check_exposure(intent)

    def _check_exposure(self, intent: OrderIntent) -> None:
        limits = self.floor.params.limits["BTCUSDT"]
        instrument = self.floor.params.instruments[0]
        assert intent.qty_lots <= limits.max_qty_lots, "S2: larger than one order may be"
        live = [o for o, lots in self.open_lots.items() if lots > 0]
        assert len(live) <= limits.max_open_orders, "S2: more orders than may be open"
        side = intent.side
        others = sum(self.open_lots[o] for o in live if self.sent[o].side is side)
        if others <= -side * self.position:
            return  # it can only shrink the position, whatever else fills
        worst_lots = side * self.position + others
        price = max(intent.price_ticks, self.mid_ticks)
        worst = instrument.notional_quote_e8(price, worst_lots)
        assert worst <= limits.max_position_quote_e8, f"S2: worst case {worst} over the limit"

    @property
    def mid_ticks(self) -> int:
        """The true mid, rounded down."""
        return (max(self.true_bids) + min(self.true_asks)) // 2

    def _check_book(self) -> None:
        if self.floor.book.state is not BookState.SYNCED or not self.true_bids:
            return
        bids, asks = self.floor.book.book.top(10_000)
        assert dict(bids) == self.true_bids, "S5: bids differ from the venue's"
        assert dict(asks) == self.true_asks, "S5: asks differ from the venue's"

    def check_quiet(self) -> None:
        """After quiet: compare our ledger, the engine's and the venue's."""
        engine, venue = self.floor.engine, self.floor.venue
        holding = venue.account.holding("BTCUSDT")
        assert holding is not None
        position = engine.state.portfolio.position("BTCUSDT")
        assert holding.lots == position.lots == self.position, "S4: positions differ"
        assert holding.cash_tick_lots == position.cash_tick_lots, "S4: money differs"
        assert holding.fees_quote_e8 == position.fees_quote_e8, "S4: fees differ"
        ours = {order.client_order_id for order in engine.state.orders.all_live()}
        assert ours == set(venue.open_orders()), "S4: open orders differ"
        assert ours == {o for o, lots in self.open_lots.items() if lots}, "S4: open orders differ"
        assert venue.fill_count == engine.counts()["fills"], "S4: fills differ"

    def codes(self) -> list[str]:
        """Codes of all alerts so far, for S6."""
        return [effect.code.value for effect in self.floor.effects if isinstance(effect, Alert)]
