"""Live data through the engine: refused frames, books asked for, and what the paper venue is told."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import msgspec

from pipeline.core.book import L1, OrderBook
from pipeline.core.engine import Engine
from pipeline.core.inputs import FeedStatusChanged, Input, TimerBeat
from pipeline.core.params import MS, SECOND
from pipeline.core.types import Authority, BookState, VenueMode
from pipeline.runtime.gateway import PaperGateway
from pipeline.runtime.journal_format import RecordKind
from pipeline.runtime.live_run import LiveRun
from pipeline.sim.paper import PaperVenue
from pipeline.wire.venues import codec_for
from tests.fakes.engines import engine_params
from tests.fakes.feed_market import FeedMarket
from tests.fakes.feeds import Times
from tests.fakes.market_builders import SPOT

_decode = msgspec.msgpack.Decoder(Input).decode


@dataclass
class Records:
    """A journal in memory."""

    inputs: list[Input] = field(default_factory=list)
    frames: list[tuple[bytes, int, int]] = field(default_factory=list)
    """Payload, epoch and source."""

    def append(
        self, kind: RecordKind, ts_ns: int, payload: bytes, epoch: int = 0, codec: int = 0, source: int = 0
    ) -> int:
        assert ts_ns > 0
        assert codec == 0
        if kind is RecordKind.FRAME:
            self.frames.append((payload, epoch, source))
        else:
            self.inputs.append(_decode(payload))
        return len(self.frames) + len(self.inputs)


class Venue(PaperVenue):
    """A paper venue that remembers what it was offered."""

    offered: list[OrderBook | None]

    def on_book(self, symbol: str, book: OrderBook | None, ts_ns: int, l1: L1 | None = None) -> None:
        self.offered.append(book)
        super().on_book(symbol, book, ts_ns, l1)


class Bench:
    """A live run of one symbol, its market and its clock."""

    def __init__(self) -> None:
        self.times = Times()
        self.market = FeedMarket(SPOT)
        self.records = Records()
        self.wanted: list[tuple[str, int]] = []
        params = engine_params(
            mode=VenueMode.PAPER, authority=Authority.OBSERVE, model=None, instruments=(SPOT,)
        )
        self.engine = Engine(params)
        self.venue = Venue((SPOT,), ack_latency_ns=12 * MS, cancel_latency_ns=12 * MS)
        self.venue.offered = []
        self.run = LiveRun(
            engine=self.engine,
            codec=codec_for("binance", {"BTCUSDT": SPOT}),
            gateway=PaperGateway(self.venue, None),
            pool=None,
            journal=self.records,
            sources=("", "BTCUSDT"),
            clock=self.times.clock,
        )
        self.run.want_snapshot = lambda symbol, epoch: self.wanted.append((symbol, epoch))

    @property
    def state(self) -> BookState:
        synced = self.engine.synced_book("BTCUSDT")
        assert synced is not None
        return synced.state

    def step(self, epoch: int = 1) -> None:
        for _, frame in self.market.step():
            assert self.run.frame(frame, self.times.pass_s(0.001), epoch)

    def synced(self) -> Bench:
        self.step()
        self.run.frame(self.market.snapshot(behind=1), self.times.pass_s(0.001), 1, source=1)
        self.step()
        assert self.state is BookState.SYNCED
        return self


def test_the_first_update_asks_for_a_book_of_its_epoch() -> None:
    bench = Bench()
    bench.step(epoch=4)
    assert bench.wanted == [("BTCUSDT", 4)]


def test_a_book_by_request_is_journalled_raw_with_its_source() -> None:
    bench = Bench().synced()
    sources = [
        source for payload, _, source in bench.records.frames if payload.startswith(b'{"lastUpdateId"')
    ]
    assert sources == [1]
    assert all(source == 0 for payload, _, source in bench.records.frames if payload.startswith(b'{"stream"'))


def test_a_frame_that_looks_like_a_book_is_not_taken_off_a_stream_of_several_symbols() -> None:
    bench = Bench()
    others = {"BTCUSDT": SPOT, "ETHUSDT": replace(SPOT, symbol="ETHUSDT")}
    bench.run.pump.codec = codec_for("binance", others)
    assert not bench.run.frame(bench.market.snapshot(), bench.times.pass_s(0.001), 1)
    assert bench.state is BookState.EMPTY


def test_a_refused_frame_is_told_and_counted() -> None:
    bench = Bench()
    assert not bench.run.frame(b"garbage", bench.times.pass_s(0.001), 1)
    assert bench.engine.counts()["wire_errors"] == 1


def test_a_new_epoch_starts_the_book_anew() -> None:
    bench = Bench().synced()
    bench.step(epoch=2)
    assert bench.state is BookState.SYNCING
    assert bench.wanted[-1] == ("BTCUSDT", 2)


def test_a_connection_that_is_down_takes_the_book_from_the_paper_venue_too() -> None:
    bench = Bench().synced()
    bench.run.beat(0)
    bench.run.status(FeedStatusChanged("stream", False, 1, "closed", bench.times.pass_s(0.001)))
    assert bench.state is BookState.STALE
    assert bench.venue.offered[-1] is None


def test_silence_takes_it_too() -> None:
    bench = Bench().synced()
    bench.run.beat(0)
    bench.times.pass_s(2.1)
    bench.run.beat(0)
    assert bench.state is BookState.STALE
    assert bench.venue.offered[-1] is None


def test_a_beat_carries_how_late_it_came() -> None:
    bench = Bench()
    bench.run.beat(7 * MS)
    beats = [event for event in bench.records.inputs if isinstance(event, TimerBeat)]
    assert [beat.loop_lag_ns for beat in beats] == [7 * MS]
    assert beats[0].ts_ns > SECOND
