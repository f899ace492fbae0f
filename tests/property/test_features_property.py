"""Laws of the feature engine over random markets."""

from __future__ import annotations

import math
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.features import FeatureParams
from pipeline.core.registry import NAMES, REGISTRY, mirror_row, spec_of
from pipeline.core.types import Level, Side
from tests.fakes.feature_reference import reference
from tests.fakes.market import MS, SECOND, BookEvent, Event, Market, TickerEvent, TradeEvent, ladder

START = 1_700_000_000 * SECOND
PATIENT = FeatureParams(max_book_age_ns=1 << 62)
STEPS = st.integers(0, 3_000 * MS) | st.sampled_from([0, 1, 100 * MS, 1_000 * MS, 5_000 * MS])
SIZES = st.integers(1, 9)
ABSURD_SIZES = st.sampled_from([1, 9, 2**40, 2**63 - 1])


@st.composite
def sides(draw: st.DrawFn, best: int, sign: int, sizes: st.SearchStrategy[int]) -> tuple[Level, ...]:
    gaps = draw(st.lists(st.integers(1, 3), max_size=12))
    prices = [best]
    for gap in gaps:
        prices.append(prices[-1] + sign * gap)
    count = draw(st.sampled_from([0, *[len(prices)] * 9]))
    return tuple((price, draw(sizes)) for price in prices[:count])


@st.composite
def events(draw: st.DrawFn, sizes: st.SearchStrategy[int] = SIZES, middle: int = 10_000) -> list[Event]:
    found: list[Event] = []
    now = START
    for _ in range(draw(st.integers(1, 25))):
        now += draw(STEPS)
        bid = middle + draw(st.integers(-3, 3))
        ask = bid + draw(st.integers(1, 3))
        kind = draw(st.sampled_from(["book", "book", "ticker", "trade"]))
        if kind == "trade":
            side = draw(st.sampled_from([Side.BUY, Side.SELL]))
            found.append(TradeEvent(now, draw(st.sampled_from([bid, ask])), draw(sizes), side))
        elif kind == "ticker" and any(isinstance(event, BookEvent) for event in found):
            found.append(TickerEvent(now, (bid, draw(sizes)), (ask, draw(sizes))))
        else:
            bids, asks = draw(sides(bid, -1, sizes)), draw(sides(ask, 1, sizes))
            found.append(BookEvent(now, bids, asks))
    return found


def as_in_a_row(name: str, natural: float) -> float:
    spec = spec_of(name)
    x = math.copysign(math.log1p(abs(natural)), natural) if spec.signed_log else natural
    return max(spec.range_e6[0] / 1e6, min(spec.range_e6[1] / 1e6, x))


def all_values(market: Market, now: int) -> dict[str, float]:
    warm = {}
    for name in NAMES:
        try:
            warm[name] = market.features.value(name, now)
        except ValueError:
            continue
    return warm


@settings(max_examples=100, deadline=None)
@given(events(), STEPS, st.integers(0, 25))
def test_every_feature_equals_itself_recomputed(found: list[Event], tail: int, read_at: int) -> None:
    market = Market(PATIENT)
    for n, event in enumerate(found):
        market.feed(event)
        if n == read_at:  # reading expires and decays, and must not change what is read later
            all_values(market, event.ts_ns)
    now = found[-1].ts_ns + tail
    expected = {k: as_in_a_row(k, v) for k, v in reference(found, now).items() if v is not None}
    got = all_values(market, now)
    assert got.keys() == expected.keys()
    for name, value in got.items():
        assert math.isclose(value, expected[name], rel_tol=1e-9, abs_tol=1e-12), name


def mirrored(found: list[Event], about: int) -> list[Event]:
    def flip(side: tuple[Level, ...]) -> tuple[Level, ...]:
        return tuple((about - price, size) for price, size in side)

    out: list[Event] = []
    for event in found:
        match event:
            case BookEvent(ts_ns, bids, asks):
                out.append(BookEvent(ts_ns, flip(asks), flip(bids)))
            case TickerEvent(ts_ns, bid, ask):
                out.append(TickerEvent(ts_ns, *flip((ask, bid))))
            case TradeEvent(ts_ns, price, size, side):
                out.append(TradeEvent(ts_ns, about - price, size, side.opposite))
    return out


@settings(max_examples=60, deadline=None)
@given(events(), STEPS)
def test_mirrored_market_gives_the_mirrored_row(found: list[Event], tail: int) -> None:
    last = BookEvent(
        found[-1].ts_ns + tail, ladder(9_999, (3, 1, 4, 1, 5), -2), ladder(10_002, (2, 7, 1, 8, 2), 1)
    )
    traded = TradeEvent(found[-1].ts_ns, 10_002, 3, Side.BUY)
    found = [*found, traded, last]
    later = [BookEvent(last.ts_ns + n * 20 * SECOND, last.bids, last.asks) for n in (1, 5, 9, 10)]
    now = later[-1].ts_ns + tail
    rows = [
        Market(PATIENT).feed(*market).features.row_e6(NAMES, now)
        for market in ([*found, *later], mirrored([*found, *later], 9_999 + 10_002))
    ]
    assert rows[1] == mirror_row(NAMES, rows[0])


@settings(max_examples=100, deadline=None)
@given(events(ABSURD_SIZES) | events(ABSURD_SIZES, 2**51) | events(middle=60), STEPS)
def test_every_value_is_finite_and_in_its_range(found: list[Event], tail: int) -> None:
    market = Market(PATIENT).feed(*found)
    for name, value in all_values(market, found[-1].ts_ns + tail).items():
        low, high = REGISTRY[name].range_e6
        assert low <= value * 1e6 <= high, name


@settings(max_examples=60, deadline=None)
@given(events(), STEPS, st.lists(st.sampled_from(NAMES), unique=True))
def test_row_is_ready_exactly_when_no_feature_keeps_it(
    found: list[Event], tail: int, chosen: list[str]
) -> None:
    features = Market().feed(*found).features
    now, names = found[-1].ts_ns + tail, tuple(chosen)
    lacking = features.not_ready(names, now)
    assert features.ready(names, now) == (not lacking)
    assert all(features.ready((name,), now) != (name in lacking) for name in names)
    assert all(name in all_values(Market().feed(*found), now) for name in names if name not in lacking)


@settings(max_examples=50, deadline=None)
@given(events(), events(), STEPS)
def test_nothing_of_the_book_outlives_a_reset(before: list[Event], after: list[Event], pause: int) -> None:
    market = Market(PATIENT).feed(*before)
    lost_ns = before[-1].ts_ns
    market.lose_the_book(lost_ns)
    market.features.on_reset(lost_ns, trades=True)
    shift = lost_ns + pause - START
    moved = [replace(event, ts_ns=event.ts_ns + shift) for event in after]
    now = moved[-1].ts_ns
    fresh = Market(PATIENT).feed(*moved)
    assert all_values(market.feed(*moved), now) == all_values(fresh, now)
