"""A net position on margin: what it holds, what that cost, what closed parts of it won; all of it exact."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.core.types import Side


@dataclass(slots=True)
class Position:
    """One account's position in one symbol; money in 1e-8 of the quote currency.

    What is realised is what fills paid and got, less what the open part cost: nothing is rounded away, the
    remainder of a divided cost stays with the open part.
    """

    lots: int = 0
    """Positive is long."""
    cost_e8: int = 0
    """What the open lots cost; negative for a short, which was paid for."""
    realised_e8: int = 0
    """Over the position's whole life, before commissions."""
    updated_ns: int = 0

    def take(self, side: Side, lots: int, notional_e8: int) -> int:
        """Book a fill of `lots` worth `notional_e8`; give what closing with it won."""
        closing = min(lots, abs(self.lots)) if self.lots * side < 0 else 0
        closed_e8 = notional_e8 * closing // lots
        realised_e8 = 0
        if closing:
            cost_e8 = self.cost_e8 * closing // abs(self.lots)
            realised_e8 = -side * closed_e8 - cost_e8
            self.cost_e8 -= cost_e8
        self.cost_e8 += side * (notional_e8 - closed_e8)
        self.lots += side * lots
        self.realised_e8 += realised_e8
        return realised_e8

    def unrealised_e8(self, worth_e8: int) -> int:
        """Give what closing it now would win; `worth_e8` is what one may have of the lots, never negative."""
        signed_e8 = worth_e8 if self.lots >= 0 else -worth_e8
        return signed_e8 - self.cost_e8

    def entry_e8(self, lot_e8: int) -> int:
        """Give the average price the open part was entered at, in 1e-8, rounded half up; 0 when flat."""
        if not self.lots:
            return 0
        base_e8 = abs(self.lots) * lot_e8
        return (abs(self.cost_e8) * 200_000_000 + base_e8) // (2 * base_e8)

    def closable(self, side: Side) -> int:
        """Give how many lots an order of this side may trade and only reduce the position."""
        return abs(self.lots) if self.lots * side < 0 else 0
