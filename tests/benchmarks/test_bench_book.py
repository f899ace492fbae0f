"""Frame bytes -> book -> 10 imbalance features, against the plain float way, on the real spot capture.

The reference is what one writes first and cannot write much faster in plain Python: msgspec to floats,
parallel sorted lists with bisect, nothing checked. Ours proves ids, numbers and crossing and is exact. Both
take turns in one process; thread CPU time; the median ratio of the rounds counts.
"""

from __future__ import annotations

import statistics
import time
from bisect import bisect_left

import msgspec
import pytest

from pipeline.core.inputs import DepthSnapshot, DepthUpdate
from pipeline.core.sync import SyncedBook
from pipeline.runtime.capture import open_capture
from pipeline.wire.venues import codec_for
from tests.fakes.market_builders import CAPTURES, SPOT

FILES = [CAPTURES / "spot_btcusdt_20240808.gz", CAPTURES / "spot_btcusdt_20240809.gz"]
BUDGET = 1.6
ROUNDS = 7
CHUNK = 250

pytestmark = pytest.mark.skipif(not FILES[0].exists(), reason="../shared/data/hftbacktest is not here")


class RefDepth(msgspec.Struct, tag_field="e", tag="depthUpdate"):
    E: int
    s: str
    U: int
    u: int
    b: list[tuple[float, float]]
    a: list[tuple[float, float]]


class RefTrade(msgspec.Struct, tag_field="e", tag="trade"):
    s: str
    p: float
    q: float


class RefEnvelope(msgspec.Struct):
    stream: str
    data: RefDepth | RefTrade


class RefSnapshot(msgspec.Struct):
    bids: list[tuple[float, float]]
    asks: list[tuple[float, float]]


class ReferenceBook:
    """Parallel sorted float lists, best last; ask prices negated."""

    def __init__(self, snapshot: bytes) -> None:
        levels = msgspec.json.decode(snapshot, type=RefSnapshot, strict=False)
        self.bids = sorted(price for price, _ in levels.bids)
        self.bid_sizes = [size for _, size in sorted(levels.bids)]
        self.asks = sorted(-price for price, _ in levels.asks)
        self.ask_sizes = [size for _, size in sorted(levels.asks, reverse=True)]

    def apply(self, bids: list[tuple[float, float]], asks: list[tuple[float, float]]) -> None:
        prices, sizes = self.bids, self.bid_sizes
        for price, size in bids:
            index = bisect_left(prices, price)
            if index < len(prices) and prices[index] == price:
                if size:
                    sizes[index] = size
                else:
                    del prices[index]
                    del sizes[index]
            elif size:
                prices.insert(index, price)
                sizes.insert(index, size)
        prices, sizes = self.asks, self.ask_sizes
        for price, size in asks:
            price = -price
            index = bisect_left(prices, price)
            if index < len(prices) and prices[index] == price:
                if size:
                    sizes[index] = size
                else:
                    del prices[index]
                    del sizes[index]
            elif size:
                prices.insert(index, price)
                sizes.insert(index, size)


Features = tuple[float, ...]


def ten_features(
    bid: float, ask: float, bid_sizes: list[float] | list[int], ask_sizes: list[float] | list[int]
) -> Features:
    """Best prices, spread, mid, microprice, imbalance over 1, 5 and 10 levels, best sizes."""
    bid_1, ask_1 = bid_sizes[-1], ask_sizes[-1]
    bid_5, ask_5 = sum(bid_sizes[-5:]), sum(ask_sizes[-5:])
    bid_10, ask_10 = sum(bid_sizes[-10:]), sum(ask_sizes[-10:])
    return (
        bid,
        ask,
        ask - bid,
        (ask + bid) / 2,
        (bid * ask_1 + ask * bid_1) / (bid_1 + ask_1),
        (bid_1 - ask_1) / (bid_1 + ask_1),
        (bid_5 - ask_5) / (bid_5 + ask_5),
        (bid_10 - ask_10) / (bid_10 + ask_10),
        bid_1,
        ask_1,
    )


class ReferenceWay:
    """Floats, nothing proved."""

    def __init__(self, snapshot: bytes) -> None:
        self._book = ReferenceBook(snapshot)
        self._decode = msgspec.json.Decoder(RefEnvelope, strict=False).decode

    def run(self, frames: list[bytes]) -> list[Features]:
        book, decode = self._book, self._decode
        rows = []
        for frame in frames:
            update = decode(frame).data
            if type(update) is RefDepth:
                book.apply(update.b, update.a)
            rows.append(ten_features(book.bids[-1], -book.asks[-1], book.bid_sizes, book.ask_sizes))
        return rows


class OurWay:
    """The codec and the synchronised book, as the engine uses them."""

    def __init__(self, snapshot: bytes) -> None:
        self._decode = codec_for("binance", {"BTCUSDT": SPOT}).decode
        self.synced = SyncedBook(SPOT)
        (whole,) = self._decode(snapshot, 1, 0)
        assert isinstance(whole, DepthSnapshot)
        self.synced.on_snapshot(whole)

    def run(self, frames: list[bytes]) -> list[Features]:
        synced, decode = self.synced, self._decode
        book = synced.book
        rows = []
        for frame in frames:
            (update,) = decode(frame, 1, 0)
            if type(update) is DepthUpdate:
                synced.on_update(update)
            rows.append(
                ten_features(book.bid_prices[-1], book.ask_prices[-1], book.bid_sizes, book.ask_sizes)
            )
        return rows


def spot_frames() -> tuple[bytes, list[bytes]]:
    """Give the snapshot and the depth frames that reach past it."""
    payloads = [frame.payload for frame in open_capture(FILES)]
    snapshot = next(p for p in payloads if p.startswith(b'{"lastUpdateId"'))
    last = msgspec.json.decode(snapshot)["lastUpdateId"]
    depth = [p for p in payloads if b'"depthUpdate"' in p[:100]]
    return snapshot, [p for p in depth if msgspec.json.decode(p)["data"]["u"] > last]


def thread_ns(way: ReferenceWay | OurWay, frames: list[bytes]) -> int:
    started = time.thread_time_ns()
    way.run(frames)
    return time.thread_time_ns() - started


def one_round(snapshot: bytes, frames: list[bytes]) -> tuple[float, float]:
    """Give (reference, ours) in us a frame; both take turns at every 250 frames."""
    ways: list[ReferenceWay | OurWay] = [ReferenceWay(snapshot), OurWay(snapshot)]
    took = [0, 0]
    for number, start in enumerate(range(0, len(frames), CHUNK)):
        for which in (0, 1) if number % 2 else (1, 0):
            took[which] += thread_ns(ways[which], frames[start : start + CHUNK])
    return took[0] / len(frames) / 1e3, took[1] / len(frames) / 1e3


def test_both_ways_give_the_same_features() -> None:
    snapshot, frames = spot_frames()
    scale = [100, 100, 100, 100, 100, 1, 1, 1, 1e8, 1e8]
    reference = ReferenceWay(snapshot).run(frames[:2_000])
    ours = OurWay(snapshot).run(frames[:2_000])
    for row, exact in zip(reference, ours, strict=True):
        assert [a * s for a, s in zip(row, scale, strict=True)] == pytest.approx(exact, rel=1e-9, abs=1e-6)


def test_depth_path_stays_within_its_budget(capsys: pytest.CaptureFixture[str]) -> None:
    snapshot, frames = spot_frames()
    rounds = [one_round(snapshot, frames) for _ in range(ROUNDS)]
    ratio = statistics.median(ours / reference for reference, ours in rounds)
    reference_us = statistics.median(reference for reference, _ in rounds)
    with capsys.disabled():
        print(f"\ndepth frame -> 10 features: {ratio:.2f} x the reference ({reference_us:.1f} us)")  # noqa: T201
    assert ratio <= BUDGET
