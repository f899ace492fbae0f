"""The street: a believable market that moves because of news, and copes with whatever customers do."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from pipeline.core.types import BookState
from pipeline.research.imbalance_curve import Samples, bin_names, curve, samples
from pipeline.sim.chance import Chance
from pipeline.sim.exchange.listing import spot_listings
from pipeline.sim.exchange.order import OrderKind, OrderStatus, TimeInForce
from pipeline.sim.news import NewsFeed, NewsParams, Phase
from tests.fakes.sim_market import SECOND, Follower, SimMarket, flow, hectic
from tests.fakes.venue import BUY, SELL, SYMBOL, T0, account, listing, order, placed


def test_same_seed_same_market_and_another_seed_another() -> None:
    first, again, other = (SimMarket(seed).run(10).tape.frames for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_how_time_is_cut_into_steps_changes_nothing() -> None:
    whole, stepped = SimMarket().run(5), SimMarket()
    for step in range(1, 501):
        stepped.run(step / 100)
    assert stepped.tape.frames == whole.tape.frames


def test_book_is_deep_and_tight_all_the_time() -> None:
    market = SimMarket(seed=5, streams=("none",))
    spreads: Counter[int] = Counter()
    for step in range(1, 1_201):
        market.run(step / 20)
        bid, bid_lots, ask, ask_lots = market.book.top
        spreads[ask - bid] += 1
        assert min(bid_lots, ask_lots) > 0
        assert min(len(market.book.bids.keys), len(market.book.asks.keys)) >= 100
    assert min(spreads) == 1
    assert spreads[1] > 1_140


def test_quiet_and_bursts_take_turns() -> None:
    market = SimMarket(seed=3, streams=("btcusdt@trade",)).run(60)
    seconds = Counter((at_ns - T0) // SECOND for at_ns, _, _ in market.tape.frames)
    counts = sorted(seconds.get(n, 0) for n in range(60))
    assert counts[20] * 5 < counts[-1]


def test_what_a_customer_eats_is_quoted_again() -> None:
    market = SimMarket().run(2)
    whale = account(market.live.exchange, "whale", btc=10_000)
    bid = market.book.top[0]
    reports = market.live.exchange.place(
        whale, order(SELL, bid - 2_000, 1_500_000, time_in_force=TimeInForce.IOC), T0 + 2 * SECOND
    )
    assert len({one.last_ticks for one in reports}) > 20
    market.live.publish(SYMBOL, T0 + 2 * SECOND)
    gap = market.book.top[2] - market.book.top[0]
    market.run(2.5)
    assert gap > 100
    assert market.book.top[2] - market.book.top[0] == 1


def test_an_emptied_side_is_quoted_again() -> None:
    market = SimMarket(listings=(listing(max_notional_e8=1 << 80),)).run(1)
    whale = account(market.live.exchange, "whale", btc=50_000)
    market.live.exchange.place(whale, order(SELL, lots=900_000_000, kind=OrderKind.MARKET), T0 + SECOND)
    assert market.book.bids.keys == []
    market.run(8)
    bid, _, ask, _ = market.book.top
    assert ask - bid == 1
    assert len(market.book.bids.keys) > 40


def test_a_passive_order_at_the_touch_gets_its_turn() -> None:
    market = SimMarket(flow=flow(informed=0.0)).run(1)
    ours = account(market.live.exchange)
    mine = [
        placed(market.live.exchange, ours, order(BUY, market.book.top[0], 500), T0 + SECOND),
        placed(market.live.exchange, ours, order(SELL, market.book.top[2], 500), T0 + SECOND),
    ]
    market.run(30)
    assert OrderStatus.FILLED in {one.status for one in mine}
    assert market.told


def test_a_quote_left_behind_by_news_is_picked_off_at_its_price() -> None:
    market = SimMarket(flow=hectic(0.0)).run(1)
    ours = account(market.live.exchange)
    bid = market.book.top[0]
    mine = placed(market.live.exchange, ours, order(BUY, bid, 100), T0 + SECOND)
    seconds = 1.0
    while market.book.top[0] >= bid and seconds < 30:
        seconds += 0.05
        market.run(seconds)
    assert market.book.top[0] < bid
    assert mine.status is OrderStatus.FILLED
    assert mine.filled_quote_e8 == bid * 100 * 10


def values(market: SimMarket, seconds: int) -> list[int]:
    """The fair value ten times a second."""
    found = []
    for step in range(1, seconds * 10 + 1):
        market.run(step / 10)
        found.append(market.live.flows[SYMBOL].news.value_ticks)
    return found


def test_news_never_looks_at_the_book() -> None:
    undisturbed, disturbed = SimMarket(streams=("none",)), SimMarket(streams=("none",))
    whale = account(disturbed.live.exchange, "whale", btc=10_000)
    disturbed.live.exchange.place(whale, order(SELL, lots=5_000_000, kind=OrderKind.MARKET), T0)
    assert values(disturbed, 20) == values(undisturbed, 20)


def test_without_informed_traders_the_price_moves_with_the_news_alone() -> None:
    market = SimMarket(flow=flow(informed=0.0), streams=("none",))
    for step in range(1, 601):
        market.run(step / 20)
        value = market.live.flows[SYMBOL].news.value_ticks
        assert (market.book.top[0], market.book.top[2]) == (value, value + 1)


def test_imbalance_announces_moves_because_somebody_knows() -> None:
    market = SimMarket(streams=("btcusdt@depth@100ms",)).run(120)
    (second,) = curve(samples(market.frames(), spot_listings()[0].instrument), (5,))
    assert 0.75 < second.auc < 0.95
    assert 0.25 < second.moved < 0.7
    assert second.p_up[0] < 0.25 < 0.75 < second.p_up[-1]


def test_frames_rebuild_the_book_and_agree_with_each_other() -> None:
    market = SimMarket(flow=hectic(1.0)).run(20)
    follower = Follower()
    for at_ns, frame in market.frames():
        follower.take(frame, at_ns)
    synced = follower.synced
    assert (synced.state, synced.gaps, synced.crossed) == (BookState.SYNCED, 0, 0)
    assert follower.others == []
    assert synced.check.shared == synced.check.equal > 20
    lot = spot_listings()[0].instrument.lot_units
    bids, asks = synced.book.top(1_000)
    assert [(ticks, size // lot) for ticks, size in bids] == market.book.bids.ladder()
    assert [(ticks, size // lot) for ticks, size in asks] == market.book.asks.ladder()
    ids = [one.trade_id for one in follower.trades]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert len(ids) > 50


def test_slow_depth_is_the_same_chain_in_longer_steps() -> None:
    market = SimMarket(streams=("btcusdt@depth",)).run(10)
    frames = market.tape.of("btcusdt@depth")
    assert len(frames) == 10
    follower = Follower()
    follower.take(market.start.encode(), T0)
    for frame in frames:
        follower.take(frame.encode(), T0)
    assert (follower.synced.state, follower.synced.gaps) == (BookState.SYNCED, 0)
    assert follower.synced.book.best_bid == market.book.top[0]


def test_merged_trades_hold_what_the_single_ones_do() -> None:
    market = SimMarket(streams=("btcusdt@trade",)).run(20)
    merged = SimMarket(streams=("btcusdt@aggTrade",)).run(20)
    single, groups = Follower(), Follower()
    for frame in market.tape.of("btcusdt@trade"):
        single.take(frame.encode(), T0)
    for frame in merged.tape.of("btcusdt@aggTrade"):
        groups.take(frame.encode(), T0)
    assert 0 < len(groups.trades) < len(single.trades)
    assert sum(one.size_units for one in groups.trades) == sum(one.size_units for one in single.trades)


def test_symbols_trade_side_by_side_with_news_of_their_own() -> None:
    market = SimMarket(listings=spot_listings(("BTCUSDT", "ETHUSDT")), streams=("none",)).run(30)
    btc, eth = market.live.flows.values()
    assert btc.news.value_ticks - 6_400_000 != eth.news.value_ticks - 265_000
    assert abs(market.live.exchange.market("ETHUSDT").book.top[0] - 265_000) < 20_000


def test_news_goes_through_its_phases() -> None:
    feed = NewsFeed(Chance(1), NewsParams(informed=1.0, rumour=0.0), 1_000, T0)
    news = feed.next
    assert feed.phase(T0) is Phase.PATIENT
    assert feed.phase(feed.next_change_ns(T0)) is Phase.LEANING
    assert feed.phase(feed.next_change_ns(news.leads_ns)) is Phase.TAKING
    assert feed.next_change_ns(news.takes_ns) == news.out_ns
    feed.come_out(news.out_ns)
    assert feed.value_ticks == 1_000 + news.side * news.ticks
    assert feed.next.leads_ns >= news.out_ns


def test_a_rumour_changes_nothing_and_a_surprise_shows_nothing() -> None:
    rumours = NewsFeed(Chance(1), NewsParams(informed=1.0, rumour=1.0), 1_000, T0)
    assert (rumours.next.ticks, rumours.informed_ticks) == (0, 1_000)
    surprise = NewsFeed(Chance(1), NewsParams(informed=0.0), 1_000, T0)
    assert surprise.phase(surprise.next.takes_ns) is Phase.PATIENT
    assert surprise.next_change_ns(T0) == surprise.next.out_ns


def test_value_stays_around_home() -> None:
    feed = NewsFeed(Chance(3), NewsParams(home_ticks=500, jump_ticks=50.0), 10_000, T0)
    seen = []
    for _ in range(3_000):
        feed.come_out(feed.next.out_ns)
        seen.append(feed.value_ticks)
    assert max(abs(value - 10_000) for value in seen) < 1_500
    assert np.mean(seen) == pytest.approx(10_000, abs=60)


def test_curve_of_a_perfect_signal_is_perfect() -> None:
    mid = np.cumsum(np.random.default_rng(1).choice([-1.0, 1.0], 1_000)) + 10_000
    signal = np.append(np.diff(mid), 1.0) * 0.9
    (one,) = curve(Samples(signal, mid), (1,))
    assert (one.auc, one.moved, one.seconds) == (1.0, 1.0, 0.2)
    assert one.p_up[0] == 0.0
    assert one.p_up[-1] == 1.0
    assert np.isnan(one.p_up[2])
    assert one.drift_bp[-1] == pytest.approx(one.mean_move_bp, rel=0.01)
    assert len(bin_names()) == len(one.p_up)
