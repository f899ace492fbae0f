"""What an earlier session of the account left: its books, carried over, and what is still to be settled.

A session that starts takes over the home inventory, the positions and the live orders of the last one, as
that one's journal has them, and then asks the venue. What does not agree is a *difference*: orders of ours
that stand, fills the journal missed, a balance nothing explains, books that are not whole. Until a person has
adopted or cancelled it nothing new may leave and nothing may be armed (CONTROLS O8). Nothing is ever mended
by trading.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from pipeline.core.types import OrderType, Side


class EarlierOrder(msgspec.Struct, frozen=True):
    """An order that was live when its session ended, or that the venue shows and no books know."""

    symbol: str
    client_order_id: str
    venue_order_id: int
    side: Side
    qty_lots: int
    price_ticks: int
    order_type: OrderType
    filled_lots: int
    """As the books know; the venue may know more."""
    filled_tick_lots: int
    trades: tuple[int, ...]
    """Ids of the fills the books know."""
    sent_ns: int


class EarlierPosition(msgspec.Struct, frozen=True):
    """Books of one symbol at the end of a session."""

    symbol: str
    home_e8: int
    """Home inventory of the base currency, in 1e-8."""
    flow_e8: int
    """What our fills and their commissions added to the balance beyond home."""
    lots: int
    cost: str
    """Exact cost of the open position in ticks * lots, as `n/d`: it may be longer than any integer here."""
    cash_tick_lots: int
    fees_quote_e8: int
    opened_ns: int


class BooksCarried(msgspec.Struct, frozen=True, tag=True):
    """The books of the account's last session, as its journal has them; the first input of the next one."""

    session: str
    ended_ns: int
    """When the journal ends."""
    positions: tuple[EarlierPosition, ...]
    orders: tuple[EarlierOrder, ...]
    trouble: str
    """Why the books may not be whole; empty where they are."""
    ts_ns: int


class DayCarried(msgspec.Struct, frozen=True, tag=True):
    """What an earlier run had made of the day: a crash or a restart gives no new allowance (C6)."""

    session: str
    before_quote_e8: int
    """The day's result before this run; 0 where `BooksCarried` brings it with the positions."""
    peak_quote_e8: int
    """The best the day had stood at."""
    ts_ns: int


class BooksKept(msgspec.Struct, frozen=True, tag=True):
    """The books as they stand, put on record now and then: the next start reads no further back."""

    books: BooksCarried
    ts_ns: int


class OrderFound(msgspec.Struct, frozen=True, tag=True):
    """The venue shows an order that is ours by its id and in no books."""

    order: EarlierOrder
    ts_ns: int


class Balance(msgspec.Struct, frozen=True):
    """One symbol's base currency in the account, in 1e-8."""

    symbol: str
    expected_e8: int
    """Home inventory and what our fills add up to."""
    found_e8: int


class BalancesCompared(msgspec.Struct, frozen=True, tag=True):
    """The account against the books, once at the start; a row is there only where they differ by a lot."""

    differ: tuple[Balance, ...]
    ts_ns: int


@dataclass(slots=True)
class StartCheck:
    """Where the start of a session stands against what the last one left."""

    session: str = ""
    """Whose books were carried; empty for none."""
    trouble: str = ""
    orders: dict[str, bool] = field(default_factory=dict)
    """Orders of earlier sessions nobody has decided on, by id; False for one no books know."""
    missed: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Fills the journal did not have: how many, and their net lots, by symbol."""
    differ: tuple[Balance, ...] = ()
    compared: bool = False
    canceling: bool = False
    told: bool = False

    def on_fill(self, symbol: str, client_order_id: str, signed_lots: int) -> None:
        """Note a fill of an earlier session's order that comes to light before the books are compared."""
        if not self.compared and client_order_id in self.orders:
            count, lots = self.missed.get(symbol, (0, 0))
            self.missed[symbol] = (count + 1, lots + signed_lots)

    def forget_ended(self, is_live: Callable[[str], bool]) -> None:
        """Drop what has ended: nothing is left to decide on it."""
        self.orders = {one: known for one, known in self.orders.items() if is_live(one)}
        self.canceling = self.canceling and bool(self.orders)

    @property
    def differs(self) -> bool:
        """Say whether something waits for a person."""
        return self.compared and self.differences > 0

    @property
    def differences(self) -> int:
        """Count orders left, symbols with missed fills, balances off, and trouble with the journal."""
        return len(self.orders) + len(self.missed) + len(self.differ) + bool(self.trouble)
