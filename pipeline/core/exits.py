"""Exits: first resting at the touch, then taking inside the collar; flatten takes at once and widens.

Both only reduce. A position below the venue's least value cannot be sold: it is *dust*, shown and left, and
stands in nobody's way.
"""

from __future__ import annotations

from pipeline.core.entries import collar_ticks
from pipeline.core.execution_view import (
    Action,
    CancelWorking,
    ExecutionView,
    PlaceExit,
    TouchWatch,
    cancel_if_due,
)
from pipeline.core.params import ExecutionParams, RiskLimits
from pipeline.core.risk import largest_order_lots
from pipeline.core.types import Instrument, OrderState, OrderType, Origin, Side


class ExitPlan:
    """Exits of one symbol; remembers when the last one was placed and how wide a flatten has become."""

    def __init__(self, instrument: Instrument, params: ExecutionParams, limits: RiskLimits | None) -> None:
        self._instrument = instrument
        self._params = params
        self._limits = limits
        self._touch = TouchWatch(params.requote_ticks)
        self._placed_ns = -1
        self._widened = 0

    def reset(self) -> None:
        """Forget how wide a flatten has become: the position is flat, or another one."""
        self._widened = 0

    def is_dust(self, view: ExecutionView) -> bool:
        """Say whether the position is too small for any order of the rule, and no exit of it works."""
        if self._instrument.margin or view.position_lots == 0 or not view.two_sided:
            return False
        cheapest_ticks = max(1, collar_ticks(view, Side.SELL, self._params.collar_e6))
        small = abs(view.position_lots) < least_order_lots(self._instrument, cheapest_ticks)
        return small and not view.of_origin(Origin.EXIT, Origin.FLATTEN)

    def plan(self, view: ExecutionView, leaving_ns: int, now_ns: int) -> list[Action]:
        """Give what brings the position nearer to flat now; `leaving_ns` is how long it has been leaving."""
        taking = view.flatten or leaving_ns >= self._params.exit_rest_ns
        rested = self._placed_ns < 0 or now_ns - self._placed_ns >= self._params.retry_after_ns
        if self._in_the_way(view) or not view.two_sided or not rested:
            return list(self._replacements(view, taking, now_ns))
        side = Side.SELL if view.position_lots > 0 else Side.BUY
        price_ticks = self._take_price(view, side) if taking else view.near_touch(side)
        qty_lots = self._quantity(view, side, price_ticks) if price_ticks else 0
        if view.flatten:
            self._widened += 1
            self._placed_ns = now_ns
        if qty_lots == 0 or price_ticks is None:
            return []
        self._placed_ns = now_ns
        order_type = OrderType.LIMIT_IOC if taking else OrderType.POST_ONLY
        origin = Origin.FLATTEN if view.flatten else Origin.EXIT
        return [PlaceExit(side, qty_lots, price_ticks, order_type, origin)]

    def times_ns(self) -> tuple[int, int]:
        """Give the times at which the next exit may go, and the one that rests is too far away."""
        params = self._params
        return self._placed_ns + params.retry_after_ns, self._touch.due_ns(params.requote_after_ns)

    def withdrawals(self, view: ExecutionView, now_ns: int) -> list[CancelWorking]:
        """Give the cancels of exits that could go beyond flat, and of everything when a person flattens."""
        cancels: list[CancelWorking] = []
        for order in view.of_origin(Origin.EXIT, Origin.FLATTEN, Origin.MANUAL):
            if view.flatten:
                cancels += cancel_if_due(order, "FLATTEN", now_ns)
            elif order.intent.reduce_only and order.leaves_lots > -order.side * view.position_lots:
                cancels += cancel_if_due(order, "SURPLUS", now_ns)
        return cancels

    def _replacements(self, view: ExecutionView, taking: bool, now_ns: int) -> list[CancelWorking]:
        """Give the cancels of exits that rest where they should not, or for too long."""
        cancels: list[CancelWorking] = []
        for order in view.of_origin(Origin.EXIT):
            away_ns = self._touch.away_ns(order, view, now_ns)
            away = away_ns >= self._params.requote_after_ns and away_ns > 0
            if (taking or away) and not view.flatten:
                cancels += cancel_if_due(order, "TAKE" if taking else "OFF_TOUCH", now_ns)
        return cancels

    def _in_the_way(self, view: ExecutionView) -> bool:
        """Say whether an order must end first.

        The rule leaves a person's own orders alone; a person's flatten ends those too, and waits for no order
        in doubt.
        """
        if view.flatten:
            return any(order.state is not OrderState.UNKNOWN for order in view.orders)
        return any(order.intent.origin is not Origin.MANUAL for order in view.orders)

    def _take_price(self, view: ExecutionView, side: Side) -> int | None:
        """Give the collar's own bound, so that one order sweeps what is inside; None when nothing is."""
        collar_e6 = self._params.collar_e6
        if view.flatten:
            widest_e6 = self._limits.collar_mid_e6 if self._limits else collar_e6
            collar_e6 = max(collar_e6, min(widest_e6, collar_e6 * (1 + self._widened)))
        bound = collar_ticks(view, side, collar_e6)
        if view.flatten and side is Side.SELL:
            bound = max(bound, self._least_value_price(view))
        return bound if side * (view.far_touch(side) - bound) <= 0 else None

    def _least_value_price(self, view: ExecutionView) -> int:
        """Give the lowest price at which the position is an order; 0 where the plain collar decides.

        A flatten that widens below it would never sell what `is_dust` rightly calls no dust.
        """
        instrument, plain = self._instrument, collar_ticks(view, Side.SELL, self._params.collar_e6)
        if instrument.margin or view.position_lots < least_order_lots(instrument, max(1, plain)):
            return 0
        numerator, denominator = instrument.notional_scale
        return -(-instrument.min_notional_quote_e8 * denominator // (view.position_lots * numerator))

    def _quantity(self, view: ExecutionView, side: Side, price_ticks: int) -> int:
        """Give the lots to close now: all that is left, in clips the size limits let through."""
        instrument = self._instrument
        underway = sum(order.leaves_lots for order in view.orders if order.side is side)
        left = abs(view.position_lots) - underway
        at_ticks = max(price_ticks, view.ask_ticks)
        clip = left if self._limits is None else largest_order_lots(instrument, self._limits, at_ticks)
        least = 1 if instrument.margin else least_order_lots(instrument, price_ticks)
        if left < least:
            return 0
        if left <= clip:
            return left
        return clip if left - clip >= least else max(min(clip, left - least), 0)


def least_order_lots(instrument: Instrument, price_ticks: int) -> int:
    """Give the smallest order the venue takes at a price, in lots; at least 1."""
    numerator, denominator = instrument.notional_scale
    return max(1, -(-instrument.min_notional_quote_e8 * denominator // (price_ticks * numerator)))
