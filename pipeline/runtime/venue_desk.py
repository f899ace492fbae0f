"""The order side of a venue as a machine without I/O: time and messages in, frames and engine inputs out.

Theory of operation. A connection is opened by somebody else (`venue_gateway`) and goes through `Phase`: the
clock is measured, the user stream subscribed, the open orders are listed, every order still live is asked
for and, the first time, the account compared with the books (`venue_rise`); only then the path is UP and the
engine may send. While it is not UP nothing new leaves, and a lost connection leaves every order without an
answer in doubt: it is told as `SendFailed`, asked for by its id on a schedule, and never sent again. A cancel
stays wanted until its order has ended: lost, refused or held back ones go again, by the budget's reserve.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.core.earlier import BooksCarried
from pipeline.core.effects import SubmitOrder
from pipeline.core.inputs import CancelRejected, Input, OrderPathChanged, SendRefused
from pipeline.core.params import MS
from pipeline.core.types import Instrument
from pipeline.runtime.gateway import GateReader, passes_closed_gate
from pipeline.runtime.venue_answers import VenueAnswers
from pipeline.runtime.venue_compare import AccountCompare
from pipeline.runtime.venue_line import Ask, RequestLine
from pipeline.runtime.venue_orders import TrackedOrder, VenueOrders
from pipeline.runtime.venue_params import VenueParams
from pipeline.runtime.venue_rise import VenueRise
from pipeline.runtime.venue_start import Reconciliation
from pipeline.runtime.venue_state import Phase, VenueCounts, VenueState

GATE_CLOSED = "GATE_CLOSED"
VENUE_DOWN = "VENUE_DOWN"
VENUE_LIMIT = "VENUE_LIMIT"


class VenueDesk:
    """Orders of one session at one venue; single-threaded, called by its gateway."""

    def __init__(
        self,
        params: VenueParams,
        instruments: Mapping[str, Instrument],
        session_number: int,
        line: RequestLine,
        gate: GateReader | None,
        books: BooksCarried | None = None,
    ) -> None:
        """Prepare; `books` is what the account's last session left."""
        self._state = state = VenueState(
            params,
            dict(instruments),
            line,
            VenueOrders(instruments, params),
            Reconciliation(instruments, session_number),
        )
        self._compare = AccountCompare(state, books)
        self._rise = VenueRise(state, self._compare)
        self._answers = VenueAnswers(state, self._rise, self._compare)
        if books is not None:
            self._carry(books)
        self._gate = gate
        self._was_closed = False

    @property
    def phase(self) -> Phase:
        """Give how far the connection has come."""
        return self._state.phase

    @property
    def trouble(self) -> str:
        """Give why the connection is to be given up; empty while it is sound. To be read after each call."""
        return self._state.trouble

    @property
    def counts(self) -> VenueCounts:
        """Give what happened so far."""
        return self._state.counts

    # --- the engine's side --------------------------------------------------------------------------------

    @property
    def has_reports(self) -> bool:
        """Say whether there is something to tell the engine."""
        return bool(self._state.reports)

    def take_reports(self) -> list[Input]:
        """Give what the engine is to be told, in order."""
        reports, self._state.reports = self._state.reports, []
        return reports

    def tell(self, report: Input) -> None:
        """Add a report of the caller's own."""
        self._state.reports.append(report)

    def submit(self, effect: SubmitOrder, now_ns: int) -> SendRefused | None:
        """Send a new order, or say why it did not leave; the gate is read last, with the frame at hand."""
        state, approved = self._state, effect.approved
        if state.phase is not Phase.UP:
            return SendRefused(approved.client_order_id, VENUE_DOWN, now_ns)
        if not state.line.may(Ask.PLACE, now_ns):
            return SendRefused(approved.client_order_id, VENUE_LIMIT, now_ns)
        number, frame = state.line.place_frame(approved, state.instruments[approved.intent.symbol], now_ns)
        if self._gate is not None and not self._gate.is_open() and not passes_closed_gate(approved.intent):
            state.counts.gate_refused += 1
            return SendRefused(approved.client_order_id, GATE_CLOSED, now_ns)
        state.line.send_placed(number, frame, approved, now_ns)
        state.orders.sent(effect, now_ns)
        state.counts.placed += 1
        return None

    def cancel(self, symbol: str, client_order_id: str, now_ns: int) -> None:
        """Want an order gone; a cancel passes every gate and waits for no journal."""
        order = self._state.orders.find(client_order_id)
        if order is None or order.ended:
            reason = "UNKNOWN_ORDER" if order is None else "ENDED"
            self._state.reports.append(CancelRejected(symbol, client_order_id, reason, now_ns))
            return
        if not order.cancel_wanted:
            order.cancel_wanted, order.cancel_tries, order.cancel_due_ns = True, 0, now_ns
        self._state.try_cancel(order, now_ns)

    def take_home(self, now_ns: int) -> None:
        """Take the account as it is found, less what our fills added, for home: a person adopted it."""
        self._compare.begin(now_ns, adopts=True)

    def _carry(self, books: BooksCarried) -> None:
        state = self._state
        for one in books.positions:
            instrument = state.instruments.get(one.symbol)
            if instrument is not None:
                state.orders.carry(instrument.base, one.flow_e8)
        for order in books.orders:
            if order.symbol in state.instruments:
                state.orders.restore(order, books.ts_ns)

    def cancel_all(self, symbol: str, now_ns: int) -> None:
        """Want every order of ours on a symbol gone, one by one: a mass cancel reaches foreign ones too."""
        for order in self._state.orders.live():
            if order.symbol == symbol:
                self.cancel(symbol, order.client_order_id, now_ns)

    def cancel_account(self, now_ns: int) -> None:
        """Want every order of the account gone, foreign ones too: a person's choice while killed."""
        self._answers.account.begin(now_ns)

    # --- the connection's side ----------------------------------------------------------------------------

    def opened(self, now_ns: int) -> None:
        """Take a new connection."""
        self._rise.begin(now_ns)

    def lost(self, reason: str, now_ns: int) -> None:
        """Take the end of the connection: what was not answered is in doubt from here on."""
        state = self._state
        was_up, state.phase, state.trouble = state.phase is Phase.UP, Phase.DOWN, ""
        for pending in state.line.clear():
            order = state.orders.find(pending.client_order_id)
            if order is None:
                continue
            match pending.ask:
                case Ask.PLACE:
                    state.doubt(order, "CONNECTION_LOST", now_ns)
                case Ask.CANCEL:
                    order.canceling, order.cancel_due_ns = False, now_ns
                case Ask.ORDER | Ask.TRADES:
                    order.asking = False
                case _:
                    pass
        if was_up:
            state.reports.append(OrderPathChanged(False, reason, now_ns))

    def message(self, frame: bytes, now_ns: int) -> None:
        """Take a message of the venue's; never raises on what it says."""
        self._answers.take(frame, now_ns)

    def tick(self, now_ns: int) -> None:
        """Look what time has brought; about a hundred times a second."""
        state = self._state
        if state.phase is Phase.DOWN:
            return
        for pending in state.line.overdue(now_ns, state.params.answer_ms):
            self._answers.overdue(pending, now_ns)
        if state.may_act:
            for order in state.orders.live():
                self._look_after(order, now_ns)
        if state.phase is Phase.UP:
            self._look_around(now_ns)
        else:
            self._rise.tick(now_ns)

    def _look_after(self, order: TrackedOrder, now_ns: int) -> None:
        state = self._state
        if order.cancel_wanted:
            state.try_cancel(order, now_ns)
        if order.asking:
            return
        if order.in_doubt:
            if now_ns >= order.ask_due_ns and state.line.may(Ask.ORDER, now_ns):
                state.ask(order, now_ns)
        elif order.fills_missing and now_ns >= order.trades_due_ns and state.line.may(Ask.TRADES, now_ns):
            order.asking = True
            order.trades_due_ns = now_ns + state.params.answer_ms * MS
            state.line.ask_trades(order.symbol, order.client_order_id, order.venue_order_id, now_ns)

    def _look_around(self, now_ns: int) -> None:
        """Measure the clock and compare the open orders now and then; often while the gate is closed."""
        state = self._state
        if now_ns >= state.time_due_ns and state.line.may(Ask.TIME, now_ns):
            state.time_due_ns = now_ns + state.params.time_every_ms * MS
            state.line.ask_time(now_ns)
        if now_ns >= state.info_due_ns and state.line.may(Ask.INFO, now_ns):
            state.info_due_ns = now_ns + state.params.info_every_ms * MS
            state.line.ask_info(tuple(state.instruments), now_ns)
        closed = self._gate is not None and not self._gate.is_open()
        if not closed:
            self._answers.account.end()
        self._answers.account.tick(now_ns)
        if closed and not self._was_closed:
            state.list_due_ns = now_ns
        self._was_closed = closed
        every_ns = (state.params.list_closed_ms if closed else state.params.list_every_ms) * MS
        state.list_due_ns = min(state.list_due_ns, now_ns + every_ns)
        if now_ns >= state.list_due_ns and not state.line.waits_for(Ask.LIST):
            state.list_due_ns = now_ns + every_ns
            state.ask_lists(now_ns)
        self._compare.tick(now_ns)
        if not self._compare.wanted:
            self._answers.balance.tick(now_ns)
