"""A session that was killed by its daily loss and comes back under its name is killed by it again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from pipeline.core.inputs import HealthRead
from pipeline.core.types import QUOTE_SCALE
from pipeline.runtime import places
from pipeline.runtime.earlier_day import DAY_NS
from pipeline.runtime.instruments import load_instruments
from pipeline.runtime.journal import JournalWriter, RecordKind
from tests.fakes.feed_market import FeedMarket
from tests.fakes.feed_server import FeedServer
from tests.fakes.journals import header
from tests.fakes.live_sessions import end_all, reached, start_session


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path))
    yield tmp_path
    end_all()


def crashed_with(day_quote: int) -> None:
    """Leave the journal of a paper session whose process died after so much of a day."""
    now_ns = time.time_ns()
    if DAY_NS - now_ns % DAY_NS < 60 * 10**9:
        pytest.skip("it is a minute before midnight UTC, when a day ends")
    place = places.make_session("paper")
    journal = JournalWriter.create(place.journal_dir, header("paper"), segment_bytes=1 << 16, pack=False)
    reading = HealthRead(0, 1, 50, 1, True, (), now_ns, day_quote * QUOTE_SCALE, 0)
    journal.append(RecordKind.INPUT, now_ns, msgspec.msgpack.encode(reading))


async def test_the_days_loss_survives_the_death_of_its_session(home: Path) -> None:
    crashed_with(-450)
    market = FeedMarket(load_instruments("binance", ("BTCUSDT",))[0], seed=1, levels=40)
    async with FeedServer([market]) as server:
        session = await start_session(home, server, name="paper", settings={"LOBDECK_WORKERS__COUNT": "1"})
        moving = asyncio.ensure_future(server.run(50, 20))
        try:
            await reached(session, lambda content: content["trading_state"] == "KILLED")
        finally:
            moving.cancel()
        session.process.terminate()
        summary = await session.ended(status=4)
    assert summary["exit"] == "killed"
