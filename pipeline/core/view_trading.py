"""The trading panels of a snapshot: why, cards, permits, orders, position, limits, kill."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.core.cards import Card
from pipeline.core.desk import SymbolDesk
from pipeline.core.funnel import Stage
from pipeline.core.order import Exposure
from pipeline.core.params import EntryStyle, ModelSpec, RiskLimits
from pipeline.core.permit import PermitKind, PermitRecord
from pipeline.core.position import Position
from pipeline.core.sizing import break_even_e6
from pipeline.core.snapshot import (
    CountsView,
    KillView,
    LimitRow,
    OrderView,
    OtherSymbol,
    PermitView,
    PositionView,
    ProposalView,
    WhyView,
)
from pipeline.core.state import EngineState
from pipeline.core.symbol_watch import FALLBACK_ID
from pipeline.core.types import E6, Side, scaled_text
from pipeline.core.view_market import instrument_view

_MILLION_E8 = 10**14
CARDS = 4
PERMITS = 6
ORDERS = 24


def decider_words(model: ModelSpec | None, model_id: str) -> str:
    """Name what decides: the model with the start of its identity, or what stands in for it."""
    if model_id == FALLBACK_ID:
        return FALLBACK_ID
    return f"{model.name}@{model_id[:8]}" if model is not None else model_id[:8]


def why_view(state: EngineState, desk: SymbolDesk, planted: bool, now_ns: int) -> WhyView:
    """Give the minute's funnel and the arithmetic of the newest decision."""
    funnel = desk.funnel.last_minute(now_ns)
    decision, fees = desk.decision, desk.instrument.fees
    sized = decision.sized if decision is not None else None
    market = desk.market_state(state.aimed_lots(desk.symbol), now_ns)
    terms = desk.decider.terms.sizing if desk.decider is not None and market.book_ok else None
    return WhyView(
        decisions=funnel.of(Stage.DECISIONS),
        past_entry=funnel.of(Stage.PAST_ENTRY),
        pays=funnel.of(Stage.PAYS),
        offered=funnel.of(Stage.OFFERED),
        permitted=funnel.of(Stage.PERMITTED),
        declined=funnel.of(Stage.DECLINED),
        lapsed=funnel.of(Stage.LAPSED),
        sent=funnel.of(Stage.SENT),
        stopped=tuple((reason.value, count) for reason, count in funnel.stopped),
        score_e6=decision.score_e6 if decision else 0,
        entry_e6=2 * state.params.decision.entry_e6,
        gross_edge_e6=sized.gross_edge_e6 if sized else 0,
        cost_e6=sized.cost_e6 if sized else 0,
        net_edge_e6=sized.net_edge_e6 if sized else 0,
        maker_e6=fees.maker_e6,
        taker_e6=fees.taker_e6,
        fee_source=fees.source,
        p_star_maker_e6=break_even_e6(EntryStyle.PASSIVE, market, terms) if terms else 2 * E6,
        p_star_taker_e6=break_even_e6(EntryStyle.CROSS, market, terms) if terms else 2 * E6,
        planted=planted,
    )


def proposal_views(state: EngineState, now_ns: int) -> tuple[ProposalView, ...]:
    """Give the cards on offer."""
    cards = [card for card in state.ideas.cards() if card.end is None]
    return tuple(_proposal(state, card, now_ns) for card in cards[:CARDS])


def _proposal(state: EngineState, card: Card, now_ns: int) -> ProposalView:
    idea, decision = card.idea, card.decision
    desk = state.desks[idea.symbol]
    sized = decision.sized
    notional = desk.instrument.notional_quote_e8(idea.worst_ticks, idea.qty_lots)
    edge_e6, cost_e6 = card.edge_e6(), sized.cost_e6 if sized else 0
    net_e6 = edge_e6 - cost_e6
    aimed = state.aimed_lots(idea.symbol) + idea.side * idea.qty_lots
    worst = desk.instrument.notional_quote_e8(idea.worst_ticks, abs(aimed))
    limit = desk.limits.max_position_quote_e8 if desk.limits else 0
    position = state.portfolio.position(idea.symbol).lots
    model = state.model
    return ProposalView(
        idea_id=idea.idea_id,
        revision=idea.revision,
        symbol=idea.symbol,
        side=idea.side,
        qty_lots=idea.qty_lots,
        notional_quote_e8=notional,
        worst_ticks=idea.worst_ticks,
        passive=idea.passive,
        score_e6=decision.score_e6,
        entry_e6=2 * state.params.decision.entry_e6,
        leave_e6=2 * state.params.decision.leave_e6,
        p_up_e6=decision.p_up_e6,
        p_flat_e6=decision.p_flat_e6,
        p_down_e6=decision.p_down_e6,
        edge_e6=edge_e6,
        cost_e6=cost_e6,
        net_e6=net_e6,
        net_quote_e8=notional * net_e6 // E6,
        after_lots=position + idea.side * idea.qty_lots,
        worst_case_lots=aimed,
        worst_share_e6=worst * E6 // limit if limit else -1,
        life_ms=idea.life_ns // 1_000_000,
        offer_left_ms=state.ideas.offer_left_ns(card, now_ns) // 1_000_000,
        armed=state.ideas.armed(idea, now_ns),
        exit_after_ms=idea.exit_rule.after_ns // 1_000_000,
        exit_rest_ms=idea.exit_rule.rest_ns // 1_000_000,
        collar_e6=idea.exit_rule.collar_e6,
        model=decider_words(model, idea.model_id),
        horizon_ms=idea.horizon_ms,
        row_age_ms=(now_ns - decision.ts_ns + decision.row_age_ns) // 1_000_000,
        live=card.live(),
        waits_for=card.waits_for(),
        content_hash=idea.content_hash,
    )


def permit_views(state: EngineState, now_ns: int) -> tuple[PermitView, ...]:
    """Give open permits, then the newest ended ones."""
    records = (*state.permits.open_permits(), *state.permits.ended_permits())
    return tuple(_permit(record, now_ns) for record in records[:PERMITS])


def _permit(record: PermitRecord, now_ns: int) -> PermitView:
    permit = record.permit
    both = len(permit.sides) != 1
    side = 0 if both else int(permit.sides[0])
    worst = permit.highest_ticks if side == Side.BUY else permit.lowest_ticks
    left_ns = permit.ends_ns - now_ns if permit.ends_ns and record.end is None else 0
    return PermitView(
        permit_id=permit.permit_id,
        kind=permit.kind.value,
        idea_id=permit.idea_id,
        who=permit.who,
        side=side,
        qty_lots=permit.max_order_lots,
        worst_ticks=worst if side else 0,
        used=record.used,
        max_orders=permit.max_orders,
        left_ms=max(0, left_ns) // 1_000_000,
        state=record.status.value,
        why=record.why,
        passive=permit.passive,
        symbol=permit.symbol,
    )


def window_words(state: EngineState, desk: SymbolDesk, now_ns: int) -> str:
    """Give the window permit as the status line prints it, the shown symbol's first; empty without one."""
    windows = [one for one in state.permits.open_permits() if one.permit.kind is PermitKind.WINDOW]
    if not windows:
        return ""
    record = next((one for one in windows if one.permit.symbol == desk.symbol), windows[0])
    permit = record.permit
    seconds = max(0, permit.ends_ns - now_ns) // 1_000_000_000
    one = "long" if permit.sides[0] is Side.BUY else "short"
    sides = one if len(permit.sides) == 1 else "both"
    words = f"{sides} {seconds // 60}:{seconds % 60:02d} {record.used}/{permit.max_orders}"
    return words if permit.symbol == desk.symbol else f"{permit.symbol} {words}"


def other_symbols(state: EngineState, desk: SymbolDesk) -> tuple[OtherSymbol, ...]:
    """Give the scales and what is open of every symbol but the shown one."""
    return tuple(_other(state, other) for other in state.desks.values() if other is not desk)


def _other(state: EngineState, desk: SymbolDesk) -> OtherSymbol:
    position, exposure = state.portfolio.position(desk.symbol), state.orders.exposure(desk.symbol)
    return OtherSymbol(
        instrument=instrument_view(desk.instrument),
        lots=position.lots,
        notional_quote_e8=position.notional_quote_e8,
        orders=exposure.orders,
        exit_resting=_exit_resting(position, exposure),
        dust=desk.policy.dust and position.lots != 0,
    )


def _exit_resting(position: Position, exposure: Exposure) -> bool:
    return position.lots != 0 and exposure.lots(Side.SELL if position.lots > 0 else Side.BUY) > 0


def order_views(state: EngineState, queue_ahead: Mapping[str, int], now_ns: int) -> tuple[OrderView, ...]:
    """Give the newest orders, live, ended and denied, newest first."""
    return tuple(
        OrderView(
            number=order.number,
            client_order_id=order.client_order_id,
            state=order.state,
            symbol=order.symbol,
            side=order.side,
            qty_lots=order.intent.qty_lots,
            filled_lots=order.filled_lots,
            price_ticks=order.intent.price_ticks,
            avg_half_ticks=order.avg_half_ticks,
            post_only=order.intent.order_type.value == "POST_ONLY",
            queue_ahead_units=queue_ahead.get(order.client_order_id, -1),
            age_ms=max(0, now_ns - order.created_ns) // 1_000_000,
            ack_us=-1 if order.first_answer_ns < 0 else (order.first_answer_ns - order.created_ns) // 1000,
            origin=order.intent.origin.value,
            reason=order.reason,
            permit_id=order.intent.permit_id,
        )
        for order in state.orders.recent(ORDERS)
    )


def counts_view(state: EngineState) -> CountsView:
    """Give the session's order totals."""
    counts = state.orders.counts
    p50_ms, p90_ms = state.portfolio.press_to_sent_ms()
    return CountsView(
        sent=counts.sent - counts.refused_by_gate,
        filled=counts.filled,
        canceled=counts.canceled,
        rejected=counts.rejected,
        denied=counts.denied,
        unknown=state.orders.unknown_orders,
        foreign=counts.foreign,
        press_to_sent_p50_ms=p50_ms,
        press_to_sent_p90_ms=p90_ms,
    )


def position_view(state: EngineState, desk: SymbolDesk) -> PositionView:
    """Give position and profit; open profit is marked at the price one could leave at."""
    portfolio = state.portfolio
    position = portfolio.position(desk.symbol)
    exposure = state.orders.exposure(desk.symbol)
    limits = desk.limits
    return PositionView(
        lots=position.lots,
        avg_price_e8=position.avg_price_e8,
        notional_quote_e8=position.notional_quote_e8,
        limit_share_e6=_share(position.notional_quote_e8, limits.max_position_quote_e8 if limits else 0),
        open_quote_e8=position.open_quote_e8,
        exit_fee_quote_e8=position.exit_fee_quote_e8,
        closed_quote_e8=position.closed_quote_e8,
        fees_quote_e8=position.fees_quote_e8,
        day_quote_e8=portfolio.day_quote_e8,
        loss_limit_quote_e8=limits.max_daily_loss_quote_e8 if limits else 0,
        loss_used_e6=_share(portfolio.day_loss_quote_e8, limits.max_daily_loss_quote_e8 if limits else 0),
        drawdown_quote_e8=portfolio.drawdown_quote_e8,
        fills=portfolio.fills,
        maker_share_e6=portfolio.maker_share_e6,
        worst_case_lots=exposure.worst_case_lots(position.lots),
        after_1s_e6=portfolio.after_fill.mean_e6(0),
        after_10s_e6=portfolio.after_fill.mean_e6(1),
        home_base_e8=state.params.home_base_e8,
        exit_resting=_exit_resting(position, exposure),
        dust=desk.policy.dust and position.lots != 0,
    )


def kill_view(state: EngineState, desk: SymbolDesk) -> KillView | None:
    """Give the kill in progress; None while the gate is open."""
    kill = state.kill
    if kill is None:
        return None
    counts = state.orders.counts
    position = state.portfolio.position(desk.symbol)
    return KillView(
        latched=kill.latched,
        who=kill.who,
        reason=kill.reason,
        ts_ns=kill.ts_ns,
        ours_total=kill.ours_total,
        cancels_sent=kill.cancels_sent,
        gone=counts.canceled - kill.canceled_before - kill.later_canceled,
        filled_late=counts.filled - kill.filled_before - kill.later_filled,
        unknown=state.orders.unknown_orders,
        position_lots=position.lots,
        position_quote_e8=position.notional_quote_e8,
        confirmed_ts_ns=kill.confirmed_ts_ns,
        choosing=kill.choose_by_ns > 0,
        left=kill.left,
        account=kill.account,
    )


def limit_rows(state: EngineState, desk: SymbolDesk) -> tuple[LimitRow, ...]:
    """Give each limit of a symbol and how much of it is used."""
    limits = desk.limits
    if limits is None:
        return (LimitRow("no limits written", "cannot trade", "", E6),)
    position = state.portfolio.position(desk.symbol)
    loss = state.portfolio.day_loss_quote_e8
    gross = state.portfolio.gross_quote_e8
    open_orders = state.orders.exposure(desk.symbol).orders
    quote = desk.instrument.quote
    money = [
        ("daily loss", limits.max_daily_loss_quote_e8, loss),
        (
            "fall from the best",
            limits.max_drawdown_quote_e8 or limits.max_daily_loss_quote_e8,
            state.portfolio.drawdown_quote_e8,
        ),
        ("position", limits.max_position_quote_e8, position.notional_quote_e8),
        ("gross, all symbols", limits.max_gross_quote_e8, gross),
    ]
    rows = [
        LimitRow(name, f"{_money(limit)} {quote}", _money(used), _share(used, limit))
        for name, limit, used in money
    ]
    rows.append(LimitRow("one order", f"{_money(limits.max_notional_quote_e8)} {quote}", "", 0))
    rows.append(LimitRow("one order", f"{desk.instrument.qty_text(limits.max_qty_lots)}", "", 0))
    share = _share(open_orders, limits.max_open_orders)
    rows.append(LimitRow("open orders", str(limits.max_open_orders), str(open_orders), share))
    rows += _measured_limits(state, desk, limits)
    rows += [LimitRow(name, limit, "", 0) for name, limit in _plain_limits(limits, quote)]
    why = state.model_gate.disabled or state.risk.why_disabled(desk.symbol)
    rows.append(LimitRow("model", f"stopped: {why}" if why else "enabled", "", 0))
    return tuple(rows)


def _measured_limits(state: EngineState, desk: SymbolDesk, limits: RiskLimits) -> list[LimitRow]:
    """Give the limits on orders a trade, the usual move, and on margin what the positions bind."""
    orders, trades = state.risk.orders_per_trade(desk.symbol, state.now_ns)
    most = limits.max_orders_per_trade * max(1, trades)
    used = f"{orders}/{trades}"
    rows = [LimitRow("orders a trade", str(limits.max_orders_per_trade), used, _share(orders, most))]
    _, jump_e6, most_jump_e6, _ = desk.market_numbers()
    sigma = desk.sense.sigma_e6
    usual = f"{limits.max_jump_sigmas} x {_bp(sigma)} bp" if sigma >= 0 else "not known yet"
    rows.append(LimitRow("jump, usual moves", usual, f"{_bp(jump_e6)} bp", _share(jump_e6, most_jump_e6)))
    if desk.instrument.margin:
        bound = state.portfolio.gross_quote_e8 * limits.margin_percent // 100
        may = state.portfolio.equity_quote_e8 * limits.max_margin_percent // 100
        rows.append(LimitRow("margin", f"{limits.max_margin_percent} %", _money(bound), _share(bound, may)))
    return rows


def _plain_limits(limits: RiskLimits, quote: str) -> tuple[tuple[str, str], ...]:
    """Give the limits that are compared with one order alone."""
    taken = _money(limits.aggressive_times * limits.max_notional_quote_e8)
    return (
        ("new orders a second", str(limits.new_per_second)),
        ("cancels a second", str(limits.cancels_per_second)),
        ("collar mid / last", f"{_bp(limits.collar_mid_e6)} / {_bp(limits.collar_last_e6)} bp"),
        ("taken a minute", f"{taken} {quote}"),
        ("age of the book", f"{limits.max_book_age_ns // 1_000_000} ms"),
        ("model orders", f"{limits.throttle_orders} in {limits.throttle_window_ns // 1_000_000_000} s"),
        ("one side in a row", str(limits.throttle_same_side)),
        ("rejects in a row", str(limits.throttle_rejects)),
        ("duplicate within", f"{limits.duplicate_window_ns // 1_000_000} ms"),
        ("spread / jump", f"{_bp(limits.max_spread_e6)} / {_bp(limits.max_jump_e6)} bp"),
        ("at the touch", f"{_millions(limits.max_touch_quote_e8)} {quote}"),
        ("odd market", f"{limits.max_market_breaches} in 60 s"),
    )


def _bp(value_e6: int) -> str:
    return scaled_text(value_e6, 2).rstrip("0").rstrip(".")


def _share(used: int, limit: int) -> int:
    return used * E6 // limit if limit > 0 else -1


def _millions(quote_e8: int) -> str:
    """Give a large amount short, a smaller one as it is."""
    millions, rest = divmod(quote_e8, _MILLION_E8)
    return _money(quote_e8) if rest or not millions else f"{millions} M"


def _money(quote_e8: int) -> str:
    return scaled_text(quote_e8 // 1_000_000, 2)
