"""A live session on Bybit's protocol: the recording served on loopback, with a loss, a cut and a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from pipeline.runtime.capture import open_capture
from tests.fakes.bybit_market import book_frame, trade_frame
from tests.fakes.bybit_server import BybitServer
from tests.fakes.live_sessions import end_all, launch, reached
from tests.fakes.sessions import SHARED, replayed

PATH = SHARED.parent / "cryptofeed" / "BYBIT.jsonl.zst"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path))
    yield tmp_path
    end_all()


def state_of(content: dict[str, Any], symbol: str = "BTCUSDT") -> str:
    return str(content["book"][symbol]["state"])


def life(updates: int, began_ms: int) -> Iterator[bytes]:
    """Give a service's frames from its start on: a book that moves, with a trade now and then."""
    sides = [(651_140 - n, 5_000) for n in range(20)], [(651_141 + n, 5_000) for n in range(20)]
    yield book_frame(1, *sides, kind="snapshot", at_ms=began_ms)
    for last in range(2, updates + 1):
        changes = [(651_140, 1_000 + last)], [(651_141, 9_000 - last)]
        yield book_frame(last, *changes, at_ms=began_ms + last * 100)
        if last % 3 == 0:
            yield trade_frame([(str(began_ms + last), "Buy")])


async def test_a_lost_update_a_cut_and_a_restart_are_each_mended_in_the_stream(home: Path) -> None:
    async with BybitServer([*life(600, 0), *life(200, 100_000)]) as server:
        session = await launch(home, server.url, "BTCUSDT", venue="bybit-linear")
        await server.wait_for_topics(2)
        assert server.paths == ["/v5/public/linear"]
        await server.play(100)
        await reached(session, lambda content: state_of(content) == "SYNCED")
        for _ in range(2):
            # One of two neighbours is an update.
            server.step(drop=True)
        await server.play(100)
        mended = await reached(session, lambda content: content["resyncs"] == 1)
        assert (mended["gaps"], mended["feed"]["snapshots"]) == (1, 1)
        assert [one["op"] for one in server.heard] == ["subscribe", "unsubscribe", "subscribe"]
        server.cut()
        await server.wait_for_topics(2)
        await server.play(100)
        await reached(session, lambda content: content["resyncs"] == 2 and state_of(content) == "SYNCED")
        while await server.play(50):
            pass
        await reached(session, lambda content: content["resyncs"] == 3)
        summary = await session.stop()
    assert (summary["gaps"], summary["feed"]["lost"], summary["wire_errors"]) == (1, 1, 0)
    assert (summary["feed"]["snapshots_failed"], summary["exit"]) == (0, "clean")
    book = summary["book"]["BTCUSDT"]
    assert (book["last_update_id"], book["bids"][0], book["asks"][0]) == (
        200,
        ["65114.0", "1.200"],
        ["65114.1", "8.800"],
    )
    assert summary["trades"] > 150
    assert summary["decisions"] > 0


@pytest.mark.skipif(not PATH.exists(), reason="no recorded data: ../shared/data/cryptofeed")
async def test_a_record_of_the_served_recording_replays_to_what_was_seen(home: Path) -> None:
    frames = [one.payload for one in islice(open_capture([PATH], "bybit-spot"), 400)]
    async with BybitServer(frames) as server:
        session = await launch(home, server.url, "BTCUSDT,ETHUSDT", command="record", venue="bybit-spot")
        await server.wait_for_topics(4)
        assert server.paths == ["/v5/public/spot"]
        while await server.play(100, hz=2_000):
            pass
        await reached(session, lambda content: content["updates"] > 200)
        summary = await session.stop()
    assert summary["gaps"] == summary["wire_errors"] == summary["feed"]["lost"] == 0
    assert {book["state"] for book in summary["book"].values()} <= {"SYNCED", "STALE"}
    again = await asyncio.to_thread(replayed, home, str(session.journal))
    differing = {name for name in summary if summary[name] != again[name]}
    assert differing <= {"feed", "journal", "journal_head", "latency_us", "pids"}
