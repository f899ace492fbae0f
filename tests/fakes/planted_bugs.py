"""Bugs of the kind that cost money, planted one at a time, for the rehearsal to find.

Each takes a `MonkeyPatch` and breaks one thing in the program; what it would look like in the source is in
its docstring.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from pipeline.core.inputs import ExecutionReport
from pipeline.core.operator import OperatorDesk
from pipeline.core.order import Fill
from pipeline.core.order_answers import SeenTrades
from pipeline.core.orders import OrderStore
from pipeline.core.sync import SyncedBook
from pipeline.core.trader import Trader
from pipeline.core.types import OrderState
from pipeline.rehearsal import process as rehearsed
from pipeline.runtime.earlier_books import BooksFold
from pipeline.runtime.gate_watch import GateWatch
from pipeline.runtime.order_parking import OrderParking
from pipeline.runtime.venue_answers import VenueAnswers
from pipeline.runtime.venue_desk import VenueDesk
from pipeline.runtime.venue_line import RequestLine
from pipeline.runtime.venue_orders import VenueOrders
from pipeline.runtime.venue_start import Reconciliation
from pipeline.runtime.venue_state import OK, Phase

Plant = Callable[[pytest.MonkeyPatch], None]


def double_send(patch: pytest.MonkeyPatch) -> None:
    """An order is written to the socket twice."""
    send = RequestLine.send_placed

    def twice(self: Any, number: str, frame: bytes, approved: Any, now_ns: int) -> None:
        self._send(frame)
        send(self, number, frame, approved, now_ns)

    patch.setattr(RequestLine, "send_placed", twice)


def resend_on_reconnect(patch: pytest.MonkeyPatch) -> None:
    """What was not answered is sent again once the connection is back."""
    submit, tick = VenueDesk.submit, VenueDesk.tick

    def remembered(self: Any, effect: Any, now_ns: int) -> Any:
        self.__dict__.setdefault("effects", {})[effect.approved.client_order_id] = effect
        return submit(self, effect, now_ns)

    def resending(self: Any, now_ns: int) -> None:
        was = self._state.phase
        tick(self, now_ns)
        if self._state.phase is Phase.UP and was is not Phase.UP:
            for order in self._state.orders.live():
                if not order.heard:
                    submit(self, self.effects[order.client_order_id], now_ns)

    patch.setattr(VenueDesk, "submit", remembered)
    patch.setattr(VenueDesk, "tick", resending)


def lost_fill(patch: pytest.MonkeyPatch) -> None:
    """The second fill of an order is noted and not told."""
    fills = VenueOrders._fills

    def forgetting(self: Any, order: Any, found: Any, venue_ns: int, now_ns: int) -> Any:
        before = len(order.trades)
        told = fills(self, order, found, venue_ns, now_ns)
        return told[: max(0, 1 - before)]

    patch.setattr(VenueOrders, "_fills", forgetting)


def duplicate_fill_booked(patch: pytest.MonkeyPatch) -> None:
    """Nobody tells fills apart by their trade id any more."""

    def every(self: Any, order: Any, found: Any, venue_ns: int, now_ns: int) -> Any:
        told = []
        for fill in found:
            order.trades[fill.trade_id] = None
            order.filled_lots += fill.lots
            told.append(self._fill_report(order, fill, venue_ns, now_ns))
        return told

    patch.setattr(VenueOrders, "_fills", every)
    patch.setattr(SeenTrades, "is_new", lambda *_: True)


def gate_read_too_early(patch: pytest.MonkeyPatch) -> None:
    """The gate is read once a turn, not right before each send."""
    init, tick = VenueDesk.__init__, VenueDesk.tick

    class Early:
        def __init__(self, gate: Any) -> None:
            self.gate, self.was_open = gate, gate.is_open()

        def is_open(self) -> bool:
            return bool(self.was_open)

    def early(
        self: Any, params: Any, instruments: Any, number: int, line: Any, gate: Any, *rest: Any
    ) -> None:
        init(self, params, instruments, number, line, Early(gate), *rest)

    def refreshed(self: Any, now_ns: int) -> None:
        self._gate.was_open = self._gate.gate.is_open()
        tick(self, now_ns)

    patch.setattr(VenueDesk, "__init__", early)
    patch.setattr(VenueDesk, "tick", refreshed)


def unknown_not_reserved(patch: pytest.MonkeyPatch) -> None:
    """Orders in doubt count for nothing, neither with the risk checks nor with the execution policy."""
    refresh, live = OrderStore._refresh, OrderStore.live

    def blind(self: Any, symbol: str) -> None:
        whole = self._live[symbol]
        self._live[symbol] = {k: o for k, o in whole.items() if o.state is not OrderState.UNKNOWN}
        refresh(self, symbol)
        self._live[symbol] = whole
        self._exposure[symbol] = replace(self._exposure[symbol], orders=len(whole))

    def known(self: Any, symbol: str) -> Any:
        return tuple(o for o in live(self, symbol) if o.state is not OrderState.UNKNOWN)

    patch.setattr(OrderStore, "_refresh", blind)
    patch.setattr(OrderStore, "live", known)


def cancel_refused_counts_as_gone(patch: pytest.MonkeyPatch) -> None:
    """A cancel that was refused ends the order."""
    canceled = VenueAnswers._canceled

    def gone(self: Any, pending: Any, answer: Any, now_ns: int) -> None:
        order = self._state.orders.find(pending.client_order_id)
        if order is not None and answer.status != OK and not order.ended:
            told = self._state.orders._end(order, OrderState.CANCELED, "", now_ns, now_ns)
            self._state.reports.append(told)
        else:
            canceled(self, pending, answer, now_ns)

    patch.setattr(VenueAnswers, "_canceled", gone)


def failed_list_taken_as_empty(patch: pytest.MonkeyPatch) -> None:
    """A list that could not be had is an empty list, and what is not listed is gone."""
    listed = VenueAnswers._listed

    def empty(self: Any, pending: Any, answer: Any, now_ns: int) -> None:
        if answer.status == OK:
            listed(self, pending, answer, now_ns)
            return
        for order in self._state.orders.live():
            told = self._state.orders._end(order, OrderState.CANCELED, "", now_ns, now_ns)
            self._state.reports.append(told)

    patch.setattr(VenueAnswers, "_listed", empty)


def position_from_acks(patch: pytest.MonkeyPatch) -> None:
    """An acknowledged order is taken as filled; the fills themselves are not counted."""
    answered = Trader.on_answer

    def eager(self: Any, answer: Any) -> None:
        if isinstance(answer, ExecutionReport) and answer.status is OrderState.ACCEPTED:
            order = self._state.orders.order(answer.client_order_id)
            if order is not None and order.first_answer_ns < 0:
                intent = order.intent
                fill = Fill(
                    intent.symbol, intent.side, intent.qty_lots, intent.price_ticks, 0, True, 1,
                    order.client_order_id, intent.origin, 0, 0, answer.ts_ns,
                )  # fmt: skip
                self._state.portfolio.on_fill(fill)
        answered(self, answer)

    patch.setattr(Trader, "on_answer", eager)
    patch.setattr(Trader, "_filled", lambda *_: None)


def kill_released_by_itself(patch: pytest.MonkeyPatch) -> None:
    """Once the venue has nothing of ours left, the latch is taken away."""
    look = GateWatch.look

    def opening(self: Any, put: Any, now_ns: int) -> bool:
        turns = self.__dict__.setdefault("turns", 0)
        state = self._gate.state()
        self.turns = turns + 1 if state.latched else 0
        if self.turns > 20:
            shown = {record.closer: record.generation for record in state.closers}
            self._gate.release(shown, "nobody", "", "", 0, latches=state.latches, kills=state.kills)
        return look(self, put, now_ns)

    patch.setattr(GateWatch, "look", opening)


def leftovers_ignored(patch: pytest.MonkeyPatch) -> None:
    """What an earlier session left at the venue stays there."""
    books = BooksFold.books

    def without_orders(self: Any, now_ns: int, trouble: str = "") -> Any:
        found = books(self, now_ns, trouble)
        return None if found is None else msgspec.structs.replace(found, orders=())

    patch.setattr(BooksFold, "books", without_orders)
    patch.setattr(Reconciliation, "is_earlier", lambda *_: False)


def sent_before_it_is_on_record(patch: pytest.MonkeyPatch) -> None:
    """No order waits for the disk."""
    patch.setattr(OrderParking, "parks", lambda *_: False)


def ids_begin_anew_after_a_restart(patch: pytest.MonkeyPatch) -> None:
    """Every session of the installation has the same number."""
    build = rehearsed.engine_params

    def same(scenario: Any, instruments: Any, _number: int) -> Any:
        return build(scenario, instruments, 1)

    patch.setattr(rehearsed, "engine_params", same)


def zero_once_cancels_are_asked_for(patch: pytest.MonkeyPatch) -> None:
    """NO ORDERS LEFT is said as soon as every order of ours is to be cancelled, whatever the venue lists."""
    converge = OperatorDesk.converge

    def hasty(self: Any, now_ns: int) -> None:
        orders, kill = self._state.orders, self._state.kill
        exposure = orders._exposure
        if kill is not None and kill.cancels_sent:
            kill.listed_zero = True
            orders._exposure = {}
        converge(self, now_ns)
        orders._exposure = exposure

    patch.setattr(OperatorDesk, "converge", hasty)


def gap_overlooked(patch: pytest.MonkeyPatch) -> None:
    """An update that does not follow the last one is applied all the same."""
    update = SyncedBook.on_update

    def trusting(self: Any, event: Any) -> Any:
        if self.is_synced and event.first_update_id > self.last_update_id:
            event = msgspec.structs.replace(event, first_update_id=self.last_update_id + 1)
        return update(self, event)

    patch.setattr(SyncedBook, "on_update", trusting)


def mass_cancel(patch: pytest.MonkeyPatch) -> None:
    """Cancels go as one request for everything on the symbol."""

    def everything(self: Any, symbol: str, _client_order_id: str, now_ns: int) -> None:
        number = self._next()
        self._send(self._requests.cancel_all(number, symbol, self.clock.timestamp_ms(now_ns)))
        self.budget.canceled(self.clock.venue_ns(now_ns))

    patch.setattr(RequestLine, "cancel", everything)


PLANTS: tuple[Plant, ...] = (
    double_send,
    resend_on_reconnect,
    lost_fill,
    duplicate_fill_booked,
    gate_read_too_early,
    unknown_not_reserved,
    cancel_refused_counts_as_gone,
    failed_list_taken_as_empty,
    position_from_acks,
    kill_released_by_itself,
    leftovers_ignored,
    sent_before_it_is_on_record,
    ids_begin_anew_after_a_restart,
    zero_once_cancels_are_asked_for,
    gap_overlooked,
    mass_cancel,
)
