"""The sizing laws of MODELS 3.4, one test each, over every shape."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.params import DecisionParams, EntryStyle, ExecutionParams, Shape
from pipeline.core.shapes import share_e9
from pipeline.core.sizing import MarketState, SizedTarget, SizingRefused, score_of, size_target
from pipeline.core.sizing_terms import SizingTerms
from pipeline.core.types import QUOTE_SCALE, DenyReason, Instrument
from tests.fakes.decisions import BTC, LIMITS, PERP, terms

FEW = settings(max_examples=80, deadline=None)

SURE = st.integers(400_000, 1_000_000)
SCORES = st.one_of(SURE, SURE.map(lambda score: -score), st.integers(-1_000_000, 1_000_000))
"""Mostly scores that may pay: laws about orders need orders."""
PROBABILITIES = st.floats(0.0, 1.0)
POSITIONS = st.one_of(st.just(0), st.integers(-600, 600), st.integers(-6_000, 6_000))
SIZES = st.one_of(st.integers(500, 500_000), st.integers(0, 5_000))


@st.composite
def markets(draw: st.DrawFn, position: st.SearchStrategy[int] = POSITIONS) -> MarketState:
    bid = draw(st.one_of(st.integers(3_000_000, 8_000_000), st.integers(1_000, 8_000_000)))
    return MarketState(
        book_ok=True,
        bid_ticks=bid,
        bid_lots=draw(SIZES),
        ask_ticks=bid + draw(st.integers(1, 60)),
        ask_lots=draw(SIZES),
        rv_1s=draw(st.floats(1e-6, 3e-4)),
        position_lots=draw(position),
    )


@st.composite
def settled(draw: st.DrawFn) -> dict[str, Any]:
    """Everything `terms` takes: fees, limits, shape and execution."""
    instrument = draw(st.sampled_from((BTC, PERP)))
    fees = replace(instrument.fees, maker_e6=draw(st.integers(-5, 8)), taker_e6=draw(st.integers(0, 8)))
    limits = msgspec.structs.replace(
        LIMITS,
        max_qty_lots=draw(st.integers(20, 5_000)),
        max_notional_quote_e8=draw(st.integers(20, 3_000)) * QUOTE_SCALE,
        max_position_quote_e8=draw(st.integers(1, 5_000)) * QUOTE_SCALE,
    )
    return {
        "instrument": replace(instrument, fees=fees),
        "limits": limits,
        "execution": ExecutionParams(entry=draw(st.sampled_from(EntryStyle))),
        "decision": DecisionParams(entry_e6=draw(st.integers(1, 250_000)), leave_e6=0),
        "shape": draw(st.sampled_from(Shape)),
        "max_l1_share_e6": draw(st.sampled_from((100_000, 1_000_000, 5_000_000))),
        "no_trade_band_e6": draw(st.sampled_from((0, 50_000, 200_000))),
    }


def sized(score_e6: int, market: MarketState, using: SizingTerms) -> SizedTarget:
    result = size_target(score_e6, market, using)
    assert isinstance(result, SizedTarget)
    return result


def mirrored(market: MarketState) -> MarketState:
    """Give the market with sides of size and position exchanged."""
    return replace(
        market,
        bid_lots=market.ask_lots,
        ask_lots=market.bid_lots,
        position_lots=-market.position_lots,
    )


@FEW
@given(markets(st.just(0)), settled())
def test_even_odds_have_no_size(market: MarketState, given_terms: dict[str, Any]) -> None:
    score = score_of(0.5, 0.0, 0.5)
    assert score == 0
    result = sized(score, market, terms(**given_terms))
    assert (result.target_lots, result.order_lots, result.target_quote_e8) == (0, 0, 0)


@FEW
@given(markets(st.just(0)), settled(), st.integers(0, 1_000_000))
def test_score_up_to_the_threshold_has_no_size(
    market: MarketState, given_terms: dict[str, Any], share: int
) -> None:
    score = 2 * given_terms["decision"].entry_e6 * share // 1_000_000
    for signed in (score, -score):
        result = sized(signed, market, terms(**given_terms))
        assert (result.order_lots, result.stop) == (0, DenyReason.SCORE_BELOW_ENTRY)


@FEW
@given(markets(), settled(), PROBABILITIES)
def test_size_is_odd_after_rounding(market: MarketState, given_terms: dict[str, Any], p: float) -> None:
    using = terms(**given_terms)
    up, down = score_of(1.0 - p, 0.0, p), score_of(p, 0.0, 1.0 - p)
    assert isinstance(up, int)
    assert isinstance(down, int)
    ahead, back = sized(up, market, using), sized(down, mirrored(market), using)
    assert ahead.order_lots == -back.order_lots
    assert ahead.target_lots == -back.target_lots
    assert (ahead.stop, ahead.reduces) == (back.stop, back.reduces)


@FEW
@given(markets(), settled(), SCORES, SCORES)
def test_more_confidence_never_means_less(
    market: MarketState, given_terms: dict[str, Any], one: int, other: int
) -> None:
    using = terms(**given_terms)
    low, high = sorted((one, other))
    below, above = sized(low, market, using), sized(high, market, using)
    assert below.target_quote_e8 <= above.target_quote_e8
    assert below.target_lots <= above.target_lots
    assert below.order_lots <= above.order_lots


@FEW
@given(markets(), settled(), SCORES)
def test_result_is_inside_every_cap(market: MarketState, given_terms: dict[str, Any], score: int) -> None:
    using = terms(**given_terms)
    limits, instrument = given_terms["limits"], given_terms["instrument"]
    result = sized(score, market, using)
    lots = abs(result.order_lots)
    opposite = market.ask_lots if result.order_lots > 0 else market.bid_lots
    assert lots <= limits.max_qty_lots
    assert lots * 1_000_000 <= opposite * given_terms["max_l1_share_e6"]
    assert instrument.notional_quote_e8(market.ask_ticks, lots) <= limits.max_notional_quote_e8
    assert abs(result.target_quote_e8) <= using.full_quote_e8
    target_quote = instrument.notional_quote_e8(market.ask_ticks, abs(result.target_lots))
    assert target_quote <= limits.max_position_quote_e8
    if not result.reduces and result.order_lots:
        after = abs(market.position_lots + result.order_lots)
        assert after <= abs(result.target_lots)


@FEW
@given(
    markets(st.just(0)),
    settled(),
    st.integers(1, 2_000),
)
def test_size_grows_from_the_threshold_without_a_jump(
    market: MarketState, given_terms: dict[str, Any], step: int
) -> None:
    using = terms(**given_terms)
    tau = using.curve.tau_e6
    result = sized(tau + step, market, using)
    share = share_e9(using.curve, tau + step, 0)
    steepest = 60
    room = 1_000_000 - tau
    assert share <= min(10**9, steepest * step * 10**9 // min(room, tau))
    assert abs(result.target_quote_e8) <= steepest * using.full_quote_e8 * step // min(room, tau)


@FEW
@given(markets(), settled(), SCORES, st.floats(1e-6, 1e-3))
def test_more_volatility_never_means_more(
    market: MarketState, given_terms: dict[str, Any], score: int, other: float
) -> None:
    using = terms(**given_terms)
    calm, wild = sorted((market.rv_1s or 0.0, other))
    quiet = sized(score, replace(market, rv_1s=calm), using)
    loud = sized(score, replace(market, rv_1s=wild), using)
    assert abs(loud.target_lots) <= abs(quiet.target_lots)
    assert abs(loud.target_quote_e8) <= abs(quiet.target_quote_e8)


@FEW
@given(markets(st.just(0)), settled(), SCORES, st.integers(0, 20), st.integers(0, 20))
def test_higher_fees_never_mean_more(
    market: MarketState, given_terms: dict[str, Any], score: int, maker: int, taker: int
) -> None:
    instrument: Instrument = given_terms["instrument"]
    fees = replace(
        instrument.fees,
        maker_e6=instrument.fees.maker_e6 + maker,
        taker_e6=instrument.fees.taker_e6 + taker,
    )
    cheap = sized(score, market, terms(**given_terms))
    dear = sized(score, market, terms(**{**given_terms, "instrument": replace(instrument, fees=fees)}))
    assert abs(dear.target_quote_e8) <= abs(cheap.target_quote_e8)
    assert abs(dear.order_lots) <= abs(cheap.order_lots)


@FEW
@given(markets(st.just(0)), settled(), SCORES, st.integers(0, 400))
def test_wider_spread_never_means_more(
    market: MarketState, given_terms: dict[str, Any], score: int, wider: int
) -> None:
    using = terms(**given_terms)
    wide = replace(
        market,
        bid_ticks=max(1, market.bid_ticks - wider),
        ask_ticks=market.bid_ticks + market.ask_ticks - max(1, market.bid_ticks - wider),
    )
    near, far = sized(score, market, using), sized(score, wide, using)
    assert abs(far.target_quote_e8) <= abs(near.target_quote_e8)
    assert abs(far.order_lots) <= abs(near.order_lots)


@FEW
@given(markets(st.just(0)), settled(), SCORES, st.integers(0, 6_000), st.integers(0, 6_000))
def test_larger_position_of_the_same_side_never_adds_more(
    market: MarketState, given_terms: dict[str, Any], score: int, one: int, other: int
) -> None:
    using = terms(**given_terms)
    sign = 1 if score >= 0 else -1
    small, large = sorted((one, other))
    less = sized(score, replace(market, position_lots=sign * small), using)
    more = sized(score, replace(market, position_lots=sign * large), using)
    added_less = 0 if less.reduces else abs(less.order_lots)
    added_more = 0 if more.reduces else abs(more.order_lots)
    assert added_more <= added_less


@FEW
@given(markets(), settled(), SCORES)
def test_reducing_order_neither_grows_nor_flips_the_position(
    market: MarketState, given_terms: dict[str, Any], score: int
) -> None:
    result = sized(score, market, terms(**given_terms))
    after = market.position_lots + result.order_lots
    against = market.position_lots * result.order_lots < 0
    minimum = given_terms["instrument"].min_notional_quote_e8
    notional = given_terms["instrument"].notional_quote_e8(market.bid_ticks, abs(market.position_lots))
    dust = given_terms["instrument"] is not PERP and notional < minimum
    if against and not dust:
        assert result.reduces
        assert abs(after) < abs(market.position_lots)
        assert after * market.position_lots >= 0


@FEW
@given(markets(), settled(), SCORES)
def test_order_is_never_below_the_minimum_notional_but_for_an_allowed_close(
    market: MarketState, given_terms: dict[str, Any], score: int
) -> None:
    instrument: Instrument = given_terms["instrument"]
    result = sized(score, market, terms(**given_terms))
    closes = market.position_lots + result.order_lots == 0
    if result.order_lots and not (closes and instrument.margin):
        notional = instrument.notional_quote_e8(market.bid_ticks, abs(result.order_lots))
        assert notional >= instrument.min_notional_quote_e8
    if result.order_lots and not closes:
        assert abs(result.order_lots) >= result.band_lots


@FEW
@given(markets(st.just(0)), settled(), SCORES, st.sampled_from((2, 5, 10, 1_000)))
def test_quantity_is_whole_lots_and_a_coarser_lot_only_rounds(
    market: MarketState, given_terms: dict[str, Any], score: int, coarser: int
) -> None:
    instrument: Instrument = given_terms["instrument"]
    coarse_lots = replace(instrument, lot_units=instrument.lot_units * coarser)
    fine = sized(score, market, terms(**given_terms))
    coarse = sized(score, market, terms(**{**given_terms, "instrument": coarse_lots}))
    assert isinstance(fine.order_lots, int)
    assert fine.target_quote_e8 == coarse.target_quote_e8
    assert 0 <= abs(fine.target_lots) - abs(coarse.target_lots) * coarser < coarser


@FEW
@given(markets(st.just(0)), settled(), SCORES)
def test_position_at_its_target_asks_for_nothing(
    market: MarketState, given_terms: dict[str, Any], score: int
) -> None:
    using = terms(**given_terms)
    target = sized(score, market, using).target_lots
    again = sized(score, replace(market, position_lots=target), using)
    assert again.target_lots == target
    assert again.order_lots == 0


@FEW
@given(
    st.one_of(st.floats(), st.none(), st.integers(-3, 3)),
    st.one_of(st.floats(), st.none()),
    st.one_of(st.floats(), st.none()),
)
def test_whatever_is_no_probability_is_refused(p_down: Any, p_flat: Any, p_up: Any) -> None:
    score = score_of(p_down, p_flat, p_up)
    classes = [p for p in (p_down, p_flat, p_up) if p is not None and 0.0 <= p <= 1.0]
    if len(classes) < 3 or abs(sum(classes) - 1.0) > 1e-3:
        assert isinstance(score, SizingRefused)
    else:
        assert isinstance(score, int)


@FEW
@given(
    settled(),
    SCORES,
    st.one_of(st.floats(allow_nan=True), st.none(), st.integers(-10, 0)),
    st.sampled_from(("bid_ticks", "ask_ticks", "rv_1s")),
)
def test_bad_price_or_volatility_is_never_an_order(
    given_terms: dict[str, Any], score: int, bad: Any, name: str
) -> None:
    market = MarketState(True, 6_420_999, 1_000, 6_421_001, 1_000, 4e-5, 0)
    if name == "rv_1s" and (bad is None or 0 < bad < 1):
        return
    changed: dict[str, Any] = {name: bad}
    assert isinstance(size_target(score, replace(market, **changed), terms(**given_terms)), SizingRefused)


@FEW
@given(markets(), settled(), SCORES)
def test_twice_the_money_is_twice_the_target(
    market: MarketState, given_terms: dict[str, Any], score: int
) -> None:
    limits = given_terms["limits"]
    twice = msgspec.structs.replace(limits, max_position_quote_e8=2 * limits.max_position_quote_e8)
    base = sized(score, market, terms(**given_terms))
    full = 2 * terms(**given_terms).full_quote_e8
    doubled = sized(score, market, terms(**{**given_terms, "limits": twice}, max_notional_quote_e8=full))
    assert 0 <= abs(doubled.target_quote_e8) - 2 * abs(base.target_quote_e8) <= 1
    assert 0 <= abs(doubled.target_lots) - 2 * abs(base.target_lots) <= 1


@FEW
@given(markets(), settled(), SCORES)
def test_paying_score_never_prints_a_negative_net_edge(
    market: MarketState, given_terms: dict[str, Any], score: int
) -> None:
    result = sized(score, market, terms(**given_terms))
    assert result.net_edge_e6 == result.gross_edge_e6 - result.cost_e6
    if result.pays:
        assert result.net_edge_e6 >= 0
    opens = result.order_lots != 0 and not result.reduces
    assert opens == (result.stop is None)
