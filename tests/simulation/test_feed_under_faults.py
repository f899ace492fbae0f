"""A whole feed on a virtual clock, seed after seed: a believed book is right, whatever the venue does."""

from __future__ import annotations

import pytest

from pipeline.core.types import BookState
from pipeline.runtime.instruments import load_instruments
from tests.fakes.feed_market import FeedMarket
from tests.fakes.virtual_feed import VirtualFeed

EVERY_FAULT = (
    "drop=0.02@0+15",
    "duplicate=0.02@0+15",
    "reorder=0.02@0+15",
    "garbage=0.01@0+15",
    "bad-utf8=0.003@0+15",
    "crossed=0.01@0+15",
    "gap@2+13",
    "oversized=1500000@6+0.2",
    "silence@8+3:depth",
    "disconnect=4@3+13:market",
)
"""All is well again after fifteen seconds."""
QUICK = {"backoff_first_ms": 100, "backoff_longest_ms": 400, "attempts": 300}
VENUES = ("binance", "binance-usdm")


def market(venue: str, seed: int) -> FeedMarket:
    (instrument,) = load_instruments(venue, ("BTCUSDT",))
    return FeedMarket(instrument, seed=seed)


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("seed", range(1, 7))
async def test_books_are_right_or_not_believed_and_come_back(venue: str, seed: int) -> None:
    how = {"seed": seed, "updates": 500}
    lifetime_s = 5.0 if seed % 2 else 86_400.0
    async with VirtualFeed(
        market(venue, seed), QUICK, faults=EVERY_FAULT, lifetime_s=lifetime_s, **how
    ) as virtual:
        await virtual.pass_s(20)
        proof, counts = virtual.proof, virtual.run.engine.counts()
        assert virtual.state is BookState.SYNCED
    assert counts["gaps"] > 0
    assert counts["resyncs"] > 0
    assert counts["wire_errors"] > 0
    assert {"GAP", "CROSSED", "STALE", "SYNCING", "SYNCED"} <= proof.states
    assert {"connection lost", "a message too long"} <= proof.reasons
    assert proof.compared["BTCUSDT"] > 150


@pytest.mark.parametrize("venue", VENUES)
async def test_days_end_without_a_moment_in_which_a_book_is_lost(venue: str) -> None:
    """Connections live 8 s here; six of each route end, each up to three updates ahead of or behind the next.

    No gap, nothing twice, nothing missed.
    """
    async with VirtualFeed(market(venue, 3), QUICK, updates=1_000, lifetime_s=8.0) as virtual:
        await virtual.pass_s(50)
        feed, counts = virtual.feed.counts(), virtual.run.engine.counts()
        proof = virtual.proof
    routes = len(virtual.feed.routes)
    assert (feed.lost, feed.bridged) == (0, feed.connections - routes)
    assert feed.bridged >= 6 * routes
    assert feed.duplicates > 0
    assert (counts["gaps"], counts["resyncs"]) == (0, 0)
    assert proof.left == 0
    assert proof.epochs == {1}
    seen = proof.trades["BTCUSDT"]
    assert seen == list(range(seen[0], seen[0] + len(seen)))
    assert counts["updates"] >= 950
