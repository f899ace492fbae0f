"""What the exchange knows of one symbol, against what the engine believes: position, worst case, book."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from pipeline.core.types import BookState, Instrument, OrderIntent, Side
from pipeline.rehearsal.process import LIMITS, Process
from pipeline.rehearsal.rules import Rule
from pipeline.rehearsal.street import StreetMarket
from pipeline.sim.exchange.account import Account
from pipeline.sim.exchange.ledger import Entry
from pipeline.sim.exchange.order import ClientOrder

FOREIGN_ID = "x-somebody-else"
"""A resting order of the same account that no session of ours placed; one on each symbol."""
_TOLERANCE_PERCENT = 2
"""The mid moves between the check and the look, by a few ticks in millions."""
_BOOKS_KEPT = 64
_LADDER = 32
_E8 = 10**8

Levels = tuple[tuple[int, int], ...]


class SymbolWitness:
    """Watches one symbol of one account."""

    def __init__(
        self,
        instrument: Instrument,
        market: StreetMarket,
        account: Account,
        break_: Callable[[Rule, str], None],
    ) -> None:
        self.symbol = instrument.symbol
        self._instrument = instrument
        self._market = market
        self._account = account
        self._break = break_
        self._lot_e8 = instrument.lot_units * _E8 // int(10**instrument.size_decimals)
        self._net_lots = 0
        self._home_lots: int | None = None
        self._opening_e8 = self._held_e8
        self._net_when = {self._opening_e8: 0}
        """Bought less sold, by what the account held then: fees in the base asset are in the one alone."""
        self._books: deque[tuple[int, Levels, Levels]] = deque(maxlen=_BOOKS_KEPT)

    @property
    def knows_home(self) -> bool:
        """Say whether the session has read the account."""
        return self._home_lots is not None

    @property
    def position_lots(self) -> int:
        """Give the position as the session must have it."""
        return self._net_lots - (self._home_lots or 0)

    def started(self) -> None:
        """Forget what the process before called home."""
        self._home_lots = None

    def account_read(self, base_e8: int) -> None:
        """Take what the session calls home."""
        lots = (base_e8 - self._opening_e8 + self._lot_e8 // 2) // self._lot_e8
        self._home_lots = self._net_when.get(base_e8, lots)

    def filled(self, entry: Entry) -> None:
        """Take a fill out of the exchange's ledger."""
        assert entry.side is not None
        self._net_lots += entry.side * entry.lots

    def open_ids(self) -> list[str]:
        """Give our orders the exchange holds."""
        return [order.client_order_id for order in self._ours()]

    def is_synced(self, process: Process) -> bool:
        """Say whether the session calls its book ok."""
        synced = process.engine.synced_book(self.symbol)
        return synced is not None and synced.state is BookState.SYNCED

    def step(self) -> None:
        """Note what stands after a step."""
        self._net_when[self._held_e8] = self._net_lots
        book = self._market.exchange.market(self.symbol).book
        if not self._books or self._books[-1][0] != book.update_id:
            bids, asks = book.bids.ladder(_LADDER), book.asks.ladder(_LADDER)
            self._books.append((book.update_id, tuple(bids), tuple(asks)))

    def check_exposure(self, when: str, under_way: Iterable[OrderIntent]) -> None:
        """Judge the position with every order that may still fill, each side for itself."""
        if self._home_lots is None:
            return
        position, sent = self.position_lots, [one for one in under_way if one.symbol == self.symbol]
        for side in (Side.BUY, Side.SELL):
            may_fill = sum(one.leaves_lots for one in self._ours() if one.side is side)
            may_fill += sum(one.qty_lots for one in sent if one.side is side)
            worst = side * position + may_fill
            value = self._instrument.notional_quote_e8(self._market.mid_ticks(self.symbol), max(worst, 0))
            most = LIMITS.max_position_quote_e8 * (100 + _TOLERANCE_PERCENT) // 100
            if value > most and worst > abs(position):
                found = f"{when}: {side.name} {worst} lots with a position of {position}"
                self._break(Rule.EXPOSURE, found)

    def check_book(self, process: Process) -> None:
        """Compare a book the session calls ok with the exchange's at the same update."""
        synced = process.engine.synced_book(self.symbol)
        if synced is None or not self.is_synced(process):
            return
        for update_id, bids, asks in self._books:
            if update_id == synced.last_update_id:
                units = self._instrument.lot_units
                ours = synced.book.top(_LADDER)
                theirs = [tuple((ticks, lots * units) for ticks, lots in side) for side in (bids, asks)]
                if [tuple(side) for side in ours] != theirs:
                    self._break(Rule.BOOK_DIFFERS, f"{self.symbol} at update {update_id}")
                return

    def check_rest(self, process: Process) -> None:
        """Compare the session's books with the exchange's, when nothing is under way."""
        owner = self._account.owner
        foreign = self._market.exchange.orders.by_client_id(owner, self.symbol, FOREIGN_ID)
        if foreign is None or not foreign.is_open:
            self._break(Rule.FOREIGN_TOUCHED, f"{FOREIGN_ID} on {self.symbol}")
        position = process.engine.state.portfolio.position(self.symbol)
        if position.lots != self.position_lots:
            found = f"{self.symbol}: ours {position.lots}, the exchange's {self.position_lots}"
            self._break(Rule.POSITION_DIFFERS, found)

    @property
    def _held_e8(self) -> int:
        ((_, free_e8, locked_e8),) = self._account.holds(self._instrument.base)
        return free_e8 + locked_e8

    def _ours(self) -> list[ClientOrder]:
        orders = self._market.exchange.orders.open_orders(self._account.owner, self.symbol)
        return [one for one in orders if one.client_order_id != FOREIGN_ID]
