"""`exchangeInfo` of the futures: limits, and of each contract its state, filters and order forms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipeline.core.types import scaled_text
from pipeline.sim.exchange.listing import Listing
from pipeline.sim.exchange.margin_rules import BAND_PERCENT
from pipeline.sim.exchange.quotas import Quota
from pipeline.sim.protocol.answers import MS_NS
from pipeline.sim.protocol.exchange_info import rate_limit

FOR_EVER_MS = 4_133_404_800_000
"""Delivery of a perpetual."""


def exchange_info(
    listings: Iterable[tuple[Listing, bool]], quotas: Iterable[Quota], now_ns: int
) -> dict[str, Any]:
    """Give the answer for these contracts, each with whether it trades now."""
    return {
        "timezone": "UTC",
        "serverTime": now_ns // MS_NS,
        "futuresType": "U_MARGINED",
        "rateLimits": [rate_limit(quota) for quota in quotas],
        "exchangeFilters": [],
        "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "0"}],
        "symbols": [_symbol(listing, is_open) for listing, is_open in listings],
    }


def _symbol(listing: Listing, is_open: bool) -> dict[str, Any]:
    instrument = listing.instrument
    return {
        "symbol": listing.symbol,
        "pair": listing.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": FOR_EVER_MS,
        "onboardDate": 0,
        "status": "TRADING" if is_open else "BREAK",
        "maintMarginPercent": "0.0000",
        "requiredMarginPercent": scaled_text(1_000_000 // listing.leverage, 4),
        "baseAsset": instrument.base,
        "quoteAsset": instrument.quote,
        "marginAsset": instrument.quote,
        "pricePrecision": instrument.price_decimals,
        "quantityPrecision": instrument.size_decimals,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "triggerProtect": scaled_text(BAND_PERCENT, 2),
        "liquidationFee": "0.000000",
        "marketTakeBound": scaled_text(BAND_PERCENT, 2),
        "filters": _filters(listing),
        "orderTypes": ["LIMIT", "MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
    }


def _filters(listing: Listing) -> list[dict[str, Any]]:
    instrument = listing.instrument
    tick, lot = listing.price_text(1), listing.size_text(1)
    most = listing.size_text(instrument.max_qty_lots)
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": tick,
            "maxPrice": listing.price_text(listing.max_ticks),
            "tickSize": tick,
        },
        {"filterType": "LOT_SIZE", "minQty": lot, "maxQty": most, "stepSize": lot},
        {"filterType": "MARKET_LOT_SIZE", "minQty": lot, "maxQty": most, "stepSize": lot},
        {"filterType": "MAX_NUM_ORDERS", "limit": listing.max_open_orders},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 0},
        {"filterType": "MIN_NOTIONAL", "notional": str(instrument.min_notional_quote_e8 // 100_000_000)},
        {
            "filterType": "PERCENT_PRICE",
            "multiplierUp": scaled_text(100 + BAND_PERCENT, 2),
            "multiplierDown": scaled_text(100 - BAND_PERCENT, 2),
            "multiplierDecimal": "2",
        },
    ]
