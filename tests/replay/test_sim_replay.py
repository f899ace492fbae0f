"""A capture served by the simulated venue: what a client builds from it is what the capture says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from pipeline.core.inputs import DepthSnapshot, DepthUpdate, Trade
from pipeline.core.sync import SyncedBook
from pipeline.core.types import BookState, Instrument
from pipeline.runtime.capture import open_capture, probe
from pipeline.runtime.instruments import load_instruments
from pipeline.sim.opening import SimOptions, open_replay
from pipeline.sim.protocol.venue import SimVenue
from pipeline.sim.replayed_market import ReplayedMarket, ReplayError
from pipeline.sim.synthetic import packaged_session
from pipeline.wire.venues import codec_for
from tests.fakes.sim_client import MS, FakeLink
from tests.fakes.venue import T0

CAPTURES = Path(__file__).resolve().parents[3] / "shared" / "data" / "hftbacktest"
USDM = (CAPTURES / "usdm_btcusdt_20240718.gz",)
SECOND = 1_000_000_000

Frames = list[tuple[int, bytes]]


def captured(paths: tuple[Path, ...], count: int) -> tuple[Frames, Instrument]:
    info = probe(paths)
    (instrument,) = load_instruments(info.venue, info.symbols)
    return [(one.ts_recv_ns, one.payload) for one in islice(open_capture(paths), count)], instrument


def synthetic(count: int = 6_000) -> tuple[Frames, Instrument]:
    return captured((packaged_session(),), count)


class Served:
    """A replayed venue under a virtual clock, with one client's own book."""

    def __init__(self, frames: Frames, instrument: Instrument, **how: object) -> None:
        def open_frames() -> Iterator[tuple[int, bytes]]:
            return iter(frames)

        self.instrument = instrument
        self.now_ns = T0
        found: tuple[SimVenue, ReplayedMarket] = open_replay(
            SimOptions(),
            open_frames,
            {instrument.symbol: instrument},
            T0,
            **how,  # type: ignore[arg-type]
        )
        self.venue, self.market = found
        self.link = FakeLink()
        self.codec = codec_for(instrument.venue, {instrument.symbol: instrument})
        self.synced = SyncedBook(instrument)
        self.trades: list[Trade] = []

    def listen(self, *streams: str, path: str = "/stream") -> None:
        query = "streams=" + "/".join(f"btcusdt@{stream}" for stream in streams)
        assert self.venue.open(self.link, path, query, self.now_ns)

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds * 50)):
            self.now_ns += 20 * MS
            self.venue.advance(self.now_ns)
            taken, self.link.frames = self.link.frames, []
            for frame in taken:
                self.take(frame)

    def take(self, frame: bytes) -> None:
        for one in self.codec.decode(frame, self.now_ns, 0):
            match one:
                case DepthSnapshot():
                    self.synced.on_snapshot(one)
                case DepthUpdate():
                    self.synced.on_update(one)
                case Trade():
                    self.trades.append(one)
                case _:
                    pass

    def snapshot(self) -> None:
        self.take(self.market.snapshot("BTCUSDT", 5_000).encode())

    def agree(self) -> bool:
        """Say whether the client's book is the venue's."""
        mine = self.synced.book.top(5_000)
        theirs = json.loads(self.market.snapshot("BTCUSDT", 5_000))
        printed = [
            [[self.instrument.price_text(ticks), self.instrument.size_text(size)] for ticks, size in side]
            for side in mine
        ]
        return bool(
            printed == [theirs["bids"], theirs["asks"]]
            and self.synced.last_update_id == theirs["lastUpdateId"]
        )


def test_nothing_moves_before_somebody_listens() -> None:
    served = Served(*synthetic(2_000))
    served.venue.advance(T0 + 60 * SECOND)
    assert served.market.served == 0
    assert served.market.next_ns is None


@pytest.mark.parametrize("asked_after", [0.0, 0.05, 1.37])
def test_a_client_that_joins_at_any_point_has_the_venues_book(asked_after: float) -> None:
    served = Served(*synthetic(), speed=10.0)
    served.listen("depth@100ms", "trade", "bookTicker")
    served.run(asked_after)
    served.snapshot()
    served.run(2)
    assert (served.synced.state, served.synced.gaps) == (BookState.SYNCED, 0)
    assert served.agree()
    assert served.trades


def test_frames_keep_their_rhythm_at_another_speed() -> None:
    frames, instrument = synthetic()
    slow, fast = Served(frames, instrument), Served(frames, instrument, speed=4.0)
    for served, seconds in ((slow, 8.0), (fast, 2.0)):
        served.listen("depth@100ms")
        served.run(seconds)
    assert slow.market.served == pytest.approx(fast.market.served, abs=30)
    assert slow.market.served > 300


def test_the_end_is_the_end() -> None:
    served = Served(*synthetic(1_500), speed=100.0)
    served.listen("trade")
    served.run(3)
    assert served.market.is_over
    assert served.market.next_ns is None


@pytest.mark.parametrize("times_now", [True, False])
def test_times_are_moved_to_now_unless_told_not_to(times_now: bool) -> None:
    frames, instrument = synthetic(2_000)
    served = Served(frames, instrument, times_now=times_now)
    served.now_ns += 5 * SECOND
    served.listen("trade")
    served.now_ns += 2 * SECOND
    served.venue.advance(served.now_ns)
    data = [json.loads(frame)["data"] for frame in served.link.frames]
    expected_ms = (T0 + 5 * SECOND if times_now else frames[0][0]) // MS
    assert data
    assert all(expected_ms - 1_000 < one["T"] < expected_ms + 3_000 for one in data)
    original = {json.loads(frame)["data"].get("t") for _, frame in frames if b"@trade" in frame}
    assert {one["t"] for one in data} <= original


def test_a_stream_is_served_under_the_name_it_is_asked_by() -> None:
    served = Served(*synthetic(2_000))
    served.listen("depth", "depth@0ms", "aggTrade")
    served.now_ns += 2 * SECOND
    served.venue.advance(served.now_ns)
    names = {json.loads(frame)["stream"] for frame in served.link.frames}
    assert names == {"btcusdt@depth", "btcusdt@depth@0ms", "btcusdt@aggTrade"}
    merged = next(json.loads(frame)["data"] for frame in served.link.frames if b"aggTrade" in frame)
    assert merged["e"] == "aggTrade"
    assert merged["a"] == merged["f"] == merged["l"]
    served.run(0.1)
    for frame in served.link.frames:
        served.take(frame)


def test_raw_frames_find_their_stream() -> None:
    frames, instrument = synthetic(3_000)
    raw = []
    for ts_ns, frame in frames:
        parsed = json.loads(frame)
        raw.append((ts_ns, json.dumps(parsed.get("data", parsed), separators=(",", ":")).encode()))
    served = Served([*raw[:900], (raw[900][0], b"nothing"), *raw[900:]], instrument, speed=5.0)
    served.listen("depth@100ms", "bookTicker", "trade")
    served.snapshot()
    served.run(2)
    assert served.synced.state is BookState.SYNCED
    assert served.agree()
    assert served.trades


def test_orders_are_refused_and_the_account_is_there() -> None:
    served = Served(*synthetic(2_000))
    exchange = served.market.exchange
    (account,) = exchange.accounts.values()
    assert account.free["BTC"] > 0
    assert not exchange.markets["BTCUSDT"].is_open
    assert served.market.is_trading("BTCUSDT")
    served.market.publish("BTCUSDT", served.now_ns)


def test_a_capture_without_a_snapshot_cannot_be_served() -> None:
    frames, instrument = synthetic(2_000)
    without = [(ts_ns, frame) for ts_ns, frame in frames if not frame.startswith(b'{"lastUpdateId"')]
    with pytest.raises(ReplayError, match="no snapshot that its depth updates join for BTCUSDT"):
        Served(without, instrument)


def test_a_missing_depth_line_is_a_gap_for_the_client_too() -> None:
    frames, instrument = synthetic()
    depths = [at for at, (_, frame) in enumerate(frames) if b"depthUpdate" in frame]
    del frames[depths[20]]
    served = Served(frames, instrument, speed=10.0)
    served.listen("depth@100ms")
    served.snapshot()
    served.run(1)
    assert served.synced.gaps == 1


@pytest.mark.skipif(not USDM[0].exists(), reason="no futures capture in ../shared/data")
@pytest.mark.parametrize("path", ["/stream", "/public/stream"])
def test_the_futures_are_served_on_their_own_routes(path: str) -> None:
    frames, instrument = captured(USDM, 8_000)
    served = Served(frames, instrument, speed=10.0)
    served.listen("depth@0ms", "bookTicker", path=path)
    served.snapshot()
    served.run(2)
    assert (served.synced.state, served.synced.gaps) == (BookState.SYNCED, 0)
    assert served.agree()


def test_an_instrument_of_another_venue_has_no_book() -> None:
    frames, instrument = synthetic(2_000)
    with pytest.raises(ReplayError):
        Served(frames, replace(instrument, symbol="ETHUSDT"))
