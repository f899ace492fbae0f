"""Fills by permit add up to all fills; a quantile is a value that was measured."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.session_facts import FillFact, SessionFacts
from pipeline.core.types import Side
from pipeline.research.session_tables import fills_by_permit, quantile

FILLS = st.builds(
    FillFact,
    ts_ns=st.integers(1, 10**9),
    symbol=st.sampled_from(("A", "B")),
    number=st.integers(1, 6),
    side=st.sampled_from((Side.BUY, Side.SELL)),
    lots=st.integers(1, 10**6),
    price_ticks=st.integers(1, 10**7),
    fee_quote_e8=st.integers(-(10**9), 10**9),
    maker=st.booleans(),
    trade_id=st.integers(1, 10**9),
    mid_half_ticks=st.integers(0, 2 * 10**7),
    position_lots=st.integers(-(10**6), 10**6),
    late=st.booleans(),
)


@given(st.lists(FILLS, max_size=30), st.lists(st.integers(0, 3), min_size=4, max_size=4))
def test_fills_by_permit_add_up(fills: list[FillFact], permits: list[int]) -> None:
    orders = [
        SimpleNamespace(number=at, intent=SimpleNamespace(permit_id=one)) for at, one in enumerate(permits, 1)
    ]
    facts = cast(SessionFacts, SimpleNamespace(orders=orders, fills=fills))
    found = fills_by_permit(facts).values()

    assert sum(one.fills for one in found) == len(fills)
    assert sum(one.bought_lots - one.sold_lots for one in found) == sum(f.side * f.lots for f in fills)
    assert sum(one.fees_quote_e8 for one in found) == sum(f.fee_quote_e8 for f in fills)
    assert sum(one.makers for one in found) == sum(f.maker for f in fills)


@given(st.lists(st.integers(), min_size=1), st.floats(0, 1), st.floats(0, 1))
def test_quantiles_are_measured_values_in_order(values: list[int], one: float, other: float) -> None:
    ranked = sorted(values)
    low, high = sorted((one, other))
    assert quantile(ranked, low) in values
    assert quantile(ranked, low) <= quantile(ranked, high)
