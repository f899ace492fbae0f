"""The way orders go to a venue outside this process (SIM, LIVE): HALTED unless it is up and reconciled.

In SIM the trading state it took comes back by itself when every order is known again; in LIVE a person
resumes, and AUTO has become APPROVE. The account as first read is home inventory. Lists of open orders
count foreign ones, and end a kill: only two lists without an order of ours, the second longer after the
first than an order may be on its way, are NO ORDERS LEFT.

Nothing is ever mended by trading: an order UNKNOWN for half a minute, and an account that does not hold what
our fills add up to, halt the session, and a person looks.
"""

from __future__ import annotations

from pipeline.core.effects import AlertCode
from pipeline.core.inputs import AccountRead, OpenOrdersListed, OrderPathChanged, PositionBroke, SymbolStatus
from pipeline.core.operator import SETTLE, VENUE, OperatorDesk
from pipeline.core.state import EngineState
from pipeline.core.types import Authority, Severity, TradingState, VenueMode, scaled_text

UNKNOWN_HALTS_NS = 30_000_000_000
"""An order nobody can find for this long is a person's business."""


class OrderPath:
    """Follows the order connection of a session that has one."""

    def __init__(self, state: EngineState, operator: OperatorDesk) -> None:
        self._state = state
        self._operator = operator

    def on_changed(self, change: OrderPathChanged) -> None:
        """Halt while the path is down; take the halt back in SIM when it is up."""
        state, now_ns = self._state, change.ts_ns
        state.order_path_up = change.up
        code = AlertCode.ORDER_PATH_UP if change.up else AlertCode.ORDER_PATH_DOWN
        severity = Severity.INFO if change.up else Severity.CRITICAL
        state.out.alert(code, severity, now_ns, "", self._detail(change))
        if change.up:
            self.resume(now_ns)
        else:
            self.hold(now_ns)

    def hold(self, now_ns: int) -> None:
        """Halt until the venue and our books agree again; in SIM what was before comes back by itself."""
        before = self._state.trading_state
        if before > TradingState.HALTED:
            self._operator.set_trading_state(TradingState.HALTED, VENUE, now_ns)
            self._remember(before, now_ns)

    def resume(self, now_ns: int) -> None:
        """Take a halt back that only waited for the venue; a difference nobody settled keeps it."""
        state = self._state
        if state.start.differs:
            return
        wanted, state.resume_to = state.resume_to, None
        if wanted is None or state.trading_state is not TradingState.HALTED or not state.gate_open:
            return
        self._operator.set_trading_state(wanted, VENUE, now_ns)
        if state.authority is Authority.AUTO:
            self._operator.open_auto(VENUE, now_ns)

    def on_account(self, account: AccountRead) -> None:
        """Take what of the account is home inventory, and its money."""
        self._state.portfolio.set_home(dict(account.base_e8), account.quote_e8)

    def on_listed(self, listed: OpenOrdersListed) -> None:
        """Count foreign orders, and see whether a kill has come to its end."""
        state = self._state
        if listed.foreign > state.foreign_orders:
            values = (listed.foreign,)
            state.out.alert(AlertCode.FOREIGN_ORDERS, Severity.WARN, listed.ts_ns, "", "", values)
        state.foreign_orders = listed.foreign
        if state.kill is not None:
            state.kill.on_listed(listed.ours, listed.asked_ns)

    def on_break(self, broken: PositionBroke) -> None:
        """Halt: the position is not what we think, and trading on would make it worse."""
        off_e8 = broken.found_e8 - broken.expected_e8
        detail = f"{broken.asset} off by {scaled_text(off_e8, 8)}"
        self._state.out.alert(AlertCode.POSITION_BREAK, Severity.CRITICAL, broken.ts_ns, "", detail)
        self._halt("position break", broken.ts_ns)

    def on_symbol_status(self, status: SymbolStatus) -> None:
        """Take the venue's word on a symbol; one that does not trade keeps no order of ours (C12)."""
        desk, now_ns = self._state.desks.get(status.symbol), status.ts_ns
        if desk is None:
            return
        desk.status_ns = now_ns
        if desk.tradable is status.tradable:
            return
        desk.tradable = status.tradable
        severity = Severity.INFO if status.tradable else Severity.CRITICAL
        code = AlertCode.SYMBOL_STATUS
        self._state.out.alert(code, severity, now_ns, status.symbol, status.status)
        if not status.tradable:
            self._operator.cancel_live(desk, "NOT_TRADABLE", now_ns)

    def on_beat(self, now_ns: int) -> None:
        """Halt when an order has been in doubt too long."""
        state = self._state
        if not state.has_order_path or not state.orders.unknown_orders:
            return
        since_ns = state.orders.unknown_since_ns()
        if state.trading_state > TradingState.HALTED and now_ns - since_ns >= UNKNOWN_HALTS_NS:
            state.out.alert(AlertCode.ORDER_UNKNOWN, Severity.CRITICAL, now_ns, "", "UNRESOLVED")
            self._halt("order unknown", now_ns)

    def _detail(self, change: OrderPathChanged) -> str:
        """Give the reason as it is; `reconciled` is not true while something waits for a person."""
        start = self._state.start
        if not change.up or not start.differs:
            return change.reason
        left = start.differences
        return f"{left} difference{'' if left == 1 else 's'} wait{'s' if left == 1 else ''} for {SETTLE}"

    def _halt(self, why: str, now_ns: int) -> None:
        wanted = min(TradingState.HALTED, self._state.trading_state)
        self._operator.set_trading_state(wanted, why, now_ns)

    def _remember(self, before: TradingState, now_ns: int) -> None:
        state = self._state
        if state.params.mode is VenueMode.LIVE:
            if state.authority is Authority.AUTO:
                self._operator.set_authority(Authority.APPROVE, VENUE, now_ns)
        else:
            state.resume_to = before
