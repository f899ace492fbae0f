"""What a USD-M order must be by itself, before any account or book is looked at (VENUES 2.4, 2.6)."""

from __future__ import annotations

import re

from pipeline.core.types import Side
from pipeline.sim.exchange.admission import CLIENT_ID
from pipeline.sim.exchange.errors import VenueError, missing
from pipeline.sim.exchange.listing import Listing
from pipeline.sim.exchange.order import NewOrder, OrderKind
from pipeline.sim.exchange.rules import Terms

MOST_CLIENT_ID = 36
BAND_PERCENT = 5
"""PERCENT_PRICE: a buy is at most so far above the mark price, a sale at most so far below it."""

_CLIENT_ID = re.compile(CLIENT_ID)


def margin_terms(listing: Listing, wanted: NewOrder, mark_ticks: int) -> Terms:
    """Give the order in ticks and lots.

    Raises:
        VenueError: a parameter its kind needs is missing, or a filter is broken; the first one found.
    """
    check_client_id(wanted.client_order_id)
    ticks = _ticks(listing, wanted, mark_ticks)
    lots = _lots(listing, wanted.quantity_e8)
    least_e8 = listing.instrument.min_notional_quote_e8
    if not wanted.reduce_only and listing.notional_e8(ticks or mark_ticks, lots) < least_e8:
        least = least_e8 // 100_000_000
        raise VenueError(
            -4164, f"Order's notional must be no smaller than {least} (unless you choose reduce only)."
        )
    return Terms(ticks, lots)


def check_client_id(text: str) -> None:
    """Refuse a client order id the venue does not take.

    Raises:
        VenueError: it is too long, or has other characters.
    """
    if len(text) > MOST_CLIENT_ID:
        raise VenueError(-4015, f"Client order id length should be less than {MOST_CLIENT_ID} chars.")
    if text and not _CLIENT_ID.match(text):
        raise VenueError(
            -1100, f"Illegal characters found in parameter 'newClientOrderId'; legal range is '{CLIENT_ID}'."
        )


def _ticks(listing: Listing, wanted: NewOrder, mark_ticks: int) -> int:
    if wanted.kind is OrderKind.MARKET:
        if wanted.price_e8:
            raise VenueError(-1106, "Parameter 'price' sent when not required.")
        return 0
    if wanted.price_e8 <= 0:
        raise missing("price")
    ticks, rest = divmod(wanted.price_e8, listing.tick_e8)
    if ticks < 1:
        raise VenueError(-4013, "Price less than min price.")
    if ticks > listing.max_ticks:
        raise VenueError(-4002, "Price greater than max price.")
    if rest:
        raise VenueError(-4014, "Price not increased by tick size.")
    if wanted.side is Side.BUY and ticks * 100 > mark_ticks * (100 + BAND_PERCENT):
        raise VenueError(-4016, "Limit price can't be higher than the mark price multiplier cap.")
    if wanted.side is Side.SELL and ticks * 100 < mark_ticks * (100 - BAND_PERCENT):
        raise VenueError(-4024, "Limit price can't be lower than the mark price multiplier floor.")
    return ticks


def _lots(listing: Listing, quantity_e8: int) -> int:
    if quantity_e8 <= 0:
        raise missing("quantity")
    lots, rest = divmod(quantity_e8, listing.lot_e8)
    if lots < 1:
        raise VenueError(-4004, "Quantity less than min quantity.")
    if lots > listing.instrument.max_qty_lots:
        raise VenueError(-4005, "Quantity greater than max quantity.")
    if rest:
        raise VenueError(-4023, "Qty not increased by step size.")
    return lots
