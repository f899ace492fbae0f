"""Frame bytes -> book -> ten imbalance features, beside the plain way to do it and beside other libraries.

The plain way is what one writes first and cannot write much faster in Python: msgspec to floats, parallel
sorted lists, nothing checked. Ours proves ids, numbers and crossing, and is exact.
"""

from __future__ import annotations

import statistics
import time
from bisect import bisect_left
from collections.abc import Callable

import msgspec

from app.bench_capture import DepthFrames, depth_frames
from app.bench_peers import ccxt_run, cryptofeed_run
from app.bench_report import Budget, Row
from app.bench_tools import BenchError, Plan, interleaved, top_functions
from pipeline.core.inputs import DepthSnapshot, DepthUpdate
from pipeline.core.sync import SyncedBook
from pipeline.wire.venues import codec_for

REFERENCE_BUDGET = Budget(1.6)
CCXT_BUDGET = Budget(3.5, at_least=True)
CRYPTOFEED_BUDGET = Budget(10.0, at_least=True)
BUDGET_APART = ", the budget is for a real one"
"""Frames of a synthetic market hold few levels: there what a frame costs whole outweighs its levels."""
COMPARED_FRAMES = 500
TURN_FRAMES = 250
"""Frames a way handles before the other takes its turn: what else the machine does then meets both."""
PEER_FRAMES = 1_500

Features = tuple[float, ...]
Run = Callable[[DepthFrames], int]
"""Feeds all frames; gives the nanoseconds of processor time it took."""


class _Depth(msgspec.Struct):
    E: int
    s: str
    U: int
    u: int
    b: list[tuple[float, float]]
    a: list[tuple[float, float]]


class _Envelope(msgspec.Struct):
    data: _Depth


class _Snapshot(msgspec.Struct):
    bids: list[tuple[float, float]]
    asks: list[tuple[float, float]]


class ReferenceBook:
    """Parallel sorted lists of floats, best last; ask prices negated."""

    def __init__(self, snapshot: bytes) -> None:
        levels = msgspec.json.decode(snapshot, type=_Snapshot, strict=False)
        self.bids = sorted(price for price, _ in levels.bids)
        self.bid_sizes = [size for _, size in sorted(levels.bids)]
        self.asks = sorted(-price for price, _ in levels.asks)
        self.ask_sizes = [size for _, size in sorted(levels.asks, reverse=True)]

    def apply(self, bids: list[tuple[float, float]], asks: list[tuple[float, float]]) -> None:
        """Apply one update; written out twice, because a call for each level costs a tenth."""
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


def ten_features(
    bid: float, ask: float, bid_sizes: list[float] | list[int], ask_sizes: list[float] | list[int]
) -> Features:
    """Give best prices, spread, mid, microprice, imbalance over 1, 5 and 10 levels, best sizes."""
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


class PlainWay:
    """Floats, nothing proved."""

    def __init__(self, depth: DepthFrames) -> None:
        self._book = ReferenceBook(depth.snapshot)
        self._decode = msgspec.json.Decoder(_Envelope, strict=False).decode

    def run(self, frames: list[bytes]) -> list[Features]:
        """Give the features after each frame."""
        book, decode = self._book, self._decode
        rows = []
        for frame in frames:
            update = decode(frame).data
            book.apply(update.b, update.a)
            rows.append(ten_features(book.bids[-1], -book.asks[-1], book.bid_sizes, book.ask_sizes))
        return rows


class OurWay:
    """The codec and the synchronised book, as the engine uses them."""

    def __init__(self, depth: DepthFrames) -> None:
        symbol = depth.instrument.symbol
        self._decode = codec_for(depth.instrument.venue, {symbol: depth.instrument}).decode
        self._synced = SyncedBook(depth.instrument)
        (whole,) = self._decode(depth.snapshot, 1, 0, symbol)
        assert isinstance(whole, DepthSnapshot)
        self._synced.on_snapshot(whole)

    def run(self, frames: list[bytes]) -> list[Features]:
        """Give the features after each frame, prices in ticks and sizes in units."""
        synced, decode = self._synced, self._decode
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


def check_same(depth: DepthFrames) -> None:
    """Make sure that both ways give the same features; a comparison of different work is worth nothing.

    Raises:
        BenchError: they differ.
    """
    few = depth.frames[:COMPARED_FRAMES]
    tick = depth.instrument.tick_units / 10**depth.instrument.price_decimals
    unit = 10.0**-depth.instrument.size_decimals
    scale = (tick, tick, tick, tick, tick, 1.0, 1.0, 1.0, unit, unit)
    for plain, exact in zip(PlainWay(depth).run(few), OurWay(depth).run(few), strict=True):
        for value, count, one in zip(plain, exact, scale, strict=True):
            if abs(value - count * one) > 1e-6 * max(1.0, abs(value)):
                raise BenchError(f"book and reference give different features: {plain} and {exact}")


def one_round(depth: DepthFrames) -> tuple[float, float]:
    """Give (plain, ours) in us a frame; both take turns at every few frames, each first as often."""
    ways = (PlainWay(depth), OurWay(depth))
    took = [0, 0]
    for number, start in enumerate(range(0, len(depth.frames), TURN_FRAMES)):
        for which in (0, 1) if number % 2 else (1, 0):
            took[which] += _thread_ns(ways[which], depth.frames[start : start + TURN_FRAMES])
    return took[0] / len(depth.frames) / 1e3, took[1] / len(depth.frames) / 1e3


def measure(plan: Plan) -> list[Row]:
    """Measure ours against the reference and against each peer that is installed."""
    depth = depth_frames(plan.captures)
    check_same(depth)
    rounds = [one_round(depth) for _ in range(plan.of(9, 3))]
    ratio = statistics.median(ours / plain for plain, ours in rounds)
    ours, plain = (statistics.median(one[which] for one in rounds) for which in (1, 0))
    budget = None if plan.synthetic else REFERENCE_BUDGET
    source = plan.source + (BUDGET_APART if plan.synthetic else "")
    row = Row(
        what="depth frame -> 10 features / plain lists of floats",
        unit="x",
        measured=ratio,
        budget=budget,
        note=f"{ours:.1f} us a frame, plain {plain:.1f}; {source}",
        profile="" if budget is None or ratio <= budget.limit else _profile(depth),
    )
    peers = (("ccxt.pro", ccxt_run, CCXT_BUDGET), ("cryptofeed", cryptofeed_run, CRYPTOFEED_BUDGET))
    return [row, *[_peer_row(name, run, one, depth, plan) for name, run, one in peers]]


def _peer_row(name: str, run: Run, budget: Budget, depth: DepthFrames, plan: Plan) -> Row:
    few = DepthFrames(depth.instrument, depth.snapshot, depth.frames[:PEER_FRAMES])
    what = f"{name} / ours, the same"
    try:
        took = interleaved(
            {"ours": lambda: _thread_ns(OurWay(few), few.frames), "peer": lambda: run(few)}, plan.of(5, 3)
        )
    except BenchError as problem:
        return Row(what, "x", None, None if plan.synthetic else budget, str(problem))
    note = f"{took['peer'] / len(few.frames) / 1e3:.0f} us a frame"
    ratio = took["peer"] / took["ours"]
    if plan.synthetic:
        return Row(what, "x", ratio, note=note)
    return Row(what, "x", ratio, budget, note, "" if ratio >= budget.limit else _profile(few))


def _thread_ns(way: PlainWay | OurWay, frames: list[bytes]) -> int:
    started_ns = time.thread_time_ns()
    way.run(frames)
    return time.thread_time_ns() - started_ns


def _profile(depth: DepthFrames) -> str:
    way = OurWay(depth)
    return top_functions(lambda: way.run(depth.frames))
