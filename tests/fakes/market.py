"""A market for feature tests: whole books, tickers and trades in, through the real synced book."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.core.features import DEFAULT_PARAMS, FeatureEngine, FeatureParams
from pipeline.core.inputs import BookTicker, DepthSnapshot, DepthUpdate, Trade
from pipeline.core.sync import SyncedBook
from pipeline.core.types import Fees, Instrument, Level, Side, SyncRule

MS = 1_000_000
SECOND = 1_000_000_000
SYMBOL = "BTCUSDT"
INSTRUMENT = Instrument(
    venue="binance",
    symbol=SYMBOL,
    base="BTC",
    quote="USDT",
    price_decimals=2,
    tick_units=1,
    size_decimals=8,
    lot_units=1_000,
    min_notional_quote_e8=500_000_000,
    max_qty_lots=900_000_000,
    sync_rule=SyncRule.CONTIGUOUS,
    fees=Fees(maker_e6=1_000, taker_e6=1_000, source="assumed"),
)


@dataclass(frozen=True, slots=True)
class BookEvent:
    """The whole depth book as it stands from a time on; sides best first, sizes positive."""

    ts_ns: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class TickerEvent:
    ts_ns: int
    bid: Level
    ask: Level


@dataclass(frozen=True, slots=True)
class TradeEvent:
    ts_ns: int
    price_ticks: int
    size_units: int
    side: Side


Event = BookEvent | TickerEvent | TradeEvent


def ladder(best: int, sizes: tuple[int, ...], step: int) -> tuple[Level, ...]:
    """Levels from the best price on, `step` ticks apart (negative for bids)."""
    return tuple((best + n * step, size) for n, size in enumerate(sizes))


class Market:
    """One symbol's book and feature engine, fed with events in order of time."""

    def __init__(self, params: FeatureParams = DEFAULT_PARAMS) -> None:
        self.synced = SyncedBook(INSTRUMENT, stale_after_ns=1 << 62)
        self.features = FeatureEngine(INSTRUMENT, params)
        self._last_id = 100
        """Newest update id of all channels."""
        self._depth_id = 100
        """Newest update id of the depth channel."""
        self._trade_id = 0
        self._bids: dict[int, int] = {}
        self._asks: dict[int, int] = {}

    def feed(self, *events: Event) -> Market:
        for event in events:
            match event:
                case BookEvent():
                    self._book(event)
                case TickerEvent():
                    self._ticker(event)
                case TradeEvent():
                    self._trade(event)
        return self

    def lose_the_book(self, ts_ns: int) -> None:
        """Let an update be missing; the next book comes with a snapshot."""
        self._depth_id = self._last_id = self._last_id + 10
        self.synced.on_update(self._update(ts_ns, (), ()))
        self.features.on_reset(ts_ns)

    def _book(self, event: BookEvent) -> None:
        bids, asks = dict(event.bids), dict(event.asks)
        if not self.synced.is_synced:
            at = (event.ts_ns, event.ts_ns)
            self.synced.on_snapshot(DepthSnapshot(SYMBOL, self._depth_id, event.bids, event.asks, *at))
            changed = self._update(event.ts_ns, (), ())
        else:
            changed = self._update(event.ts_ns, changes(self._bids, bids), changes(self._asks, asks))
        self._bids, self._asks = bids, asks
        self.synced.on_update(changed)
        self.features.on_book(self.synced, event.ts_ns)

    def _update(self, ts_ns: int, bids: tuple[Level, ...], asks: tuple[Level, ...]) -> DepthUpdate:
        first, self._last_id = self._depth_id + 1, self._last_id + 1
        self._depth_id = self._last_id
        return DepthUpdate(SYMBOL, first, self._last_id, -1, bids, asks, ts_ns, ts_ns)

    def _ticker(self, event: TickerEvent) -> None:
        # Between two depth updates: a ticker's id lies in the range the next update covers.
        self._last_id += 1
        ticker = BookTicker(SYMBOL, self._last_id, *event.bid, *event.ask, event.ts_ns, event.ts_ns)
        self.synced.on_ticker(ticker)
        self.features.on_ticker(self.synced, event.ts_ns)

    def _trade(self, event: TradeEvent) -> None:
        self._trade_id += 1
        trade = Trade(
            *(SYMBOL, event.price_ticks, event.size_units, event.side),
            *(self._trade_id, event.ts_ns, event.ts_ns),
        )
        self.features.on_trade(trade)


def changes(before: dict[int, int], now: dict[int, int]) -> tuple[Level, ...]:
    """The levels of a depth update that turn one side into another."""
    gone = tuple((price, 0) for price in before if price not in now)
    return gone + tuple((price, size) for price, size in now.items() if before.get(price) != size)
