"""The venue's own record: every order accepted or refused, every fill, every end, with time and money.

Append-only; entries are numbered without a hole. The newest are kept in memory, all of them go to the sink
when there is one; the running sums count every entry.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable

import msgspec

from pipeline.core.types import Side

KEPT = 100_000


class EntryKind(enum.StrEnum):
    """What happened."""

    OPENED = "OPENED"
    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"


class Entry(msgspec.Struct, frozen=True):
    """One line; money in 1e-8, positive is what the account got."""

    seq: int
    ts_ns: int
    kind: EntryKind
    account: str
    symbol: str = ""
    order_id: int = 0
    client_order_id: str = ""
    side: Side | None = None
    lots: int = 0
    """Ordered, filled, or left over, after the kind."""
    ticks: int = 0
    trade_id: int = -1
    maker: bool = False
    base_e8: int = 0
    """Change of the base balance, commission taken off; on margin, of the position."""
    quote_e8: int = 0
    commission_e8: int = 0
    commission_asset: str = ""
    asset: str = ""
    """OPENED: of which `base_e8` is the opening balance."""
    realised_e8: int = 0
    """FILLED on margin: what the fill won or lost, in the quote currency, before commission."""
    code: int = 0
    text: str = ""
    connection: int = 0
    """Whose request caused it; 0 for the street, a countdown, or the venue itself."""


class LedgerSums(msgspec.Struct, frozen=True):
    """What the ledger says of one account and symbol."""

    orders: int = 0
    refused: int = 0
    fills: int = 0
    canceled: int = 0
    expired: int = 0
    bought_lots: int = 0
    sold_lots: int = 0
    base_e8: int = 0
    quote_e8: int = 0


class Ledger:
    """Entries in order of time, and sums by (account, symbol)."""

    def __init__(self, sink: Callable[[Entry], None] | None = None, kept: int = KEPT) -> None:
        """Start an empty ledger; `sink` gets every entry as it is made."""
        self.entries: deque[Entry] = deque(maxlen=kept)
        self.length = 0
        self._sink = sink
        self._sums: dict[tuple[str, str], LedgerSums] = {}

    def write(self, entry: Entry) -> None:
        """Append an entry; its number is given here."""
        entry = msgspec.structs.replace(entry, seq=self.length)
        self.length += 1
        self.entries.append(entry)
        self._count(entry)
        if self._sink is not None:
            self._sink(entry)

    def sums(self, account: str, symbol: str) -> LedgerSums:
        """Give what an account did in a symbol, over all entries ever made."""
        return self._sums.get((account, symbol), LedgerSums())

    def _count(self, entry: Entry) -> None:
        if entry.kind is EntryKind.OPENED:
            return
        key, kind = (entry.account, entry.symbol), entry.kind
        sums = self._sums.get(key, LedgerSums())
        filled = entry.lots if kind is EntryKind.FILLED else 0
        self._sums[key] = LedgerSums(
            orders=sums.orders + (kind is EntryKind.ACCEPTED),
            refused=sums.refused + (kind is EntryKind.REFUSED),
            fills=sums.fills + (kind is EntryKind.FILLED),
            canceled=sums.canceled + (kind is EntryKind.CANCELED),
            expired=sums.expired + (kind is EntryKind.EXPIRED),
            bought_lots=sums.bought_lots + (filled if entry.side is Side.BUY else 0),
            sold_lots=sums.sold_lots + (filled if entry.side is Side.SELL else 0),
            base_e8=sums.base_e8 + entry.base_e8,
            quote_e8=sums.quote_e8 + entry.quote_e8,
        )
