"""The filters of a symbol: a new order's own form, before any account or book is looked at."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.core.types import QUOTE_SCALE, Side
from pipeline.sim.exchange.errors import VenueError, filter_failure, missing
from pipeline.sim.exchange.listing import Listing
from pipeline.sim.exchange.order import NewOrder, OrderKind, TimeInForce

_TOO_PRECISE = "Parameter '{}' has too much precision."


@dataclass(frozen=True, slots=True)
class Terms:
    """A new order on the grid; `ticks` is 0 for MARKET, `lots` 0 where a quote quantity was given."""

    ticks: int
    lots: int


def terms_of(listing: Listing, wanted: NewOrder, last_ticks: int) -> Terms:
    """Give the order in ticks and lots.

    Raises:
        VenueError: a parameter its kind needs is missing, or a filter is broken; the first one found.
    """
    _check_parameters(wanted)
    ticks = _ticks(listing, wanted, last_ticks)
    lots = 0
    if wanted.quantity_e8:
        lots = _lots(listing, wanted.quantity_e8)
        check_notional(listing, listing.notional_e8(ticks or last_ticks, lots), wanted.kind)
    else:
        check_notional(listing, wanted.quote_quantity_e8, wanted.kind)
    return Terms(ticks, lots)


def check_notional(listing: Listing, notional_e8: int, kind: OrderKind) -> None:
    """Refuse what is worth too little or, but for market orders, too much.

    Raises:
        VenueError: NOTIONAL.
    """
    too_much = notional_e8 > listing.max_notional_e8 and kind is not OrderKind.MARKET
    if too_much or notional_e8 < listing.instrument.min_notional_quote_e8:
        raise filter_failure("NOTIONAL")


def _check_parameters(wanted: NewOrder) -> None:
    by_quote = wanted.kind is OrderKind.MARKET and wanted.quote_quantity_e8 > 0
    if by_quote == (wanted.quantity_e8 > 0):
        raise missing("quantity")
    if wanted.kind is OrderKind.MARKET:
        if wanted.price_e8:
            raise VenueError(-1106, "Parameter 'price' sent when not required.")
    elif wanted.price_e8 <= 0:
        raise missing("price")
    if wanted.kind is not OrderKind.LIMIT and wanted.time_in_force is not TimeInForce.GTC:
        raise VenueError(-1106, "Parameter 'timeInForce' sent when not required.")


def _ticks(listing: Listing, wanted: NewOrder, last_ticks: int) -> int:
    ticks, rest = divmod(wanted.price_e8, listing.tick_e8)
    if rest or ticks > listing.max_ticks:
        raise filter_failure("PRICE_FILTER")
    if ticks and not last_ticks <= ticks * listing.band <= last_ticks * listing.band**2:
        raise filter_failure("PERCENT_PRICE_BY_SIDE")
    return ticks


def _lots(listing: Listing, quantity_e8: int) -> int:
    lots, rest = divmod(quantity_e8, listing.lot_e8)
    if rest or not 1 <= lots <= listing.instrument.max_qty_lots:
        raise filter_failure("LOT_SIZE")
    return lots


def exact_e8(name: str, text: str) -> int:
    """Read a decimal parameter as 1e-8 units.

    Raises:
        VenueError: no plain positive decimal number, or finer than 8 decimals.
    """
    whole, point, fraction = text.partition(".")
    plain = whole.isascii() and whole.isdigit() and len(whole) <= 12
    if not plain or (point and not (fraction.isascii() and fraction.isdigit())):
        raise missing(name)
    if len(fraction.rstrip("0")) > 8:
        raise VenueError(-1111, _TOO_PRECISE.format(name))
    value = int(whole) * QUOTE_SCALE + int(fraction[:8].ljust(8, "0"))
    if value == 0:
        raise VenueError(-1013, f"Invalid {name}.")
    return value


def side_of(text: str) -> Side:
    """Read BUY or SELL.

    Raises:
        VenueError: another word.
    """
    if text not in Side.__members__:
        raise VenueError(-1117, "Invalid side.")
    return Side[text]
