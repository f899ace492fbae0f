"""Builders of markets, predictions, decisions and intents for the tests of sizing, cards and permits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from pipeline.core.decision import Decider, Decision, DecisionTerms, decision_terms
from pipeline.core.inputs import PredictionReceived, WindowTerms
from pipeline.core.params import (
    DecisionParams,
    ExecutionParams,
    ModelSpec,
    PermitParams,
    RiskLimits,
    SizingParams,
)
from pipeline.core.sizing import MarketState
from pipeline.core.sizing_terms import SizingTerms, sizing_terms
from pipeline.core.types import (
    QUOTE_SCALE,
    Fees,
    Instrument,
    OrderIntent,
    OrderType,
    Origin,
    Side,
    SyncRule,
)

MS = 1_000_000
SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND

BTC = Instrument(
    venue="binance",
    symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    price_decimals=2,
    tick_units=1,
    size_decimals=8,
    lot_units=1_000,
    min_notional_quote_e8=5 * QUOTE_SCALE,
    max_qty_lots=900_000_000,
    sync_rule=SyncRule.CONTIGUOUS,
    fees=Fees(maker_e6=0, taker_e6=0, source="option"),
)
"""Spot: tick 0.01, lot 0.00001."""

PERP = replace(BTC, margin=True)
"""The same with reduce-only orders."""

LIMITS = RiskLimits(
    profile="practice",
    max_qty_lots=10_000,
    max_notional_quote_e8=2_000 * QUOTE_SCALE,
    max_position_quote_e8=3_000 * QUOTE_SCALE,
    max_gross_quote_e8=5_000 * QUOTE_SCALE,
    max_daily_loss_quote_e8=40 * QUOTE_SCALE,
)

MODEL = ModelSpec(
    model_id="qi-logit",
    name="qi-logit",
    generation=1,
    schema_hash="5c4e",
    features=("qi_1",),
    horizon_ms=1_000,
    binary=False,
    sigma_train_e6=50,
    mean_move_e6=60,
    move_rate_e6=550_000,
)

MARKET = MarketState(
    book_ok=True,
    bid_ticks=6_420_999,
    bid_lots=400_000,
    ask_ticks=6_421_001,
    ask_lots=400_000,
    rv_1s=4e-5,
    position_lots=0,
)
"""Mid 64210.00, two ticks wide, four bitcoin on each side."""


def a_market(**changes: Any) -> MarketState:
    """Give the market with some fields changed."""
    return replace(MARKET, **changes)


def terms(
    *,
    instrument: Instrument = BTC,
    limits: RiskLimits | None = LIMITS,
    model: ModelSpec = MODEL,
    decision: DecisionParams | None = None,
    execution: ExecutionParams | None = None,
    **sizing: Any,
) -> SizingTerms:
    """Give sizing terms; keyword arguments are those of `SizingParams`."""
    return sizing_terms(
        SizingParams(**sizing),
        decision or DecisionParams(),
        execution or ExecutionParams(),
        instrument,
        limits,
        model,
    )


def with_fees(maker_e6: int, taker_e6: int, instrument: Instrument = BTC) -> Instrument:
    """Give the instrument at other fees."""
    return replace(instrument, fees=Fees(maker_e6, taker_e6, "option"))


def all_terms(
    *,
    instrument: Instrument = BTC,
    limits: RiskLimits | None = LIMITS,
    model: ModelSpec = MODEL,
    decision: DecisionParams | None = None,
    execution: ExecutionParams | None = None,
    permits: PermitParams | None = None,
    sizing: SizingParams | None = None,
) -> DecisionTerms:
    """Give decision terms."""
    return decision_terms(
        decision or DecisionParams(),
        sizing or SizingParams(),
        execution or ExecutionParams(),
        permits or PermitParams(),
        instrument,
        limits,
        model,
    )


def a_prediction(p_up: float, p_down: float | None = None, **changes: Any) -> PredictionReceived:
    """Give an answer; without `p_down` a binary one."""
    down = 1.0 - p_up if p_down is None else p_down
    prediction = PredictionReceived(
        symbol="BTCUSDT",
        model_id="qi-logit",
        generation=1,
        schema_hash="5c4e",
        feature_seq=7,
        p_down=down,
        p_flat=1.0 - p_up - down,
        p_up=p_up,
        horizon_ms=1_000,
        started_ns=START,
        finished_ns=START,
        worker_id=0,
        epoch=1,
        ts_ns=START,
    )
    return msgspec.structs.replace(prediction, **changes)


def a_decision(
    p_up: float = 0.8,
    now_ns: int = START,
    market: MarketState = MARKET,
    decider: Decider | None = None,
    symbol: str = "BTCUSDT",
) -> Decision:
    """Decide once, with a decider of the default terms unless one is given."""
    prediction = a_prediction(p_up, symbol=symbol)
    return (decider or Decider(all_terms())).decide(prediction, market, 5 * MS, now_ns)


def an_intent(**changes: Any) -> OrderIntent:
    """Give a passive buy of 100 lots at the bid by the model."""
    intent = OrderIntent(
        symbol="BTCUSDT",
        side=Side.BUY,
        qty_lots=100,
        price_ticks=6_420_999,
        order_type=OrderType.POST_ONLY,
        reduce_only=False,
        origin=Origin.MODEL,
        permit_id=0,
        idea_id=0,
        feature_seq=7,
        model_id="qi-logit",
        generation=1,
        score_e6=600_000,
        edge_e6=10,
        ts_ns=START,
    )
    return msgspec.structs.replace(intent, **changes)


def window_terms(**changes: Any) -> WindowTerms:
    """Give a window for both sides around the market, 20 orders, 5 minutes."""
    window = WindowTerms(
        sides=(Side.BUY, Side.SELL),
        max_order_lots=1_000,
        max_net_lots=3_000,
        max_orders=20,
        max_loss_quote_e8=5 * QUOTE_SCALE,
        min_net_edge_e6=0,
        lowest_ticks=6_415_000,
        highest_ticks=6_427_000,
        duration_ns=300 * SECOND,
    )
    return msgspec.structs.replace(window, **changes)
