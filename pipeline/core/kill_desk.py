"""What the engine does about a kill: lets a person at the console choose, cancels, converges on zero."""

from __future__ import annotations

from pipeline.core.desk import SymbolDesk
from pipeline.core.effects import AlertCode, CancelAccount
from pipeline.core.inputs import GateChanged, OperatorCommand
from pipeline.core.kill_progress import CHOICE_NS, KillProgress
from pipeline.core.state import EngineState
from pipeline.core.trader import Trader
from pipeline.core.types import Origin, Severity

CANCEL_REPEAT_NS = 1_000_000_000
"""A cancel nobody answered is asked again after this."""
_CONSOLE = ("console",)


class KillDesk:
    """Follows the kill in `EngineState.kill`."""

    def __init__(self, state: EngineState, trader: Trader) -> None:
        self._state = state
        self._trader = trader

    def begin(self, gate: GateChanged) -> None:
        """Follow a close from now on; a kill replaces a halt, the first kill stands, a second hurries it."""
        state, kill = self._state, self._state.kill
        if kill is not None and (kill.latched or not gate.latched):
            if gate.kills > kill.kills:
                kill.kills = gate.kills
                kill.cancel_ours()
            return
        # Only a console offers the choice, and only one that may do more than watch.
        offered = gate.latched and gate.killers == _CONSOLE and state.consoles > 0
        state.kill = KillProgress(
            who=gate.who,
            reason=gate.reason,
            ts_ns=gate.ts_ns,
            latched=gate.latched,
            ours_total=state.orders.open_orders,
            canceled_before=state.orders.counts.canceled,
            filled_before=state.orders.counts.filled,
            last_number=state.orders.newest_number,
            kills=gate.kills,
            choose_by_ns=gate.ts_ns + CHOICE_NS if offered and state.orders.open_orders else 0,
        )

    def converge(self, now_ns: int) -> None:
        """Go on cancelling until the venue has nothing of ours left, and say when."""
        state, kill = self._state, self._state.kill
        if kill is None or not kill.latched or kill.confirmed_ts_ns:
            return
        if kill.choose_by_ns and (now_ns >= kill.choose_by_ns or not state.consoles):
            kill.cancel_ours()
        if state.orders.open_orders:
            if not kill.spares:
                self._cancel_before(kill, now_ns)
            return
        kill.choose_by_ns = 0
        if state.has_order_path and not kill.listed_zero:
            return  # our own books are no proof; the venue's lists are
        kill.confirmed_ts_ns = now_ns
        state.out.alert(AlertCode.ORDERS_GONE, Severity.INFO, now_ns)

    def choose_ours(self) -> None:
        """Take a person's cancel of ours as the choice, while there is one; what was left stays left."""
        kill = self._state.kill
        if kill is not None and kill.choose_by_ns:
            kill.cancel_ours()

    def leave(self, command: OperatorCommand) -> str:
        """Leave ours resting; `revision` 1 does it, 0 is only a question and moves nothing."""
        kill = self._state.kill
        if kill is None or not kill.choose_by_ns:
            return "too late to leave our orders: their cancels are sent"
        if not command.revision:
            return ""
        kill.leave()
        left = self._state.orders.open_orders
        code = AlertCode.ORDERS_LEFT
        self._state.out.alert(code, Severity.CRITICAL, command.ts_ns, "", command.who, (left,))
        return f"{left} orders of ours left resting"

    def cancel_account(self, command: OperatorCommand) -> str:
        """Cancel every order of the account, foreign ones too; only while killed."""
        state, kill = self._state, self._state.kill
        if kill is None or not kill.latched:
            return "only a kill cancels foreign orders"
        kill.cancel_ours()
        kill.account = True
        code = AlertCode.ACCOUNT_CANCELED
        state.out.alert(code, Severity.CRITICAL, command.ts_ns, "", command.who, (state.foreign_orders,))
        state.out.put(CancelAccount("KILL", command.ts_ns))
        self.converge(command.ts_ns)
        return "cancelling every order of the account"

    def cancel_live(self, desk: SymbolDesk, reason: str, now_ns: int) -> int:
        """Ask for every live order of a symbol to be cancelled, also again after a while; count them."""
        orders = self._state.orders.live(desk.symbol)
        for order in orders:
            self.cancel_again(order.client_order_id, reason, now_ns)
        return len(orders)

    def cancel_again(self, client_order_id: str, reason: str, now_ns: int) -> None:
        """Ask for a live order to be cancelled, unless that was done a moment ago."""
        order = self._state.orders.order(client_order_id)
        if order is None or not order.is_live:
            return
        if order.cancel_asked_ns < 0 or now_ns - order.cancel_asked_ns >= CANCEL_REPEAT_NS:
            self._trader.cancel(self._state.desks[order.symbol], client_order_id, reason, now_ns)

    def _cancel_before(self, kill: KillProgress, now_ns: int) -> None:
        for order in self._state.orders.all_live():
            # A flatten a person sent after the kill ends by itself, and may still wait for the disk.
            after = order.intent.origin is Origin.FLATTEN and order.number > kill.last_number
            if not after:
                self.cancel_again(order.client_order_id, "KILL", now_ns)
