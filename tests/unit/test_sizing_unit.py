"""Sizing step by step: what is refused, costs and break-even, caps, dust and the reasons of each stop."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.params import DecisionParams, EntryStyle, ExecutionParams
from pipeline.core.sizing import (
    NEVER_E6,
    BadNumber,
    MarketState,
    SizedTarget,
    SizingRefused,
    break_even_e6,
    cost_of_e9,
    score_of,
    sigma_over_horizon_e9,
    size_target,
)
from pipeline.core.sizing_terms import SizingTerms
from pipeline.core.types import QUOTE_SCALE, DenyReason
from tests.fakes.decisions import BTC, LIMITS, MARKET, MODEL, PERP, a_market, terms, with_fees

NAN, INF = float("nan"), float("inf")


def sized(score_e6: int, market: MarketState = MARKET, using: SizingTerms | None = None) -> SizedTarget:
    result = size_target(score_e6, market, using or terms())
    assert isinstance(result, SizedTarget)
    return result


# -- what may be sized from ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "classes",
    [
        (NAN, 0.0, 0.5),
        (0.5, 0.0, NAN),
        (0.0, INF, 0.5),
        (-0.1, 0.3, 0.8),
        (0.0, -0.0001, 1.0),
        (-0.2, 0.0, 1.2),
        (None, 0.0, 0.5),
        ("0.5", 0.0, 0.5),
        (0.5, 0.0, 0.6),
        (0.2, 0.2, 0.2),
    ],
)
def test_classes_that_are_no_probabilities_are_refused(classes: tuple[Any, Any, Any]) -> None:
    assert score_of(*classes) == SizingRefused(BadNumber.PROBABILITY)


def test_score_is_exactly_symmetric_where_floats_are_not() -> None:
    assert 0.55 - 0.5 != 0.5 - 0.45
    assert score_of(0.45, 0.0, 0.55) == 100_000
    assert score_of(0.55, 0.0, 0.45) == -100_000
    assert score_of(0.1, 0.2, 0.7) == 600_000
    assert score_of(0, 0, 1) == 1_000_000


@given(st.integers(0, 1_000_000))
def test_score_of_a_printed_probability_is_exact(p_e6: int) -> None:
    assert score_of(1.0 - p_e6 / 1e6, 0.0, p_e6 / 1e6) == 2 * p_e6 - 1_000_000


def test_classes_may_miss_one_by_a_thousandth() -> None:
    assert score_of(0.2005, 0.2, 0.6) == 399_500
    assert score_of(0.202, 0.2, 0.6) == SizingRefused(BadNumber.PROBABILITY)
    assert score_of(0.198, 0.2, 0.6) == SizingRefused(BadNumber.PROBABILITY)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"bid_ticks": 0}, BadNumber.PRICE),
        ({"bid_ticks": -5}, BadNumber.PRICE),
        ({"bid_ticks": 6_421_001}, BadNumber.PRICE),
        ({"bid_ticks": None}, BadNumber.PRICE),
        ({"ask_ticks": NAN}, BadNumber.PRICE),
        ({"bid_lots": -1}, BadNumber.SIZE),
        ({"ask_lots": -1}, BadNumber.SIZE),
        ({"ask_lots": INF}, BadNumber.SIZE),
        ({"bid_lots": None}, BadNumber.SIZE),
        ({"rv_1s": NAN}, BadNumber.SIGMA),
        ({"rv_1s": INF}, BadNumber.SIGMA),
        ({"rv_1s": 0.0}, BadNumber.SIGMA),
        ({"rv_1s": -1e-5}, BadNumber.SIGMA),
        ({"rv_1s": "4e-5"}, BadNumber.SIGMA),
        ({"position_lots": None}, BadNumber.POSITION),
        ({"position_lots": 0.5}, BadNumber.POSITION),
    ],
)
def test_market_that_is_no_number_is_refused(changes: dict[str, Any], field: BadNumber) -> None:
    assert size_target(600_000, a_market(**changes), terms()) == SizingRefused(field)


@pytest.mark.parametrize("score", [1_000_001, -1_000_001, NAN, None])
def test_score_outside_its_range_is_refused(score: Any) -> None:
    assert size_target(score, MARKET, terms()) == SizingRefused(BadNumber.PROBABILITY)


def test_training_volatility_stands_in_until_realised_is_ready() -> None:
    using = terms(model=msgspec.structs.replace(MODEL, sigma_train_e6=120))
    assert sigma_over_horizon_e9(None, using) == 120_000
    assert sized(600_000, a_market(rv_1s=None), using).volatility_e9 == 500_000_000


def test_without_any_volatility_nothing_is_sized() -> None:
    using = terms(model=msgspec.structs.replace(MODEL, sigma_train_e6=0))
    assert size_target(600_000, a_market(rv_1s=None), using) == SizingRefused(BadNumber.SIGMA)


def test_volatility_below_the_floor_counts_as_the_floor() -> None:
    using = terms(sigma_target_e6=60, sigma_floor_e6=240)
    assert sized(600_000, a_market(rv_1s=1e-6), using).volatility_e9 == 250_000_000


def test_volatility_is_scaled_to_the_horizon() -> None:
    using = terms(model=msgspec.structs.replace(MODEL, horizon_ms=4_000))
    assert sigma_over_horizon_e9(3e-5, using) == 60_000


# -- costs, edge, break-even -----------------------------------------------------------------------------


def test_passive_entry_costs_maker_in_taker_out_and_half_a_spread() -> None:
    using = terms(instrument=with_fees(200, 500), slippage_e6=3)
    wide = a_market(bid_ticks=6_420_000, ask_ticks=6_422_000)
    assert cost_of_e9(EntryStyle.PASSIVE, wide, using) == 700_000 + 3_000 + 155_739
    assert cost_of_e9(EntryStyle.CROSS, wide, using) == 1_000_000 + 3_000 + 311_478


def test_edge_minus_cost_is_net_as_printed() -> None:
    result = sized(600_000, using=terms(instrument=with_fees(0, 10)))
    assert result.gross_edge_e6 == 36
    assert result.cost_e6 == 10
    assert result.net_edge_e6 == 26
    assert result.pays


def test_binary_model_counts_the_rate_of_moves() -> None:
    binary = msgspec.structs.replace(MODEL, binary=True)
    assert sized(600_000, using=terms(model=binary)).gross_edge_e6 == 20


def test_model_without_a_mean_move_uses_the_parameter() -> None:
    blank = msgspec.structs.replace(MODEL, mean_move_e6=0)
    assert sized(600_000, using=terms(model=blank, expected_move_e6=100)).gross_edge_e6 == 60


def test_real_fees_leave_no_order_and_say_so() -> None:
    result = sized(900_000, using=terms(instrument=with_fees(1_000, 1_000)))
    assert (result.order_lots, result.stop, result.pays) == (0, DenyReason.EDGE_BELOW_COST, False)


def test_edge_must_exceed_the_margin() -> None:
    free = with_fees(0, 0)
    assert sized(600_000, using=terms(instrument=free, edge_margin_e6=30)).pays
    assert sized(600_000, using=terms(instrument=free, edge_margin_e6=36)).stop is DenyReason.EDGE_BELOW_COST


def test_edge_equal_to_the_margin_does_not_pay() -> None:
    using = terms(edge_margin_e6=36)
    cost_e9 = cost_of_e9(EntryStyle.PASSIVE, MARKET, using)
    score = (36_000 + cost_e9) * 1_000_000 // 60_000
    assert score * 60_000 == (36_000 + cost_e9) * 1_000_000
    assert not sized(score, using=using).pays
    assert sized(score + 17, using=using).pays


def test_rebate_does_not_lever_up() -> None:
    result = sized(1_000_000, using=terms(instrument=with_fees(-50, 10)))
    assert result.cost_e6 == -40
    assert result.edge_scale_e9 == 1_000_000_000
    assert result.target_quote_e8 == 1_000 * QUOTE_SCALE


@pytest.mark.parametrize(
    ("move_bps", "cost_bps", "p_star"),
    [(1, 0.5, 0.75), (2, 1, 0.75), (1, 1, 1.0), (5, 4, 0.9), (20, 8, 0.7)],
)
def test_break_even_table(move_bps: float, cost_bps: float, p_star: float) -> None:
    model = msgspec.structs.replace(MODEL, mean_move_e6=int(move_bps * 100))
    using = terms(model=model, slippage_e6=int(cost_bps * 100))
    tight = a_market(bid_ticks=10**15, ask_ticks=10**15 + 1)
    assert break_even_e6(EntryStyle.PASSIVE, tight, using) == pytest.approx(p_star * 1e6, abs=10)


def test_break_even_of_a_taker_is_never_at_real_fees() -> None:
    using = terms(instrument=with_fees(0, 500))
    assert break_even_e6(EntryStyle.CROSS, MARKET, using) == NEVER_E6
    assert break_even_e6(EntryStyle.PASSIVE, MARKET, using) == NEVER_E6


def test_break_even_without_any_move_is_never() -> None:
    model = msgspec.structs.replace(MODEL, binary=True, move_rate_e6=0)
    using = terms(model=model, instrument=with_fees(-10, -10))
    assert break_even_e6(EntryStyle.PASSIVE, MARKET, using) == NEVER_E6
    assert sized(1_000_000, using=using).stop is DenyReason.EDGE_BELOW_COST


def test_score_at_break_even_does_not_pay_and_one_above_does() -> None:
    using = terms(instrument=with_fees(0, 20), decision=DecisionParams(entry_e6=1_000, leave_e6=0))
    p_star = break_even_e6(EntryStyle.PASSIVE, MARKET, using)
    assert not sized(2 * p_star - 1_000_000 - 40, using=using).pays
    assert sized(2 * p_star - 1_000_000 + 40, using=using).pays


# -- caps, inventory and the reasons ---------------------------------------------------------------------


def test_full_confidence_wants_the_whole_notional() -> None:
    result = sized(1_000_000, using=terms(instrument=with_fees(0, -1)))
    assert result.target_quote_e8 == 1_000 * QUOTE_SCALE
    assert result.order_lots == result.target_lots == 1_557
    assert result.stop is None
    assert not result.reduces


def test_same_side_position_dampens_what_is_added() -> None:
    flat = sized(1_000_000)
    held = sized(1_000_000, a_market(position_lots=500))
    assert 0 < held.order_lots < flat.order_lots - 500


def test_position_at_its_target_is_left_alone() -> None:
    target = sized(700_000).target_lots
    result = sized(700_000, a_market(position_lots=target))
    assert (result.order_lots, result.stop) == (0, DenyReason.AT_TARGET)


def test_position_near_its_target_is_not_worth_an_order() -> None:
    target = sized(700_000).target_lots
    result = sized(700_000, a_market(position_lots=target - 10))
    assert (result.order_lots, result.stop) == (0, DenyReason.AT_TARGET)


def test_position_beyond_its_target_reduces() -> None:
    target = sized(500_000).target_lots
    result = sized(500_000, a_market(position_lots=target + 300))
    assert (result.order_lots, result.reduces, result.stop) == (-300, True, DenyReason.AT_TARGET)


def test_position_at_its_limit_stops_with_the_limit() -> None:
    tight = replace_limits(max_position_quote_e8=300 * QUOTE_SCALE)
    cap = 300 * 100_000 * 100 // 6_421_001
    result = sized(1_000_000, a_market(position_lots=cap), terms(limits=tight))
    assert (result.order_lots, result.stop) == (0, DenyReason.MAX_POSITION)
    assert result.target_lots == cap


def test_position_limit_below_one_lot_stops_with_the_limit() -> None:
    result = sized(1_000_000, using=terms(limits=replace_limits(max_position_quote_e8=1)))
    assert (result.order_lots, result.stop) == (0, DenyReason.MAX_POSITION)


def test_opposite_position_is_only_closed() -> None:
    result = sized(900_000, a_market(position_lots=-400))
    assert (result.order_lots, result.reduces, result.stop) == (400, True, DenyReason.EXIT_FIRST)


def test_opposite_dust_does_not_hold_up_an_opening() -> None:
    result = sized(900_000, a_market(position_lots=-3))
    assert result.order_lots == result.target_lots + 3
    assert result.stop is None
    assert not result.reduces


def test_opposite_dust_of_a_perpetual_is_closed_first() -> None:
    result = sized(900_000, a_market(position_lots=-3), terms(instrument=PERP))
    assert (result.order_lots, result.stop) == (3, DenyReason.EXIT_FIRST)


def test_dust_on_spot_cannot_be_closed() -> None:
    assert sized(0, a_market(position_lots=3)).order_lots == 0
    assert sized(0, a_market(position_lots=3), terms(instrument=PERP)).order_lots == -3


def test_quiet_score_would_close_to_flat() -> None:
    result = sized(0, a_market(position_lots=400))
    assert (result.order_lots, result.reduces, result.stop) == (-400, True, DenyReason.SCORE_BELOW_ENTRY)


def test_orders_are_capped_by_lots_money_and_the_opposite_size() -> None:
    by_lots = terms(limits=replace_limits(max_qty_lots=111))
    by_venue = terms(instrument=replace(BTC, max_qty_lots=222))
    by_money = terms(limits=replace_limits(max_notional_quote_e8=100 * QUOTE_SCALE))
    assert sized(1_000_000, using=by_lots).order_lots == 111
    assert sized(1_000_000, using=by_venue).order_lots == 222
    assert sized(1_000_000, using=by_money).order_lots == 155
    thin = a_market(ask_lots=333)
    assert sized(1_000_000, thin).order_lots == 333
    assert sized(1_000_000, thin, terms(max_l1_share_e6=500_000)).order_lots == 166
    assert sized(-1_000_000, thin).order_lots < -1_000


def test_empty_opposite_size_leaves_nothing_to_send() -> None:
    result = sized(1_000_000, a_market(ask_lots=0))
    assert (result.order_lots, result.stop) == (0, DenyReason.BELOW_LOT)


def test_target_below_one_lot_stops_there() -> None:
    result = sized(250_000, using=terms(max_notional_quote_e8=QUOTE_SCALE))
    assert (result.order_lots, result.stop) == (0, DenyReason.BELOW_LOT)


def test_order_below_the_minimum_notional_stops_there() -> None:
    result = sized(1_000_000, using=terms(max_notional_quote_e8=4 * QUOTE_SCALE))
    assert (result.order_lots, result.stop) == (0, DenyReason.MIN_NOTIONAL)


def test_order_below_the_band_is_not_worth_its_message() -> None:
    result = sized(270_000, using=terms(no_trade_band_e6=100_000))
    assert result.band_lots == 156
    assert 8 < result.target_lots < 156
    assert (result.order_lots, result.stop) == (0, DenyReason.BELOW_LOT)


def test_symbol_without_limits_is_sized_to_nothing() -> None:
    result = sized(1_000_000, using=terms(limits=None))
    assert (result.order_lots, result.stop) == (0, DenyReason.NO_LIMITS)
    assert result.gross_edge_e6 == 60


def test_score_below_entry_still_shows_its_edge() -> None:
    result = sized(100_000)
    assert (result.stop, result.gross_edge_e6) == (DenyReason.SCORE_BELOW_ENTRY, 6)


@pytest.mark.parametrize(
    ("sizing", "name"),
    [
        ({"max_notional_quote_e8": 0}, "sizing.max_notional_quote_e8 is 0; it must be above 0"),
        ({"sigma_floor_e6": 0}, "sizing.sigma_floor_e6"),
        ({"sigma_target_e6": 0}, "sizing.sigma_target_e6"),
        ({"edge_margin_e6": -1}, "sizing.edge_margin_e6"),
        ({"slippage_e6": -1}, "sizing.slippage_e6"),
        ({"no_trade_band_e6": 1_000_001}, "sizing.no_trade_band_e6"),
        ({"max_l1_share_e6": 0}, "sizing.max_l1_share_e6"),
    ],
)
def test_wrong_setting_is_refused_by_name(sizing: dict[str, Any], name: str) -> None:
    with pytest.raises(ValueError, match=name):
        terms(**sizing)


def test_model_without_a_horizon_is_refused() -> None:
    with pytest.raises(ValueError, match="model.horizon_ms is 0"):
        terms(model=msgspec.structs.replace(MODEL, horizon_ms=0))


def test_crossing_entry_pays_more_than_a_passive_one() -> None:
    fees = with_fees(2, 5)
    passive = sized(800_000, using=terms(instrument=fees))
    cross = sized(800_000, using=terms(instrument=fees, execution=ExecutionParams(entry=EntryStyle.CROSS)))
    assert cross.cost_e6 > passive.cost_e6
    assert 0 < cross.order_lots < passive.order_lots


def replace_limits(**changes: int) -> Any:
    return msgspec.structs.replace(LIMITS, **changes)
