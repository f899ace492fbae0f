"""The account as our own fills make it: positions, profit of the day, drawdown, balances, gross exposure.

Everything here follows from fills and best prices. Money is in 1e-8 of the quote currency, and all symbols
of one session are taken to be quoted in the same one. Marks are best prices of an ok book; when the book is
lost they stay, because the position does, but nothing matures against them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from pipeline.core.after_fill import AfterFillMoves
from pipeline.core.earlier import EarlierPosition
from pipeline.core.orders import Exposure, Fill, OrderStore
from pipeline.core.position import Position, fee_quote_e8
from pipeline.core.types import E6, QUOTE_SCALE, Instrument

__all__ = ["Portfolio", "Position", "fee_quote_e8"]

_PRESSES_KEPT = 256
_DAY_NS = 86_400 * 10**9
_NS_PER_MS = 1_000_000


class Portfolio:
    """Positions by symbol and what they add up to."""

    def __init__(
        self,
        instruments: tuple[Instrument, ...],
        home_base_e8: int = 0,
        balance_quote_e8: int = 0,
        after_fill_bound: int = 1_024,
    ) -> None:
        """Start flat.

        `home_base_e8` is what the account held of each base currency at session start, in 1e-8: the home
        inventory that flatten never sells. `balance_quote_e8` is the quote balance then.
        """
        self.after_fill = AfterFillMoves(after_fill_bound)
        self._positions = {instrument.symbol: Position(instrument) for instrument in instruments}
        self._home_base_e8 = dict.fromkeys(self._positions, home_base_e8)
        self._start_quote_e8 = balance_quote_e8
        self._mid_half_ticks: dict[str, int] = {}
        self._day_by_symbol = dict.fromkeys(self._positions, 0)
        self._day_quote_e8 = 0
        self._peak_quote_e8 = 0
        self._presses_ns: deque[int] = deque(maxlen=_PRESSES_KEPT)

    def position(self, symbol: str) -> Position:
        """Give the position of a symbol of this session.

        Raises:
            KeyError: the session does not know the symbol.
        """
        return self._positions[symbol]

    def find(self, symbol: str) -> Position | None:
        """Give the position of a symbol; None for one the session does not know."""
        return self._positions.get(symbol)

    def set_home(self, base_e8: Mapping[str, int], quote_e8: int) -> None:
        """Take home inventory by symbol, and the money as it is now: what fills added to it is no start."""
        for symbol, held_e8 in base_e8.items():
            if symbol in self._home_base_e8:
                self._home_base_e8[symbol] = held_e8
        self._start_quote_e8 = quote_e8 - sum(
            one.cash_quote_e8 - one.fees_quote_e8
            for one in self._positions.values()
            if not one.instrument.margin
        )

    def carry(self, books: Sequence[EarlierPosition], ended_ns: int, now_ns: int) -> None:
        """Take over the books of the session before; a day's result stays while it lasts or anything is open.

        A restart resets no limit: the loss of the day goes on where it stood.
        """
        goes_on = ended_ns // _DAY_NS == now_ns // _DAY_NS or any(one.lots for one in books)
        for one in books:
            position = self._positions.get(one.symbol)
            if position is None:
                continue
            self._home_base_e8[one.symbol] = one.home_e8
            if goes_on:
                position.carry(one)
            if goes_on and not one.lots:  # an open one has its result with the first mark
                self._revalue(position)

    def carry_day(self, before_quote_e8: int, peak_quote_e8: int) -> None:
        """Let the day go on: add what it made before this run, and take the best it stood at."""
        self._day_quote_e8 += before_quote_e8
        self._peak_quote_e8 = max(self._peak_quote_e8, self._day_quote_e8, peak_quote_e8)

    def on_fill(self, fill: Fill) -> None:
        """Take a fill from `OrderStore.apply`; each fill once."""
        position = self._positions[fill.symbol]
        position.take(fill.side, fill.lots, fill.price_ticks, fill.ts_ns)
        position.fees_quote_e8 += fill.fee_quote_e8
        position.fills += 1
        position.maker_fills += fill.maker
        mid = self._mid_half_ticks.get(fill.symbol, 0)
        self.after_fill.on_fill(fill.symbol, fill.side, fill.maker, mid, fill.ts_ns)
        self._revalue(position)

    def on_mark(self, symbol: str, bid_ticks: int, ask_ticks: int) -> None:
        """Take the best prices of an ok book; call whenever they may have changed."""
        position = self._positions[symbol]
        position.bid_ticks = bid_ticks
        position.ask_ticks = ask_ticks
        self._mid_half_ticks[symbol] = bid_ticks + ask_ticks
        if position.lots:
            self._revalue(position)

    def on_book_lost(self, symbol: str) -> None:
        """Forget the mid of a book that is not ok; the last best prices stay as the mark."""
        self._mid_half_ticks[symbol] = 0

    def on_beat(self, now_ns: int) -> None:
        """Let fills mature against the mids of now."""
        self.after_fill.mature(self._mid_half_ticks, now_ns)

    def on_sent_after_press(self, press_ns: int, sent_ns: int) -> None:
        """Note how long a permitted idea waited from the key to the order."""
        self._presses_ns.append(max(0, sent_ns - press_ns))

    def press_to_sent_ms(self) -> tuple[int, int]:
        """Give (p50, p90) of key to order over the newest 256, in milliseconds; (-1, -1) without any."""
        if not self._presses_ns:
            return -1, -1
        ordered = sorted(self._presses_ns)
        last = len(ordered) - 1
        return ordered[last // 2] // _NS_PER_MS, ordered[last * 9 // 10] // _NS_PER_MS

    @property
    def day_quote_e8(self) -> int:
        """Give closed + open - fees over all symbols, with what earlier runs of the day made."""
        return self._day_quote_e8

    @property
    def day_loss_quote_e8(self) -> int:
        """Give how far below zero the day is; 0 in profit. What the loss limit is compared with."""
        return max(0, -self._day_quote_e8)

    @property
    def peak_quote_e8(self) -> int:
        """Give the best the day has stood at; never below 0."""
        return self._peak_quote_e8

    @property
    def drawdown_quote_e8(self) -> int:
        """Give how far the day stands below its best."""
        return self._peak_quote_e8 - self._day_quote_e8

    @property
    def equity_quote_e8(self) -> int:
        """Give the quote balance of the start and what the day made of it; what margin is measured by."""
        return self._start_quote_e8 + self._day_quote_e8

    @property
    def fills(self) -> int:
        """Give the number of fills over all symbols."""
        return sum(position.fills for position in self._positions.values())

    @property
    def maker_share_e6(self) -> int:
        """Give the share of fills that were makers, in 1e-6; 0 without fills."""
        fills = self.fills
        makers = sum(position.maker_fills for position in self._positions.values())
        return makers * E6 // fills if fills else 0

    @property
    def gross_quote_e8(self) -> int:
        """Give the sum of the sizes of all positions, at the prices one could leave at."""
        return sum(position.notional_quote_e8 for position in self._positions.values())

    def worst_gross_quote_e8(self, orders: OrderStore, without: str = "") -> int:
        """Give the gross exposure if every live order filled on its worse side, `without` one symbol."""
        return sum(
            worst_notional_quote_e8(position, orders.exposure(symbol))
            for symbol, position in self._positions.items()
            if symbol != without
        )

    def home_lots(self, symbol: str) -> int:
        """Give the home inventory of a symbol's base currency in whole lots."""
        instrument = self._positions[symbol].instrument
        units = self._home_base_e8[symbol] * int(10**instrument.size_decimals) // QUOTE_SCALE
        return units // instrument.lot_units

    def balance_lots(self, symbol: str) -> int:
        """Give the balance of the base currency in lots: home inventory plus position. Spot only."""
        return self.home_lots(symbol) + self._positions[symbol].lots

    def free_quote_e8(self, orders: OrderStore) -> int:
        """Give the quote balance that no live buy of a spot symbol may still need, its fee included."""
        free = self._start_quote_e8
        for symbol, position in self._positions.items():
            if not position.instrument.margin:
                free += position.cash_quote_e8 - position.fees_quote_e8
                free -= reserved_quote_e8(position.instrument, orders.exposure(symbol))
        return free

    def _revalue(self, position: Position) -> None:
        symbol = position.instrument.symbol
        day = position.day_quote_e8
        self._day_quote_e8 += day - self._day_by_symbol[symbol]
        self._day_by_symbol[symbol] = day
        self._peak_quote_e8 = max(self._peak_quote_e8, self._day_quote_e8)


def worst_notional_quote_e8(position: Position, exposure: Exposure) -> int:
    """Give the value of the worst position the live orders can lead to."""
    worst = exposure.worst_case_lots(position.lots)
    return position.instrument.notional_quote_e8(position.reference_ticks, abs(worst))


def reserved_quote_e8(instrument: Instrument, exposure: Exposure) -> int:
    """Give the quote money the open buys of a symbol may take, taker fee included."""
    notional = instrument.notional_quote_e8(exposure.buy_tick_lots, 1)
    return notional + max(0, fee_quote_e8(notional, instrument.fees.taker_e6))
