"""What a session offers to a model and asks of it; the checks of `inspection.py` and `loader.py` compare."""

from __future__ import annotations

import enum
from types import MappingProxyType
from typing import Final

import msgspec

from pipeline.core.types import Instrument, scaled_text

MARKETS: Final = MappingProxyType({"binance": "spot", "binance-usdm": "usdm"})
"""Kind of market by venue."""

CADENCES: Final = MappingProxyType(
    {"binance": "depth@100ms+bookTicker+trade", "binance-usdm": "depth@0ms+bookTicker+trade"}
)
"""Channels the features are computed from and their pace, by venue, as the schema names them."""

TRIGGER: Final = "grid_100ms+l1_20ms"
"""What asks for rows: a grid, and changes of the touch at most that often."""


class Role(enum.StrEnum):
    """What a model is loaded for; only a shadow may be worse than its baseline."""

    SHADOW = "shadow"
    PAPER = "paper"
    LIVE = "live"


class Expectation(msgspec.Struct, frozen=True):
    """What a session offers and asks; an empty text or tuple leaves that check out."""

    sha256: str = ""
    """Hex digest the file must have."""
    role: Role = Role.PAPER
    venue: str = ""
    market: str = ""
    symbols: tuple[str, ...] = ()
    tick: str = ""
    """Decimal text, compared by value."""
    lot: str = ""
    cadence: str = ""
    """Channels of the session and their pace, as the registry names them."""
    today: str = ""
    """UTC date `YYYY-MM-DD`, compared with the model's last day of use."""
    max_bytes: int = 64 << 20
    probe_calls: int = 200
    """Calls in a latency probe, which also warm the session up."""
    max_p99_us: int = 20_000
    """Budget of one call; 0 leaves the check out. Generous: on a busy machine the tail is the scheduler's."""


def expectation_for(
    instrument: Instrument, today: str, sha256: str = "", role: Role = Role.PAPER
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
