"""A small simulated futures exchange for tests, with the street's orders placed by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pipeline.core.types import Fees, Side
from pipeline.sim.exchange.account import Account
from pipeline.sim.exchange.exchange import Exchange
from pipeline.sim.exchange.listing import Listing, usdm_listings
from pipeline.sim.exchange.margin_house import MarginHouse
from pipeline.sim.exchange.order import NewOrder, OrderKind
from tests.fakes.venue import E8, SYMBOL, T0

BID = 640_000
ASK = BID + 1
"""In ticks of 0.1 USDT; a lot is 0.001 BTC, worth 64 USDT."""


def usdm_listing(fees: Fees = Fees(200, 500, "venue"), **changes: Any) -> Listing:  # noqa: B008 - a constant
    """BTCUSDT; 2 bp maker and 5 bp taker unless told otherwise."""
    return replace(usdm_listings(("BTCUSDT",), fees)[0], **changes)


def usdm_exchange(one: Listing | None = None) -> Exchange:
    return Exchange((one or usdm_listing(),), house=MarginHouse())


def usdm_account(venue: Exchange, name: str = "ours", usdt: int = 100_000) -> Account:
    return venue.open_account(name, f"key-{name}", f"secret-{name}", {"USDT": usdt * E8}, T0)


def usdm_order(
    side: Side = Side.BUY,
    ticks: int = BID,
    lots: int = 10,
    kind: OrderKind = OrderKind.LIMIT,
    **changes: Any,
) -> NewOrder:
    """A limit order of 0.01 BTC."""
    price = 0 if kind is OrderKind.MARKET else ticks * 10_000_000
    how: dict[str, Any] = {"symbol": SYMBOL, "side": side, "kind": kind, "price_e8": price}
    return NewOrder(**{**how, "quantity_e8": lots * 100_000, **changes})


def usdm_quoted(venue: Exchange, lots: int = 100, levels: int = 5) -> Exchange:
    """Let the street quote that many levels a side, a tick apart, around BID and ASK."""
    for step in range(levels):
        venue.street_order(SYMBOL, Side.BUY, BID - step, lots, T0)
        venue.street_order(SYMBOL, Side.SELL, ASK + step, lots, T0)
    return venue
