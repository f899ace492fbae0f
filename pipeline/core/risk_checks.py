"""The pre-trade checks, each a pure function of (view, intent) that gives the breach or None.

They run in the order of `PERMISSION_CHECKS`, then the limits must exist, then `ORDER_CHECKS`: kill latch,
mode and permit, tradability, finiteness and grid, size and notional, collar, position, rates and throttle,
duplicates, self-match. What health agents hold back comes right after the mode.
The first breach denies. Every comparison is one of integers; what is missing denies.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pipeline.core.market_sense import market_breach
from pipeline.core.position import fee_quote_e8
from pipeline.core.risk_view import Breach, PermitTerms, RiskView, Standing
from pipeline.core.types import (
    E6,
    Authority,
    BookState,
    DenyReason,
    OrderIntent,
    OrderType,
    Origin,
    Side,
    TradingState,
)

_R = DenyReason
_A_PERSONS = (Origin.MANUAL, Origin.FLATTEN)
_ONLY_REDUCE = (Origin.EXIT, Origin.FLATTEN)


def check_kill_latch(standing: Standing, intent: OrderIntent) -> Breach | None:
    """Let nothing through a stop but what a person sends to shrink the position."""
    context = standing.context
    shrinks = standing.shrinks(intent)
    if not (shrinks and intent.reduce_only and intent.origin in _A_PERSONS):
        if context.trading_state is TradingState.KILLED:
            return _R.KILLED, TradingState.ACTIVE, TradingState.KILLED
        if context.trading_state is TradingState.HALTED:
            unsettled = context.blocked is _R.UNRECONCILED
            return _R.UNRECONCILED if unsettled else _R.HALTED, TradingState.ACTIVE, TradingState.HALTED
        if not context.gate_open:
            return _R.GATE_CLOSED, 1, 0
    must_shrink = intent.reduce_only or intent.origin in _ONLY_REDUCE
    if not shrinks and (must_shrink or context.trading_state is TradingState.REDUCING):
        return _R.REDUCE_ONLY, standing.reducible_lots(intent.side), _shown(intent.qty_lots)
    return None


def check_mode(standing: Standing, intent: OrderIntent) -> Breach | None:
    """Let nothing but reductions go while only watching."""
    authority = standing.context.authority
    if authority is Authority.OBSERVE and not standing.shrinks(intent):
        return _R.MODE, Authority.APPROVE, authority
    return None


def check_permit(standing: Standing, intent: OrderIntent) -> Breach | None:
    """Keep model orders inside a live permit; AUTO needs none, and keeps to the one an order names."""
    if intent.origin is not Origin.MODEL:
        return None
    permit = standing.context.permit
    if intent.permit_id == 0 and standing.context.authority is Authority.AUTO:
        return None
    if permit is None or permit.permit_id != intent.permit_id or intent.permit_id == 0:
        return _R.NO_PERMIT, intent.permit_id, 0 if permit is None else permit.permit_id
    if permit.orders_left <= 0:
        return _R.PERMIT_SPENT, 0, permit.orders_left
    return _outside_terms(permit, standing, intent)


def _outside_terms(permit: PermitTerms, standing: Standing, intent: OrderIntent) -> Breach | None:
    if standing.now_ns >= permit.ends_ns:
        return _R.NO_PERMIT, permit.ends_ns, standing.now_ns
    if intent.model_id != permit.model_id or intent.generation != permit.generation:
        return _R.NO_PERMIT, permit.generation, intent.generation
    if intent.side not in permit.sides:
        return _R.NO_PERMIT, sum(permit.sides), intent.side
    if type(intent.qty_lots) is not int or type(intent.price_ticks) is not int:
        return None  # Denied as NOT_A_NUMBER in its own turn.
    if intent.qty_lots > permit.max_order_lots:
        return _R.NO_PERMIT, permit.max_order_lots, intent.qty_lots
    worst_ticks = permit.highest_ticks if intent.side is Side.BUY else permit.lowest_ticks
    if intent.side * (intent.price_ticks - worst_ticks) > 0:
        return _R.NO_PERMIT, worst_ticks, intent.price_ticks
    net_lots = standing.side_lots(intent.side) + intent.qty_lots
    if net_lots > permit.max_net_lots:
        return _R.NO_PERMIT, permit.max_net_lots, net_lots
    return None


def check_health(standing: Standing, intent: OrderIntent) -> Breach | None:
    """Send nothing on a clock, feed, journal or model a health agent does not trust (C19, C25, C26).

    A person may still reduce.
    """
    blocked = standing.context.blocked
    if blocked is None or (intent.origin in _A_PERSONS and standing.shrinks(intent)):
        return None
    return blocked, 0, 1


def check_tradability(view: RiskView, intent: OrderIntent) -> Breach | None:
    """Want a trading symbol, a proven fresh book, no order in doubt, and room for one more (C12).

    An order in doubt freezes its symbol for everybody but a person who reduces.
    """
    standing, context = view.standing, view.standing.context
    if not context.tradable:
        return _R.NOT_TRADABLE, 1, 0
    by_person = intent.origin in _A_PERSONS and standing.shrinks(intent)
    if standing.exposure.unknown and not by_person:
        return _R.NOT_TRADABLE, 0, standing.exposure.unknown
    fresh = 0 <= context.book_age_ns <= view.limits.max_book_age_ns
    if context.book_state is not BookState.SYNCED or not fresh:
        return _R.BOOK_NOT_OK, view.limits.max_book_age_ns, context.book_age_ns
    if standing.exposure.orders >= view.limits.max_open_orders:
        return _R.MAX_OPEN_ORDERS, view.limits.max_open_orders, standing.exposure.orders + 1
    return None


def check_numbers(view: RiskView, intent: OrderIntent) -> Breach | None:  # noqa: ARG001  one signature for all
    """Want whole positive lots and ticks; a float, a Decimal or a text is no number here."""
    if type(intent.qty_lots) is not int or type(intent.price_ticks) is not int:
        return _R.NOT_A_NUMBER, 0, 0
    if intent.qty_lots <= 0 or intent.price_ticks <= 0:
        return _R.OFF_GRID, 1, min(intent.qty_lots, intent.price_ticks)
    return None


def check_size(view: RiskView, intent: OrderIntent) -> Breach | None:
    """Keep quantity and value inside our limits and the venue's (C1, C2).

    The value is taken at the worse of limit price and mid. The venue's least value is waived where
    reduce-only exists at the venue.
    """
    instrument, limits = view.instrument, view.limits
    max_qty = min(limits.max_qty_lots, instrument.max_qty_lots)
    if intent.qty_lots > max_qty:
        return _R.MAX_QTY, max_qty, intent.qty_lots
    least = instrument.notional_quote_e8(intent.price_ticks, intent.qty_lots)
    waived = instrument.margin and intent.reduce_only
    if least < instrument.min_notional_quote_e8 and not waived:
        return _R.MIN_NOTIONAL, instrument.min_notional_quote_e8, least
    worst = instrument.notional_quote_e8(max(intent.price_ticks, view.mid_up_ticks), intent.qty_lots)
    if worst > limits.max_notional_quote_e8:
        return _R.MAX_NOTIONAL, limits.max_notional_quote_e8, worst
    return None


def check_collar(view: RiskView, intent: OrderIntent) -> Breach | None:
    """Keep the price near the mid and near the last trade, on both sides; without either, deny (C3)."""
    context = view.standing.context
    bid, ask, last = context.bid_ticks, context.ask_ticks, context.last_ticks
    if bid <= 0 or ask < bid or last <= 0:
        return _R.NO_REFERENCE_PRICE, 1, 0
    from_mid = distance_e6(2 * intent.price_ticks, bid + ask)
    if from_mid > view.limits.collar_mid_e6:
        return _R.COLLAR_MID, view.limits.collar_mid_e6, from_mid
    from_last = distance_e6(intent.price_ticks, last)
    if from_last > view.limits.collar_last_e6:
        return _R.COLLAR_LAST, view.limits.collar_last_e6, from_last
    return None


def check_collar_over_time(view: RiskView, intent: OrderIntent) -> Breach | None:
    """Take no more on one side within a minute than a few orders' worth: we move the price ourselves (C4)."""
    if intent.order_type is not OrderType.LIMIT_IOC or view.standing.shrinks(intent):
        return None
    limit = view.limits.aggressive_times * view.limits.max_notional_quote_e8
    price = max(intent.price_ticks, view.mid_up_ticks)
    net = view.aggressive_net_quote_e8 + view.instrument.notional_quote_e8(price, intent.qty_lots)
    return (_R.COLLAR_TIME, limit, net) if net > limit else None


def check_market(view: RiskView, intent: OrderIntent) -> Breach | None:
    """Add nothing in a market that makes no sense: spread, size at the touch, jump of the mid (C20)."""
    context = view.standing.context
    if view.standing.shrinks(intent):
        return None
    spread = distance_e6(context.ask_ticks, context.bid_ticks)
    return market_breach(view.limits, spread, context.jump_e6, context.most_jump_e6, context.touch_quote_e8)


def check_parent(view: RiskView, intent: OrderIntent) -> Breach | None:
    """Keep all orders under one permit together inside what it granted, counted at this last hop (C9)."""
    permit = view.standing.context.permit
    if permit is None or permit.permit_id != intent.permit_id or not permit.parent_lots:
        return None
    lots = view.family_lots + intent.qty_lots
    return (_R.PARENT_EXCEEDED, permit.parent_lots, lots) if lots > permit.parent_lots else None


def check_position(view: RiskView, intent: OrderIntent) -> Breach | None:
    """Keep the worst case inside the limits, per symbol and in total; shrinking orders pass (C5)."""
    standing, instrument, limits = view.standing, view.instrument, view.limits
    if standing.shrinks(intent):
        return None
    price = max(intent.price_ticks, view.mid_up_ticks)
    side_lots = standing.side_lots(intent.side) + intent.qty_lots
    worst = instrument.notional_quote_e8(price, max(0, side_lots))
    if worst > limits.max_position_quote_e8:
        return _R.MAX_POSITION, limits.max_position_quote_e8, worst
    either_lots = max(side_lots, standing.side_lots(intent.side.opposite))
    gross = view.other_gross_quote_e8 + instrument.notional_quote_e8(price, either_lots)
    if gross > limits.max_gross_quote_e8:
        return _R.MAX_GROSS, limits.max_gross_quote_e8, gross
    return None


def check_margin(view: RiskView, intent: OrderIntent) -> Breach | None:
    """Let the positions orders may lead to bind only a part of the account (C6). Margin only."""
    standing, instrument, limits = view.standing, view.instrument, view.limits
    if not instrument.margin or standing.shrinks(intent):
        return None
    price = max(intent.price_ticks, view.mid_up_ticks)
    lots = max(standing.side_lots(intent.side) + intent.qty_lots, standing.side_lots(intent.side.opposite))
    gross = view.other_gross_quote_e8 + instrument.notional_quote_e8(price, max(0, lots))
    bound, most = gross * limits.margin_percent, view.equity_quote_e8 * limits.max_margin_percent
    return (_R.MARGIN_RATIO, most // 100, bound // 100) if bound > most else None


def check_balance(view: RiskView, intent: OrderIntent) -> Breach | None:
    """Spend only what is there: no sale beyond the balance, no purchase beyond the free money. Spot only."""
    instrument = view.instrument
    if instrument.margin:
        return None
    if intent.side is Side.SELL:
        free_lots = view.balance_lots - view.standing.exposure.sell_lots
        return (_R.NO_BALANCE, free_lots, intent.qty_lots) if intent.qty_lots > free_lots else None
    cost = instrument.notional_quote_e8(intent.price_ticks, intent.qty_lots)
    cost += max(0, fee_quote_e8(cost, max(instrument.fees.maker_e6, instrument.fees.taker_e6)))
    return (_R.NO_BALANCE, view.free_quote_e8, cost) if cost > view.free_quote_e8 else None


def check_daily_loss(view: RiskView, intent: OrderIntent) -> Breach | None:
    """Add nothing once the day's loss has reached its limit; the kill that follows is the engine's."""
    limit, loss = view.limits.max_daily_loss_quote_e8, view.day_loss_quote_e8
    if loss >= limit and not view.standing.shrinks(intent):
        return _R.DAILY_LOSS, limit, loss
    return None


def check_rate(view: RiskView, intent: OrderIntent) -> Breach | None:  # noqa: ARG001  one signature for all
    """Want a token for a new order (C7)."""
    if view.new_used >= view.new_burst:
        return _R.RATE_NEW, view.new_burst, view.new_used + 1
    return None


def check_order_to_trade(view: RiskView, intent: OrderIntent) -> Breach | None:
    """Stop a model's new risk that is sent and taken back on and on, and hardly trades (C7)."""
    if intent.origin is not Origin.MODEL or view.standing.shrinks(intent):
        return None
    orders, trades = view.orders_per_trade
    most = view.limits.max_orders_per_trade * max(1, trades)
    return (_R.ORDER_TO_TRADE, most, orders + 1) if orders >= most else None


def check_stopped(view: RiskView, intent: OrderIntent) -> Breach | None:
    """Let no model trade where the market made no sense too often, until a person says so (C20)."""
    return (_R.SYMBOL_STOPPED, 0, 1) if view.stopped and intent.origin is Origin.MODEL else None


def check_repeated(view: RiskView, intent: OrderIntent) -> Breach | None:
    """Stop a model that trades on and on, until a person re-enables it; never its exits (C8)."""
    if intent.origin is Origin.MODEL and view.repeated is not None:
        limit, value = view.repeated
        return _R.REPEATED_EXECUTION, limit, value
    return None


def check_duplicate(view: RiskView, intent: OrderIntent) -> Breach | None:
    """Refuse the same order again within the window, and a second order from one row (C10)."""
    if view.repeat_age_ns >= 0:
        return _R.DUPLICATE, view.limits.duplicate_window_ns, view.repeat_age_ns
    if intent.origin is Origin.MODEL and intent.feature_seq <= view.last_feature_seq:
        return _R.DUPLICATE, view.last_feature_seq, intent.feature_seq
    return None


def check_self_match(view: RiskView, intent: OrderIntent) -> Breach | None:
    """Refuse a price at which the order could trade with our own (C11)."""
    own = view.own_opposite_ticks
    if own and intent.side * (intent.price_ticks - own) >= 0:
        return _R.SELF_MATCH, own, intent.price_ticks
    return None


PermissionCheck = Callable[[Standing, OrderIntent], Breach | None]
OrderCheck = Callable[[RiskView, OrderIntent], Breach | None]

PERMISSION_CHECKS: Final[tuple[PermissionCheck, ...]] = (
    check_kill_latch,
    check_mode,
    check_health,
    check_permit,
)
"""May an order like this go at all? Asked before the symbol's limits are looked for."""

ORDER_CHECKS: Final[tuple[OrderCheck, ...]] = (
    check_tradability,
    check_numbers,
    check_size,
    check_collar,
    check_collar_over_time,
    check_market,
    check_parent,
    check_position,
    check_margin,
    check_balance,
    check_daily_loss,
    check_rate,
    check_order_to_trade,
    check_stopped,
    check_repeated,
    check_duplicate,
    check_self_match,
)
"""May this order go now?"""


def distance_e6(price: int, reference: int) -> int:
    """Give |price / reference - 1| in 1e-6, rounded up."""
    return -(-abs(price - reference) * E6 // reference)


def _shown(qty: object) -> int:
    return qty if isinstance(qty, int) else 0
