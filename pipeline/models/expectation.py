"""What a session offers to a model and asks of it; the checks of `inspection.py` and `loader.py` compare.

Workers import this: what a venue offers stands in `venue_offer.py`.
"""

from __future__ import annotations

import enum
from typing import Final

import msgspec

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
    role: Role | None = Role.PAPER
    """None asks no approval, and no better score than the baseline."""
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
