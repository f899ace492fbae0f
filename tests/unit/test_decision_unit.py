"""Decisions: hysteresis, the reasons of each stop, worst prices, and how cheap one is."""

from __future__ import annotations

import msgspec
import pytest

from pipeline.core.decision import Decider, DecisionTerms, Signal, worst_price
from pipeline.core.params import DecisionParams, EntryStyle, ExecutionParams, PermitParams
from pipeline.core.types import DenyReason, Side
from tests.fakes.decisions import (
    LIMITS,
    MARKET,
    MS,
    START,
    a_decision,
    a_market,
    a_prediction,
    all_terms,
    with_fees,
)

DEFAULT = all_terms()
CROSS = all_terms(execution=ExecutionParams(entry=EntryStyle.CROSS))


def test_confident_score_wants_an_order() -> None:
    decision = a_decision(0.8)
    assert (decision.side, decision.held_side, decision.reason) == (Side.BUY, Side.BUY, None)
    assert decision.score_e6 == 600_000
    assert (decision.p_up_e6, decision.p_flat_e6, decision.p_down_e6) == (800_000, 0, 200_000)
    assert decision.qty_lots > 0
    assert decision.pays
    assert decision.passes_entry
    assert decision.passes_leave
    assert decision.feature_seq == 7


def test_signal_counts_before_costs() -> None:
    dear = Decider(all_terms(instrument=with_fees(1_000, 1_000)))
    decision = a_decision(0.2, decider=dear)
    assert decision.reason is DenyReason.EDGE_BELOW_COST
    assert decision.signal == Signal("BTCUSDT", Side.SELL, -600_000, 36, START)
    assert not decision.pays
    assert decision.qty_lots == 0


def test_quiet_score_carries_no_signal() -> None:
    decision = a_decision(0.55)
    assert (decision.side, decision.signal, decision.reason) == (None, None, DenyReason.SCORE_BELOW_ENTRY)
    assert (decision.worst_ticks, decision.drift_ticks) == (0, 0)
    assert not decision.pays
    assert not decision.passes_leave


def test_side_is_kept_until_its_score_is_below_the_leaving_threshold() -> None:
    decider = Decider(DEFAULT)
    held = [a_decision(p, decider=decider).held_side for p in (0.61, 0.63, 0.57, 0.56, 0.5599, 0.57)]
    assert held == [None, Side.BUY, Side.BUY, Side.BUY, None, None]


def test_side_held_but_below_entry_opens_nothing() -> None:
    decider = Decider(DEFAULT)
    a_decision(0.8, decider=decider)
    decision = a_decision(0.6, decider=decider)
    assert (decision.side, decision.held_side) == (None, Side.BUY)
    assert decision.passes_leave
    assert decision.reason is DenyReason.SCORE_BELOW_ENTRY


def test_opposite_score_leaves_the_side_and_a_strong_one_takes_it() -> None:
    decider = Decider(DEFAULT)
    a_decision(0.8, decider=decider)
    assert a_decision(0.42, decider=decider).held_side is None
    a_decision(0.8, decider=decider)
    assert a_decision(0.2, decider=decider).held_side is Side.SELL


def test_score_exactly_at_the_entry_is_not_past_it() -> None:
    assert a_decision(0.62).side is None
    assert a_decision(0.62).held_side is None
    assert a_decision(0.620001).side is Side.BUY
    assert a_decision(0.379999).side is Side.SELL


def test_reset_forgets_the_side() -> None:
    decider = Decider(DEFAULT)
    a_decision(0.8, decider=decider)
    decider.reset()
    assert a_decision(0.6, decider=decider).held_side is None


def test_book_that_is_not_ok_decides_nothing_and_forgets_the_side() -> None:
    decider = Decider(DEFAULT)
    a_decision(0.8, decider=decider)
    decision = a_decision(0.8, market=a_market(book_ok=False, bid_ticks=0), decider=decider)
    assert (decision.reason, decision.side, decision.held_side) == (DenyReason.BOOK_NOT_OK, None, None)
    assert (decision.sized, decision.qty_lots, decision.signal) == (None, 0, None)
    assert decision.score_e6 == 600_000


def test_stale_row_decides_nothing_and_keeps_the_side() -> None:
    decider = Decider(DEFAULT)
    a_decision(0.8, decider=decider)
    late = decider.decide(a_prediction(0.2), MARKET, 201 * MS, START)
    assert (late.reason, late.side, late.held_side) == (DenyReason.STALE_PREDICTION, None, Side.BUY)
    assert decider.decide(a_prediction(0.8), MARKET, 200 * MS, START).reason is None


def test_answer_that_is_no_probability_decides_nothing() -> None:
    decision = Decider(DEFAULT).decide(a_prediction(float("nan"), 0.5), MARKET, 0, START)
    assert (decision.reason, decision.side, decision.score_e6) == (DenyReason.NOT_A_NUMBER, None, 0)
    assert (decision.p_up_e6, decision.p_flat_e6, decision.p_down_e6) == (0, 0, 0)


def test_volatility_that_is_no_number_decides_nothing() -> None:
    decision = a_decision(0.8, market=a_market(rv_1s=float("nan")))
    assert (decision.reason, decision.side, decision.p_up_e6) == (DenyReason.NOT_A_NUMBER, None, 800_000)


def test_position_of_the_other_side_waits_for_its_exit() -> None:
    decision = a_decision(0.8, market=a_market(position_lots=-500))
    assert (decision.reason, decision.side, decision.qty_lots) == (DenyReason.EXIT_FIRST, Side.BUY, 0)
    assert decision.pays


def test_symbol_without_limits_says_so() -> None:
    decision = a_decision(0.8, decider=Decider(all_terms(limits=None)))
    assert decision.reason is DenyReason.NO_LIMITS


@pytest.mark.parametrize(
    ("side", "terms", "touch"),
    [
        (Side.BUY, DEFAULT, MARKET.bid_ticks),
        (Side.SELL, DEFAULT, MARKET.ask_ticks),
        (Side.BUY, CROSS, MARKET.ask_ticks),
        (Side.SELL, CROSS, MARKET.bid_ticks),
    ],
)
def test_worst_price_leaves_a_basis_point_from_the_touch(
    side: Side, terms: DecisionTerms, touch: int
) -> None:
    assert worst_price(side, MARKET, terms) == (touch + side * 642, 642)


def test_room_is_at_least_two_ticks_and_half_a_spread() -> None:
    cheap = a_market(bid_ticks=100, ask_ticks=101)
    wide = a_market(bid_ticks=100, ask_ticks=150)
    assert worst_price(Side.BUY, cheap, DEFAULT) == (102, 2)
    assert worst_price(Side.BUY, wide, DEFAULT) == (125, 25)
    assert worst_price(Side.SELL, a_market(bid_ticks=1, ask_ticks=2), DEFAULT) == (1, 2)


def test_crossing_price_stays_in_the_collar() -> None:
    wide = a_market(bid_ticks=6_380_000, ask_ticks=6_420_000)
    assert worst_price(Side.BUY, wide, CROSS)[0] == 6_400_000 * 10_005 // 10_000
    assert worst_price(Side.SELL, wide, CROSS)[0] == 6_400_000 * 9_995 // 10_000
    assert worst_price(Side.BUY, wide, DEFAULT)[0] == 6_400_000


def test_decision_carries_the_price_of_its_side() -> None:
    assert a_decision(0.2).worst_ticks == MARKET.ask_ticks - 642
    assert not a_decision(0.8, decider=Decider(CROSS)).passive


@pytest.mark.parametrize("leave_e6", [-1, 120_000, 200_000])
def test_leaving_threshold_must_be_below_the_entry(leave_e6: int) -> None:
    with pytest.raises(ValueError, match=f"decision.leave_e6 is {leave_e6}.*below decision.entry_e6"):
        all_terms(decision=DecisionParams(leave_e6=leave_e6))


def test_terms_carry_the_room_of_the_parameters() -> None:
    wide = all_terms(permits=PermitParams(drift_ticks=900))
    assert worst_price(Side.BUY, MARKET, wide)[1] == 900


def test_deciding_twice_on_the_same_is_the_same() -> None:
    one, other = Decider(DEFAULT), Decider(DEFAULT)
    assert a_decision(0.7, decider=one) == a_decision(0.7, decider=other)


def test_tighter_limits_make_the_order_smaller() -> None:
    tight = all_terms(limits=msgspec.structs.replace(LIMITS, max_qty_lots=50))
    assert a_decision(0.9, decider=Decider(tight)).qty_lots == 0
    less = all_terms(limits=msgspec.structs.replace(LIMITS, max_qty_lots=100))
    assert a_decision(0.9, decider=Decider(less)).qty_lots == 100
