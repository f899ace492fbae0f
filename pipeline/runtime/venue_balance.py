"""Whether the account holds what it should: home inventory and what our fills added (CONTROLS C21). Pure.

Looked at only while nothing of ours is open and nothing was filled since the question: an answer that is
older than a fill would look like a break. What is off by a lot or more twice in a row is told, once for each
size of the break. Nothing is mended here.
"""

from __future__ import annotations

from pipeline.core.inputs import PositionBroke
from pipeline.core.params import MS
from pipeline.runtime.venue_line import Ask
from pipeline.runtime.venue_state import Phase, VenueState
from pipeline.wire.binance_answers import BalanceNews

_AGAIN_NS = 1_000 * MS


class BalanceWatch:
    """Compares the account with our own books, now and then."""

    def __init__(self, state: VenueState) -> None:
        self._state = state
        self._fills = -1
        self._seen: dict[str, int] = {}
        self._told: dict[str, int] = {}
        self._lots_e8 = {
            one.base: one.lot_units * 10**8 // int(10**one.size_decimals)
            for one in state.instruments.values()
        }

    def tick(self, now_ns: int) -> None:
        """Ask for the account when that is due and nothing of ours is open."""
        state = self._state
        due = now_ns >= state.account_due_ns and not state.orders.live()
        if due and not state.line.waits_for(Ask.ACCOUNT) and state.line.may(Ask.ACCOUNT, now_ns):
            state.account_due_ns = now_ns + state.params.list_every_ms * MS
            self._fills = state.orders.fills
            state.line.ask_account(now_ns)

    def read(self, news: BalanceNews, now_ns: int) -> None:
        """Take the balances."""
        state, home = self._state, self._state.start.home_e8
        at_rest = not state.orders.live() and state.orders.fills == self._fills
        if state.phase is not Phase.UP or home is None or not at_rest:
            return
        for asset, lot_e8 in self._lots_e8.items():
            # What a start found and nobody adopted yet was told of then.
            expected_e8 = home.get(asset, 0) + state.orders.flow_e8(asset) + state.start.off_e8.get(asset, 0)
            found_e8 = news.totals_e8.get(asset, 0)
            off_e8 = found_e8 - expected_e8 if abs(found_e8 - expected_e8) >= lot_e8 else 0
            if off_e8 and self._seen.get(asset) == off_e8 and self._told.get(asset) != off_e8:
                self._told[asset] = off_e8
                state.reports.append(PositionBroke(asset, expected_e8, found_e8, now_ns))
            elif off_e8 and self._told.get(asset) != off_e8:
                state.account_due_ns = now_ns + _AGAIN_NS
            self._seen[asset] = off_e8
