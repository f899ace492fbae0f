"""Builds the one snapshot the console draws, from the engine's state and the session's facts."""

from __future__ import annotations

from pipeline.core import view_market, view_model, view_trading
from pipeline.core.desk import SymbolDesk
from pipeline.core.engine import Engine
from pipeline.core.facts import RuntimeFacts
from pipeline.core.risk import MARKET
from pipeline.core.snapshot import (
    AlertView,
    ChainView,
    ConsoleSnapshot,
    HeaderView,
    StageView,
)
from pipeline.core.start_view import start_view
from pipeline.core.state import EngineState
from pipeline.core.symbol_watch import Source
from pipeline.core.types import Authority, Severity, TradingState, WorkerState

ALERTS = 12


def build_snapshot(engine: Engine, symbol: str, seq: int, ts_ns: int, facts: RuntimeFacts) -> ConsoleSnapshot:
    """Build one picture of `symbol`; an unknown or empty symbol shows the first of the session."""
    state = engine.state
    desk = state.desks.get(symbol) or next(iter(state.desks.values()))
    params = state.params
    orders = state.orders.live(desk.symbol)
    return ConsoleSnapshot(
        seq=seq,
        ts_ns=ts_ns,
        instrument=view_market.instrument_view(desk.instrument),
        symbols=engine.symbols,
        header=_header(state, desk, facts, ts_ns),
        kill=view_trading.kill_view(state, desk),
        start=start_view(state),
        ladder=view_market.ladder_view(desk, orders, ts_ns),
        chart=view_market.chart_view(desk, ts_ns),
        score=view_market.score_view(
            desk, state.model, 2 * params.decision.entry_e6, 2 * params.decision.leave_e6, ts_ns
        ),
        imbalance=view_market.imbalance_view(desk, ts_ns),
        why=view_trading.why_view(state, desk, facts.planted, ts_ns),
        proposals=view_trading.proposal_views(state, ts_ns),
        permits=view_trading.permit_views(state, ts_ns),
        snoozed=tuple((s, int(side), left // 1_000_000) for s, side, left in state.ideas.snoozed(ts_ns)),
        orders=view_trading.order_views(state, facts.queue_ahead_units, ts_ns),
        counts=view_trading.counts_view(state),
        position=view_trading.position_view(state, desk),
        tape=view_market.tape_view(desk),
        alerts=_alerts(state, facts),
        chain=_chain(state, desk, facts, ts_ns),
        limits=view_trading.limit_rows(state, desk),
        model=view_model.model_view(state, desk, facts.model_files, ts_ns),
        others=view_trading.other_symbols(state, desk),
    )


def _header(state: EngineState, desk: SymbolDesk, facts: RuntimeFacts, ts_ns: int) -> HeaderView:
    params, portfolio, gate = state.params, state.portfolio, state.gate
    position = portfolio.position(desk.symbol)
    limits, model = desk.limits, state.model
    limit = limits.max_daily_loss_quote_e8 if limits else 0
    return HeaderView(
        mode=params.mode,
        authority=state.authority,
        trading_state=state.trading_state,
        session=facts.session,
        operator=facts.operator,
        controllers=facts.consoles,
        model=view_trading.decider_words(model, desk.watch.identity[0]) if model is not None else "",
        gate_open=state.gate_open,
        gate_closers=gate.closers if gate is not None and not gate.open else (),
        position_lots=position.lots,
        day_quote_e8=portfolio.day_quote_e8,
        loss_used_e6=portfolio.day_loss_quote_e8 * 1_000_000 // limit if limit else -1,
        loss_limit_quote_e8=limit,
        gross_quote_e8=portfolio.gross_quote_e8,
        unmanaged_lots=position.lots if desk.policy.unmanaged else 0,
        alerts_unnoted=state.alerts.unnoted + facts.notices_unnoted,
        window=view_trading.window_words(state, desk, ts_ns),
        limits_profile=limits.profile if limits else "none",
        replay=facts.replay,
        model_note=state.models.note,
        model_loading=state.models.pending is not None,
    )


def _alerts(state: EngineState, facts: RuntimeFacts) -> tuple[AlertView, ...]:
    """Give the newest alerts of engine and session, newest first; one that waits to be noted is never cut."""
    both = (*facts.notices[:ALERTS], *state.alerts.views(ALERTS))
    newest = sorted(both, key=lambda alert: alert.ts_ns, reverse=True)
    waiting = [a for a in newest[ALERTS:] if a.severity > Severity.INFO and not a.noted_by]
    return (*newest[:ALERTS], *waiting[:1])


def _chain(state: EngineState, desk: SymbolDesk, facts: RuntimeFacts, ts_ns: int) -> ChainView:
    stages = (_feed_stage(desk, ts_ns), *facts.stages)
    measured = [stage for stage in stages if stage.p99_us >= 0 and stage.name != "feed"]
    running = (WorkerState.READY, WorkerState.BUSY)
    return ChainView(
        stages=stages,
        slowest=max(measured, key=lambda stage: stage.p99_us).name if measured else "",
        stopped=_stopped(state, desk, facts, ts_ns),
        workers=facts.workers,
        workers_ready=sum(1 for worker in facts.workers if worker.state in running),
        conflated=state.inference.conflated,
        late=state.inference.late,
        void=state.inference.void,
        feed_up=state.feed_up,
        loop_lag_us=facts.loop_lag_us,
        clock_offset_ms=0,
        journal_ok=facts.journal_ok,
        rss_mb=facts.rss_mb,
        guard=facts.guard,
        feeds=facts.feeds,
    )


def _feed_stage(desk: SymbolDesk, ts_ns: int) -> StageView:
    age_us = (ts_ns - desk.newest_recv_ns) // 1000 if desk.newest_recv_ns else -1
    return StageView(name="feed", now_us=age_us, p50_us=-1, p99_us=-1, ok=desk.book_ok)


def _stopped(state: EngineState, desk: SymbolDesk, facts: RuntimeFacts, ts_ns: int) -> str:
    """Give the first thing that keeps any new order from going now; empty when nothing does."""
    model = state.model
    if not state.gate_open:
        return "KILLED" if state.trading_state is TradingState.KILLED else "GATE_CLOSED"
    if state.trading_state is not TradingState.ACTIVE:
        return state.trading_state.name
    if not desk.book_ok:
        return "BOOK_NOT_OK"
    if model is None:
        return "NO_MODEL"
    if desk.limits is None:
        return "NO_LIMITS"
    if desk.watch.source is Source.NONE:
        return "MODEL_DISABLED" if desk.watch.stopped else "MODEL_UNPROVEN"
    if not (desk.features.ready(model.features, ts_ns) and desk.window_whole(ts_ns)):
        return "NOT_READY"
    running = (WorkerState.READY, WorkerState.BUSY)
    if facts.workers and not any(worker.state in running for worker in facts.workers):
        return "NO_WORKER"
    if why := state.risk.why_disabled(desk.symbol):
        return "SYMBOL_STOPPED" if why == MARKET else "REPEATED_EXECUTION"
    permitted = any(record.permit.symbol == desk.symbol for record in state.permits.open_permits())
    if state.authority is Authority.AUTO and not permitted:
        return "NO_PERMIT"
    return ""
