"""The account against the books of the last session, before anything is armed. Pure.

Asked for when the venue has told of every live order. The balance must be home inventory and what our fills
added; a difference of a lot or more is believed when two readings agree with no fill between them, because a
fill may be in the account before its report is here. With no books there is nothing to compare: home is what
was found less what our fills added. A person who adopts makes home what was found then.
"""

from __future__ import annotations

from pipeline.core.earlier import Balance, BalancesCompared, BooksCarried
from pipeline.core.inputs import AccountRead
from pipeline.core.params import MS
from pipeline.runtime.venue_line import Ask
from pipeline.runtime.venue_state import VenueState
from pipeline.wire.binance_answers import BalanceNews

_AGAIN_NS = 1_000 * MS


class AccountCompare:
    """One comparison at a time: at the start, and when a person adopts what was found."""

    def __init__(self, state: VenueState, books: BooksCarried | None) -> None:
        self._state = state
        self._adopts = False
        self._due_ns = 0
        self._fills = -1
        self._seen: dict[str, int] | None = None
        self._books_e8: dict[str, int] | None = None
        if books is not None and books.positions:
            self._books_e8 = {
                instrument.base: one.home_e8
                for one in books.positions
                if (instrument := state.instruments.get(one.symbol)) is not None
            }
        self.wanted = False

    def begin(self, now_ns: int, *, adopts: bool = False) -> None:
        """Begin a comparison; `adopts` takes what is found for right."""
        self._adopts = self._adopts or adopts
        self._due_ns, self._seen, self.wanted = now_ns, None, True

    def tick(self, now_ns: int) -> None:
        """Ask for the account when that is due."""
        line = self._state.line
        due = self.wanted and now_ns >= self._due_ns and not line.waits_for(Ask.ACCOUNT)
        if due and line.may(Ask.ACCOUNT, now_ns):
            self._due_ns = now_ns + _AGAIN_NS
            self._fills = self._state.orders.fills
            line.ask_account(now_ns)

    def read(self, news: BalanceNews, now_ns: int) -> bool:
        """Take the balances; say whether the comparison is over and told."""
        state = self._state
        bases = {one.base: None for one in state.instruments.values()}
        homes = {base: news.totals_e8.get(base, 0) - state.orders.flow_e8(base) for base in bases}
        explained = not state.orders.live() and self._books_e8 is None
        explained = explained or homes == {base: self._expected(base, homes[base]) for base in bases}
        if self._fills != state.orders.fills or not (explained or self._seen == homes):
            self._seen = homes if self._fills == state.orders.fills else None
            return False
        self.wanted = False
        self._tell(homes, news, now_ns)
        return True

    def _expected(self, base: str, home_e8: int) -> int | None:
        """Give the home the books want; where there are none only a second reading decides."""
        if self._books_e8 is None:
            return None
        return self._books_e8.get(base, home_e8)

    def _tell(self, homes: dict[str, int], news: BalanceNews, now_ns: int) -> None:
        state, books_e8 = self._state, self._books_e8 or {}
        kept = homes if self._adopts else {**homes, **books_e8}
        kept = {base: kept[base] for base in homes}
        differ = []
        off_e8 = {}
        for symbol, one in state.instruments.items():
            lot_e8 = one.lot_units * 10**8 // int(10**one.size_decimals)
            if abs(homes[one.base] - kept[one.base]) >= lot_e8:
                off_e8[one.base] = homes[one.base] - kept[one.base]
                flow_e8 = state.orders.flow_e8(one.base)
                differ.append(Balance(symbol, kept[one.base] + flow_e8, homes[one.base] + flow_e8))
        state.start.home_e8, state.start.off_e8 = kept, off_e8
        if self._adopts:
            self._books_e8, self._adopts = kept, False
        quote = next(iter(state.instruments.values())).quote
        by_symbol = tuple((symbol, kept[one.base]) for symbol, one in state.instruments.items())
        state.reports.append(AccountRead(by_symbol, news.totals_e8.get(quote, 0), now_ns))
        state.reports.append(BalancesCompared(tuple(differ), now_ns))
