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

PLANTED_ONLY: Final = frozenset({"calm-logit"})
"""Bundled models fitted on the simulated exchange; their contract names the venue it speaks like."""


def planted_words(name: str) -> str:
    """Give what to say of a model where the flow is not planted; empty for one fitted on a real market."""
    if name not in PLANTED_ONLY:
        return ""
    return f"{name}: fitted on the simulated exchange, whose flow is planted; worth nothing on a real market"


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
