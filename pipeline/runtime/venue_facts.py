"""What the venue says of symbols and fees, put over the tables a session was started with. Pure.

The venue's value is used and each difference is said. What cannot be used is refused in one line: a symbol
that does not trade, steps the book's integers cannot hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from msgspec.structs import replace as changed

from pipeline.core.params import EngineParams
from pipeline.core.types import QUOTE_SCALE, Fees, Instrument, scaled_text
from pipeline.wire.binance_info import E18_DECIMALS, SymbolFacts

E18 = 10**E18_DECIMALS
_QUOTE_E18 = E18 // QUOTE_SCALE


class VenueFactsError(Exception):
    """A session must not start on what the venue says, or on its silence; one line says why."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One value the venue gives differently."""

    symbol: str
    what: str
    table: str
    venue: str

    def __str__(self) -> str:
        """Give it in words."""
        return f"{self.what} {self.venue} at the venue, {self.table} in the table"


def as_the_venue_says(
    params: EngineParams, facts: Mapping[str, SymbolFacts], fees: Mapping[str, tuple[int, int]]
) -> tuple[EngineParams, tuple[Difference, ...]]:
    """Give the parameters with the venue's filters and fees, and what was different.

    Raises:
        VenueFactsError: a symbol is unknown there, does not trade, or has steps that cannot be used.
    """
    instruments, limits = [], dict(params.limits)
    found: list[Difference] = []
    for old in params.instruments:
        new = instrument_of(old, facts.get(old.symbol), fees[old.symbol])
        instruments.append(new)
        found += differences(old, new)
        limit = limits.get(old.symbol)
        if limit is not None and new.lot_units != old.lot_units:
            lots = limit.max_qty_lots * old.lot_units // new.lot_units
            limits[old.symbol] = changed(limit, max_qty_lots=lots)
    return changed(params, instruments=tuple(instruments), limits=limits), tuple(found)


def instrument_of(old: Instrument, facts: SymbolFacts | None, fees: tuple[int, int]) -> Instrument:
    """Give an instrument with the venue's values.

    Raises:
        VenueFactsError: as `as_the_venue_says`.
    """
    if facts is None or not facts.trades:
        status = "no such symbol" if facts is None else f"status {facts.status}"
        raise VenueFactsError(f"{old.symbol}: {status} at the venue, wanted TRADING")
    lot_units, finer = divmod(facts.lot_e18 * int(10**old.size_decimals), E18)
    if finer:
        lot = scaled_text(facts.lot_e18, E18_DECIMALS).rstrip("0")
        raise VenueFactsError(f"{old.symbol}: lot {lot}, wanted at most {old.size_decimals} decimals")
    decimals = max(_decimals(facts.tick_e18), 0)
    return replace(
        old,
        price_decimals=decimals,
        tick_units=facts.tick_e18 * int(10**decimals) // E18,
        lot_units=lot_units,
        min_notional_quote_e8=-(-facts.min_notional_e18 // _QUOTE_E18),
        max_qty_lots=facts.max_qty_e18 // facts.lot_e18,
        fees=Fees(*fees, "venue"),
    )


def same_filters(session: Instrument, facts: SymbolFacts) -> bool:
    """Say whether the venue's filters still are those a session was started with."""
    try:
        new = instrument_of(session, replace(facts, status="TRADING"), _rates(session))
    except VenueFactsError:
        return False
    return not differences(session, new)


def differences(old: Instrument, new: Instrument) -> tuple[Difference, ...]:
    """Give every value that is not the same; where the fees come from is none."""
    pairs = (
        (
            "tick",
            scaled_text(old.tick_units, old.price_decimals),
            scaled_text(new.tick_units, new.price_decimals),
        ),
        ("lot", old.qty_text(1), new.qty_text(1)),
        ("min notional", _money(old.min_notional_quote_e8), _money(new.min_notional_quote_e8)),
        ("max qty", old.qty_text(old.max_qty_lots), new.qty_text(new.max_qty_lots)),
        ("fees", _fees_text(old), _fees_text(new)),
    )
    return tuple(Difference(old.symbol, what, was, now) for what, was, now in pairs if was != now)


def _rates(instrument: Instrument) -> tuple[int, int]:
    return instrument.fees.maker_e6, instrument.fees.taker_e6


def _fees_text(instrument: Instrument) -> str:
    maker, taker = (scaled_text(rate, 2) for rate in _rates(instrument))
    return f"{maker}/{taker} bp"


def _money(amount_e8: int) -> str:
    return scaled_text(amount_e8, 8).rstrip("0").rstrip(".")


def _decimals(step_e18: int) -> int:
    decimals = E18_DECIMALS
    while decimals > 0 and step_e18 % 10 == 0:
        step_e18 //= 10
        decimals -= 1
    return decimals
