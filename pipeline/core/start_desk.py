"""The start of a session on an account that was traded before: nothing is armed until its books balance.

What the last session left is taken over first (`BooksCarried`), then the venue tells what became of it; when
the account has been compared, either all agrees and nothing is asked, or the session stays HALTED with
UNRECONCILED until a person adopts or cancels. Orders of earlier sessions are orders like any other from the
first moment: they count as exposure, a kill cancels them, and a person can cancel each by hand.
"""

from __future__ import annotations

from pipeline.core.earlier import BalancesCompared, BooksCarried, BooksKept, DayCarried, OrderFound
from pipeline.core.effects import AlertCode, TakeHome
from pipeline.core.inputs import OperatorCommand
from pipeline.core.operator import OperatorDesk
from pipeline.core.order_path import OrderPath
from pipeline.core.state import EngineState
from pipeline.core.types import Severity

NOTHING_LEFT = "nothing to settle: the books balance"


class StartDesk:
    """Takes over the last session's books and holds this one until they are settled."""

    def __init__(self, state: EngineState, operator: OperatorDesk, path: OrderPath) -> None:
        self._state = state
        self._operator = operator
        self._path = path

    def on_carried(self, books: BooksCarried) -> None:
        """Take over home inventory, positions and live orders; all of it is asked for at the venue yet."""
        state = self._state
        state.start.session, state.start.trouble = books.session, books.trouble or self._elsewhere(books)
        state.portfolio.carry(books.positions, books.ended_ns, books.ts_ns)
        for order in books.orders:
            if order.symbol in state.desks:
                state.orders.restore(order, books.ts_ns)
                state.start.orders[order.client_order_id] = True

    def on_day(self, carried: DayCarried) -> None:
        """Let the day's result and its best go on where an earlier run stood, and say so."""
        portfolio = self._state.portfolio
        portfolio.carry_day(carried.before_quote_e8, carried.peak_quote_e8)
        values = (portfolio.day_quote_e8, carried.peak_quote_e8)
        code = AlertCode.DAY_CARRIED
        self._state.out.alert(code, Severity.INFO, carried.ts_ns, "", carried.session, values)

    def on_kept(self, kept: BooksKept) -> None:
        """Need nothing: what the session knows itself is on record for the next one."""

    def on_found(self, found: OrderFound) -> None:
        """Take an order of ours that no books know as one of this session's; a person decides on it."""
        state = self._state
        if found.order.symbol not in state.desks:
            return
        state.orders.restore(found.order, found.ts_ns)
        state.start.orders[found.order.client_order_id] = False
        if state.start.compared:
            self._hold(found.ts_ns)

    def on_compared(self, compared: BalancesCompared) -> None:
        """See whether all agrees now that the venue has told everything."""
        start = self._state.start
        start.differ, start.compared = compared.differ, True
        start.forget_ended(self._is_live)
        if start.differs:
            self._hold(compared.ts_ns)
        else:
            self._settle(compared.ts_ns)

    def on_beat(self, now_ns: int) -> None:
        """Go on cancelling what is to be cancelled, and see when nothing is left to decide."""
        start = self._state.start
        if not start.told:
            return
        if start.canceling:
            self._cancel(now_ns)
        start.forget_ended(self._is_live)
        if not start.differs:
            self._settle(now_ns)

    def adopt(self, command: OperatorCommand) -> str:
        """Take over everything as it was found; what no fill of ours explains becomes home inventory."""
        start = self._state.start
        if not start.differs:
            return NOTHING_LEFT
        start.orders.clear()
        start.missed.clear()
        start.trouble, start.canceling = "", False
        if start.differ:
            self._state.out.put(TakeHome(command.ts_ns))
            return "adopted: the account is compared again"
        self._settle(command.ts_ns)
        return "adopted"

    def cancel(self, command: OperatorCommand) -> str:
        """Cancel the earlier orders until none is left; missed fills and balances still want an adopt."""
        start = self._state.start
        if not start.differs:
            return NOTHING_LEFT
        if not start.orders:
            return "no earlier order is left: what differs is to be adopted"
        start.canceling = True
        self._cancel(command.ts_ns)
        return f"{len(start.orders)} earlier orders are being cancelled"

    def _elsewhere(self, books: BooksCarried) -> str:
        """Name symbols with orders or positions that this session does not trade and cannot look after."""
        held = [one.symbol for one in books.positions if one.lots]
        names = dict.fromkeys([*held, *(one.symbol for one in books.orders)])
        left = [name for name in names if name not in self._state.desks]
        return f"left on symbols not in this session: {', '.join(left)}" if left else ""

    def _cancel(self, now_ns: int) -> None:
        for client_order_id in self._state.start.orders:
            self._operator.cancel_again(client_order_id, "EARLIER", now_ns)

    def _is_live(self, client_order_id: str) -> bool:
        order = self._state.orders.order(client_order_id)
        return order is not None and order.is_live

    def _hold(self, now_ns: int) -> None:
        start = self._state.start
        start.told = True
        fills = sum(count for count, _ in start.missed.values())
        values = (len(start.orders), fills, len(start.differ))
        detail = start.trouble or start.session
        self._state.out.alert(AlertCode.START_DIFFERS, Severity.CRITICAL, now_ns, "", detail, values)
        self._path.hold(now_ns)

    def _settle(self, now_ns: int) -> None:
        """Lift what kept the session shut; it stays HALTED until a person resumes, in SIM as well."""
        state = self._state
        if state.start.told:
            state.start.told = False
            state.resume_to = None
            state.out.alert(AlertCode.START_SETTLED, Severity.INFO, now_ns)
