"""The paces of the simulated market, and the market played as its recorder gets it."""

from __future__ import annotations

from itertools import islice

import pytest

from pipeline.sim.chance import Chance
from pipeline.sim.news import SECOND_NS, NewsFeed, Phase
from pipeline.sim.order_flow import FlowParams
from pipeline.sim.pace import Pace, paced_flow
from pipeline.sim.recording import START_NS, played

STREAMS = ("depth@100ms", "bookTicker", "trade")


def opening(seed: int, informed: float | None = None) -> NewsFeed:
    return NewsFeed(Chance(seed), paced_flow(Pace.CALM, informed).news, 6_400_000, 0)


def test_usual_is_the_flow_as_it_comes() -> None:
    assert paced_flow(Pace.USUAL) == FlowParams()


@pytest.mark.parametrize("pace", list(Pace))
def test_another_share_of_informed_news_changes_nothing_else(pace: Pace) -> None:
    half = paced_flow(pace, 0.5)
    assert half.news.informed == 0.5
    assert paced_flow(pace, paced_flow(pace).news.informed) == paced_flow(pace)


def test_in_calm_whoever_knows_leans_for_seconds() -> None:
    news = paced_flow(Pace.CALM).news
    assert news.lead_s[0] > 2 * paced_flow(Pace.USUAL).news.lead_s[1]


@pytest.mark.parametrize("seed", range(20))
def test_a_calm_day_opens_with_news_somebody_knows(seed: int) -> None:
    feed = opening(seed)
    assert 4 * SECOND_NS <= feed.next.leads_ns <= 5 * SECOND_NS
    assert feed.next.is_known
    assert feed.next.ticks > 0
    assert feed.phase(feed.next.leads_ns) is Phase.LEANING


def test_where_nobody_knows_anything_nobody_knows_the_opening_either() -> None:
    assert not any(opening(seed, 0.0).next.is_known for seed in range(20))


def test_a_recording_begins_with_the_whole_book_and_goes_on_in_order_of_time() -> None:
    frames = list(islice(played("BTCUSDT", FlowParams(), 7, 3, STREAMS), 400))
    assert frames[0][0] == START_NS
    assert b'"lastUpdateId"' in frames[0][1]
    assert [ts_ns for ts_ns, _ in frames] == sorted(ts_ns for ts_ns, _ in frames)
    kinds = {frame.split(b'"')[3] for _, frame in frames[1:]}
    assert kinds == {f"btcusdt@{stream}".encode() for stream in STREAMS}


def test_a_seed_is_a_recording_and_its_streams_do_not_change_it() -> None:
    def depth(seed: int, *streams: str) -> list[tuple[int, bytes]]:
        frames = played("BTCUSDT", FlowParams(), seed, 2, streams)
        return [(ts_ns, frame) for ts_ns, frame in frames if b"@depth" in frame]

    assert depth(7, "depth@100ms") == depth(7, *STREAMS)
    assert depth(7, "depth@100ms") != depth(8, "depth@100ms")
