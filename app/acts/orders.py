"""Orders and position: cancel, flatten, and the blotter's filter."""

from __future__ import annotations

from app.acts.base import ActsBase
from app.order_filter import parse_filter
from app.screens.dialogs import LineDialog
from pipeline.core.inputs import Command
from pipeline.core.order_moves import LIVE_STATES
from pipeline.core.snapshot import ConsoleSnapshot, OrderView
from pipeline.core.types import Authority
from widgets.cells import lots_words, money, side_word, ticks_words
from widgets.scales import scales_of

MOST_NAMED = 3
"""Orders a strip names one by one; the rest is a count."""


class OrderActs(ActsBase):
    """Everything that is done to orders by hand; all of it takes risk away."""

    def act_cancel(self) -> None:
        """Cancel the selected order."""
        order = self._view.selected_order()
        if order is None or not self._view.is_shown("orders"):
            self._say("no order is selected: Tab to ORDERS or 2, then j")
        elif order.state not in LIVE_STATES:
            self._say(f"#{order.number} works no more: {order.state.value}")
        else:
            self._send(Command.CANCEL_ORDER, client_order_id=order.client_order_id, symbol=order.symbol)

    def act_cancel_all(self) -> None:
        """Ask, then cancel all ours on the symbol."""
        drawn = self._drawn
        if drawn is None:
            return
        symbol = drawn.instrument.symbol
        ours = [order for order in drawn.orders if order.symbol == symbol and order.state in LIVE_STATES]
        if not ours:
            self._say(f"no order of ours works on {symbol}")
            return
        named = ", ".join(self._order_words(drawn, order) for order in ours[:MOST_NAMED])
        more = f" and {len(ours) - MOST_NAMED} more" if len(ours) > MOST_NAMED else ""
        words = f"CANCEL {len(ours)} of OURS on {symbol}: {named}{more}; {self._where(drawn)}"
        self._ask(words, lambda: self._send(Command.CANCEL_ALL, symbol=symbol))

    def act_flatten(self) -> None:
        """Ask, then flatten the symbol to home; its permits end with it."""
        drawn = self._drawn
        if drawn is None:
            return
        position, symbol, ladder = drawn.position, drawn.instrument.symbol, drawn.ladder
        if position.lots == 0:
            self._say("nothing to flatten: the position is at home")
            return
        if position.dust:
            self._say(f"{self._position(drawn)} is dust: less than the venue takes, nothing can close it")
            return
        levels = ladder.bids if position.lots > 0 else ladder.asks
        touch = self._price(drawn, levels[0][0]) if levels else "no price"
        quote, act = drawn.instrument.quote, "sell at bid" if position.lots > 0 else "buy at ask"
        permits = "end its permits" + (" and its AUTO" if drawn.header.authority is Authority.AUTO else "")
        words = (
            f"FLATTEN {symbol} {self._position(drawn)} = {money(position.notional_quote_e8, sign=False)} "
            f"{quote}: cancel ours, {permits}, {act} {touch} inside the collar, fee "
            f"{money(position.exit_fee_quote_e8, sign=False)}; {self._where(drawn)}"
        )
        self._ask(words, lambda: self._send(Command.FLATTEN, symbol=symbol))

    def act_filter(self) -> None:
        """Type a filter for the blotter."""

        def answered(answer: tuple[str, float]) -> None:
            self.typed_filter(answer[0])

        value = self._view.blotter.filter.text
        self._open(LineDialog("/", answered, plain=self._plain, value=value))

    def typed_filter(self, value: str) -> None:
        """Show only the orders that match; an empty filter shows all."""
        wanted = parse_filter(value)
        self._view.blotter.set_filter(wanted)
        self._say(f"orders: {wanted.text}; / and Enter show all" if wanted.words else "all orders are shown")

    def _order_words(self, drawn: ConsoleSnapshot, order: OrderView) -> str:
        view = scales_of(drawn, order.symbol)
        left = lots_words(view, order.qty_lots - order.filled_lots)
        return f"{side_word(order.side)} {left} at {ticks_words(view, order.price_ticks)}"
