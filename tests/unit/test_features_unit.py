"""The feature engine: each formula on a book small enough to work out by hand, readiness, and resets."""

from __future__ import annotations

import math

import pytest

from pipeline.core.features import FeatureEngine, FeatureParams
from pipeline.core.inputs import BookTicker
from pipeline.core.registry import NAMES, REGISTRY
from pipeline.core.types import Side
from tests.fakes.market import (
    INSTRUMENT,
    MS,
    SECOND,
    BookEvent,
    Event,
    Market,
    TickerEvent,
    TradeEvent,
    ladder,
)

START = 1_700_000_000 * SECOND
PATIENT = FeatureParams(max_book_age_ns=1_000 * SECOND)


def book(
    ts_ns: int = START,
    bids: tuple[int, ...] = (30, 20, 10, 10, 10, 5, 5, 4, 3, 3),
    asks: tuple[int, ...] = (10, 10, 20, 30, 5, 5, 5, 5, 5, 5),
    best: int = 1_000,
    spread: int = 2,
) -> BookEvent:
    return BookEvent(ts_ns, ladder(best, bids, -1), ladder(best + spread, asks, 1))


def ticker(ts_ns: int, bid_units: int = 30, ask_units: int = 10, best: int = 1_000) -> TickerEvent:
    return TickerEvent(ts_ns, (best, bid_units), (best + 2, ask_units))


def quiet(*events: Event) -> Market:
    """A market whose book features do not go stale between the few events of a test."""
    return Market(PATIENT).feed(*events)


def test_imbalances_of_one_five_and_ten_levels() -> None:
    features = quiet(book()).features
    assert features.value("qi_1", START) == (30 - 10) / 40
    assert features.value("qi_5", START) == (80 - 75) / 155
    assert features.value("qi_10", START) == (100 - 100) / 200


def test_weighted_imbalance_decays_by_a_third_a_level() -> None:
    features = quiet(book(bids=(6, 3, 2, 1, 1), asks=(1, 1, 1, 1, 1))).features
    weights = [math.exp(-n / 3) for n in range(5)]
    bids = sum(w * s for w, s in zip(weights, (6, 3, 2, 1, 1), strict=True))
    assert features.value("dwi", START) == pytest.approx((bids - sum(weights)) / (bids + sum(weights)))


def test_band_holds_the_levels_within_five_basis_points_and_its_ends() -> None:
    # mid 20,000 ticks: the band reaches 10 ticks to each side
    event = BookEvent(
        START, ((19_999, 1), (19_990, 2), (19_989, 400)), ((20_001, 7), (20_010, 8), (20_011, 400))
    )
    assert quiet(event).features.value("qi_band_5bps", START) == (3 - 15) / 18


def test_band_without_a_level_is_balanced() -> None:
    event = BookEvent(START, ((100, 1),), ((200, 7),))
    assert quiet(event).features.value("qi_band_5bps", START) == 0.0


def test_micro_price_deviates_towards_the_thin_side() -> None:
    features = quiet(book(spread=2)).features
    mid = (1_000 + 1_002) / 2
    micro = (1_002 * 30 + 1_000 * 10) / 40
    assert features.value("micro_dev", START) == pytest.approx(math.log(1 + micro - mid))
    assert features.shown_e6("micro_dev", START) == 500_000


@pytest.mark.parametrize(("spread", "log_spread"), [(1, 0.0), (7, math.log(7))])
def test_spread_is_zero_at_one_tick(spread: int, log_spread: float) -> None:
    assert quiet(book(spread=spread)).features.value("spread_t", START) == log_spread


def test_slope_compares_density_of_both_sides() -> None:
    features = quiet(book(bids=(8,) * 10, asks=(2,) * 10)).features
    assert features.value("slope", START) == pytest.approx(math.log(4))


def test_slope_of_a_shallow_book_ends_at_its_last_level() -> None:
    bids = ((1_000, 8), (999, 8), (998, 8), (997, 8), (990, 8))
    features = quiet(BookEvent(START, bids, ladder(1_002, (8,) * 5, 1))).features
    assert features.value("slope", START) == pytest.approx(math.log((40 / 10) / (40 / 4)))


@pytest.mark.parametrize(
    ("bid", "ask", "event"),
    [
        ((1_000, 35), (1_002, 10), 5),  # more at the same bid
        ((1_000, 28), (1_002, 10), -2),  # less at the same bid
        ((1_001, 7), (1_002, 10), 7),  # a better bid
        ((999, 20), (1_002, 10), -30),  # the bid was left
        ((1_000, 30), (1_002, 14), -4),  # more at the same ask
        ((1_000, 30), (1_001, 6), -6),  # a better ask
        ((1_000, 30), (1_003, 9), 10),  # the ask was left
        ((1_001, 7), (1_003, 9), 17),  # both
    ],
)
def test_order_flow_event_of_a_ticker(bid: tuple[int, int], ask: tuple[int, int], event: int) -> None:
    features = quiet(book(), TickerEvent(START + MS, bid, ask)).features
    depth = 20 + (bid[1] + ask[1] - 40) / 2 * (1 - math.exp(-0.5 / 30))
    now = START + 501 * MS
    assert features.value("ofi_1s", now) == pytest.approx(
        math.copysign(math.log(1 + abs(event / depth)), event)
    )


def test_order_flow_reads_the_fresher_of_ticker_and_book() -> None:
    market = quiet(book(), ticker(START + 1, bid_units=50))
    assert market.features.value("qi_1", START + 1) == (50 - 10) / 60
    market.feed(book(START + 2, bids=(20, 5, 5, 5, 5)))
    assert market.features.value("qi_1", START + 2) == (20 - 10) / 30
    assert not market.features.l1_disagrees


def test_row_made_while_ticker_and_book_disagree_is_counted() -> None:
    market = quiet(book(), TickerEvent(START + 1, (1_001, 5), (1_002, 5)))
    assert market.features.l1_disagrees
    market.features.row_e6(("qi_1",), START + 1)
    assert (market.features.rows, market.features.rows_disagreeing) == (1, 1)
    market.feed(book(START + 2))
    market.features.row_e6(("qi_1",), START + 2)
    assert (market.features.rows, market.features.rows_disagreeing) == (2, 1)


def test_event_that_spans_a_resync_is_no_order_flow() -> None:
    market = quiet(book())
    market.lose_the_book(START + MS)
    market.feed(book(START + 2 * MS, bids=(999,) * 5, best=1_500))
    now = START + 3 * MS
    for name in ("ofi_1s", "mlofi_2_1s", "mlofi_mean_1s", "ret_1s", "cancel_ratio"):
        assert market.features.value(name, now) == 0.0


def test_level_order_flow_compares_levels_by_position() -> None:
    market = quiet(book(bids=(10, 10, 10, 10, 10), asks=(10, 10, 10, 10, 10)))
    market.feed(book(START + MS, bids=(10, 14, 10, 10, 10), asks=(10, 10, 10, 10, 3)))
    depth = 10 + (-3 / 10) * (1 - math.exp(-0.5 / 3))
    now = START + 501 * MS
    assert market.features.value("mlofi_2_1s", now) == pytest.approx(math.log(1 + 4 / depth))
    assert market.features.value("mlofi_3_1s", now) == 0.0
    assert market.features.value("mlofi_5_1s", now) == pytest.approx(math.log(1 + 7 / depth))
    assert market.features.value("mlofi_mean_1s", now) == pytest.approx(math.log(1 + 11 / 5 / depth))


def test_one_quote_inside_the_spread_moves_all_levels() -> None:
    market = quiet(book(bids=(10, 11, 12, 13, 14), asks=(12,) * 5))
    now = START + 2 * SECOND
    market.feed(BookEvent(now, ladder(1_001, (9, 10, 11, 12, 13), -1), ladder(1_002, (12,) * 5, 1)))
    for level, arrived in ((2, 10), (3, 11), (4, 12), (5, 13)):
        assert market.features.shown_e6(f"mlofi_{level}_1s", now) == round(arrived / 12 * 1e6)
    assert market.features.shown_e6("mlofi_mean_1s", now) == round((9 + 10 + 11 + 12 + 13) / 5 / 12 * 1e6)


def test_trade_flow_is_signed_by_the_aggressor() -> None:
    market = Market().feed(
        TradeEvent(START, 1_000, 3, Side.BUY),
        TradeEvent(START + 2 * SECOND, 1_000, 1, Side.SELL),
        TradeEvent(START + 2 * SECOND, 1_000, 4, Side.BUY),
    )
    assert market.features.value("tfi_1s", START + 2 * SECOND) == (4 - 1) / 5
    assert market.features.value("tfi_5s", START + 2 * SECOND) == (7 - 1) / 8
    assert market.features.value("tfi_5s", START + 60 * SECOND) == 0.0


def test_signed_volume_counts_in_mean_trades() -> None:
    market = Market().feed(TradeEvent(START, 1_000, 4, Side.SELL), TradeEvent(START, 1_000, 8, Side.SELL))
    assert market.features.value("sv_ewma", START) == pytest.approx(-math.log(1 + 12 / 6))
    later = START + 3 * SECOND
    assert market.features.value("sv_ewma", later) == pytest.approx(-math.log(1 + 2 * math.exp(-1)))


def test_print_without_a_size_is_no_trade() -> None:
    market = Market().feed(TradeEvent(START, 1_000, 0, Side.BUY))
    with pytest.raises(ValueError, match="sv_ewma"):
        market.features.value("sv_ewma", START)


def test_rates_count_messages_and_trades() -> None:
    market = quiet(book(), ticker(START), ticker(START), TradeEvent(START, 1_000, 1, Side.BUY))
    later = START + SECOND
    assert market.features.value("rate_book", later) == pytest.approx(math.log(1 + 3 * math.exp(-1)))
    assert market.features.value("rate_trade", later) == pytest.approx(math.log(1 + math.exp(-1)))


def test_gap_counts_milliseconds_since_the_last_message() -> None:
    features = quiet(book()).features
    assert features.value("gap", START + 50 * MS) == pytest.approx(math.log(51))


def test_touch_depth_is_relative_to_its_own_mean() -> None:
    market = quiet(book(), ticker(START + MS, bid_units=60, ask_units=20))
    assert market.features.value("depth_z", START + MS) == pytest.approx(math.log(2))


def test_volatility_is_sampled_once_a_second() -> None:
    market = quiet(book())
    for second, best in ((0.5, 1_010), (0.9, 1_004), (1.5, 1_010), (2.5, 1_010)):
        market.feed(ticker(START + int(second * SECOND), best=best))
    keep = math.exp(-1 / 30)  # moves of 4 and of 6 ticks: 8 and 12 half ticks
    half_ticks = math.sqrt(64 * keep + 144 * (1 - keep))
    now = START + int(2.6 * SECOND)
    ratio = half_ticks / 2_022 * 1e6
    assert market.features.value("rv", now) == pytest.approx(math.log(ratio))
    assert market.features.value("ret_5s", now) == pytest.approx(math.log(1 + 20 / half_ticks))
    assert market.features.rv_1s(now) is None
    assert market.features.rv_1s(START + 91 * SECOND) == pytest.approx(
        math.sqrt((64 * keep + 144 * (1 - keep)) * keep**89) / 2_022
    )


def test_silent_seconds_decay_the_volatility_like_seconds_without_a_move() -> None:
    asked, silent = (quiet(book(), ticker(START + MS, best=1_040)) for _ in range(2))
    for second in range(1, 40):
        asked.features.value("rv", START + second * SECOND)
    now = START + 40 * SECOND
    assert asked.features.value("rv", now) == pytest.approx(silent.features.value("rv", now))


def test_volatility_is_at_least_half_a_tick() -> None:
    market = quiet(book(), ticker(START + 10 * SECOND, best=1_003))
    assert market.features.value("rv", START + 5 * SECOND + 10 * SECOND) > 0.0
    calm = quiet(book())
    assert calm.features.value("rv", START + 5 * SECOND) == pytest.approx(math.log(1e6 / 2_002))


def test_decrease_that_did_not_trade_is_a_cancel() -> None:
    market = quiet(book(bids=(10,) * 5, asks=(10,) * 5))
    market.feed(TradeEvent(START + 1, 1_000, 4, Side.SELL))
    market.feed(book(START + 2, bids=(6, 10, 10, 10, 10), asks=(10, 10, 10, 3, 12)))
    assert market.features.value("cancel_ratio", START + 2) == pytest.approx(1 / 3)


def test_decrease_beyond_what_traded_is_a_cancel() -> None:
    market = quiet(book(bids=(10,) * 5, asks=(10,) * 5))
    market.feed(
        TradeEvent(START + 1, 1_002, 4, Side.BUY), book(START + 2, bids=(10,) * 5, asks=(5, *(10,) * 4))
    )
    assert market.features.value("cancel_ratio", START + 2) == 1.0


def test_trade_explains_only_the_update_that_follows_it() -> None:
    market = quiet(book(bids=(10,) * 5, asks=(10,) * 5), TradeEvent(START, 1_000, 9, Side.SELL))
    market.feed(book(START + 1, bids=(5, *(10,) * 4), asks=(10,) * 5))
    assert market.features.value("cancel_ratio", START + 1) == 0.0
    market.feed(book(START + 2, bids=(2, *(10,) * 4), asks=(10,) * 5))
    assert market.features.value("cancel_ratio", START + 2) > 0.0


def test_levels_pushed_out_of_view_are_no_cancels() -> None:
    market = quiet(book(bids=(10,) * 10, asks=(10,) * 10, spread=5))
    better = ((1_001, 1), *ladder(1_000, (10,) * 10, -1))
    market.feed(BookEvent(START + 1, better, ladder(1_005, (10,) * 10, 1)))
    assert market.features.value("cancel_ratio", START + 1) == 0.0
    market.feed(book(START + 2, bids=(10,) * 10, asks=(10,) * 10, spread=5))
    # the new bid went: one cancel; the level that came back into view is no change
    assert market.features.value("cancel_ratio", START + 2) == pytest.approx(1 / 2)


def test_features_become_ready_after_their_warm_up() -> None:
    market = quiet(book(), TradeEvent(START, 1_000, 1, Side.BUY))
    for name, spec in REGISTRY.items():
        ready_ns = START + spec.ready_after_ns
        if spec.ready_after_ns:
            assert market.features.not_ready((name,), ready_ns - 1) == (name,)
        assert market.features.ready((name,), ready_ns)
    assert market.features.ready(NAMES, START + 180 * SECOND)
    assert not market.features.ready(NAMES, START + 180 * SECOND - 1)


def test_reset_warms_book_features_again_and_leaves_the_tape() -> None:
    market = quiet(book(), TradeEvent(START, 1_000, 1, Side.BUY))
    later = START + 200 * SECOND
    assert market.features.ready(NAMES, later)
    market.lose_the_book(later)
    assert market.features.ready(("tfi_5s", "sv_ewma", "rate_trade"), later)
    assert market.features.not_ready(("tfi_1s", "qi_1", "qi_5"), later) == ("qi_1", "qi_5")
    market.feed(book(later + SECOND))
    assert market.features.ready(("qi_1", "qi_5"), later + SECOND)
    assert not market.features.ready(("ofi_1s",), later + SECOND)
    assert market.features.ready(("ofi_1s",), later + 91 * SECOND)


def test_reset_of_the_tape_warms_its_features_again() -> None:
    market = quiet(TradeEvent(START, 1_000, 1, Side.BUY))
    later = START + 10 * SECOND
    assert market.features.ready(("tfi_5s",), later)
    market.features.on_reset(later, trades=True)
    assert not market.features.ready(("tfi_5s",), later + 10 * SECOND)
    market.feed(TradeEvent(later + SECOND, 1_000, 1, Side.SELL))
    assert market.features.value("tfi_5s", later + SECOND) == -1.0
    assert market.features.ready(("tfi_5s",), later + 6 * SECOND)


def test_book_that_is_not_synced_feeds_nothing() -> None:
    market = Market()
    market.feed(ticker(START))
    assert not market.features.ready(("qi_1",), START)
    market.feed(book(START + 1))
    assert market.features.ready(("qi_1",), START + 1)
    market.synced.on_feed_down()
    assert not market.features.ready(("qi_1",), START + 1)
    assert market.features.shown_e6("qi_1", START + 1) is None


def test_silent_book_goes_stale_while_its_ticker_lives() -> None:
    market = Market().feed(book())
    for n in range(1, 7):
        market.feed(ticker(START + n * 100 * MS))
    now = START + 600 * MS
    assert market.features.ready(("qi_1",), now)
    assert market.features.not_ready(("qi_1", "qi_5"), now) == ("qi_5",)
    assert not market.features.ready(("qi_1",), now + 501 * MS)


@pytest.mark.parametrize(
    "event",
    [
        BookEvent(START + 1, (), ((1_002, 5),)),
        BookEvent(START + 1, ((1_000, 5),), ()),
        BookEvent(START + 1, (), ()),
        BookEvent(START + 1, ((1_000, 5),), ((1_000, 5),)),
    ],
    ids=["no bids", "no asks", "empty", "locked"],
)
def test_book_without_a_proper_touch_is_invalid_and_counted(event: BookEvent) -> None:
    market = quiet(book(), event)
    names = tuple(name for name, spec in REGISTRY.items() if spec.needs != "trades")
    assert market.features.not_ready(names, START + 300 * SECOND) == names
    assert market.features.invalid_touches == 1
    with pytest.raises(ValueError, match="qi_1"):
        market.features.value("qi_1", START + 1)
    market.feed(book(START + 2))
    assert market.features.ready(("qi_1", "qi_10"), START + 2)


def test_locked_depth_book_under_a_proper_ticker_has_a_touch_but_no_depth() -> None:
    market = quiet(BookEvent(START, ladder(1_000, (5,) * 10, -1), ladder(1_000, (5,) * 10, 1)), ticker(START))
    assert market.features.not_ready(("qi_1", "qi_5", "slope"), START) == ("qi_5", "slope")


@pytest.mark.parametrize(
    ("levels", "ready"), [(2, ("qi_1",)), (3, ("qi_1", "qi_5")), (5, ("qi_1", "qi_5", "qi_10"))]
)
def test_too_few_levels_are_never_padded(levels: int, ready: tuple[str, ...]) -> None:
    features = quiet(book(bids=(10,) * levels, asks=(5,) * 10)).features
    names = ("qi_1", "qi_5", "qi_10")
    assert features.not_ready(names, START) == names[len(ready) :]
    for name in ready:
        assert features.ready((name,), START)


def test_missing_levels_are_left_out_of_the_sum() -> None:
    features = quiet(book(bids=(10,) * 3, asks=(5,) * 10)).features
    assert features.value("qi_5", START) == (30 - 25) / 55


def test_row_is_refused_while_a_feature_is_not_ready() -> None:
    market = quiet(book())
    with pytest.raises(ValueError, match="not ready: ofi_1s, sv_ewma"):
        market.features.row_e6(("qi_1", "ofi_1s", "sv_ewma"), START)
    assert market.features.rows == 0


def test_row_holds_rounded_integers_in_the_order_asked_for() -> None:
    features = quiet(book(bids=(2, 1, 1), asks=(1, 1, 1))).features
    assert features.row_e6(("spread_t", "qi_1"), START) == (693147, 333333)
    assert features.row_e6(("qi_1", "spread_t"), START) == (333333, 693147)


def test_values_beyond_the_range_are_cut_to_it() -> None:
    event = BookEvent(START, ladder(1_000, (1 << 60,) * 10, -1), ladder(1_001, (1,) * 10, 1))
    assert quiet(event).features.row_e6(("slope",), START) == (10_000_000,)


def test_what_was_not_asked_for_is_not_kept_up() -> None:
    features = FeatureEngine(INSTRUMENT, FeatureParams(needed=("qi_1",)))
    with pytest.raises(ValueError, match="mlofi_2_1s is not kept up"):
        features.value("mlofi_2_1s", START)
    with pytest.raises(ValueError, match="no feature is called 'qi_7'"):
        features.row_e6(("qi_7",), START)
    assert not features.ready(("qi_10", "rv", "tfi_1s"), START)


def test_unknown_feature_is_refused_when_the_engine_is_built() -> None:
    with pytest.raises(ValueError, match="qi_7"):
        FeatureEngine(INSTRUMENT, FeatureParams(needed=("qi_7",)))


def test_screen_sees_flow_as_soon_as_its_window_is_full() -> None:
    market = quiet(book(), ticker(START + 100 * MS, bid_units=50))
    assert market.features.shown_e6("ofi_1s", START + 999 * MS) is None
    shown = market.features.shown_e6("ofi_1s", START + SECOND)
    assert shown == pytest.approx(20e6 / (20 + 10 * (1 - math.exp(-0.9 / 30))), abs=1)
    assert not market.features.ready(("ofi_1s",), START + SECOND)


def test_time_that_goes_back_counts_as_the_newest() -> None:
    market = quiet(book(), TradeEvent(START + 10, 1_000, 1, Side.BUY))
    market.feed(TradeEvent(START + 5, 1_000, 1, Side.BUY))
    assert market.features.value("rate_trade", START) == pytest.approx(math.log(3))
    market.feed(TradeEvent(START + SECOND + 10, 1_000, 1, Side.BUY))
    assert market.features.ready(("tfi_1s",), START)
    assert market.features.not_ready(("tfi_1s",), START) == ()


def test_rows_of_many_kinds_do_not_pile_up() -> None:
    features = quiet(book()).features
    for n in range(1, len(NAMES)):
        features.not_ready(NAMES[:n], START)
    assert len(features._plans) <= 16
    assert features.row_e6(("qi_1",), START) == (500_000,)


def test_full_rings_are_counted() -> None:
    market = Market(FeatureParams(ring_capacity=4, max_book_age_ns=SECOND))
    market.feed(book())
    for n in range(10):
        market.feed(ticker(START + n, bid_units=40 + n), TradeEvent(START + n, 1_000, 1, Side.BUY))
    assert market.features.overflows == 12


def test_trades_at_more_prices_than_are_remembered_are_counted() -> None:
    market = quiet(book())
    for n in range(1_100):
        market.feed(TradeEvent(START, 1_000 + n, 1, Side.BUY))
    assert market.features.overflows == 76


def test_ticker_of_another_time_does_not_wake_a_lost_book() -> None:
    market = quiet(book())
    market.lose_the_book(START + MS)
    market.synced.on_ticker(BookTicker("BTCUSDT", 999, 1_000, 1, 1_002, 1, 0, START + 2 * MS))
    market.features.on_ticker(market.synced, START + 2 * MS)
    assert not market.features.ready(("qi_1",), START + 2 * MS)
