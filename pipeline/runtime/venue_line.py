"""The requests of one order connection: numbered, stamped, counted, and remembered until answered. Pure.

What is sent goes out at once through the `send` given; nothing is kept back here and nothing is sent twice.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.core.params import MS, SECOND
from pipeline.core.types import Instrument, RiskApproved
from pipeline.runtime.venue_budget import RequestBudget
from pipeline.runtime.venue_clock import VenueClock
from pipeline.wire.binance_answers import ApiAnswer
from pipeline.wire.binance_outcomes import CLOCK, is_ban, is_throttled
from pipeline.wire.binance_requests import SpotRequests

_FORGOTTEN_NS = 60 * SECOND
"""An answer that comes later than this is nobody's."""

Send = Callable[[bytes], None]


class Ask(enum.Enum):
    """What a request is about; the value is what the venue charges for it."""

    PLACE = ("order.place", 1)
    CANCEL = ("order.cancel", 1)
    ORDER = ("order.status", 4)
    TRADES = ("myTrades", 20)
    LIST = ("openOrders.status", 6)
    ALL_ORDERS = ("openOrders.status", 80)
    CANCEL_SYMBOL = ("openOrders.cancelAll", 1)
    ACCOUNT = ("account.status", 20)
    SUBSCRIBE = ("userDataStream.subscribe.signature", 2)
    TIME = ("time", 1)
    INFO = ("exchangeInfo", 20)

    @property
    def weight(self) -> int:
        """Give the request weight."""
        return self.value[1]


@dataclass(slots=True, eq=False)
class Pending:
    """A request that is not answered yet."""

    ask: Ask
    sent_ns: int
    symbol: str = ""
    client_order_id: str = ""
    overdue: bool = False


class RequestLine:
    """Sends requests while the budget has room; the caller asks `may` first."""

    def __init__(self, requests: SpotRequests, budget: RequestBudget, clock: VenueClock, send: Send) -> None:
        self.budget = budget
        self.clock = clock
        self._requests = requests
        self._send = send
        self._number = 0
        self._pending: dict[str, Pending] = {}

    def may(self, ask: Ask, now_ns: int) -> bool:
        """Say whether the budget takes a request now."""
        venue_ns = self.clock.venue_ns(now_ns)
        match ask:
            case Ask.PLACE:
                return self.budget.may_place(venue_ns)
            case Ask.CANCEL | Ask.CANCEL_SYMBOL:
                return self.budget.may_cancel(venue_ns)
            case _:
                return self.budget.may_ask(ask.weight, venue_ns)

    def place_frame(self, approved: RiskApproved, instrument: Instrument, now_ns: int) -> tuple[str, bytes]:
        """Write a new order; give its number and the frame. Nothing is sent before `send_placed`."""
        number = self._next()
        return number, self._requests.place(number, approved, instrument, self.clock.timestamp_ms(now_ns))

    def send_placed(self, number: str, frame: bytes, approved: RiskApproved, now_ns: int) -> None:
        """Send what `place_frame` wrote."""
        self._send(frame)
        self.budget.placed(self.clock.venue_ns(now_ns))
        intent = approved.intent
        self._pending[number] = Pending(Ask.PLACE, now_ns, intent.symbol, approved.client_order_id)

    def cancel(self, symbol: str, client_order_id: str, now_ns: int) -> None:
        """Cancel an order by our id."""
        number, stamp = self._next(), self.clock.timestamp_ms(now_ns)
        self._send(self._requests.cancel(number, symbol, client_order_id, stamp))
        self.budget.canceled(self.clock.venue_ns(now_ns))
        self._pending[number] = Pending(Ask.CANCEL, now_ns, symbol, client_order_id)

    def ask_order(self, symbol: str, client_order_id: str, now_ns: int) -> None:
        """Ask for an order by our id."""
        number, stamp = self._next(), self.clock.timestamp_ms(now_ns)
        frame = self._requests.order(number, symbol, client_order_id, stamp)
        self._asked(number, frame, Pending(Ask.ORDER, now_ns, symbol, client_order_id))

    def ask_trades(self, symbol: str, client_order_id: str, venue_order_id: int, now_ns: int) -> None:
        """Ask for the fills of an order."""
        number, stamp = self._next(), self.clock.timestamp_ms(now_ns)
        frame = self._requests.trades(number, symbol, venue_order_id, stamp)
        self._asked(number, frame, Pending(Ask.TRADES, now_ns, symbol, client_order_id))

    def ask_list(self, symbol: str, now_ns: int) -> None:
        """Ask for the open orders of a symbol."""
        number, stamp = self._next(), self.clock.timestamp_ms(now_ns)
        frame = self._requests.open_orders(number, symbol, stamp)
        self._asked(number, frame, Pending(Ask.LIST, now_ns, symbol))

    def ask_all_orders(self, now_ns: int) -> None:
        """Ask for the open orders of the whole account."""
        number, stamp = self._next(), self.clock.timestamp_ms(now_ns)
        self._asked(number, self._requests.open_orders(number, "", stamp), Pending(Ask.ALL_ORDERS, now_ns))

    def cancel_symbol(self, symbol: str, now_ns: int) -> None:
        """Cancel every order of the account on a symbol, foreign ones too."""
        number, stamp = self._next(), self.clock.timestamp_ms(now_ns)
        self._send(self._requests.cancel_all(number, symbol, stamp))
        self.budget.canceled(self.clock.venue_ns(now_ns))
        self._pending[number] = Pending(Ask.CANCEL_SYMBOL, now_ns, symbol)

    def ask_account(self, now_ns: int) -> None:
        """Ask for the balances."""
        number = self._next()
        frame = self._requests.account(number, self.clock.timestamp_ms(now_ns))
        self._asked(number, frame, Pending(Ask.ACCOUNT, now_ns))

    def subscribe(self, now_ns: int) -> None:
        """Open the user stream on this connection."""
        number = self._next()
        frame = self._requests.subscribe(number, self.clock.timestamp_ms(now_ns))
        self._asked(number, frame, Pending(Ask.SUBSCRIBE, now_ns))

    def ask_time(self, now_ns: int) -> None:
        """Ask for the venue's time."""
        number = self._next()
        self._asked(number, self._requests.time(number), Pending(Ask.TIME, now_ns))

    def ask_info(self, symbols: Sequence[str], now_ns: int) -> None:
        """Ask for state and filters of symbols."""
        number = self._next()
        self._asked(number, self._requests.exchange_info(number, symbols), Pending(Ask.INFO, now_ns))

    def answered(self, answer: ApiAnswer, now_ns: int) -> Pending | None:
        """Take an answer: what it asked for, None for a request nobody knows; its limits are heeded."""
        venue_ns = self.clock.venue_ns(now_ns)
        self.budget.observe(answer.limits, venue_ns)
        if is_ban(answer):
            self.budget.banned(answer.retry_after_ms, venue_ns)
        elif is_throttled(answer):
            self.budget.throttled(answer.retry_after_ms, venue_ns)
        if answer.code == CLOCK:
            self.clock.forget()
        return self._pending.pop(answer.request_id, None)

    def waits_for(self, ask: Ask) -> bool:
        """Say whether a request of a kind is unanswered and not overdue."""
        return any(one.ask is ask and not one.overdue for one in self._pending.values())

    def overdue(self, now_ns: int, after_ms: int) -> list[Pending]:
        """Give the requests that have just become overdue; an answer that comes late is still taken."""
        found = [
            one for one in self._pending.values() if not one.overdue and now_ns - one.sent_ns >= after_ms * MS
        ]
        for one in found:
            one.overdue = True
        for number in [n for n, one in self._pending.items() if now_ns - one.sent_ns >= _FORGOTTEN_NS]:
            del self._pending[number]
        return found

    def clear(self) -> list[Pending]:
        """Give up every request: the connection is gone."""
        lost = list(self._pending.values())
        self._pending.clear()
        return lost

    def _asked(self, number: str, frame: bytes, pending: Pending) -> None:
        self._send(frame)
        self.budget.asked(pending.ask.weight, self.clock.venue_ns(pending.sent_ns))
        self._pending[number] = pending

    def _next(self) -> str:
        self._number += 1
        return str(self._number)
