"""A capture served as a live market: its frames in their own rhythm, its book at the point reached.

Frames are published as they are; where times are moved to now, `E` and `T` are, by one constant. The book is
kept by the program's own codec and sync, so snapshots agree with the last depth frame that was sent. Nothing
moves before somebody listens. Orders are refused: the market is closed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from pipeline.core.inputs import DepthSnapshot, DepthUpdate
from pipeline.core.sync import SyncedBook
from pipeline.core.types import Instrument
from pipeline.sim.exchange.exchange import Exchange
from pipeline.sim.exchange.listing import Listing
from pipeline.sim.exchange.margin_house import MarginHouse
from pipeline.sim.protocol.hub import MarketHub
from pipeline.wire.venues import codec_for

Frames = Iterator[tuple[int, bytes]]
"""(receive time in ns, frame), in order of time."""

_MS_NS = 1_000_000
_TIME = re.compile(r'"([ET])":(\d{13})(?=[,}])')
_LEAD_IN_NS = 50 * _MS_NS
"""Between the first listener and the first frame, so that its handshake is over."""
_PATIENCE = 200_000
"""Frames after which a capture without a usable snapshot is given up."""


class ReplayError(Exception):
    """A capture cannot be served; one line says why."""


class _Enveloped(msgspec.Struct):
    stream: str
    data: msgspec.Raw


class _Named(msgspec.Struct):
    e: str = ""
    s: str = ""
    B: str | None = None


class _TradeIds(msgspec.Struct):
    t: int


class ReplayedMarket:
    """Plays one capture for whoever listens; `is_over` at its end."""

    def __init__(
        self,
        open_frames: Callable[[], Frames],
        instruments: Mapping[str, Instrument],
        hub: MarketHub,
        *,
        speed: float = 1.0,
        times_now: bool = True,
    ) -> None:
        """Stand before the first frame after every symbol's book was proven.

        Args:
            open_frames: gives the frames from the beginning.
            instruments: of the capture, by symbol, all of one venue.
            hub: where the frames go.
            speed: times real time.
            times_now: move the venue's times so that the capture seems to happen now.

        Raises:
            ReplayError: a symbol's book is never proven.
        """
        self._hub = hub
        self._speed = speed
        self._times_now = times_now
        venue = next(iter(instruments.values())).venue
        self._codec = codec_for(venue, instruments)
        self._books = {symbol: SyncedBook(one) for symbol, one in instruments.items()}
        self._frames = open_frames()
        self._next = self._prove()
        self._origin_ns = self._next[0] if self._next else 0
        """Receive time in the capture that is the start of the play."""
        self._started_ns = 0
        self._shift_ms = 0
        self.served = 0
        """Frames published."""
        house = MarginHouse() if next(iter(instruments.values())).margin else None
        self.exchange = Exchange([self._listing(symbol) for symbol in instruments], house=house)
        for market in self.exchange.markets.values():
            market.is_open = False

    @property
    def listings(self) -> Sequence[Listing]:
        """Give what is listed."""
        return [market.listing for market in self.exchange.markets.values()]

    def is_trading(self, symbol: str) -> bool:
        """Say that the market trades: it does, though not with us."""
        return symbol in self._books

    @property
    def is_over(self) -> bool:
        """Say whether every frame was played."""
        return self._next is None

    @property
    def next_ns(self) -> int | None:
        """Give when the next frame is due; None before anybody listens and at the end."""
        if self._next is None or not self._started_ns:
            return None
        return self._due_ns(self._next[0])

    def advance(self, now_ns: int) -> None:
        """Publish what is due; the first call with somebody listening starts the play."""
        if not self._started_ns:
            if not any(session.streams for session in self._hub.sessions):
                return
            self._started_ns = now_ns + _LEAD_IN_NS
            self._shift_ms = (self._started_ns - self._origin_ns) // _MS_NS if self._times_now else 0
        while self._next is not None and self._due_ns(self._next[0]) <= now_ns:
            ts_ns, frame = self._next
            self._next = next(self._frames, None)
            self._apply(ts_ns, frame)
            self._publish(frame, now_ns)

    def snapshot(self, symbol: str, limit: int) -> str:
        """Print a symbol's book as it stands, at most `limit` levels a side.

        Raises:
            VenueError: the symbol is not in the capture.
        """
        listing = self.exchange.market(symbol).listing
        instrument, synced = listing.instrument, self._books[symbol]
        sides = [
            ",".join(
                f'["{instrument.price_text(ticks)}","{instrument.size_text(size)}"]' for ticks, size in side
            )
            for side in synced.book.top(limit)
        ]
        return f'{{"lastUpdateId":{synced.last_update_id},"bids":[{sides[0]}],"asks":[{sides[1]}]}}'

    def publish(self, symbol: str, now_ns: int) -> None:
        """Do nothing: no order of a customer's changes a capture."""

    def _due_ns(self, ts_ns: int) -> int:
        return self._started_ns + int((ts_ns - self._origin_ns) / self._speed)

    def _prove(self) -> tuple[int, bytes] | None:
        """Read until every book is proven; give the frame after that."""
        for count, (ts_ns, frame) in enumerate(self._frames):
            self._apply(ts_ns, frame)
            if all(book.is_synced for book in self._books.values()):
                return next(self._frames, None)
            if count > _PATIENCE:
                break
        missing = [symbol for symbol, book in self._books.items() if not book.is_synced]
        raise ReplayError(
            f"the capture holds no snapshot that its depth updates join for {', '.join(missing)}"
        )

    def _apply(self, ts_ns: int, frame: bytes) -> None:
        if b"depthUpdate" not in frame and b"lastUpdateId" not in frame:
            return
        for one in self._codec.decode(frame, ts_ns, 0):
            match one:
                case DepthUpdate():
                    self._books[one.symbol].on_update(one)
                case DepthSnapshot() if not self._books[one.symbol].is_synced:
                    self._books[one.symbol].on_snapshot(one)

    def _publish(self, frame: bytes, now_ns: int) -> None:
        named = _named(frame)
        if named is None:
            return
        self.served += 1
        stream, data = named
        if self._shift_ms:
            data = _TIME.sub(lambda found: f'"{found[1]}":{int(found[2]) + self._shift_ms}', data)
        symbol, _, channel = stream.partition("@")
        kind = channel.partition("@")[0]
        for wanted in self._hub.variants(f"{symbol}@{kind}"):
            self._hub.publish(wanted, data, now_ns)
        if kind == "trade" and self._hub.wants(f"{symbol}@aggTrade"):
            self._hub.publish(f"{symbol}@aggTrade", _as_agg_trade(data), now_ns)

    def _listing(self, symbol: str) -> Listing:
        return Listing(self._books[symbol].instrument, self._books[symbol].book.best_bid, touch_lots=1)


def _named(frame: bytes) -> tuple[str, str] | None:
    """Give the stream a frame belongs to, without its speed, and its data; None for what is no stream's."""
    try:
        if frame.startswith(b'{"stream"'):
            enveloped = msgspec.json.decode(frame, type=_Enveloped)
            return enveloped.stream, bytes(enveloped.data).decode()
        event = msgspec.json.decode(frame, type=_Named)
    except (msgspec.MsgspecError, ValueError):
        return None
    kind = {"depthUpdate": "depth", "": "bookTicker" if event.B is not None else ""}.get(event.e, event.e)
    return (f"{event.s.lower()}@{kind}", frame.decode()) if kind and event.s else None


def _as_agg_trade(data: str) -> str:
    """Give a single trade as the merged stream would print it: a group of one."""
    trade_id = msgspec.json.decode(data, type=_TradeIds).t
    merged = f'"a":{trade_id},"f":{trade_id},"l":{trade_id}'
    return data.replace('"e":"trade"', '"e":"aggTrade"', 1).replace(f'"t":{trade_id}', merged, 1)
