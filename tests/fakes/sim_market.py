"""The simulated market under a virtual clock, with everything it says on a tape."""

from __future__ import annotations

from pipeline.core.inputs import BookTicker, DepthSnapshot, DepthUpdate, Trade
from pipeline.core.sync import SyncedBook
from pipeline.sim.exchange.listing import Listing, spot_listings
from pipeline.sim.live_market import AccountEvent, LiveMarket
from pipeline.sim.news import NewsParams
from pipeline.sim.order_flow import FlowParams
from pipeline.wire.venues import codec_for
from tests.fakes.venue import T0

SECOND = 1_000_000_000
EVERY_STREAM = ("btcusdt@depth@100ms", "btcusdt@bookTicker", "btcusdt@trade")


class Tape:
    """A publisher that keeps every frame of the streams it was made for."""

    def __init__(self, *streams: str) -> None:
        self.streams = streams or EVERY_STREAM
        self.frames: list[tuple[int, str, str]] = []

    def wants(self, stream: str) -> bool:
        return stream in self.streams

    def publish(self, stream: str, frame: str, at_ns: int) -> None:
        self.frames.append((at_ns, stream, frame))

    def of(self, stream: str) -> list[str]:
        return [frame for _, name, frame in self.frames if name == stream]


class SimMarket:
    """A live market, its tape, and what its customers were told."""

    def __init__(
        self,
        seed: int = 7,
        flow: FlowParams | None = None,
        streams: tuple[str, ...] = EVERY_STREAM,
        listings: tuple[Listing, ...] | None = None,
    ) -> None:
        self.tape = Tape(*streams)
        self.told: list[AccountEvent] = []
        self.live = LiveMarket(listings or spot_listings(), seed, T0, self.tape, self.told.append, flow)
        self.start = self.live.feeds["BTCUSDT"].snapshot(5_000)
        self.book = self.live.exchange.market("BTCUSDT").book

    def run(self, seconds: float) -> SimMarket:
        """Go on to a time counted from the start."""
        self.live.advance(T0 + int(seconds * SECOND))
        return self

    def frames(self) -> list[tuple[int, bytes]]:
        """(time, frame) as a receiver of the combined stream gets them, the snapshot at the start first."""
        taken = [
            (at_ns, f'{{"stream":"{stream}","data":{frame}}}'.encode())
            for at_ns, stream, frame in self.tape.frames
        ]
        return [(T0, self.start.encode()), *taken]


def flow(informed: float = 0.9, **changes: float) -> FlowParams:
    """The usual flow with another share of informed news, and other rates."""
    return FlowParams(news=NewsParams(informed=informed), **changes)  # type: ignore[arg-type]


def hectic(informed: float) -> FlowParams:
    """Many small pieces of news a second and little else, to see many moves in a short time."""
    news = NewsParams(
        informed=informed, patience_s=0.3, lead_s=(0.2, 0.5), takes_s=(0.1, 0.2), jump_ticks=50.0
    )
    return FlowParams(news=news, deep_hz=15.0)


class Follower:
    """Our own codec and book on the receiving end."""

    def __init__(self) -> None:
        instrument = spot_listings()[0].instrument
        self.codec = codec_for("binance", {"BTCUSDT": instrument})
        self.synced = SyncedBook(instrument)
        self.trades: list[Trade] = []
        self.others: list[object] = []

    def take(self, frame: bytes, ts_ns: int, epoch: int = 0) -> None:
        for one in self.codec.decode(frame, ts_ns, epoch, "BTCUSDT"):
            match one:
                case DepthSnapshot():
                    self.synced.on_snapshot(one)
                case DepthUpdate():
                    self.synced.on_update(one)
                case BookTicker():
                    self.synced.on_ticker(one)
                case Trade():
                    self.trades.append(one)
                case _:
                    self.others.append(one)
