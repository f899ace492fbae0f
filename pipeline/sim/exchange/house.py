"""What sets one kind of venue apart from another: who may place what, what a fill moves, who is told what.

Spot's is `clearing.Clearing`, that of the margined futures `margin_house.MarginHouse`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pipeline.core.types import Side
from pipeline.sim.exchange.account import Account
from pipeline.sim.exchange.listing import Listing
from pipeline.sim.exchange.market import Market
from pipeline.sim.exchange.order import ClientOrder, NewOrder, OrderReport, VenueEvent
from pipeline.sim.exchange.order_store import OrderStore
from pipeline.sim.exchange.quotas import Quota


@dataclass(frozen=True, slots=True)
class Admitted:
    """A new order that may come in."""

    order: ClientOrder
    reserve_e8: int
    """What it has to lock, in the asset it pays with."""
    may_trade: bool
    """False for a FOK order that cannot be filled at once: it ends where it began."""
    trades_lots: int
    """How much of it may trade; a reduce-only market order stops where the position is flat."""


@dataclass(frozen=True, slots=True)
class Cleared:
    """What a fill changed in an account, in 1e-8, the commission taken off."""

    base_e8: int
    quote_e8: int
    commission_e8: int
    commission_asset: str = ""
    realised_e8: int = 0


class House(Protocol):
    """The rules and the till of a venue; `street` and `commissions` count what is no account's, by asset."""

    street: dict[str, int]
    commissions: dict[str, int]
    settles_each_fill: bool
    """Whether a fill may end other orders of the account, so that fills are settled one by one."""
    gives_back_filled: bool
    """Whether the first fill of an order gives its place in the order count back."""

    def order_quotas(self) -> tuple[Quota, ...]:
        """Give the limits on the new orders of an account, unused."""
        ...

    def admit(
        self,
        market: Market,
        orders: OrderStore,
        account: Account,
        wanted: NewOrder,
        order_id: int,
        now_ns: int,
    ) -> Admitted:
        """Judge a new order; nothing changes.

        Raises:
            VenueError: it is refused.
        """
        ...

    def reserve(self, account: Account, order: ClientOrder, amount_e8: int) -> None:
        """Set aside what an order may have to give.

        Raises:
            VenueError: the account has not so much.
        """
        ...

    def release(self, account: Account, order: ClientOrder) -> None:
        """Give back what an order that ended still had set aside."""
        ...

    def fill(self, account: Account, order: ClientOrder, ticks: int, lots: int, maker: bool) -> Cleared:
        """Book one fill in the account."""
        ...

    def street_fill(self, listing: Listing, side: Side, ticks: int, lots: int) -> None:
        """Count a fill of the street's; `side` is the street's own."""
        ...

    def surplus(self, account: Account, orders: OrderStore, symbol: str) -> list[ClientOrder]:
        """Give the open orders that the account's position no longer allows."""
        ...

    def told(self, account: Account, report: OrderReport) -> list[VenueEvent]:
        """Give what the account is told when this happened to its order."""
        ...
