"""The proof that a session never believed a wrong book: its journal again, every book against a plain model.

The model is two dicts, fed by the undamaged market, read by a parser of its own. After every input each book
the engine calls SYNCED is compared with the model at the book's update id.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

from pipeline.core.effects import Effect
from pipeline.core.engine import Engine
from pipeline.core.inputs import (
    BookTicker,
    DepthSnapshot,
    FeedStatusChanged,
    Input,
    Trade,
    WorkerCounters,
)
from pipeline.core.params import EngineParams
from pipeline.core.sync import SyncedBook
from pipeline.core.types import BookState, Instrument
from pipeline.runtime.journal_reader import read_journal
from pipeline.runtime.journal_run import JournalRun
from pipeline.wire.venues import codec_for
from tests.fakes.feed_market import FeedMarket

Side = Mapping[int, int]
"""Sizes by price, in units and ticks."""


class Truth(Protocol):
    """What one symbol's book really was after each update."""

    symbol: str

    def at(self, last_id: int) -> tuple[Side, Side] | None:
        """Give bids and asks after the update that ends at an id; None where none does. Ids never fall."""
        ...


class MarketTruth:
    """The truth of a market the test made itself."""

    def __init__(self, market: FeedMarket) -> None:
        self.symbol = market.symbol
        self._books = market.truth

    def at(self, last_id: int) -> tuple[Side, Side] | None:
        found = self._books.get(last_id)
        return None if found is None else (dict(found[0]), dict(found[1]))


class CaptureTruth:
    """The truth of a capture: its one snapshot and its depth updates, one after the other.

    Read as far as it is asked for; a capture whose updates before the snapshot do not join it is no truth.
    """

    def __init__(self, frames: Iterable[bytes], instrument: Instrument) -> None:
        self.symbol = instrument.symbol
        self._tick = Decimal(instrument.price_text(1))
        self._unit = Decimal(1).scaleb(-instrument.size_decimals)
        self._sides: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self._last_id = 0
        self._trade_ids: list[int] = []
        self._frames = iter(frames)
        self._early: list[dict[str, Any]] = []
        self._load()
        self._left = chain(self._early, self._updates())
        self._next = next(self._left, None)

    def at(self, last_id: int) -> tuple[Side, Side] | None:
        assert last_id >= self._last_id, f"the book went back from {self._last_id} to {last_id}"
        while self._next is not None and self._next["u"] <= last_id:
            if self._next["u"] > self._last_id:
                self._apply(self._next)
            self._next = next(self._left, None)
        return self._sides if last_id == self._last_id else None

    def prints(self, first_id: int, last_id: int) -> list[int]:
        """Give the ids of all single trades from one to another, as the capture has them."""
        while (not self._trade_ids or self._trade_ids[-1] < last_id) and self._next is not None:
            self._next = next(self._left, None)
        return [one for one in self._trade_ids if first_id <= one <= last_id]

    def _load(self) -> None:
        for event in self._events():
            if "lastUpdateId" in event:
                self._last_id = event["lastUpdateId"]
                self._set(event["bids"], event["asks"])
                return
            self._early.append(event)

    def _updates(self) -> Iterator[dict[str, Any]]:
        return (event for event in self._events() if "u" in event)

    def _events(self) -> Iterator[dict[str, Any]]:
        """Give snapshots and depth updates, keeping the ids of the trades between."""
        for frame in self._frames:
            if b"depthUpdate" not in frame and b"lastUpdateId" not in frame and b'"trade"' not in frame:
                continue
            content = json.loads(frame)
            event = content.get("data", content)
            if event.get("e") == "trade":
                self._trade_ids.append(event["t"])
            else:
                yield event

    def _apply(self, event: dict[str, Any]) -> None:
        self._set(event["b"], event["a"])
        self._last_id = event["u"]

    def _set(self, *changes: list[list[str]]) -> None:
        for side, levels in zip(self._sides, changes, strict=True):
            for price, size in levels:
                ticks, units = int(Decimal(price) / self._tick), int(Decimal(size) / self._unit)
                if units:
                    side[ticks] = units
                else:
                    side.pop(ticks, None)


@dataclass
class Proof:
    """What a journal shows of the books a session believed in."""

    compared: dict[str, int] = field(default_factory=dict)
    """Whole books compared with the truth, by symbol."""
    looked: int = 0
    """Times a believed book's best levels were compared: once an input and symbol."""
    states: set[str] = field(default_factory=set)
    left: int = 0
    """Times a book stopped being SYNCED."""
    statuses: list[FeedStatusChanged] = field(default_factory=list)
    trades: dict[str, list[int]] = field(default_factory=dict)
    tickers: dict[str, list[int]] = field(default_factory=dict)
    epochs: set[int] = field(default_factory=set)
    longest_queue: int = 0
    run: JournalRun | None = None

    @property
    def reasons(self) -> set[str]:
        """Give why connections and channels were ever down."""
        return {status.reason for status in self.statuses}


class _Known:
    """How far from the touch a book knows every level: as far as the snapshot it was loaded from."""

    def __init__(self) -> None:
        self.floor, self.ceiling = 0, 1 << 62

    def load(self, snapshot: DepthSnapshot, levels: int) -> None:
        bids, asks = snapshot.bids, snapshot.asks
        self.floor = min(price for price, _ in bids) if len(bids) >= levels else 0
        self.ceiling = max(price for price, _ in asks) if len(asks) >= levels else 1 << 62


class CheckedEngine(Engine):
    """An engine that compares every book it believes with the truth, after every input."""

    def __init__(self, params: EngineParams, truths: Mapping[str, Truth], proof: Proof, levels: int) -> None:
        """Check against `truths`, by symbol; snapshots hold at most `levels` a side."""
        super().__init__(params)
        self._truths = truths
        self._proof = proof
        self._levels = levels
        self._known = {symbol: _Known() for symbol in truths}
        self._compared: dict[str, tuple[int, BookState]] = {}
        self._touch: dict[str, tuple[int, int, int, int]] = {}

    def handle(self, event: Input) -> list[Effect]:
        proof = self._proof
        match event:
            case DepthSnapshot():
                if not self._book(event.symbol).is_synced:
                    self._known[event.symbol].load(event, self._levels)
            case FeedStatusChanged():
                proof.statuses.append(event)
            case WorkerCounters():
                queues = [worker.queue_depth for worker in event.workers]
                proof.longest_queue = max([proof.longest_queue, *queues])
            case Trade():
                proof.trades.setdefault(event.symbol, []).append(event.trade_id)
                proof.epochs.add(event.epoch)
            case BookTicker():
                proof.tickers.setdefault(event.symbol, []).append(event.update_id)
            case _:
                pass
        effects = super().handle(event)
        for symbol in self.symbols:
            self._look(symbol)
        return effects

    def _book(self, symbol: str) -> SyncedBook:
        synced = self.synced_book(symbol)
        assert synced is not None
        return synced

    def _look(self, symbol: str) -> None:
        synced, proof = self._book(symbol), self._proof
        now = synced.last_update_id, synced.state
        before = self._compared.get(symbol)
        proof.states.add(synced.state.value)
        self._compared[symbol] = now
        proof.left += before is not None and before[1] is BookState.SYNCED and not synced.is_synced
        if not synced.is_synced:
            return
        if before != now:
            self._compare(symbol, synced)
        proof.looked += 1
        assert synced.book.l1 == self._touch[symbol], f"{symbol} changed without an update at {now[0]}"

    def _compare(self, symbol: str, synced: SyncedBook) -> None:
        last_id, book, known = synced.last_update_id, synced.book, self._known[symbol]
        truth = self._truths[symbol].at(last_id)
        assert truth is not None, f"{symbol} is SYNCED at {last_id}, where no update ends"
        bids = _levels(book.bid_prices, book.bid_sizes)
        asks = _levels([-price for price in book.ask_prices], book.ask_sizes)
        wrong = [*_wrong(bids, truth[0], known.floor, 1 << 62)]
        wrong += _wrong({-price: size for price, size in asks.items()}, truth[1], 0, known.ceiling)
        assert not wrong, f"{symbol} is wrong at {last_id}: {wrong[:5]}"
        bid, ask = max(truth[0]), min(truth[1])
        self._touch[symbol] = (bid, truth[0][bid], ask, truth[1][ask])
        self._proof.compared[symbol] = self._proof.compared.get(symbol, 0) + 1


def _levels(prices: Sequence[int], sizes: Sequence[int]) -> dict[int, int]:
    """Give a side's levels, whose prices must rise."""
    assert all(one < other for one, other in zip(prices, prices[1:], strict=False))
    return dict(zip(prices, sizes, strict=True))


def _wrong(ours: Side, true: Side, lowest: int, highest: int) -> Iterator[str]:
    """Give each level that is not as in truth; beyond what is known a level of ours may be missing."""
    for price, size in ours.items():
        if true.get(price) != size:
            yield f"{price}: {size}, not {true.get(price)}"
    for price, size in true.items():
        if lowest <= price <= highest and price not in ours:
            yield f"{price}: missing {size}"


def prove(journal: Path, truths: Sequence[Truth | FeedMarket], levels: int = 1_000) -> Proof:
    """Replay a journal, comparing every believed book with the truth after every input.

    `levels` is how many a side the session's snapshots hold at most.
    """
    header, records = read_journal(journal)
    proof = Proof()
    found = [MarketTruth(one) if isinstance(one, FeedMarket) else one for one in truths]
    engine = CheckedEngine(header.params, {one.symbol: one for one in found}, proof, levels)
    instruments = {one.symbol: one for one in header.params.instruments}
    codec = codec_for(header.codecs[0], instruments)
    proof.run = JournalRun(engine, codec, records, header.sources)
    while not proof.run.ended:
        proof.run.advance(None, 60.0)
    return proof


def same_as_seen(proof: Proof, summary: dict[str, Any]) -> bool:
    """Say whether the journal gives what the session saw: bytes, effects, every counter, every book."""
    assert proof.run is not None
    pump, engine = proof.run.pump, proof.run.engine
    counts = engine.counts()
    hashes = pump.inputs_sha256, pump.effects_sha256
    assert hashes == (summary["inputs_sha256"], summary["effects_sha256"])
    for symbol, seen in summary["book"].items():
        synced = engine.synced_book(symbol)
        assert synced is not None
        assert (synced.state.value, synced.last_update_id) == (seen["state"], seen["last_update_id"])
        assert synced.book.best_bid == 0 or seen["bids"][0][0] == synced.instrument.price_text(
            synced.book.best_bid
        )
    return counts == {name: summary[name] for name in counts} and pump.frames == summary["frames"]
