"""What the main checks saw when they let an order pass: value and limit of each, as evidence of the order.

Computed beside the replayed engine right after the order was taken, from what the checks computed with; a
test lowers each limit below its value and wants the engine to deny with the same figures.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.core.risk_checks import distance_e6
from pipeline.core.session_facts import CheckFact
from pipeline.core.state import EngineState
from pipeline.core.types import DenyReason, OrderIntent


def checks_passed(state: EngineState, intent: OrderIntent) -> tuple[CheckFact, ...]:
    """Give the figures of an order that is in the store already, as its checks had them before."""
    return tuple(_figures(state, intent))


def _figures(state: EngineState, intent: OrderIntent) -> Iterator[CheckFact]:
    desk = state.desks[intent.symbol]
    instrument, limits = desk.instrument, desk.limits
    if limits is None:
        return
    bid, _, ask, _ = desk.synced.l1
    worse = max(intent.price_ticks, -(-(bid + ask) // 2))
    exposure = state.orders.exposure(intent.symbol)
    side_lots = intent.side * state.portfolio.position(intent.symbol).lots + exposure.lots(intent.side)
    worst = instrument.notional_quote_e8(worse, max(0, side_lots))
    reason = DenyReason
    yield CheckFact(reason.MAX_OPEN_ORDERS, exposure.orders, limits.max_open_orders)
    yield CheckFact(reason.MAX_QTY, intent.qty_lots, min(limits.max_qty_lots, instrument.max_qty_lots))
    value = instrument.notional_quote_e8(worse, intent.qty_lots)
    yield CheckFact(reason.MAX_NOTIONAL, value, limits.max_notional_quote_e8)
    if 0 < bid <= ask and desk.last_price_ticks > 0:
        from_mid = distance_e6(2 * intent.price_ticks, bid + ask)
        yield CheckFact(reason.COLLAR_MID, from_mid, limits.collar_mid_e6)
        from_last = distance_e6(intent.price_ticks, desk.last_price_ticks)
        yield CheckFact(reason.COLLAR_LAST, from_last, limits.collar_last_e6)
        yield CheckFact(reason.SPREAD, distance_e6(ask, bid), limits.max_spread_e6)
    yield CheckFact(reason.MAX_POSITION, worst, limits.max_position_quote_e8)
    loss = state.portfolio.day_loss_quote_e8
    yield CheckFact(reason.DAILY_LOSS, loss, limits.max_daily_loss_quote_e8)
