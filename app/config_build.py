"""What the core gets of the settings: frozen parameters in integers, and the `practice` limits.

Every conversion is exact; a quantity that does not fit the instrument's lot is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from app.config_sections import Config, HealthSettings, WorkerSettings
from app.config_sources import ConfigError
from app.config_trading import (
    DecisionSettings,
    ExecutionSettings,
    LimitSettings,
    PermitSettings,
    SizingSettings,
    WatchSettings,
)
from pipeline.core.params import (
    MS,
    SECOND,
    DecisionParams,
    EngineParams,
    EntryStyle,
    ExecutionParams,
    HealthParams,
    ModelSpec,
    PermitParams,
    RiskLimits,
    Shape,
    SizingParams,
    WatchParams,
)
from pipeline.core.types import E6, QUOTE_SCALE, Authority, Fees, Instrument, VenueMode

PRACTICE = "practice"
PRACTICE_LIMITS = LimitSettings(
    max_qty_base=Decimal("0.05"),
    max_notional_quote=Decimal(5_000),
    max_position_quote=Decimal(15_000),
    max_gross_quote=Decimal(25_000),
    max_daily_loss_quote=Decimal(400),
    throttle_orders=300,
    throttle_same_side=20,
    max_orders_per_trade=1_000,
)
"""Limits of a symbol that has none written, outside LIVE; max_qty_base is for BTC alone.

The throttle counts every model order, also those withdrawn unfilled; a passive entry on a busy book is
withdrawn and placed anew every second or so, so that practice allows what the rate limit lets through.
"""

PRACTICE_QUOTES = ("USDT", "USDC", "USD", "FDUSD")
"""The practice amounts mean dollars; a symbol quoted in anything else needs limits of its own."""


def build_engine_params(
    config: Config,
    mode: VenueMode,
    authority: Authority | None,
    instruments: Sequence[Instrument],
    model: ModelSpec | None,
    fees: Fees | None = None,
    *,
    reference_ticks: Mapping[str, int] | None = None,
    session_number: int = 1,
) -> EngineParams:
    """Give everything an engine is built from.

    `authority` None takes the configured one, and without it APPROVE; LIVE then starts in OBSERVE. `fees`
    replaces those of all instruments. `reference_ticks` gives a price by symbol, from which the practice
    profile derives a largest quantity where it has none of its own.

    Raises:
        ConfigError: a limit does not fit the instrument's lot.

    """
    paid = tuple(replace(one, fees=fees) for one in instruments) if fees else tuple(instruments)
    live = mode is VenueMode.LIVE
    return EngineParams(
        mode=mode,
        authority=_authority(config, mode) if authority is None else authority,
        instruments=paid,
        model=model,
        decision=_decision(config.decision),
        sizing=_sizing(config.sizing),
        execution=_execution(config.execution),
        permits=_permits(config.permits),
        limits=_limits(config, mode, paid, reference_ticks or {}),
        health=_health(config.health, config.workers),
        watch=_watch(config.watch, live=live),
        session_number=session_number,
        home_base_e8=0 if live else _e8(config.session.home_base),
        balance_quote_e8=0 if live else _e8(config.session.balance_quote),
        ring_depth=config.workers.ring_depth,
    )


def practice_limits(instrument: Instrument, reference_ticks: int = 0) -> RiskLimits | None:
    """Give the practice profile for one instrument, or None where its amounts would mean nothing."""
    if instrument.quote not in PRACTICE_QUOTES:
        return None
    lots = instrument.max_qty_lots
    if instrument.base == "BTC":
        lots = min(lots, _lots(PRACTICE_LIMITS.max_qty_base, instrument))
    elif reference_ticks > 0:
        one_lot_e8 = max(instrument.notional_quote_e8(reference_ticks, 1), 1)
        lots = min(lots, max(_e8(PRACTICE_LIMITS.max_notional_quote) // one_lot_e8, 1))
    return _risk(PRACTICE, PRACTICE_LIMITS, lots)


def _limits(
    config: Config, mode: VenueMode, instruments: Sequence[Instrument], reference_ticks: Mapping[str, int]
) -> dict[str, RiskLimits]:
    limits: dict[str, RiskLimits] = {}
    for instrument in instruments:
        written = config.limits.get(instrument.symbol)
        if written is not None:
            limits[instrument.symbol] = _risk(
                "configuration", written, _lots(written.max_qty_base, instrument)
            )
        elif mode is not VenueMode.LIVE:
            practice = practice_limits(instrument, reference_ticks.get(instrument.symbol, 0))
            if practice is not None:
                limits[instrument.symbol] = practice
    return limits


def _authority(config: Config, mode: VenueMode) -> Authority:
    if mode is VenueMode.LIVE:
        return Authority.OBSERVE
    return Authority[config.session.authority.upper()] if config.session.authority else Authority.APPROVE


def _lots(quantity: Decimal, instrument: Instrument) -> int:
    """Turn a quantity into lots.

    Raises:
        ConfigError: it is no multiple of the lot, or less than one.

    """
    lots = quantity.scaleb(instrument.size_decimals) / instrument.lot_units
    if lots < 1 or lots != int(lots):
        name, lot = instrument.symbol, instrument.qty_text(1)
        raise ConfigError(f"limits.{name}.max_qty_base: found {quantity}, wanted a multiple of the lot {lot}")
    return int(lots)


def _risk(profile: str, limits: LimitSettings, max_qty_lots: int) -> RiskLimits:
    return RiskLimits(
        profile=profile,
        max_qty_lots=max_qty_lots,
        max_notional_quote_e8=_e8(limits.max_notional_quote),
        max_position_quote_e8=_e8(limits.max_position_quote),
        max_gross_quote_e8=_e8(limits.max_gross_quote),
        max_daily_loss_quote_e8=_e8(limits.max_daily_loss_quote),
        collar_mid_e6=_bps_e6(limits.collar_mid_bps),
        collar_last_e6=_bps_e6(limits.collar_last_bps),
        max_book_age_ns=limits.max_book_age_ms * MS,
        max_open_orders=limits.max_open_orders,
        new_per_second=limits.new_per_second,
        new_burst=limits.new_burst,
        cancels_per_second=limits.cancels_per_second,
        throttle_orders=limits.throttle_orders,
        throttle_window_ns=limits.throttle_window_s * SECOND,
        throttle_rejects=limits.throttle_rejects,
        duplicate_window_ns=limits.duplicate_window_ms * MS,
        throttle_same_side=limits.throttle_same_side,
        max_drawdown_quote_e8=_e8(limits.max_drawdown_quote),
        aggressive_times=limits.aggressive_times,
        max_spread_e6=_bps_e6(limits.max_spread_bps),
        max_jump_e6=_bps_e6(limits.max_jump_bps),
        max_jump_sigmas=limits.max_jump_sigmas,
        max_touch_quote_e8=_e8(limits.max_touch_quote),
        max_market_breaches=limits.max_market_breaches,
        max_orders_per_trade=limits.max_orders_per_trade,
        margin_percent=limits.margin_percent,
        max_margin_percent=limits.max_margin_percent,
    )


def _decision(decision: DecisionSettings) -> DecisionParams:
    return DecisionParams(
        entry_e6=_e6(decision.entry_above_half),
        leave_e6=_e6(decision.leave_above_half),
        grid_ns=decision.grid_ms * MS,
        min_interval_ns=decision.min_interval_ms * MS,
        max_row_age_ns=decision.max_row_age_ms * MS,
    )


def _sizing(sizing: SizingSettings) -> SizingParams:
    return SizingParams(
        shape=Shape(sizing.shape.upper()),
        power_gamma=float(sizing.power_gamma),
        kelly_fraction=float(sizing.kelly_fraction),
        kelly_win_e6=_bps_e6(sizing.kelly_win_bps),
        kelly_loss_e6=_bps_e6(sizing.kelly_loss_bps),
        kelly_reference=float(sizing.kelly_reference),
        max_notional_quote_e8=_e8(sizing.max_notional_quote),
        sigma_target_e6=_bps_e6(sizing.sigma_target_bps),
        sigma_floor_e6=_bps_e6(sizing.sigma_floor_bps),
        edge_margin_e6=_bps_e6(sizing.edge_margin_bps),
        slippage_e6=_bps_e6(sizing.slippage_bps),
        expected_move_e6=_bps_e6(sizing.expected_move_bps),
        no_trade_band_e6=_e6(sizing.no_trade_band_ratio),
        max_l1_share_e6=_e6(sizing.max_l1_share_ratio),
    )


def _execution(execution: ExecutionSettings) -> ExecutionParams:
    return ExecutionParams(
        entry=EntryStyle(execution.entry.upper()),
        collar_e6=_bps_e6(execution.collar_bps),
        requote_ticks=execution.requote_ticks,
        requote_after_ns=execution.requote_after_ms * MS,
        exit_after_ns=execution.exit_after_s * SECOND,
        exit_rest_ns=execution.exit_rest_s * SECOND,
        retry_after_ns=execution.retry_after_ms * MS,
    )


def _permits(permits: PermitSettings) -> PermitParams:
    return PermitParams(
        born_after_ns=permits.born_after_ms * MS,
        offer_ns=permits.offer_s * SECOND,
        revise_every_ns=permits.revise_every_s * SECOND,
        max_cards_a_minute=permits.max_cards_per_minute,
        one_shot_life_ns=permits.one_shot_life_s * SECOND,
        arming_ns=permits.arming_ms * MS,
        repeat_ns=permits.repeat_ms * MS,
        decline_ns=permits.decline_s * SECOND,
        decline_twice_ns=permits.decline_twice_s * SECOND,
        window_default_ns=permits.window_default_s * SECOND,
        window_max_ns=permits.window_max_s * SECOND,
        book_lost_ns=permits.book_lost_s * SECOND,
        vacated_ns=permits.vacated_s * SECOND,
        drift_ticks=permits.drift_ticks,
        drift_e6=_bps_e6(permits.drift_bps),
    )


def _watch(watch: WatchSettings, *, live: bool) -> WatchParams:
    return WatchParams(
        trade_unproven=not live if watch.before_proof is None else watch.before_proof == "trade",
        least_calls=watch.least_calls,
        temper=watch.temperature == "applied",
        fallback=watch.fallback == "imbalance",
    )


def _health(health: HealthSettings, workers: WorkerSettings) -> HealthParams:
    return HealthParams(
        stale_after_ns=health.stale_after_ms * MS,
        latency_warn_ns=health.latency_warn_ms * MS,
        latency_degrade_ns=health.latency_degrade_ms * MS,
        loop_lag_warn_ns=health.loop_lag_warn_ms * MS,
        loop_lag_halt_ns=health.loop_lag_halt_ms * MS,
        clock_warn_ns=health.clock_warn_ms * MS,
        clock_halt_ns=health.clock_halt_ms * MS,
        locked_grace_ns=health.locked_grace_ms * MS,
        memory_warn_mb=health.memory_warn_mb,
        memory_halt_mb=health.memory_halt_mb,
        disk_warn_percent=health.disk_warn_percent,
        disk_halt_percent=health.disk_halt_percent,
        files_warn_percent=health.files_warn_percent,
        files_halt_percent=health.files_halt_percent,
        misses_warn_percent=health.misses_warn_percent,
        misses_degrade_percent=health.misses_degrade_percent,
        bad_answers=health.bad_answers,
        frozen_rows=health.frozen_rows,
        feed_lag_warn_ns=health.feed_lag_warn_ms * MS,
        feed_lag_halt_ns=health.feed_lag_halt_ms * MS,
        worker_deadline_ns=workers.deadline_ms * MS,
    )


def _e6(ratio: Decimal) -> int:
    return int(ratio * E6)


def _bps_e6(bps: Decimal) -> int:
    return int(bps * 100)


def _e8(amount: Decimal) -> int:
    return int(amount * QUOTE_SCALE)
