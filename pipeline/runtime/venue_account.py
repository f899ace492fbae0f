"""Every order of the account cancelled, foreign ones too: a person's choice while killed, and no one else's.

The venue's mass cancel is of one symbol. The session's own symbols are cancelled at once; then the orders of
the whole account are listed, and each symbol that has any is cancelled, again and again until the list is
empty. A released kill ends it.
"""

from __future__ import annotations

from pipeline.core.params import SECOND
from pipeline.runtime.venue_line import Ask
from pipeline.runtime.venue_state import OK, VenueState
from pipeline.wire.binance_answers import ApiAnswer, open_symbols_of

_AGAIN_NS = SECOND


class AccountCancel:
    """One order path's mass cancel; nothing happens before `begin`."""

    def __init__(self, state: VenueState) -> None:
        self._state = state
        self._wanted = False
        self._untold: dict[str, None] = {}
        self._list_due_ns = 0

    def begin(self, now_ns: int) -> None:
        """Want every order of the account gone."""
        self._wanted, self._list_due_ns = True, now_ns
        self._untold = dict.fromkeys(self._state.instruments)
        self._cancel(now_ns)

    def end(self) -> None:
        """Want it no longer: the gate was opened."""
        self._wanted = False

    def tick(self, now_ns: int) -> None:
        """Go on; to be called while the connection may act."""
        line = self._state.line
        if not self._wanted:
            return
        self._cancel(now_ns)
        if now_ns >= self._list_due_ns and not self._untold and line.may(Ask.ALL_ORDERS, now_ns):
            self._list_due_ns = now_ns + _AGAIN_NS
            line.ask_all_orders(now_ns)

    def listed(self, answer: ApiAnswer, now_ns: int) -> None:
        """Take the orders of the account; none is the end of it, a refusal is no answer.

        Raises:
            WireError: it is no list of orders.
        """
        if not self._wanted or answer.status != OK:
            return
        found = dict.fromkeys(open_symbols_of(answer.result))
        self._wanted, self._untold = bool(found), found
        self._cancel(now_ns)

    def _cancel(self, now_ns: int) -> None:
        line = self._state.line
        for symbol in tuple(self._untold):
            if self._state.may_act and line.may(Ask.CANCEL_SYMBOL, now_ns):
                line.cancel_symbol(symbol, now_ns)
                del self._untold[symbol]
