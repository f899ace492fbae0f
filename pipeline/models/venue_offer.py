"""What a venue offers to a model: its kind of market, its channels and their pace, the symbol's units."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from pipeline.core.types import Instrument, scaled_text
from pipeline.models.expectation import Expectation, Role
from pipeline.wire.venues import REGISTER

MARKETS: Final = MappingProxyType({name: venue.market for name, venue in REGISTER.items()})
"""Kind of market by venue."""

CADENCES: Final = MappingProxyType({name: venue.cadence for name, venue in REGISTER.items()})
"""Channels the features are computed from and their pace, by venue, as the schema names them."""


def expectation_for(
    instrument: Instrument, today: str, sha256: str = "", role: Role | None = Role.PAPER
) -> Expectation:
    """Give what a session on this instrument expects; `today` is the UTC date `YYYY-MM-DD` or empty."""
    return Expectation(
        sha256=sha256,
        role=role,
        venue=instrument.venue,
        market=MARKETS.get(instrument.venue, ""),
        symbols=(instrument.symbol,),
        tick=scaled_text(instrument.tick_units, instrument.price_decimals),
        lot=scaled_text(instrument.lot_units, instrument.size_decimals),
        cadence=CADENCES.get(instrument.venue, ""),
        today=today,
    )
