"""The same work done by other libraries, through their own code, offline: frame in, book, ten features out.

They are no dependencies of ours: what is not installed is "not here". Both are driven below their sockets,
with what a socket would have brought, and both keep whole books of their own kind.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import time
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from app.bench_tools import BenchError

if TYPE_CHECKING:
    from app.bench_capture import DepthFrames

_DRIFT = (AttributeError, KeyError, TypeError, ValueError)
"""What a library of another version raises when it is driven as this one is."""


def ccxt_run(depth: DepthFrames) -> int:
    """Feed ccxt.pro from text to the waiter of `watch_order_book`; gives processor time in ns.

    Raises:
        BenchError: it is not installed, or works another way.
    """
    return _run(_module("ccxt.pro"), _ccxt, depth)


def cryptofeed_run(depth: DepthFrames) -> int:
    """Feed cryptofeed from text to the book callback; gives processor time in ns.

    Raises:
        BenchError: it is not installed, or works another way.
    """
    return _run(_module("cryptofeed"), _cryptofeed, depth)


def _module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise BenchError("not installed; the extra `bench` has it") from None


def _run(module: ModuleType, feed: Callable[[Any, DepthFrames], Any], depth: DepthFrames) -> int:
    try:
        took_ns: int = asyncio.run(feed(module, depth))
    except _DRIFT as problem:
        raise BenchError(f"{module.__name__} works another way here: {problem!r:.80}") from problem
    return took_ns


async def _ccxt(pro: Any, depth: DepthFrames) -> int:
    one = depth.instrument
    symbol = f"{one.base}/{one.quote}"
    exchange = pro.binance({"enableRateLimit": False})
    exchange.set_markets([_ccxt_market(exchange, symbol, depth)])
    client = exchange.client("wss://offline/stream")
    book = exchange.order_book({}, 5_000)
    whole = json.loads(depth.snapshot)
    levels = exchange.parse_order_book(whole, symbol)
    levels["nonce"] = whole["lastUpdateId"]
    book.reset(levels)
    exchange.orderbooks[symbol] = book
    texts = [frame.decode() for frame in depth.frames]
    waited_for = f"orderbook::{symbol}"
    started_ns = time.thread_time_ns()
    for text in texts:
        waiter = client.future(waited_for)
        client.handle_text_or_binary_message(text)
        now = await asyncio.wait_for(waiter, 5) if not waiter.done() else waiter.result()
        _features(now["bids"][:10], now["asks"][:10])
    took_ns = time.thread_time_ns() - started_ns
    await exchange.close()
    return took_ns


def _ccxt_market(exchange: Any, symbol: str, depth: DepthFrames) -> Any:
    one = depth.instrument
    known = {
        "id": one.symbol,
        "lowercaseId": one.symbol.lower(),
        "symbol": symbol,
        "type": "spot",
        "spot": True,
    }
    sides = {"base": one.base, "quote": one.quote, "baseId": one.base, "quoteId": one.quote}
    precision = {"price": 10.0**-one.price_decimals, "amount": 10.0**-one.size_decimals}
    return exchange.extend(exchange.safe_market_structure(known), sides, {"precision": precision})


async def _cryptofeed(_: Any, depth: DepthFrames) -> int:
    defines, types = (
        importlib.import_module("cryptofeed.defines"),
        importlib.import_module("cryptofeed.symbols"),
    )
    exchange = importlib.import_module("cryptofeed.exchanges").Binance
    one = depth.instrument
    name = f"{one.base}-{one.quote}"
    types.Symbols.set(exchange.id, {name: one.symbol}, {"instrument_type": {name: "spot"}})
    feed = exchange(symbols=[name], channels=[defines.L2_BOOK], callbacks={defines.L2_BOOK: _read_book})
    feed.http_conn = _Snapshots(depth.snapshot.decode())
    texts = [frame.decode() for frame in depth.frames]
    started_ns = time.thread_time_ns()
    for text in texts:
        await feed.message_handler(text, None, 0.0)
    return time.thread_time_ns() - started_ns


class _Snapshots:
    """Stands where cryptofeed has its HTTP connection."""

    def __init__(self, text: str) -> None:
        self._text = text

    async def read(self, _: str) -> str:
        """Give the snapshot, whatever is asked for."""
        return self._text


async def _read_book(book: Any, _: float) -> None:
    bids, asks = book.book.bids, book.book.asks
    _features([bids.index(n) for n in range(10)], [asks.index(n) for n in range(10)])


def _features(bids: Sequence[Any], asks: Sequence[Any]) -> tuple[Any, ...]:
    """Give the ten features from levels best first."""
    bid, bid_1, ask, ask_1 = bids[0][0], bids[0][1], asks[0][0], asks[0][1]
    bid_5, ask_5 = sum(level[1] for level in bids[:5]), sum(level[1] for level in asks[:5])
    bid_10, ask_10 = sum(level[1] for level in bids), sum(level[1] for level in asks)
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
