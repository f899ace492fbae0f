"""The venue's clockwork: what we send arrives later, what happens there is reported, all in the given time.

Call order in one instant: `due` first, then the engine takes the market input, then `on_book` or `on_trade`.
Orders that arrive up to an instant thereby meet the book as it was before that instant's update.
"""

from __future__ import annotations

import heapq
from collections import deque

from pipeline.core.book import OrderBook
from pipeline.core.effects import CancelOrder, SubmitOrder
from pipeline.core.inputs import CancelRejected, ExecutionReport, Trade
from pipeline.core.types import Instrument, OrderState, OrderType
from pipeline.sim.paper.account import PaperAccount, filter_refusal, would_take
from pipeline.sim.paper.liquidity import L1, Liquidity
from pipeline.sim.paper.resting import RestingOrder, fills_of_print, queue_at_arrival

Report = ExecutionReport | CancelRejected

_FILLS_KEPT = 4_096
_MASK = (1 << 64) - 1


class PaperVenue:
    """One account's orders at a venue whose only other traders are in the market data."""

    def __init__(
        self,
        instruments: tuple[Instrument, ...],
        *,
        ack_latency_ns: int,
        cancel_latency_ns: int,
        home_base_e8: int = 0,
        balance_quote_e8: int = 0,
        report_latency_ns: int = 0,
        jitter_ns: int = 0,
        seed: int = 0,
    ) -> None:
        """Open the account and list the instruments.

        `ack_latency_ns` and `cancel_latency_ns` are from sending to arrival; `jitter_ns` adds up to as much
        again, drawn from `seed` and a counter; `report_latency_ns` is the way back.
        """
        self.account = PaperAccount(instruments, home_base_e8, balance_quote_e8)
        self.fills: deque[ExecutionReport] = deque(maxlen=_FILLS_KEPT)
        """The newest fills as the venue's own record."""
        self.fill_count = 0
        self._ack_latency_ns = ack_latency_ns
        self._cancel_latency_ns = cancel_latency_ns
        self._report_latency_ns = report_latency_ns
        self._jitter_ns = jitter_ns
        self._seed = seed
        self._liquidity = {instrument.symbol: Liquidity() for instrument in instruments}
        self._resting: dict[str, RestingOrder] = {}
        self._on_the_way: list[tuple[int, int, SubmitOrder | CancelOrder]] = []
        self._reports: deque[Report] = deque()
        self._sent = 0
        self._venue_order_id = 0
        self._trade_id = 0

    def submit(self, effect: SubmitOrder, now_ns: int) -> None:
        """Send an order; it meets the book when it arrives."""
        self._send(effect, now_ns + self._ack_latency_ns)

    def cancel(self, effect: CancelOrder, now_ns: int) -> None:
        """Send a cancel; fills before it arrives count."""
        self._send(effect, now_ns + self._cancel_latency_ns)

    def on_book(self, symbol: str, book: OrderBook | None, ts_ns: int, l1: L1 | None = None) -> None:
        """Take a symbol's book after a change, and a fresher L1 where a ticker gave one.

        None says that the book is lost: until the next call nothing can be taken or joined. The book is
        kept and read again when an order arrives.
        """
        self._arrive_until(ts_ns)
        liquidity = self._liquidity.get(symbol)
        if liquidity is not None:
            liquidity.on_book(book, l1)

    def on_trade(self, trade: Trade) -> None:
        """Take a print; it moves our queues and may fill us."""
        self._arrive_until(trade.ts_recv_ns)
        ours = [order for order in self._resting.values() if order.intent.symbol == trade.symbol]
        for order, lots in fills_of_print(ours, trade):
            self._fill(order, lots, order.intent.price_ticks, True, trade.ts_recv_ns)

    def due(self, now_ns: int) -> list[Report]:
        """Take every report the venue has delivered up to now, oldest first."""
        self._arrive_until(now_ns)
        reports: list[Report] = []
        while self._reports and self._reports[0].ts_ns <= now_ns:
            reports.append(self._reports.popleft())
        return reports

    @property
    def next_due_ns(self) -> int | None:
        """Give when `due` must be called next: something arrives or is delivered; None while nothing is."""
        times = [self._on_the_way[0][0]] if self._on_the_way else []
        if self._reports:
            times.append(self._reports[0].ts_ns)
        return min(times) if times else None

    def open_orders(self, symbol: str = "") -> tuple[str, ...]:
        """Give the client ids of our resting orders and of those still on their way, oldest first."""
        resting = [(order.intent.symbol, client_id) for client_id, order in self._resting.items()]
        on_the_way = [
            (effect.approved.intent.symbol, effect.approved.client_order_id)
            for _, _, effect in sorted(self._on_the_way, key=lambda item: item[:2])
            if isinstance(effect, SubmitOrder)
        ]
        return tuple(client_id for of, client_id in (*resting, *on_the_way) if symbol in ("", of))

    def queue_ahead(self, client_order_id: str) -> int:
        """Give the size ahead of a resting order in size units; -1 for any other."""
        order = self._resting.get(client_order_id)
        return -1 if order is None else order.queue_ahead_units

    def _send(self, effect: SubmitOrder | CancelOrder, arrives_ns: int) -> None:
        self._sent += 1
        arrives_ns += _mixed(self._seed, self._sent) % (self._jitter_ns + 1)
        heapq.heappush(self._on_the_way, (arrives_ns, self._sent, effect))

    def _arrive_until(self, now_ns: int) -> None:
        while self._on_the_way and self._on_the_way[0][0] <= now_ns:
            arrived_ns, _, effect = heapq.heappop(self._on_the_way)
            if isinstance(effect, SubmitOrder):
                self._order_arrived(effect, arrived_ns)
            else:
                self._cancel_arrived(effect, arrived_ns)

    def _order_arrived(self, effect: SubmitOrder, ts_ns: int) -> None:
        intent, client_id = effect.approved.intent, effect.approved.client_order_id
        self._venue_order_id += 1
        holding = self.account.holding(intent.symbol)
        if holding is None:
            self._report(intent.symbol, client_id, 0, OrderState.REJECTED, ts_ns, "-1121 Invalid symbol.")
            return
        order = RestingOrder(holding.instrument, intent, client_id, self._venue_order_id, 0)
        refusal = self._refusal(order)
        if refusal:
            self._report_state(order, OrderState.REJECTED, ts_ns, refusal)
            return
        self._report_state(order, OrderState.ACCEPTED, ts_ns)
        if intent.order_type is OrderType.POST_ONLY:
            self._join(order)
        else:
            self._take(order, ts_ns)

    def _refusal(self, order: RestingOrder) -> str:
        intent, liquidity = order.intent, self._liquidity[order.intent.symbol]
        if order.client_order_id in self._resting:
            return "-2010 Duplicate order sent."
        refusal = filter_refusal(order.instrument, intent)
        if refusal:
            return refusal
        if not liquidity.two_sided:
            return "-2010 Market is closed."
        opposite = liquidity.best_ticks(intent.side.opposite)
        crosses = intent.side * (intent.price_ticks - opposite) >= 0
        if crosses and intent.order_type is OrderType.POST_ONLY:
            return would_take(order.instrument)
        return self.account.refusal(intent, list(self._resting.values()))

    def _join(self, order: RestingOrder) -> None:
        intent = order.intent
        shown = self._liquidity[intent.symbol].displayed_units(intent.side, intent.price_ticks)
        ours = [other for other in self._resting.values() if other.intent.symbol == intent.symbol]
        order.queue_ahead_units = queue_at_arrival(intent.side, intent.price_ticks, shown, ours)
        self._resting[order.client_order_id] = order

    def _take(self, order: RestingOrder, ts_ns: int) -> None:
        intent, lot_units = order.intent, order.instrument.lot_units
        liquidity = self._liquidity[intent.symbol]
        for price_ticks, lots in liquidity.sweep(intent.side, intent.price_ticks, intent.qty_lots, lot_units):
            self._fill(order, lots, price_ticks, False, ts_ns)
        if order.leaves_lots:
            self._report_state(order, OrderState.EXPIRED, ts_ns)

    def _cancel_arrived(self, effect: CancelOrder, ts_ns: int) -> None:
        order = self._resting.pop(effect.client_order_id, None)
        if order is not None:
            self._report_state(order, OrderState.CANCELED, ts_ns)
            return
        delivered_ns = ts_ns + self._report_latency_ns
        self._reports.append(
            CancelRejected(effect.symbol, effect.client_order_id, "-2011 Unknown order sent.", delivered_ns)
        )

    def _fill(self, order: RestingOrder, lots: int, price_ticks: int, maker: bool, ts_ns: int) -> None:
        intent = order.intent
        fee = self.account.take(intent.symbol, intent.side, lots, price_ticks, maker)
        order.filled_lots += lots
        if order.leaves_lots == 0:
            self._resting.pop(order.client_order_id, None)
        self._trade_id += 1
        self.fill_count += 1
        report = ExecutionReport(
            symbol=intent.symbol,
            client_order_id=order.client_order_id,
            venue_order_id=order.venue_order_id,
            status=OrderState.PARTIALLY_FILLED if order.leaves_lots else OrderState.FILLED,
            trade_id=self._trade_id,
            filled_lots=lots,
            fill_price_ticks=price_ticks,
            fee_quote_e8=fee,
            maker=maker,
            reason="",
            ts_event_ns=ts_ns,
            ts_ns=ts_ns + self._report_latency_ns,
        )
        self.fills.append(report)
        self._reports.append(report)

    def _report_state(self, order: RestingOrder, status: OrderState, ts_ns: int, reason: str = "") -> None:
        self._report(order.intent.symbol, order.client_order_id, order.venue_order_id, status, ts_ns, reason)

    def _report(
        self, symbol: str, client_id: str, venue_order_id: int, status: OrderState, ts_ns: int, reason: str
    ) -> None:
        self._reports.append(
            ExecutionReport(
                symbol=symbol,
                client_order_id=client_id,
                venue_order_id=venue_order_id,
                status=status,
                trade_id=-1,
                filled_lots=0,
                fill_price_ticks=0,
                fee_quote_e8=0,
                maker=False,
                reason=reason,
                ts_event_ns=ts_ns,
                ts_ns=ts_ns + self._report_latency_ns,
            )
        )


def _mixed(seed: int, counter: int) -> int:
    """Give 64 well-mixed bits of (seed, counter): the splitmix64 finaliser."""
    mixed = (seed + counter * 0x9E3779B97F4A7C15) & _MASK
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
    return mixed ^ (mixed >> 31)
