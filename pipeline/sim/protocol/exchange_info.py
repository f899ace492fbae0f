"""`exchangeInfo`: the limits, and of each symbol its state, its filters and what may be sent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipeline.core.types import scaled_text
from pipeline.sim.exchange.listing import Listing
from pipeline.sim.exchange.order import OrderKind, SelfTrade
from pipeline.sim.exchange.quotas import Quota
from pipeline.sim.protocol.answers import MS_NS, money


def exchange_info(
    listings: Iterable[tuple[Listing, bool]], quotas: Iterable[Quota], now_ns: int
) -> dict[str, Any]:
    """Give the answer for these symbols, each with whether it trades now."""
    return {
        "timezone": "UTC",
        "serverTime": now_ns // MS_NS,
        "rateLimits": [rate_limit(quota) for quota in quotas],
        "exchangeFilters": [],
        "symbols": [_symbol(listing, is_open) for listing, is_open in listings],
    }


def rate_limit(quota: Quota) -> dict[str, Any]:
    """Give one limit as the venue names it."""
    return {
        "rateLimitType": quota.kind,
        "interval": quota.interval,
        "intervalNum": quota.interval_num,
        "limit": quota.limit,
    }


def used_limit(quota: Quota, now_ns: int) -> dict[str, Any]:
    """Give one limit and how much of it is used."""
    return {**rate_limit(quota), "count": quota.used(now_ns)}


def _symbol(listing: Listing, is_open: bool) -> dict[str, Any]:
    instrument = listing.instrument
    return {
        "symbol": listing.symbol,
        "status": "TRADING" if is_open else "HALT",
        "baseAsset": instrument.base,
        "baseAssetPrecision": 8,
        "quoteAsset": instrument.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": [kind.value for kind in OrderKind],
        "icebergAllowed": False,
        "ocoAllowed": False,
        "otoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": False,
        "amendAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": _filters(listing),
        "permissions": ["SPOT"],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": SelfTrade.EXPIRE_MAKER.value,
        "allowedSelfTradePreventionModes": [mode.value for mode in SelfTrade],
    }


def _filters(listing: Listing) -> list[dict[str, Any]]:
    instrument = listing.instrument
    lot, most = money(listing.lot_e8), listing.size_text(instrument.max_qty_lots)
    band = str(listing.band), scaled_text(100 // listing.band, 2)
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": money(listing.tick_e8),
            "maxPrice": listing.price_text(listing.max_ticks),
            "tickSize": money(listing.tick_e8),
        },
        {"filterType": "LOT_SIZE", "minQty": lot, "maxQty": most, "stepSize": lot},
        {"filterType": "MARKET_LOT_SIZE", "minQty": money(0), "maxQty": most, "stepSize": money(0)},
        {
            "filterType": "NOTIONAL",
            "minNotional": money(instrument.min_notional_quote_e8),
            "applyMinToMarket": True,
            "maxNotional": money(listing.max_notional_e8),
            "applyMaxToMarket": False,
            "avgPriceMins": 0,
        },
        {
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": band[0],
            "bidMultiplierDown": band[1],
            "askMultiplierUp": band[0],
            "askMultiplierDown": band[1],
            "avgPriceMins": 0,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": listing.max_open_orders},
    ]
