"""What the venue says, message by message: answers to what was asked, news of orders, the stream's end."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.core.earlier import EarlierOrder
from pipeline.core.inputs import ExecutionReport, SymbolStatus
from pipeline.core.params import SECOND
from pipeline.core.types import OrderType
from pipeline.runtime.venue_account import AccountCancel
from pipeline.runtime.venue_balance import BalanceWatch
from pipeline.runtime.venue_compare import AccountCompare
from pipeline.runtime.venue_facts import same_filters
from pipeline.runtime.venue_line import Ask, Pending
from pipeline.runtime.venue_orders import NEVER, TrackedOrder
from pipeline.runtime.venue_rise import VenueRise
from pipeline.runtime.venue_state import OK, Phase, VenueState
from pipeline.wire.binance_answers import (
    AnswerReader,
    ApiAnswer,
    BalanceNews,
    OrderNews,
    OtherEvent,
    OtherSymbol,
    StreamEnded,
    Unreadable,
    balances_of,
    server_time_ms_of,
)
from pipeline.wire.binance_info import symbols_of
from pipeline.wire.binance_outcomes import CLOCK, NO_SUCH_ORDER, Outcome, outcome_of, reason_of
from pipeline.wire.fields import WireError

FILTERS_CHANGED = "FILTERS_CHANGED"
"""The symbol trades, but by other steps or bounds than this session counts in; a new session reads them."""
_INFO_AGAIN_NS = 60 * SECOND

ECHO_DIFFERS = "ECHO_DIFFERS"
"""The venue answered with another order than the one asked for."""


class VenueAnswers:
    """Takes messages; total, whatever they say."""

    def __init__(self, state: VenueState, rise: VenueRise, compare: AccountCompare) -> None:
        self.balance = BalanceWatch(state)
        self._compare = compare
        self.account = AccountCancel(state)
        self._state = state
        self._rise = rise
        self._reader = AnswerReader(state.instruments)
        self._takes: dict[Ask, Callable[[Pending, ApiAnswer, int], None]] = {
            Ask.PLACE: self._placed,
            Ask.CANCEL: self._canceled,
            Ask.ORDER: self._found,
            Ask.TRADES: self._traded,
            Ask.LIST: self._listed,
            Ask.ALL_ORDERS: self._all_listed,
            Ask.CANCEL_SYMBOL: self._symbol_canceled,
            Ask.ACCOUNT: self._read,
            Ask.SUBSCRIBE: self._subscribed,
            Ask.TIME: self._timed,
            Ask.INFO: self._informed,
        }

    def take(self, frame: bytes, now_ns: int) -> None:
        """Take one message; never raises on what it says."""
        try:
            self._take(frame, now_ns)
        except WireError as problem:
            self._state.unreadable(Unreadable(problem.reason, problem.detail), now_ns)

    def overdue(self, pending: Pending, now_ns: int) -> None:
        """Take the lack of an answer."""
        state = self._state
        order = state.orders.find(pending.client_order_id)
        match pending.ask:
            case Ask.PLACE if order is not None:
                state.doubt(order, "NO_ANSWER", now_ns)
            case Ask.CANCEL if order is not None:
                state.cancel_failed(order, now_ns)
            case Ask.ORDER | Ask.TRADES if order is not None:
                order.asking = False
            case Ask.INFO:
                state.info_due_ns = min(state.info_due_ns, now_ns + _INFO_AGAIN_NS)
            case Ask.TIME | Ask.SUBSCRIBE | Ask.LIST | Ask.ACCOUNT if state.phase is not Phase.UP:
                state.trouble = f"no answer to {pending.ask.value[0]}"
            case _:
                pass

    def _take(self, frame: bytes, now_ns: int) -> None:
        state = self._state
        message = self._reader.read_message(frame)
        match message:
            case ApiAnswer():
                pending = state.line.answered(message, now_ns)
                if pending is not None:
                    self._takes[pending.ask](pending, message, now_ns)
                if message.code == CLOCK:
                    state.time_due_ns = now_ns
            case OrderNews():
                self._news(message, now_ns)
            case StreamEnded():
                state.trouble = message.reason
            case Unreadable():
                state.unreadable(message, now_ns)
            case OtherSymbol():
                state.counts.foreign_reports += 1
            case BalanceNews() | OtherEvent():
                pass

    def _news(self, news: OrderNews, now_ns: int) -> None:
        state = self._state
        order = state.orders.find(news.client_order_id)
        if order is not None:
            state.reports += state.orders.take(order, news, now_ns)
            return
        state.counts.foreign_reports += 1
        if state.start.is_of_session(news.client_order_id):
            # Of this session and not known: the engine halts on a fill of such an order.
            state.reports += [_unknown_fill(news, number, now_ns) for number in range(len(news.fills))]

    def _placed(self, pending: Pending, answer: ApiAnswer, now_ns: int) -> None:
        state = self._state
        order = state.orders.find(pending.client_order_id)
        if order is None:
            return
        if answer.status == OK:
            self._take_order(order, answer.result, now_ns)
        elif outcome_of(answer) is Outcome.REFUSED and not order.heard:
            venue_ns = state.venue_ns(now_ns)
            state.reports += state.orders.refused(order, reason_of(answer), venue_ns, now_ns)
        else:
            state.doubt(order, reason_of(answer), now_ns)

    def _canceled(self, pending: Pending, answer: ApiAnswer, now_ns: int) -> None:
        order = self._state.orders.find(pending.client_order_id)
        if order is None:
            return
        if answer.status == OK:
            order.canceling = False
            self._take_order(order, answer.result, now_ns)
        else:
            self._state.cancel_failed(order, now_ns)

    def _found(self, pending: Pending, answer: ApiAnswer, now_ns: int) -> None:
        state = self._state
        order = state.orders.find(pending.client_order_id)
        if order is None:
            return
        order.asking = False
        if answer.status == OK:
            self._take_order(order, answer.result, now_ns, asked=True)
        elif answer.code == NO_SUCH_ORDER:
            state.reports += state.orders.absent(order, pending.sent_ns, state.venue_ns(now_ns), now_ns)
            if order.absent_ns != NEVER:
                state.list_due_ns = min(state.list_due_ns, now_ns)
        else:
            return
        state.start.checked(pending.client_order_id)

    def _traded(self, pending: Pending, answer: ApiAnswer, now_ns: int) -> None:
        state = self._state
        order = state.orders.find(pending.client_order_id)
        if order is None:
            return
        order.asking = False
        if answer.status == OK:
            fills = self._reader.trades_of(answer.result, order.symbol)
            state.reports += state.orders.take_trades(order, fills, state.venue_ns(now_ns), now_ns)

    def _listed(self, pending: Pending, answer: ApiAnswer, now_ns: int) -> None:
        if answer.status != OK:
            self._rise.refused(answer)
            return
        state = self._state
        known = [one for one in self._reader.orders_of(answer.result) if isinstance(one, OrderNews)]
        for news in known:
            order = state.orders.find(news.client_order_id)
            if order is None and state.start.is_earlier(news.client_order_id):
                order = self._found_earlier(news, now_ns)
            if order is not None:
                state.reports += state.orders.take(order, news, now_ns)
        open_ids = {one.client_order_id: None for one in known}
        state.orders.listed(pending.symbol, open_ids, pending.sent_ns, now_ns)
        listing = state.start.listed(pending.symbol, open_ids, pending.sent_ns)
        if listing is not None:
            state.reports.append(listing.told(state.venue_ns(now_ns), now_ns))
            self._rise.read_on(now_ns)

    def _all_listed(self, _: Pending, answer: ApiAnswer, now_ns: int) -> None:
        self.account.listed(answer, now_ns)

    def _symbol_canceled(self, _: Pending, __: ApiAnswer, now_ns: int) -> None:
        """Look at the lists soon: what became of ours comes by the user stream as well."""
        self._state.list_due_ns = min(self._state.list_due_ns, now_ns)

    def _read(self, _: Pending, answer: ApiAnswer, now_ns: int) -> None:
        if answer.status != OK:
            self._rise.refused(answer)
            return
        news = balances_of(answer.result)
        if not self._compare.wanted:
            self.balance.read(news, now_ns)
        elif self._compare.read(news, now_ns):
            self._rise.compared(now_ns)

    def _found_earlier(self, news: OrderNews, now_ns: int) -> TrackedOrder | None:
        """Take an order of an earlier session that no books know; its fills are asked for like any."""
        if news.side is None:
            return None
        order = EarlierOrder(
            symbol=news.symbol,
            client_order_id=news.client_order_id,
            venue_order_id=news.venue_order_id,
            side=news.side,
            qty_lots=news.lots,
            price_ticks=self._reader.price_of(news),
            order_type=OrderType.POST_ONLY,
            filled_lots=0,
            filled_tick_lots=0,
            trades=(),
            sent_ns=news.ts_event_ns,
        )
        return self._state.found(order, now_ns)

    def _subscribed(self, _: Pending, answer: ApiAnswer, now_ns: int) -> None:
        if answer.status == OK:
            self._rise.subscribed(now_ns)
        else:
            self._rise.refused(answer)

    def _timed(self, pending: Pending, answer: ApiAnswer, now_ns: int) -> None:
        if answer.status != OK:
            self._rise.refused(answer)
            return
        server_ms = server_time_ms_of(answer.result)
        self._state.line.clock.answered(server_ms, pending.sent_ns, now_ns)
        self._rise.timed(now_ns)

    def _informed(self, _: Pending, answer: ApiAnswer, now_ns: int) -> None:
        """Tell of each symbol whether it may be traded: it trades, by the filters the session goes by."""
        state = self._state
        if answer.status != OK:
            state.info_due_ns = min(state.info_due_ns, now_ns + _INFO_AGAIN_NS)
            return
        facts = symbols_of(answer.result)
        for symbol, instrument in state.instruments.items():
            found = facts.get(symbol)
            status = "UNKNOWN_SYMBOL" if found is None else found.status
            if found is not None and found.trades and not same_filters(instrument, found):
                status = FILTERS_CHANGED
            state.reports.append(SymbolStatus(symbol, status == "TRADING", status, now_ns))

    def _take_order(self, order: TrackedOrder, result: bytes, now_ns: int, *, asked: bool = False) -> None:
        news = self._reader.order_of(result)
        if isinstance(news, OrderNews) and news.client_order_id == order.client_order_id:
            self._state.reports += self._state.orders.take(order, news, now_ns, asked=asked)
        else:
            self._state.doubt(order, ECHO_DIFFERS, now_ns)


def _unknown_fill(news: OrderNews, number: int, now_ns: int) -> ExecutionReport:
    fill = news.fills[number]
    return ExecutionReport(
        symbol=news.symbol,
        client_order_id=news.client_order_id,
        venue_order_id=news.venue_order_id,
        status=news.status,
        trade_id=fill.trade_id,
        filled_lots=fill.lots,
        fill_price_ticks=fill.price_ticks,
        fee_quote_e8=0,
        maker=fill.maker,
        reason="",
        ts_event_ns=news.ts_event_ns,
        ts_ns=now_ns,
    )
