"""Entries: where they go, and everything that takes them back."""

from __future__ import annotations

from pipeline.core.execution_view import (
    CANCEL_AGAIN_NS,
    CancelWorking,
    ExecutionView,
    PlaceEntry,
    TouchWatch,
    WantedEntry,
    cancel_if_due,
)
from pipeline.core.order import Order
from pipeline.core.params import EntryStyle, ExecutionParams
from pipeline.core.types import E6, OrderType, Origin, Side, TradingState


class EntryPlan:
    """Entries of one symbol; remembers when the last one was placed and from which row."""

    def __init__(self, params: ExecutionParams, horizon_ns: int) -> None:
        self._params = params
        self.horizon_ns = horizon_ns
        self._touch = TouchWatch(params.requote_ticks)
        self._placed_ns = -1
        self._placed_seq = -1

    def withdrawals(self, view: ExecutionView, leaving: bool, now_ns: int) -> list[CancelWorking]:
        """Give the cancels of working entries that should not stand any longer."""
        cancels: list[CancelWorking] = []
        for order in view.of_origin(Origin.MODEL):
            reason = self._why_withdraw(order, view, leaving, now_ns)
            if reason:
                cancels += cancel_if_due(order, reason, now_ns)
        return cancels

    def _why_withdraw(self, order: Order, view: ExecutionView, leaving: bool, now_ns: int) -> str:
        away_ns = self._touch.away_ns(order, view, now_ns)
        if view.flatten or leaving:
            return "FLATTEN" if view.flatten else "EXIT"
        if view.trading_state is not TradingState.ACTIVE:
            return "NOT_ACTIVE"
        if view.withdraw:
            return "PERMIT"
        if not view.book_ok:
            return "BOOK_NOT_OK"
        if view.held_side is not order.side:
            return "SCORE_LEFT"
        if now_ns - order.created_ns >= self.horizon_ns:
            return "HORIZON"
        return "OFF_TOUCH" if away_ns >= self._params.requote_after_ns and away_ns > 0 else ""

    def times_ns(self, order: Order | None) -> tuple[int, ...]:
        """Give the times at which a working order, or the lack of one, may be judged anew (see `plan`)."""
        rested_ns = self._placed_ns + self._params.retry_after_ns
        if order is None:
            return (rested_ns,)
        return (
            rested_ns,
            order.created_ns + self.horizon_ns,
            order.cancel_asked_ns + CANCEL_AGAIN_NS,
            self._touch.due_ns(self._params.requote_after_ns),
        )

    def placement(self, view: ExecutionView, now_ns: int) -> PlaceEntry | None:
        """Give the entry to place now, if one is wanted and nothing stands in its way."""
        wanted = view.wanted
        if wanted is None or not self._may_place(view, wanted, now_ns):
            return None
        price_ticks = self._price(view, wanted)
        if price_ticks is None or wanted.side * (price_ticks - wanted.worst_ticks) > 0:
            return None
        self._placed_ns = now_ns
        self._placed_seq = wanted.feature_seq
        passive = wanted.style is EntryStyle.PASSIVE
        return PlaceEntry(wanted, price_ticks, OrderType.POST_ONLY if passive else OrderType.LIMIT_IOC)

    def _may_place(self, view: ExecutionView, wanted: WantedEntry, now_ns: int) -> bool:
        rested = self._placed_ns < 0 or now_ns - self._placed_ns >= self._params.retry_after_ns
        return (
            view.trading_state is TradingState.ACTIVE
            and view.two_sided
            and not view.withdraw
            and not view.orders
            and view.held_side is wanted.side
            and view.position_lots * wanted.side >= 0
            and wanted.feature_seq > self._placed_seq
            and rested
        )

    def _price(self, view: ExecutionView, wanted: WantedEntry) -> int | None:
        if wanted.style is EntryStyle.PASSIVE:
            return view.near_touch(wanted.side)
        touch = view.far_touch(wanted.side)
        bound = collar_ticks(view, wanted.side, self._params.collar_e6)
        return touch if wanted.side * (touch - bound) <= 0 else None


def collar_ticks(view: ExecutionView, side: Side, collar_e6: int) -> int:
    """Give the worst price inside the collar around the mid, in whole ticks on its inner side."""
    mid_half = view.bid_ticks + view.ask_ticks
    if side is Side.BUY:
        return mid_half * (E6 + collar_e6) // (2 * E6)
    return -(-mid_half * (E6 - collar_e6) // (2 * E6))
