"""Market data of the simulated futures as Binance USD-M prints it, without the envelope of the stream.

The venue's update ids are not consecutive: only `pu` links an update to the one before (VENUES 2.3). Here
the n-th change of the book ends at the id 4 n + 1, and begins at 4 n.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.core.types import Side
from pipeline.sim.exchange.listing import Listing
from pipeline.sim.exchange.matching import Top
from pipeline.sim.exchange.order import TradePrint
from pipeline.sim.market_frames import MS_NS, Ladder, levels

_STEP = 4


def first_id(change: int) -> int:
    """Give where the id of a change of the book begins."""
    return change * _STEP


def last_id(change: int) -> int:
    """Give where the id of a change of the book ends."""
    return change * _STEP + 1


def depth_update(
    listing: Listing, at_ns: int, changes: tuple[int, int, int], bids: Ladder, asks: Ladder
) -> str:
    """Print the levels changed by the `changes` (first, last, last of the update before), sizes as now."""
    first, last, before = changes
    at_ms = at_ns // MS_NS
    return (
        f'{{"e":"depthUpdate","E":{at_ms},"T":{at_ms},"s":"{listing.symbol}","U":{first_id(first)},'
        f'"u":{last_id(last)},"pu":{last_id(before)},'
        f'"b":{levels(listing, bids)},"a":{levels(listing, asks)}}}'
    )


def depth_snapshot(listing: Listing, at_ns: int, change: int, bids: Ladder, asks: Ladder) -> str:
    """Print a whole book, as REST and the WebSocket API answer it."""
    at_ms = at_ns // MS_NS
    return (
        f'{{"lastUpdateId":{last_id(change)},"E":{at_ms},"T":{at_ms},'
        f'"bids":{levels(listing, bids)},"asks":{levels(listing, asks)}}}'
    )


def book_ticker(listing: Listing, at_ns: int, change: int, top: Top) -> str:
    """Print the best prices and sizes."""
    bid, bid_lots, ask, ask_lots = top
    at_ms = at_ns // MS_NS
    return (
        f'{{"e":"bookTicker","u":{last_id(change)},"E":{at_ms},"T":{at_ms},"s":"{listing.symbol}",'
        f'"b":"{listing.price_text(bid)}","B":"{listing.size_text(bid_lots)}",'
        f'"a":"{listing.price_text(ask)}","A":"{listing.size_text(ask_lots)}"}}'
    )


def trade(listing: Listing, one: TradePrint) -> str:
    """Print a single trade; the stream exists though no page of the venue names it."""
    at_ms = one.ts_ns // MS_NS
    return (
        f'{{"e":"trade","E":{at_ms},"T":{at_ms},"s":"{listing.symbol}","t":{one.trade_id},'
        f'"p":"{listing.price_text(one.ticks)}","q":"{listing.size_text(one.lots)}",'
        f'"X":"MARKET","m":{_maker_buys(one)}}}'
    )


def agg_trade(listing: Listing, at_ns: int, agg_id: int, merged: Sequence[TradePrint]) -> str:
    """Print the trades of one side at one price within a batch as a single one."""
    first, last = merged[0], merged[-1]
    size = listing.size_text(sum(one.lots for one in merged))
    return (
        f'{{"e":"aggTrade","E":{at_ns // MS_NS},"s":"{listing.symbol}","a":{agg_id},'
        f'"p":"{listing.price_text(first.ticks)}","q":"{size}","nq":"{size}",'
        f'"f":{first.trade_id},"l":{last.trade_id},"T":{last.ts_ns // MS_NS},"m":{_maker_buys(first)}}}'
    )


def _maker_buys(one: TradePrint) -> str:
    return "true" if one.aggressor is Side.SELL else "false"
