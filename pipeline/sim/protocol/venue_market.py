"""What the protocol needs of a market, be it live or a capture played back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pipeline.sim.exchange.exchange import Exchange
from pipeline.sim.exchange.listing import Listing


class VenueMarket(Protocol):
    """A market that moves with `advance` and answers for the point it has reached."""

    @property
    def exchange(self) -> Exchange:
        """Give the accounts and their orders."""
        ...

    @property
    def listings(self) -> Sequence[Listing]:
        """Give what is listed."""
        ...

    def is_trading(self, symbol: str) -> bool:
        """Say whether `exchangeInfo` shows a listed symbol as trading."""
        ...

    @property
    def next_ns(self) -> int | None:
        """Give when something happens next; None for never."""
        ...

    def advance(self, now_ns: int) -> None:
        """Let everything happen that is due up to a time."""
        ...

    def snapshot(self, symbol: str, limit: int) -> str:
        """Print a symbol's book as it stands, at most `limit` levels a side.

        Raises:
            VenueError: the symbol is not listed.
        """
        ...

    def publish(self, symbol: str, now_ns: int) -> None:
        """Send out what an order of a customer's did."""
        ...
