"""A small simulated exchange for tests: one or two customers, and the street's orders placed by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pipeline.core.types import Fees, Side
from pipeline.sim.exchange.account import Account
from pipeline.sim.exchange.exchange import Exchange
from pipeline.sim.exchange.listing import Listing, spot_listings
from pipeline.sim.exchange.order import ClientOrder, NewOrder, OrderKind, OrderReport

E8 = 100_000_000
T0 = 1_767_225_600_000_000_000
SYMBOL = "BTCUSDT"
BID = 6_400_000
ASK = BID + 1
BUY, SELL = Side.BUY, Side.SELL


FEES = Fees(1_000, 2_000, "venue")


def listing(fees: Fees = FEES, **changes: Any) -> Listing:
    """BTCUSDT; 10 bp maker and 20 bp taker unless told otherwise."""
    return replace(spot_listings(("BTCUSDT",), fees)[0], **changes)


def exchange(one: Listing | None = None) -> Exchange:
    return Exchange((one or listing(),))


def account(venue: Exchange, name: str = "ours", btc: int = 10, usdt: int = 1_000_000) -> Account:
    balances = {"BTC": btc * E8, "USDT": usdt * E8}
    return venue.open_account(name, f"key-{name}", f"secret-{name}", balances, T0)


def order(
    side: Side = BUY, ticks: int = BID, lots: int = 1_000, kind: OrderKind = OrderKind.LIMIT, **changes: Any
) -> NewOrder:
    """A limit order of 0.01 BTC; lots are 0.00001 BTC, ticks 0.01 USDT."""
    price = 0 if kind is OrderKind.MARKET else ticks * 1_000_000
    return NewOrder(
        **{
            **{"symbol": SYMBOL, "side": side, "kind": kind, "price_e8": price, "quantity_e8": lots * 1_000},
            **changes,
        }
    )


def placed(venue: Exchange, who: Account, wanted: NewOrder, now_ns: int = T0) -> ClientOrder:
    return venue.place(who, wanted, now_ns)[0].order


def fills(reports: list[OrderReport]) -> list[tuple[int, int]]:
    """(ticks, lots) of the fills among reports."""
    return [(one.last_ticks, one.last_lots) for one in reports if one.last_lots]


def quoted(venue: Exchange, lots: int = 10_000, levels: int = 5) -> Exchange:
    """Let the street quote that many levels a side, a tick apart, around BID and ASK."""
    for step in range(levels):
        venue.street_order(SYMBOL, BUY, BID - step, lots, T0)
        venue.street_order(SYMBOL, SELL, ASK + step, lots, T0)
    return venue


def total_e8(venue: Exchange, asset: str) -> int:
    """Everything there is of an asset: customers, street, commissions."""
    held = sum(one.free.get(asset, 0) + one.locked.get(asset, 0) for one in venue.accounts.values())
    return held + venue.clearing.street.get(asset, 0) + venue.clearing.commissions.get(asset, 0)
