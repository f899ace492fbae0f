"""Live sessions against a venue on loopback: the book is right or not SYNCED, always, and nothing dies."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.link import SocketLink
from app.shell import status
from pipeline.core.snapshot import FeedView
from pipeline.runtime.capture import open_capture
from pipeline.runtime.instruments import load_instruments
from pipeline.runtime.link_messages import PROTOCOL_VERSION, Attach
from pipeline.runtime.places import session_place
from tests.fakes.believed_books import prove, same_as_seen
from tests.fakes.feed_market import FeedMarket
from tests.fakes.feed_server import FeedServer
from tests.fakes.live_sessions import LiveSession, end_all, launch, reached, start_session
from tests.fakes.sessions import replayed

SYMBOLS = ("BTCUSDT", "ETHUSDT")


def markets(venue: str = "binance", symbols: tuple[str, ...] = SYMBOLS, levels: int = 40) -> list[FeedMarket]:
    instruments = load_instruments(venue, symbols)
    return [FeedMarket(one, seed=number, levels=levels) for number, one in enumerate(instruments)]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path))
    yield tmp_path
    end_all()


async def run_until(
    server: FeedServer,
    session: LiveSession,
    reached: Callable[[dict[str, Any]], bool],
    *,
    seconds: float = 15,
) -> None:
    """Let the market go on until the session says so."""
    moving = asyncio.ensure_future(server.run(50, seconds))
    try:
        async with asyncio.timeout(seconds):
            while not reached(await asyncio.to_thread(status, session.name)):
                await asyncio.sleep(0.1)
    finally:
        moving.cancel()


def all_synced(content: dict[str, Any]) -> bool:
    return all(book["state"] == "SYNCED" for book in content["book"].values())


async def test_a_broken_feed_never_leaves_a_wrong_book_that_is_believed(home: Path) -> None:
    truth = markets()
    async with FeedServer(truth) as server:
        session = await start_session(home, server, settings={"LOBDECK_FEED__MAX_FRAME_MB": "1"})
        await server.run(100, 1)
        faults = server.faults
        faults.drop = faults.repeat = faults.reorder = 0.02
        faults.garbage = 0.002
        await server.run(100, 1.5)
        server.cut()
        await server.run(100, 1.5)
        server.say("x" * (1 << 20) + "x")
        await server.run(100, 1)
        await server.wait_for_clients(1)
        await server.close_all()
        faults.snapshots_behind = 40
        await server.run(100, 1)
        faults.drop = faults.repeat = faults.reorder = faults.garbage = 0
        faults.snapshots_behind = 0
        await run_until(server, session, all_synced)
        summary = await session.stop()
    proof = prove(session.journal, truth)
    assert same_as_seen(proof, summary)
    assert min(proof.compared[symbol] for symbol in SYMBOLS) > 100
    assert summary["gaps"] > 0
    assert summary["resyncs"] > 0
    assert summary["wire_errors"] > 0
    assert {"GAP", "SYNCING", "SYNCED"} <= proof.states
    assert summary["feed"]["lost"] >= 3
    assert {"connection lost", "a message over 1048576 bytes", "closed by the venue (1001)"} <= proof.reasons
    for market in truth:
        believed = summary["book"][market.symbol]
        bids, _ = market.truth[believed["last_update_id"]]
        assert believed["bids"][0][0] == market.instrument.price_text(bids[0][0])


async def test_futures_with_a_dead_depth_channel_are_never_believed_and_come_back(home: Path) -> None:
    truth = markets("binance-usdm")
    settings = {"LOBDECK_FEED__FIRST_MESSAGE_MS": "700", "LOBDECK_FEED__DEAF_MS": "1500"}
    async with FeedServer(truth) as server:
        server.faults.silent = {truth[0].depth_stream}
        session = await start_session(home, server, venue="binance-usdm", settings=settings)
        await server.run(100, 2.5)
        server.faults.silent = set()
        server.faults.drop = server.faults.repeat = server.faults.reorder = 0.01
        await server.run(100, 2.5)
        server.faults.drop = server.faults.repeat = server.faults.reorder = 0
        await run_until(server, session, all_synced)
        summary = await session.stop()
    proof = prove(session.journal, truth)
    assert same_as_seen(proof, summary)
    assert set(server.paths) == {"/public/stream", "/market/stream"}
    silent = [status for status in proof.statuses if status.channel == truth[0].depth_stream]
    assert [(status.up, status.symbol) for status in silent[:1]] == [(False, "BTCUSDT")]
    assert any(status.reason.endswith("silent while the ticker moves") for status in proof.statuses)
    assert min(proof.compared[symbol] for symbol in SYMBOLS) > 20
    assert summary["gaps"] > 0
    assert summary["trades"] > 0


async def test_a_burst_with_a_hung_worker_loses_nothing_and_no_queue_grows(home: Path) -> None:
    """20,000 frames at 5,000 a second, where the machine lets them, with one of two workers stopped."""
    truth = markets(levels=10)
    settings = {"LOBDECK_WORKERS__HANG_MS": "2000", "LOBDECK_WORKERS__RING_DEPTH": "16"}
    async with FeedServer(truth) as server:
        session = await start_session(home, server, "--workers", "2", settings=settings)
        await run_until(server, session, lambda content: content["decisions"] > 20)
        stopped = session.workers()[0]
        stopped.send_signal(signal.SIGSTOP)
        try:
            await server.run(100, 4, steps=11)
            await run_until(server, session, all_synced)
        finally:
            with contextlib.suppress(psutil.NoSuchProcess):
                stopped.send_signal(signal.SIGCONT)
        summary = await session.stop()
    proof = prove(session.journal, truth)
    assert same_as_seen(proof, summary)
    assert summary["frames"] > 15_000
    assert summary["gaps"] == summary["wire_errors"] == summary["feed"]["lost"] == 0
    assert summary["conflated"] > 0
    assert 0 < proof.longest_queue <= 16 + len(SYMBOLS)
    assert proof.states <= {"EMPTY", "SYNCING", "SYNCED", "STALE"}


async def test_a_recording_replays_to_the_book_and_the_counters_that_were_seen(home: Path) -> None:
    truth = markets(symbols=("BTCUSDT",))
    lines = home / "session.txt"
    async with FeedServer(truth) as server:
        session = await start_session(home, server, "-o", str(lines), command="record")
        await server.run(100, 1.5)
        server.faults.drop = 0.05
        await server.run(100, 1)
        server.faults.drop = 0
        await server.run(100, 1)
        summary = await session.stop()
    assert summary["gaps"] > 0
    assert summary["features"] == summary["orders"] == 0
    again = await asyncio.to_thread(replayed, home, str(session.journal))
    differing = {name for name in summary if summary[name] != again[name]}
    assert differing <= {"feed", "journal", "journal_head", "latency_us", "pids"}
    assert sum(1 for _ in open_capture([lines])) == summary["frames"]
    read = await asyncio.to_thread(replayed, home, str(lines))
    same = ("frames", "updates", "trades", "gaps", "resyncs", "ignored", "wire_errors", "bookticker", "book")
    assert {name: read[name] for name in same} == {name: summary[name] for name in same}
    assert read["features"] > 0, "what was recorded without a model can be played through one"


async def test_a_venue_that_is_not_there_is_named_once_and_tried_with_patience(home: Path) -> None:
    slow = {"LOBDECK_FEED__RECONNECT_FIRST_MS": "4000", "LOBDECK_FEED__RECONNECT_MAX_MS": "4000"}
    session = await launch(home, "ws://127.0.0.1:1", "BTCUSDT", command="record", settings=slow)
    await reached(session, lambda content: content["feed"]["attempts"] >= 1)
    shown = await shown_feed(session.name)
    errors = await session.interrupted()
    assert shown.reason == "nothing listens at 127.0.0.1:1"
    assert 0 <= shown.retry_ms <= 4_000
    assert errors.splitlines()[:-1] == [
        "lobdeck: feed stream down: nothing listens at 127.0.0.1:1; it is tried again",
        "lobdeck: nothing was recorded: feed stream down: nothing listens at 127.0.0.1:1",
    ]
    summary = await session.ended(status=5)
    assert errors.splitlines()[-1] == f"journal head {summary['journal_head']}"
    assert summary["frames"] == summary["feed"]["connections"] == 0
    assert 1 <= summary["feed"]["attempts"] < 40


async def shown_feed(name: str) -> FeedView:
    """Give the first connection that a console of a session is shown waiting for its next attempt."""
    link = SocketLink(session_place(name), Attach(PROTOCOL_VERSION, "ada", "", True, 10.0))
    running = asyncio.ensure_future(link.run())
    try:
        async with asyncio.timeout(15):
            while link.latest is None or link.latest.chain.feeds[0].retry_ms < 0:
                assert not link.lost
                await asyncio.sleep(0.02)
        return link.latest.chain.feeds[0]
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
