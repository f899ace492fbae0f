"""Our orders as the venue tells of them: each fact becomes an engine input once, whatever brings it.

Pure. The same fact may come from the answer to a request, from the user stream, from a list of open orders
and from a query, in any order; fills are told apart by trade id, states by what was said already. An order's
end is held back until the fills add up to what the venue counted: what is missing is to be asked for. Ended
orders are kept for a while, because a fill may come late.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pipeline.core.earlier import EarlierOrder
from pipeline.core.effects import SubmitOrder
from pipeline.core.inputs import ExecutionReport, Input, SendFailed
from pipeline.core.params import MS
from pipeline.core.position import fee_quote_e8
from pipeline.core.types import Instrument, OrderState, Side
from pipeline.runtime.venue_params import VenueParams
from pipeline.wire.binance_answers import OrderNews, VenueFill

NEVER = -1
NOT_AT_VENUE = "NOT_AT_VENUE"
_OPEN = (OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED)


@dataclass(slots=True, eq=False)
class TrackedOrder:
    """One order that was sent; `VenueOrders` changes what it tells, the desk what it asks."""

    client_order_id: str
    symbol: str
    side: Side
    lots: int
    sent_ns: int
    venue_order_id: int = 0
    heard: bool = False
    """The venue has spoken of it: it has the order, or had it."""
    filled_lots: int = 0
    counted_lots: int = 0
    """The most the venue ever said was filled; above `filled_lots` while fills are missing."""
    ending: OrderState | None = None
    ending_reason: str = ""
    ended: bool = False
    disproved: bool = False
    """It ended because the venue was believed not to have it."""
    in_doubt: bool = False
    failed: bool = False
    """The engine was told that the send broke."""
    asks: int = 0
    ask_due_ns: int = NEVER
    asking: bool = False
    trades_due_ns: int = NEVER
    absent_ns: int = NEVER
    """When the venue first denied knowing it, late enough to count."""
    unlisted: bool = False
    """A list of open orders asked for after that did not hold it."""
    cancel_wanted: bool = False
    cancel_due_ns: int = NEVER
    cancel_tries: int = 0
    canceling: bool = False
    trades: dict[int, None] = field(default_factory=dict)

    @property
    def fills_missing(self) -> bool:
        """Say whether the venue counted more than it told."""
        return self.counted_lots > self.filled_lots


class VenueOrders:
    """Every order of ours the venue has or may have, and the newest ended ones."""

    def __init__(self, instruments: Mapping[str, Instrument], params: VenueParams) -> None:
        self._instruments = dict(instruments)
        self._params = params
        self._live: dict[str, TrackedOrder] = {}
        self._ended: dict[str, TrackedOrder] = {}
        self._ended_ids: deque[str] = deque()
        self._flows_e8: dict[str, int] = {}
        self.fills = 0
        self.duplicates = 0
        """Fills that came more than once; one of each was told."""

    def find(self, client_order_id: str) -> TrackedOrder | None:
        """Give an order by our id, live or ended; None for a foreign or forgotten one."""
        return self._live.get(client_order_id) or self._ended.get(client_order_id)

    def flow_e8(self, asset: str) -> int:
        """Give what our fills and their commissions added to the account of an asset, in 1e-8."""
        return self._flows_e8.get(asset, 0)

    def live(self) -> tuple[TrackedOrder, ...]:
        """Give the orders the venue has or may have, oldest first."""
        return tuple(self._live.values())

    def carry(self, asset: str, flow_e8: int) -> None:
        """Take over what fills of earlier sessions added to the account beyond home inventory."""
        self._flows_e8[asset] = self._flows_e8.get(asset, 0) + flow_e8

    def restore(self, earlier: EarlierOrder, now_ns: int) -> TrackedOrder:
        """Take an order of an earlier session as live; what the venue has of it is to be asked."""
        order = TrackedOrder(
            earlier.client_order_id,
            earlier.symbol,
            earlier.side,
            earlier.qty_lots,
            min(earlier.sent_ns, now_ns),  # a clock that was set back must not make it young for ever
            venue_order_id=earlier.venue_order_id,
            filled_lots=earlier.filled_lots,
            counted_lots=earlier.filled_lots,
            failed=True,
            trades=dict.fromkeys(earlier.trades),
        )
        self._live[order.client_order_id] = order
        return order

    def sent(self, effect: SubmitOrder, now_ns: int) -> TrackedOrder:
        """Note that an order goes out now."""
        approved = effect.approved
        intent = approved.intent
        order = TrackedOrder(approved.client_order_id, intent.symbol, intent.side, intent.qty_lots, now_ns)
        self._live[order.client_order_id] = order
        return order

    # --- what the venue says ------------------------------------------------------------------------------

    def take(self, order: TrackedOrder, news: OrderNews, now_ns: int, *, asked: bool = False) -> list[Input]:
        """Take news of an order; `asked` for the answer to a query of it. Give what is new to the engine."""
        if (news.symbol, news.lots) != (order.symbol, order.lots):
            return self.doubt(order, "ECHO_DIFFERS", now_ns)
        is_open = news.status in _OPEN
        if order.disproved and is_open:
            self._revive(order, now_ns)
        first, order.heard = not order.heard, True
        order.venue_order_id = news.venue_order_id or order.venue_order_id
        whole = order.lots if news.status is OrderState.FILLED else 0
        order.counted_lots = max(order.counted_lots, news.filled_lots, whole)
        told: list[Input] = []
        accepted = first and news.status is not OrderState.REJECTED
        if not order.ended and (accepted or (asked and is_open)):
            told.append(self._report(order, OrderState.ACCEPTED, "", news.ts_event_ns, now_ns))
        told += self._fills(order, news.fills, news.ts_event_ns, now_ns)
        if not is_open and order.ending is None:
            order.ending, order.ending_reason = news.status, news.reason
        self._settle_doubt(order)
        return told + self._try_to_end(order, news.ts_event_ns, now_ns)

    def take_trades(
        self, order: TrackedOrder, fills: Iterable[VenueFill], venue_ns: int, now_ns: int
    ) -> list[Input]:
        """Take all fills of an order, as a query found them."""
        told = self._fills(order, fills, venue_ns, now_ns)
        return told + self._try_to_end(order, venue_ns, now_ns)

    def refused(self, order: TrackedOrder, reason: str, venue_ns: int, now_ns: int) -> list[Input]:
        """Take a proof that the venue does not have an order and never will."""
        if order.ended:
            return []
        order.disproved = True
        return [self._end(order, OrderState.REJECTED, reason, venue_ns, now_ns)]

    def doubt(self, order: TrackedOrder, reason: str, now_ns: int) -> list[Input]:
        """Note that nobody knows what the venue has; the order is asked for from here on."""
        if order.ended:
            return []
        if not order.in_doubt:
            order.in_doubt, order.asks = True, 0
            order.ask_due_ns = now_ns + self._params.ask_after_ms[0] * MS
        if order.heard or order.failed:
            return []
        order.failed = True
        return [SendFailed(order.client_order_id, reason, now_ns)]

    def ask_at(self, order: TrackedOrder, when_ns: int) -> None:
        """Want an order asked for at a time, though the engine need not hear of any doubt."""
        if not order.ended:
            if not order.in_doubt:
                order.in_doubt, order.asks = True, 0
            order.ask_due_ns = when_ns

    def asked(self, order: TrackedOrder, now_ns: int) -> None:
        """Note that a query goes out, and when the next one is due."""
        steps = self._params.ask_after_ms
        order.asking = True
        order.asks += 1
        order.ask_due_ns = now_ns + steps[min(order.asks, len(steps) - 1)] * MS

    def absent(self, order: TrackedOrder, asked_ns: int, venue_ns: int, now_ns: int) -> list[Input]:
        """Take the venue's word that it knows no such order; believed late, twice, and when a list agrees."""
        if order.ended or order.heard or asked_ns - order.sent_ns < self._params.absent_after_ms * MS:
            return []
        if order.absent_ns == NEVER:
            order.absent_ns = asked_ns
            return []
        return self.refused(order, NOT_AT_VENUE, venue_ns, now_ns) if order.unlisted else []

    def listed(self, symbol: str, open_ids: Mapping[str, object], asked_ns: int, now_ns: int) -> None:
        """Take a list of all open orders of a symbol: what is live and not in it is to be asked for."""
        for order in self._live.values():
            if order.symbol != symbol or order.client_order_id in open_ids or order.sent_ns >= asked_ns:
                continue
            if order.absent_ns != NEVER and asked_ns > order.absent_ns:
                order.unlisted = True
            if not order.in_doubt and order.ending is None:
                self.ask_at(order, now_ns)

    # ------------------------------------------------------------------------------------------------------

    def _revive(self, order: TrackedOrder, now_ns: int) -> None:
        """Take back an order that was given up and stands at the venue after all: it is to be cancelled."""
        order.ended = order.disproved = False
        order.cancel_wanted, order.cancel_due_ns = True, now_ns
        self._ended.pop(order.client_order_id, None)
        self._live[order.client_order_id] = order

    def _settle_doubt(self, order: TrackedOrder) -> None:
        order.in_doubt, order.asks, order.ask_due_ns = False, 0, NEVER
        order.absent_ns, order.unlisted = NEVER, False

    def _fills(
        self, order: TrackedOrder, fills: Iterable[VenueFill], venue_ns: int, now_ns: int
    ) -> list[Input]:
        told: list[Input] = []
        for fill in fills:
            if fill.trade_id in order.trades:
                self.duplicates += 1
                continue
            order.trades[fill.trade_id] = None
            order.filled_lots += fill.lots
            self._count(order, fill)
            order.counted_lots = max(order.counted_lots, order.filled_lots)
            told.append(self._fill_report(order, fill, venue_ns, now_ns))
        return told

    def _count(self, order: TrackedOrder, fill: VenueFill) -> None:
        instrument = self._instruments[order.symbol]
        lot_e8 = instrument.lot_units * 10**8 // int(10**instrument.size_decimals)
        self.fills += 1
        for asset, change_e8 in (
            (instrument.base, order.side * fill.lots * lot_e8),
            (fill.fee_asset, -fill.fee_e8),
        ):
            self._flows_e8[asset] = self._flows_e8.get(asset, 0) + change_e8

    def _try_to_end(self, order: TrackedOrder, venue_ns: int, now_ns: int) -> list[Input]:
        """End an order whose fills are all told; ask for them otherwise."""
        if order.fills_missing:
            if order.trades_due_ns == NEVER:
                order.trades_due_ns = now_ns + self._params.trades_after_ms * MS
            return []
        order.trades_due_ns = NEVER
        if order.ended:
            return []
        if order.ending is OrderState.FILLED or order.filled_lots >= order.lots:
            self._forget(order)
            return []
        if order.ending is None:
            return []
        return [self._end(order, order.ending, order.ending_reason, venue_ns, now_ns)]

    def _end(
        self, order: TrackedOrder, state: OrderState, reason: str, venue_ns: int, now_ns: int
    ) -> ExecutionReport:
        self._forget(order)
        return self._report(order, state, reason, venue_ns, now_ns)

    def _forget(self, order: TrackedOrder) -> None:
        order.ended, order.cancel_wanted = True, False
        self._settle_doubt(order)
        self._live.pop(order.client_order_id, None)
        self._ended[order.client_order_id] = order
        self._ended_ids.append(order.client_order_id)
        if len(self._ended_ids) > self._params.ended_kept:
            self._ended.pop(self._ended_ids.popleft(), None)

    def _report(
        self, order: TrackedOrder, state: OrderState, reason: str, venue_ns: int, now_ns: int
    ) -> ExecutionReport:
        return ExecutionReport(
            symbol=order.symbol,
            client_order_id=order.client_order_id,
            venue_order_id=order.venue_order_id,
            status=state,
            trade_id=NEVER,
            filled_lots=0,
            fill_price_ticks=0,
            fee_quote_e8=0,
            maker=False,
            reason=reason,
            ts_event_ns=venue_ns,
            ts_ns=now_ns,
        )

    def _fill_report(
        self, order: TrackedOrder, fill: VenueFill, venue_ns: int, now_ns: int
    ) -> ExecutionReport:
        whole = order.filled_lots >= order.lots
        return ExecutionReport(
            symbol=order.symbol,
            client_order_id=order.client_order_id,
            venue_order_id=order.venue_order_id,
            status=OrderState.FILLED if whole else OrderState.PARTIALLY_FILLED,
            trade_id=fill.trade_id,
            filled_lots=fill.lots,
            fill_price_ticks=fill.price_ticks,
            fee_quote_e8=fee_in_quote_e8(self._instruments[order.symbol], fill),
            maker=fill.maker,
            reason="",
            ts_event_ns=venue_ns,
            ts_ns=now_ns,
            fee_base_e8=fill.fee_e8 if fill.fee_asset == self._instruments[order.symbol].base else 0,
        )


def fee_in_quote_e8(instrument: Instrument, fill: VenueFill) -> int:
    """Give a commission in 1e-8 of the quote currency, rounded against us.

    One paid in a third asset is taken at the instrument's own rate: its price is not known here.
    """
    if fill.fee_asset == instrument.quote or not fill.fee_e8:
        return fill.fee_e8
    if fill.fee_asset == instrument.base:
        scale = int(10**instrument.price_decimals)
        return -(-fill.fee_e8 * fill.price_ticks * instrument.tick_units // scale)
    rate_e6 = instrument.fees.maker_e6 if fill.maker else instrument.fees.taker_e6
    return fee_quote_e8(instrument.notional_quote_e8(fill.price_ticks, fill.lots), rate_e6)
