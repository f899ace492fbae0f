"""Live sessions on captures served by `lobdeck sim --replay`: whatever breaks, a believed book is right."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.book import L1, OrderBook
from pipeline.core.types import Level
from pipeline.runtime.capture import open_capture
from pipeline.runtime.instruments import load_instruments
from pipeline.sim.synthetic import packaged_session
from tests.fakes.believed_books import CaptureTruth, Proof, prove, same_as_seen
from tests.fakes.live_sessions import end_all, launch, reached
from tests.fakes.sessions import SHARED
from tests.fakes.sim_process import capture_process

EVERY_FAULT = (
    "drop=0.01",
    "duplicate=0.01",
    "reorder=0.01",
    "garbage=0.001",
    "bad-utf8=0.0005",
    *(f"oversized=1500000@{second}+0.25" for second in range(3, 60, 2)),
    *(f"silence@{second}+0.8:depth" for second in range(5, 60, 6)),
    "disconnect=3@3.6:market",
)
"""What happens in windows happens again: how long a session takes to start is not known."""
LEVELS = 500
SETTINGS = {
    "LOBDECK_FEED__MAX_FRAME_MB": "1",
    "LOBDECK_FEED__SNAPSHOT_LEVELS": str(LEVELS),
    "LOBDECK_HEALTH__STALE_AFTER_MS": "300",
}


@dataclass(frozen=True)
class Market:
    """A capture and what it is of."""

    venue: str
    paths: tuple[Path, ...]
    speed: str

    @property
    def truth(self) -> CaptureTruth:
        (instrument,) = load_instruments(self.venue, ("BTCUSDT",))
        return CaptureTruth((one.payload for one in open_capture(self.paths)), instrument)


def recorded(*names: str) -> tuple[Path, ...]:
    """Give recorded captures, the market that ships with the package where there are none."""
    paths = tuple(SHARED / name for name in names)
    return paths if all(path.exists() for path in paths) else (packaged_session(),)


SPOT = Market("binance", recorded("spot_btcusdt_20240808.gz", "spot_btcusdt_20240809.gz"), "8")
FUTURES = [
    Market("binance-usdm", paths, "4")
    for paths in [recorded("usdm_btcusdt_20240718.gz", "usdm_btcusdt_20240719.gz")]
    if len(paths) > 1
]
"""Empty where no futures are recorded: the market that ships with the package is spot."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path))
    yield tmp_path
    end_all()


def everything_broke(content: dict[str, Any]) -> bool:
    """Say whether each kind of fault was met and every book came back."""
    feed, books = content["feed"], content["book"].values()
    met = content["gaps"] >= 4 and content["resyncs"] >= 8 and content["wire_errors"] and feed["lost"] >= 6
    return bool(met and content["updates"] >= 450 and all(book["state"] == "SYNCED" for book in books))


@dataclass(frozen=True)
class Outcome:
    """What a session saw, and what its journal proves."""

    market: Market
    journal: Path
    summary: dict[str, Any]
    proof: Proof


async def broken(home: Path, market: Market, command: str) -> Outcome:
    with capture_process(*market.paths, faults=EVERY_FAULT, speed=market.speed) as sim:
        session = await launch(
            home,
            sim.at["base_url"],
            "BTCUSDT",
            command=command,
            venue=market.venue,
            name=market.venue,
            settings=SETTINGS,
        )
        await reached(session, everything_broke, seconds=60)
        summary = await session.stop()
    proof = await asyncio.to_thread(prove, session.journal, [market.truth], LEVELS)
    return Outcome(market, session.journal, summary, proof)


async def cut_daily(home: Path, market: Market, bridged: int) -> Outcome:
    settings = {"LOBDECK_FEED__NOTICE_AGE_MS": "1000"}
    with capture_process(*market.paths, speed="3", lifetime="3") as sim:
        session = await launch(
            home,
            sim.at["base_url"],
            "BTCUSDT",
            command="record",
            venue=market.venue,
            name=market.venue,
            settings=settings,
        )
        await reached(session, lambda content: content["feed"]["bridged"] >= bridged, seconds=40)
        summary = await session.stop()
    proof = await asyncio.to_thread(prove, session.journal, [market.truth])
    return Outcome(market, session.journal, summary, proof)


async def test_recorded_markets_broken_in_every_way_are_right_or_not_believed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spot, *others = await asyncio.gather(
        broken(home, SPOT, "run"), *(broken(home, market, "record") for market in FUTURES)
    )
    for one in (spot, *others):
        assert same_as_seen(one.proof, one.summary)
        assert one.proof.compared["BTCUSDT"] > 100
        assert one.proof.looked > 1_000
        assert {"GAP", "STALE", "SYNCING", "SYNCED"} <= one.proof.states
    reasons = {reason for one in (spot, *others) for reason in one.proof.reasons}
    assert {"connection lost", "a message over 1048576 bytes"} <= reasons
    assert spot.summary["features"] > 0
    assert_a_planted_fault_is_seen(spot, monkeypatch)


async def test_the_daily_cut_is_bridged_without_a_gap_or_anything_twice(home: Path) -> None:
    """Connections live 3 s; the venue says so before. Two are bridged on each route, none is lost."""
    outcomes = await asyncio.gather(
        cut_daily(home, SPOT, 2), *(cut_daily(home, market, 4) for market in FUTURES)
    )
    for one in outcomes:
        proof, summary = one.proof, one.summary
        assert same_as_seen(proof, summary)
        assert summary["feed"]["lost"] == 0
        assert summary["feed"]["duplicates"] > 0
        assert (summary["gaps"], summary["resyncs"], summary["wire_errors"]) == (0, 0, 0)
        assert proof.left == 0, "the book was not SYNCED for a while"
        assert proof.epochs == {1}
        assert_each_once(proof, one.market.truth)


def assert_each_once(proof: Proof, truth: CaptureTruth) -> None:
    """Every print of the capture passed once and in order; tickers only rose."""
    seen = proof.trades["BTCUSDT"]
    assert seen == truth.prints(seen[0], seen[-1])
    tickers = proof.tickers["BTCUSDT"]
    assert all(one <= other for one, other in zip(tickers, tickers[1:], strict=False))


def assert_a_planted_fault_is_seen(outcome: Outcome, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof itself can fail: on the same frames, a book in which removed bids stay is caught."""
    sound = OrderBook.apply

    def forgetful(book: OrderBook, bids: tuple[Level, ...], asks: tuple[Level, ...]) -> L1:
        return sound(book, tuple(level for level in bids if level[1]), asks)

    with monkeypatch.context() as patched:
        patched.setattr(OrderBook, "apply", forgetful)
        with pytest.raises(AssertionError, match="BTCUSDT is wrong at"):
            prove(outcome.journal, [outcome.market.truth], LEVELS)
