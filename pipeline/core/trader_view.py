"""What the execution policy and the risk checks are shown of one symbol, gathered from the engine's state.

Reading changes nothing but the reasons a waiting permit counts, and the row a permit was last asked about.
"""

from __future__ import annotations

from pipeline.core.desk import SymbolDesk
from pipeline.core.execution import ExecutionView, PlaceEntry, WantedEntry, to_intent
from pipeline.core.params import EntryStyle
from pipeline.core.permit import PermitEnd, PermitRecord
from pipeline.core.risk import PermitTerms, RiskContext
from pipeline.core.state import EngineState
from pipeline.core.symbol_watch import FALLBACK_ID, Source
from pipeline.core.types import Authority, DenyReason, OrderIntent, OrderType, Origin, Side

STATUS_OLD_NS = 86_400_000_000_000
"""The venue's word on a symbol, its filters among it, is good for a day (C12)."""


def execution_view(state: EngineState, desk: SymbolDesk, wanted: WantedEntry | None) -> ExecutionView:
    """Give one symbol as the execution policy sees it; `wanted` is `wanted_entry`'s."""
    position = state.portfolio.position(desk.symbol)
    bid_ticks, _, ask_ticks, _ = desk.synced.l1
    orders = state.orders.live(desk.symbol)
    flatten = bool(desk.flatten_who) and position.lots != 0
    return ExecutionView(
        trading_state=state.trading_state,
        book_ok=desk.book_ok,
        bid_ticks=bid_ticks,
        ask_ticks=ask_ticks,
        position_lots=position.lots,
        opened_ns=position.opened_ns,
        held_side=desk.decision.held_side if desk.decision is not None else None,
        wanted=wanted,
        orders=orders,
        withdraw=any(_lost_permit(state, order.intent) for order in orders),
        flatten=flatten,
    )


def wanted_entry(state: EngineState, desk: SymbolDesk, now_ns: int) -> WantedEntry | None:
    """Give the entry of the newest decision while it is fresh and somebody's permit is open here."""
    decision = desk.decision
    if decision is None or decision.side is None or decision.qty_lots == 0:
        return None
    if now_ns - decision.ts_ns > state.params.decision.max_row_age_ns or state.authority is Authority.OBSERVE:
        return None
    wanted = WantedEntry(
        side=decision.side,
        qty_lots=decision.qty_lots,
        worst_ticks=decision.worst_ticks,
        style=EntryStyle.PASSIVE if decision.passive else EntryStyle.CROSS,
        permit_id=0,
        idea_id=0,
        feature_seq=decision.feature_seq,
        model_id=decision.model_id,
        generation=decision.generation,
        score_e6=decision.score_e6,
        edge_e6=decision.sized.net_edge_e6 if decision.sized is not None else 0,
    )
    return wanted if _is_permitted(state, desk, wanted, now_ns) else None


def _is_permitted(state: EngineState, desk: SymbolDesk, wanted: WantedEntry, now_ns: int) -> bool:
    """Ask the permits, once a row, before the policy plans.

    The policy's pause between entries is not for waiting permits: one that waits for a price must go with
    the first row that has it.
    """
    bid_ticks, _, ask_ticks, _ = desk.synced.l1
    if wanted.feature_seq == desk.refused_seq or not desk.book_ok or bid_ticks <= 0 or ask_ticks <= 0:
        return False
    passive = wanted.style is EntryStyle.PASSIVE
    price_ticks = bid_ticks if (wanted.side is Side.BUY) is passive else ask_ticks
    order_type = OrderType.POST_ONLY if passive else OrderType.LIMIT_IOC
    intent = to_intent(PlaceEntry(wanted, price_ticks, order_type), desk.symbol, now_ns)
    if isinstance(state.permits.authorise(intent, state.aimed_lots(desk.symbol), now_ns), DenyReason):
        desk.refused_seq = wanted.feature_seq
        return False
    return True


def _lost_permit(state: EngineState, intent: OrderIntent) -> bool:
    """Say whether a working entry's permission is gone; that its permit was used up takes none away."""
    if intent.origin is not Origin.MODEL:
        return False
    if state.authority is Authority.OBSERVE:
        return True
    record = state.permits.find(intent.permit_id)
    return record is not None and record.end not in (None, PermitEnd.ORDERS)


def risk_context(state: EngineState, desk: SymbolDesk, intent: OrderIntent, now_ns: int) -> RiskContext:
    """Give what the engine knows at the moment of an order, for the risk checks."""
    bid_ticks, _, ask_ticks, _ = desk.synced.l1
    record = state.permits.find(intent.permit_id) if intent.permit_id else None
    _, jump_e6, most_jump_e6, touch_quote_e8 = desk.market_numbers()
    return RiskContext(
        gate_open=state.gate_open,
        trading_state=state.trading_state,
        authority=state.authority,
        permit=_terms(record, desk) if record is not None and record.end is None else None,
        tradable=desk.tradable and (not state.has_order_path or now_ns - desk.status_ns <= STATUS_OLD_NS),
        book_state=desk.synced.state,
        book_age_ns=desk.book_age_ns(now_ns),
        bid_ticks=bid_ticks,
        ask_ticks=ask_ticks,
        last_ticks=desk.last_price_ticks,
        blocked=_blocked(state, desk, intent),
        jump_e6=jump_e6,
        most_jump_e6=most_jump_e6,
        touch_quote_e8=touch_quote_e8,
    )


def _blocked(state: EngineState, desk: SymbolDesk, intent: OrderIntent) -> DenyReason | None:
    if state.start.differs:
        return DenyReason.UNRECONCILED
    if state.blocked:
        return next(iter(state.blocked))
    if desk.feed_slow:
        return DenyReason.FEED_SLOW
    if intent.origin is not Origin.MODEL or intent.reduce_only or intent.model_id == FALLBACK_ID:
        stopped = False
    else:
        stopped = bool(state.model_gate.disabled)
    if stopped:
        return DenyReason.MODEL_DISABLED
    closed = intent.origin is Origin.MODEL and desk.watch.source is Source.NONE
    return DenyReason.MODEL_UNPROVEN if closed else None


def _terms(record: PermitRecord, desk: SymbolDesk) -> PermitTerms:
    permit = record.permit
    left = permit.max_orders - record.used if permit.max_orders else 1
    most = desk.limits.max_qty_lots if desk.limits is not None else 0
    return PermitTerms(
        permit_id=permit.permit_id,
        sides=permit.sides,
        max_order_lots=permit.max_order_lots,
        orders_left=left,
        max_net_lots=permit.max_net_lots or max(most, 1) * 1_000_000,
        lowest_ticks=permit.lowest_ticks,
        highest_ticks=permit.highest_ticks,
        ends_ns=permit.ends_ns or 2**62,
        model_id=permit.model_id,
        generation=permit.generation,
        parent_lots=permit.max_order_lots * permit.max_orders,
    )
