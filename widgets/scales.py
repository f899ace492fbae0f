"""What a session holds beyond the symbol on the screen, each in the scales of its own instrument."""

from __future__ import annotations

from typing import NamedTuple

from pipeline.core.snapshot import ConsoleSnapshot, InstrumentView
from widgets.cells import clean, position_word, qty_text


class Held(NamedTuple):
    """One symbol's open position."""

    instrument: InstrumentView
    lots: int
    notional_quote_e8: int
    exit_resting: bool
    dust: bool = False

    def words(self) -> str:
        """Print it, e.g. `-0.0070 ETH SHORT`."""
        quantity = qty_text(self.instrument, self.lots, sign=True)
        dust = " (dust)" if self.dust else ""
        return f"{quantity} {clean(self.instrument.base, 8)} {position_word(self.lots)}{dust}"


def scales_of(snapshot: ConsoleSnapshot, symbol: str) -> InstrumentView | None:
    """Give a symbol's scales; None where the picture has none of it."""
    views = (snapshot.instrument, *(other.instrument for other in snapshot.others))
    return next((view for view in views if view.symbol == symbol), None)


def shown_held(snapshot: ConsoleSnapshot) -> Held:
    """Give the position of the symbol on the screen, flat or not."""
    position = snapshot.position
    return Held(
        snapshot.instrument,
        position.lots,
        position.notional_quote_e8,
        position.exit_resting,
        position.dust,
    )


def held_elsewhere(snapshot: ConsoleSnapshot) -> list[Held]:
    """Give the open positions of the other symbols, in the session's order."""
    return [
        Held(other.instrument, other.lots, other.notional_quote_e8, other.exit_resting, other.dust)
        for other in snapshot.others
        if other.lots
    ]


def open_elsewhere(snapshot: ConsoleSnapshot) -> int:
    """Count the other symbols with a position or an order of ours."""
    return sum(1 for other in snapshot.others if other.lots or other.orders)
