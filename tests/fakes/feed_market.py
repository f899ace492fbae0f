"""A venue's truth for feed tests: a whole book after every update, and the frames that tell of it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from pipeline.core.types import Instrument, Level, SyncRule
from tests.fakes.market_builders import compact, enveloped, printed_levels

Sides = tuple[tuple[Level, ...], tuple[Level, ...]]
"""Bids and asks, best first."""


@dataclass
class FeedMarket:
    """One symbol; `step` moves the book by one depth update and gives the frames of all its channels.

    Bids and asks never meet, so that only what happens on the wire can make a book not SYNCED.
    """

    instrument: Instrument
    seed: int = 1
    centre: int = 6_000_000
    levels: int = 40
    truth: dict[int, Sides] = field(default_factory=dict)
    """The book after each update, by its last id."""
    last_id: int = 1_000
    trade_id: int = 500

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._bids = {self.centre - 1 - n: 1_000 + n for n in range(self.levels)}
        self._asks = {self.centre + 1 + n: 1_000 + n for n in range(self.levels)}
        self._chained = self.instrument.sync_rule is SyncRule.CHAINED
        self._remember()

    @property
    def symbol(self) -> str:
        return self.instrument.symbol

    def stream(self, channel: str) -> str:
        return f"{self.symbol.lower()}@{channel}"

    @property
    def depth_stream(self) -> str:
        return self.stream("depth@0ms" if self._chained else "depth@100ms")

    @property
    def trade_stream(self) -> str:
        return self.stream("aggTrade" if self._chained else "trade")

    def step(self, *, levels: int = 3) -> list[tuple[str, bytes]]:
        """Move the book; give (stream, frame) of the ticker, the update and now and then a trade."""
        first, before = self.last_id + 1, self.last_id
        # Futures ids are not consecutive: only the link to the update before proves anything.
        self.last_id += levels + (self._chance.randrange(5) if self._chained else 0)
        bids = self._move(self._bids, -1, levels)
        asks = self._move(self._asks, 1, levels)
        self._remember()
        frames = [
            (self.stream("bookTicker"), self._ticker()),
            (self.depth_stream, self._depth(first, before, bids, asks)),
        ]
        if self._chance.random() < 0.3:
            frames.append((self.trade_stream, self._trade()))
        return frames

    def snapshot(self, behind: int = 0) -> bytes:
        """Give the body of a whole book, `behind` updates old."""
        last_id = list(self.truth)[-1 - min(behind, len(self.truth) - 1)]
        bids, asks = self.truth[last_id]
        return compact(
            {
                "lastUpdateId": last_id,
                "bids": printed_levels(bids, self.instrument),
                "asks": printed_levels(asks, self.instrument),
            }
        )

    def _remember(self) -> None:
        bids = tuple(sorted(self._bids.items(), reverse=True))
        self.truth[self.last_id] = (bids, tuple(sorted(self._asks.items())))

    def _move(self, side: dict[int, int], away: int, levels: int) -> list[Level]:
        """Change some levels within the range of the side; one always stays at the touch."""
        changed: dict[int, int] = {}
        for _ in range(levels):
            price = self.centre + away * (1 + self._chance.randrange(self.levels))
            size = self._chance.choice((0, 500, 1_000, 2_000, 4_000))
            if price == self.centre + away and size == 0:
                size = 700
            changed[price] = size
            if size:
                side[price] = size
            else:
                side.pop(price, None)
        return list(changed.items())

    def _depth(self, first: int, before: int, bids: list[Level], asks: list[Level]) -> bytes:
        message: dict[str, object] = {"e": "depthUpdate", "E": 1_700_000_000_000}
        if self._chained:
            message["T"] = 1_700_000_000_000
        message |= {"s": self.symbol, "U": first, "u": self.last_id}
        if self._chained:
            message["pu"] = before
        message["b"] = printed_levels(bids, self.instrument)
        message["a"] = printed_levels(asks, self.instrument)
        return enveloped(message, self.depth_stream)

    def _ticker(self) -> bytes:
        bids, asks = self.truth[self.last_id]
        (bid, bid_size), (ask, ask_size) = bids[0], asks[0]
        instrument = self.instrument
        message: dict[str, object] = {"e": "bookTicker"} if self._chained else {}
        message |= {"u": self.last_id, "s": self.symbol}
        message |= {"b": instrument.price_text(bid), "B": instrument.size_text(bid_size)}
        message |= {"a": instrument.price_text(ask), "A": instrument.size_text(ask_size)}
        if self._chained:
            message |= {"T": 1_700_000_000_000, "E": 1_700_000_000_000}
        return enveloped(message, self.stream("bookTicker"))

    def _trade(self) -> bytes:
        self.trade_id += 1
        price = self.instrument.price_text(self.centre + self._chance.choice((-1, 1)))
        message: dict[str, object] = {"e": "trade", "E": 1_700_000_000_000, "s": self.symbol}
        message |= {"t": self.trade_id, "p": price, "q": self.instrument.size_text(1_000)}
        message |= {"T": 1_700_000_000_000, "m": bool(self._chance.randrange(2)), "M": True}
        if self._chained:
            message |= {"e": "aggTrade", "a": self.trade_id}
        return enveloped(message, self.trade_stream)
