"""Market data of the simulated exchange as Binance spot prints it, without the envelope of the stream."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.core.types import Side
from pipeline.sim.exchange.listing import Listing
from pipeline.sim.exchange.matching import Top
from pipeline.sim.exchange.order import TradePrint

MS_NS = 1_000_000

Ladder = Sequence[tuple[int, int]]
"""(ticks, lots) of one side, best first."""


def depth_update(
    listing: Listing, at_ns: int, first_id: int, last_id: int, bids: Ladder, asks: Ladder
) -> str:
    """Print the levels changed by the updates `first_id` to `last_id`, with their sizes now."""
    return (
        f'{{"e":"depthUpdate","E":{at_ns // MS_NS},"s":"{listing.symbol}","U":{first_id},"u":{last_id},'
        f'"b":{levels(listing, bids)},"a":{levels(listing, asks)}}}'
    )


def depth_snapshot(listing: Listing, update_id: int, bids: Ladder, asks: Ladder) -> str:
    """Print a whole book, as the REST and the WebSocket API answer it."""
    return f'{{"lastUpdateId":{update_id},"bids":{levels(listing, bids)},"asks":{levels(listing, asks)}}}'


def book_ticker(listing: Listing, update_id: int, top: Top) -> str:
    """Print the best prices and sizes."""
    bid, bid_lots, ask, ask_lots = top
    return (
        f'{{"u":{update_id},"s":"{listing.symbol}",'
        f'"b":"{listing.price_text(bid)}","B":"{listing.size_text(bid_lots)}",'
        f'"a":"{listing.price_text(ask)}","A":"{listing.size_text(ask_lots)}"}}'
    )


def trade(listing: Listing, one: TradePrint) -> str:
    """Print a trade."""
    at_ms = one.ts_ns // MS_NS
    maker_buys = "true" if one.aggressor is Side.SELL else "false"
    return (
        f'{{"e":"trade","E":{at_ms},"s":"{listing.symbol}","t":{one.trade_id},'
        f'"p":"{listing.price_text(one.ticks)}","q":"{listing.size_text(one.lots)}",'
        f'"T":{at_ms},"m":{maker_buys},"M":true}}'
    )


def agg_trade(listing: Listing, agg_id: int, merged: Sequence[TradePrint]) -> str:
    """Print the trades one taker made at one price as a single one."""
    first, last = merged[0], merged[-1]
    at_ms = first.ts_ns // MS_NS
    maker_buys = "true" if first.aggressor is Side.SELL else "false"
    return (
        f'{{"e":"aggTrade","E":{at_ms},"s":"{listing.symbol}","a":{agg_id},'
        f'"p":"{listing.price_text(first.ticks)}","q":"{listing.size_text(sum(one.lots for one in merged))}",'
        f'"f":{first.trade_id},"l":{last.trade_id},"T":{at_ms},"m":{maker_buys},"M":true}}'
    )


def levels(listing: Listing, ladder: Ladder) -> str:
    """Print one side of a book."""
    price, size = listing.price_text, listing.size_text
    return "[" + ",".join([f'["{price(ticks)}","{size(lots)}"]' for ticks, lots in ladder]) + "]"
