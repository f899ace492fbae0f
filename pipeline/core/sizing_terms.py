"""The numbers sizing works with, checked and scaled once a symbol so that a decision only multiplies.

Shares and rates are integers of 1e-9 here: the parameters' 1e-6 is one hundredth of a basis point, too coarse
to multiply with. Rebuild the terms when fees, limits or the model change.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from pipeline.core.params import (
    DecisionParams,
    EntryStyle,
    ExecutionParams,
    ModelSpec,
    RiskLimits,
    SizingParams,
)
from pipeline.core.shapes import ShapeCurve, require, shape_curve
from pipeline.core.types import E6, Instrument


@dataclass(frozen=True, slots=True)
class SizingTerms:
    """Everything sizing needs that does not change with the market."""

    curve: ShapeCurve
    entry: EntryStyle
    full_quote_e8: int
    """Target notional at full confidence."""
    sigma_target_e9: int
    sigma_floor_e9: int
    sigma_train_e9: int
    """Training volatility over the horizon; 0 where the model's manifest has none."""
    sqrt_horizon: float
    """Square root of the model's horizon in seconds."""
    move_e9: int
    """Expected favourable move at score 1: E|r| given a move, times P(move) for a binary model."""
    margin_e9: int
    slippage_e9: int
    passive_fees_e9: int
    """Maker in, taker out."""
    cross_fees_e9: int
    """Taker in, taker out."""
    numerator: int
    denominator: int
    """ticks * lots * numerator / denominator is money in 1e-8 of the quote currency."""
    min_notional_quote_e8: int
    margin: bool
    """True where reduce-only orders exist: a close below the minimum notional is taken."""
    has_limits: bool
    position_quote_e8: int
    order_quote_e8: int
    order_lots: int
    l1_share_e6: int
    band_quote_e8: int


def sizing_terms(
    sizing: SizingParams,
    decision: DecisionParams,
    execution: ExecutionParams,
    instrument: Instrument,
    limits: RiskLimits | None,
    model: ModelSpec,
) -> SizingTerms:
    """Build the terms of one symbol; without limits every order cap is 0 and nothing can be sized.

    Raises:
        ValueError: a parameter is outside its range; the message names it, the value and the range.

    """
    require(
        sizing.max_notional_quote_e8 > 0,
        "sizing.max_notional_quote_e8",
        sizing.max_notional_quote_e8,
        "above 0",
    )
    require(sizing.sigma_floor_e6 > 0, "sizing.sigma_floor_e6", sizing.sigma_floor_e6, "above 0")
    require(sizing.sigma_target_e6 > 0, "sizing.sigma_target_e6", sizing.sigma_target_e6, "above 0")
    require(sizing.edge_margin_e6 >= 0, "sizing.edge_margin_e6", sizing.edge_margin_e6, "0 or more")
    require(sizing.slippage_e6 >= 0, "sizing.slippage_e6", sizing.slippage_e6, "0 or more")
    require(
        0 <= sizing.no_trade_band_e6 <= E6, "sizing.no_trade_band_e6", sizing.no_trade_band_e6, "in [0, 1e6]"
    )
    require(sizing.max_l1_share_e6 > 0, "sizing.max_l1_share_e6", sizing.max_l1_share_e6, "above 0")
    require(model.horizon_ms > 0, "model.horizon_ms", model.horizon_ms, "above 0")
    numerator, denominator = instrument.notional_scale
    fees = instrument.fees
    return SizingTerms(
        curve=shape_curve(sizing, decision.entry_e6),
        entry=execution.entry,
        full_quote_e8=sizing.max_notional_quote_e8,
        sigma_target_e9=sizing.sigma_target_e6 * 1_000,
        sigma_floor_e9=sizing.sigma_floor_e6 * 1_000,
        sigma_train_e9=max(0, model.sigma_train_e6) * 1_000,
        sqrt_horizon=math.sqrt(model.horizon_ms / 1_000),
        move_e9=_expected_move_e9(model, sizing),
        margin_e9=sizing.edge_margin_e6 * 1_000,
        slippage_e9=sizing.slippage_e6 * 1_000,
        passive_fees_e9=(fees.maker_e6 + fees.taker_e6) * 1_000,
        cross_fees_e9=2 * fees.taker_e6 * 1_000,
        numerator=numerator,
        denominator=denominator,
        min_notional_quote_e8=instrument.min_notional_quote_e8,
        margin=instrument.margin,
        has_limits=limits is not None,
        position_quote_e8=limits.max_position_quote_e8 if limits else 0,
        order_quote_e8=limits.max_notional_quote_e8 if limits else 0,
        order_lots=min(limits.max_qty_lots, instrument.max_qty_lots) if limits else 0,
        l1_share_e6=sizing.max_l1_share_e6,
        band_quote_e8=sizing.max_notional_quote_e8 * sizing.no_trade_band_e6 // E6,
    )


def _expected_move_e9(model: ModelSpec, sizing: SizingParams) -> int:
    """E|r| at score 1; three classes carry P(move) in the score already, a binary model does not."""
    move_e9 = (model.mean_move_e6 or sizing.expected_move_e6) * 1_000
    return max(0, move_e9 * model.move_rate_e6 // E6 if model.binary else move_e9)
