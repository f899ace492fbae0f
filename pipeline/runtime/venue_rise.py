"""From an open connection to one orders may go by: clock, user stream, lists, each live order, account."""

from __future__ import annotations

from pipeline.core.inputs import OrderPathChanged
from pipeline.core.params import MS
from pipeline.runtime.venue_compare import AccountCompare
from pipeline.runtime.venue_line import Ask
from pipeline.runtime.venue_orders import NEVER
from pipeline.runtime.venue_state import Phase, VenueState
from pipeline.wire.binance_answers import ApiAnswer
from pipeline.wire.binance_outcomes import reason_of

_LIST_AGAIN_NS = 100 * MS


class VenueRise:
    """Brings a new connection up, step by step."""

    def __init__(self, state: VenueState, compare: AccountCompare) -> None:
        self._state = state
        self._compare = compare
        self._opened_ns = 0
        self._began_ns = NEVER

    def begin(self, now_ns: int) -> None:
        """Take a new connection: its clock first, because everything signed needs it."""
        state = self._state
        state.phase, state.trouble, self._opened_ns = Phase.CLOCK, "", now_ns
        if self._began_ns == NEVER:
            self._began_ns = now_ns
        state.start.begin()
        state.line.ask_time(now_ns)

    def timed(self, now_ns: int) -> None:
        """Go on once the clock is known."""
        if self._state.phase is Phase.CLOCK:
            self._state.phase = Phase.SUBSCRIBE
            self._state.line.subscribe(now_ns)

    def subscribed(self, now_ns: int) -> None:
        """Go on once the user stream is open: from here on nothing is missed."""
        if self._state.phase is Phase.SUBSCRIBE:
            self._state.phase = Phase.READ
            self._ask_lists(now_ns)

    def read_on(self, now_ns: int) -> None:
        """Go on once the lists are there: what a dead session had on its way has arrived by then."""
        state = self._state
        if state.phase is not Phase.READ:
            return
        settled_ns = self._began_ns + state.params.earlier_ms * MS
        if state.start.home_e8 is None and state.start.listed_ns < settled_ns:
            state.list_due_ns = settled_ns
            return
        state.phase = Phase.ORDERS
        state.start.check([order.client_order_id for order in state.orders.live()])
        self._try_to_rise(now_ns)

    def compared(self, now_ns: int) -> None:
        """Go on once the account has been compared with the books."""
        if self._state.phase is Phase.ACCOUNT:
            self._rise(now_ns)

    def refused(self, answer: ApiAnswer) -> None:
        """Give a connection up that is refused a step; one that is UP has asked for it in vain, no more."""
        if self._state.phase is not Phase.UP:
            self._state.trouble = reason_of(answer)

    def tick(self, now_ns: int) -> None:
        """Look what time has brought while the connection is not UP."""
        state = self._state
        if now_ns - self._opened_ns >= state.params.ready_ms * MS:
            state.trouble = state.trouble or "not reconciled in time"
        elif state.phase is Phase.ORDERS:
            self._try_to_rise(now_ns)
        elif state.phase is Phase.ACCOUNT:
            self._compare.tick(now_ns)
        elif state.phase is Phase.READ and now_ns >= state.list_due_ns and not state.line.waits_for(Ask.LIST):
            self._ask_lists(now_ns)

    def _ask_lists(self, now_ns: int) -> None:
        """Ask for the lists, and soon again: the budget may have no room now."""
        self._state.list_due_ns = now_ns + _LIST_AGAIN_NS
        self._state.ask_lists(now_ns)

    def _try_to_rise(self, now_ns: int) -> None:
        state = self._state
        for client_order_id in state.start.unchecked:
            order = state.orders.find(client_order_id)
            if order is None or order.ended:
                state.start.checked(client_order_id)
            elif not order.asking and state.line.may(Ask.ORDER, now_ns):
                state.ask(order, now_ns)
        if state.start.unchecked or any(order.fills_missing for order in state.orders.live()):
            return
        if state.start.home_e8 is None:
            state.phase = Phase.ACCOUNT
            self._compare.begin(now_ns)
            self._compare.tick(now_ns)
        else:
            self._rise(now_ns)

    def _rise(self, now_ns: int) -> None:
        state = self._state
        state.phase = Phase.UP
        state.time_due_ns = now_ns + state.params.time_every_ms * MS
        state.list_due_ns = now_ns + state.params.list_every_ms * MS
        state.account_due_ns = state.list_due_ns
        state.info_due_ns = now_ns
        state.reports.append(OrderPathChanged(True, "reconciled", now_ns))
