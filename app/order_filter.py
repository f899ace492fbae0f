"""The blotter's filter: words that all must match, `!` in front of one turns it round.

`state:filled`, `side:buy`, `origin:model`, `symbol:BTCUSDT` and `reason:MAX` look at one column; `mine`,
`foreign`, `live`, `buy`, `sell` are short for the common ones; any other word is looked for in all columns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.core.order_moves import LIVE_STATES
from pipeline.core.snapshot import OrderView
from pipeline.core.types import Side

FOREIGN = "FOREIGN"
LONGEST = 80

_COLUMNS: dict[str, Callable[[OrderView], str]] = {
    "state": lambda order: order.state.value,
    "side": lambda order: "BUY" if order.side is Side.BUY else "SELL",
    "origin": lambda order: order.origin,
    "symbol": lambda order: order.symbol,
    "reason": lambda order: order.reason,
    "id": lambda order: order.client_order_id,
}
_SHORT: dict[str, Callable[[OrderView], bool]] = {
    "mine": lambda order: order.origin != FOREIGN,
    "foreign": lambda order: order.origin == FOREIGN,
    "live": lambda order: order.state in LIVE_STATES,
    "buy": lambda order: order.side is Side.BUY,
    "sell": lambda order: order.side is Side.SELL,
}


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """A filter as it was typed; without words it lets everything pass."""

    words: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Give the words as the screen shows them; empty without any."""
        return " ".join(self.words)

    def passes(self, order: OrderView) -> bool:
        """Say whether an order matches every word."""
        return all(_matches(word, order) for word in self.words)


def parse_filter(text: str) -> OrderFilter:
    """Read a filter; any text is one."""
    return OrderFilter(tuple(text[:LONGEST].lower().split()))


def _matches(word: str, order: OrderView) -> bool:
    if word.startswith("!"):
        return len(word) == 1 or not _matches(word[1:], order)
    if word in _SHORT:
        return _SHORT[word](order)
    column, colon, wanted = word.partition(":")
    if colon and column in _COLUMNS:
        return _COLUMNS[column](order).lower().startswith(wanted)
    return any(word in read(order).lower() for read in _COLUMNS.values())
