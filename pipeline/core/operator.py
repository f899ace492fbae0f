"""What a person asks for: permits, steps down, cancels, flatten, halt, resume.

Going down the three axes is done at once and never undone by the same key; going up is a command of its
own. Each command leaves one line of answer in `state.last_answer`; an empty line means the screen shows it.
"""

from __future__ import annotations

from collections.abc import Callable

from pipeline.core.cards import PressRefusal
from pipeline.core.desk import SymbolDesk
from pipeline.core.effects import AlertCode, CloseGate, OpenGate
from pipeline.core.funnel import Stage
from pipeline.core.inputs import Command, GateChanged, OperatorCommand
from pipeline.core.kill_desk import KillDesk
from pipeline.core.kill_progress import RELEASED
from pipeline.core.permit import PermitEnd, PermitKind, PermitRecord
from pipeline.core.state import EngineState
from pipeline.core.trader import Trader
from pipeline.core.types import Authority, Severity, TradingState

SETTLE = ":adopt or :cancel-earlier"
UNSETTLED = "what an earlier session left is not settled: `:adopt` or `:cancel-earlier`"

VENUE = "venue"
"""Who moved the trading state when the order path did; never a person's name."""


class OperatorDesk:
    """Carries out operator commands and changes of the gate."""

    def __init__(self, state: EngineState, trader: Trader) -> None:
        self._state = state
        self._trader = trader
        self._kills = KillDesk(state, trader)
        self._acts: dict[Command, Callable[[OperatorCommand], str]] = {
            Command.PERMIT_ONCE: self._permit_once,
            Command.DECLINE: self._decline,
            Command.PERMIT_WINDOW: self._permit_window,
            Command.END_PERMITS: self._end_permits,
            Command.AUTHORITY_DOWN: self._authority_down,
            Command.SET_AUTHORITY: self._set_authority,
            Command.HALT: self._halt,
            Command.REDUCE: self._reduce,
            Command.RESUME: self._resume,
            Command.KILL: self._kill,
            Command.RELEASE: self._release,
            Command.CANCEL_ORDER: self._cancel_order,
            Command.CANCEL_ALL: self._cancel_all,
            Command.CANCEL_ACCOUNT: self._kills.cancel_account,
            Command.LEAVE_ORDERS: self._kills.leave,
            Command.FLATTEN: self._flatten,
            Command.EDIT_SIZE: self._edit_size,
            Command.NOTE_ALERT: self._note_alert,
        }

    def also(self, command: Command, act: Callable[[OperatorCommand], str]) -> None:
        """Let another room carry out a command."""
        self._acts[command] = act

    def on_command(self, command: OperatorCommand) -> None:
        """Carry out one command."""
        self._state.last_answer = self._acts[command.command](command)

    def on_gate(self, gate: GateChanged) -> None:
        """Follow the gate: closed halts, or kills and observes; opened leads to HALTED."""
        state = self._state
        state.gate = gate
        state.resume_to = None
        if gate.open:
            state.out.alert(AlertCode.GATE_OPENED, Severity.INFO, gate.ts_ns, "", gate.who)
            state.kill = None
            if state.trading_state is TradingState.KILLED:
                self.set_trading_state(TradingState.HALTED, gate.who, gate.ts_ns)
            return
        severity = Severity.CRITICAL if gate.latched else Severity.WARN
        detail = f"{gate.who} {gate.reason}".strip()
        state.out.alert(AlertCode.GATE_CLOSED, severity, gate.ts_ns, "", detail, (gate.generation,))
        self._kills.begin(gate)
        wanted = TradingState.KILLED if gate.latched else TradingState.HALTED
        if wanted < state.trading_state:
            self.set_trading_state(wanted, gate.who, gate.ts_ns)
        if gate.latched and state.authority is not Authority.OBSERVE:
            self.set_authority(Authority.OBSERVE, gate.who, gate.ts_ns)
        self._kills.converge(gate.ts_ns)

    def converge(self, now_ns: int) -> None:
        """Go on cancelling after a kill until the venue has nothing of ours left, and say when."""
        self._kills.converge(now_ns)

    def set_trading_state(self, wanted: TradingState, who: str, now_ns: int) -> None:
        """Change the trading state; HALTED and below take every card and permit away."""
        state = self._state
        if who != VENUE:
            state.resume_to = None
        if wanted is state.trading_state:
            return
        values = (int(state.trading_state), int(wanted))
        state.trading_state = wanted
        severity = Severity.WARN if wanted <= TradingState.HALTED else Severity.INFO
        state.out.alert(AlertCode.TRADING_STATE_CHANGED, severity, now_ns, "", who, values)
        self._trader.permits_ended(state.permits.set_trading_state(wanted, now_ns), now_ns)
        for desk in state.desks.values():
            if wanted is not TradingState.ACTIVE:
                state.ideas.withdraw(desk.symbol, now_ns)
            self._trader.work(desk, now_ns)
            self._trader.recall(desk, now_ns)

    def set_authority(self, wanted: Authority, who: str, now_ns: int) -> None:
        """Change the authority; AUTO opens its permit on every symbol."""
        state = self._state
        values = (int(state.authority), int(wanted))
        state.authority = wanted
        state.out.alert(AlertCode.AUTHORITY_CHANGED, Severity.INFO, now_ns, "", who, values)
        self._trader.permits_ended(state.permits.set_authority(wanted, now_ns), now_ns)
        if wanted is Authority.AUTO:
            self.open_auto(who, now_ns)
        for desk in state.desks.values():
            self._trader.work(desk, now_ns)

    def open_auto(self, who: str, now_ns: int) -> None:
        """Open the permit of AUTO on every symbol that has limits and no such permit.

        The order path opens none where a person flattened.
        """
        permits, model = self._state.permits, self._state.model
        if model is None:
            return
        open_now = {r.permit.symbol: r for r in permits.open_permits() if r.permit.kind is PermitKind.AUTO}
        for symbol, desk in self._state.desks.items():
            if symbol in open_now or (who == VENUE and desk.auto_ended):
                continue
            desk.auto_ended = False
            record = permits.open_auto(symbol, who, *desk.watch.identity, now_ns)
            if isinstance(record, PermitRecord):
                self._opened(record, now_ns)

    # --- permits ------------------------------------------------------------------------------------------

    def _permit_once(self, command: OperatorCommand) -> str:
        state, now_ns = self._state, command.ts_ns
        if state.start.differs:
            return self._press_refused(command, PressRefusal.UNRECONCILED)
        idea = state.ideas.find(command.target_id)
        symbol = idea.symbol if idea is not None else command.symbol
        aimed = state.aimed_lots(symbol)
        drawn_hash = command.seen.card_hash if command.seen is not None else ""
        record = state.permits.permit_once(
            idea, command.revision, command.who, aimed, now_ns, drawn_hash=drawn_hash
        )
        if isinstance(record, PressRefusal):
            return self._press_refused(command, record)
        state.ideas.take(command.target_id, now_ns)
        self._opened(record, now_ns)
        desk = state.desks[symbol]
        desk.funnel.count(Stage.PERMITTED, now_ns)
        desk.policy.adopt()
        self._trader.work(desk, now_ns)
        return ""

    def _decline(self, command: OperatorCommand) -> str:
        state = self._state
        on_offer = state.ideas.find(command.target_id) is not None
        answer = state.ideas.decline(command.target_id, command.revision, command.ts_ns)
        if isinstance(answer, PressRefusal):
            return self._press_refused(command, answer)
        if on_offer:  # the second press is on the row the first one emptied
            state.desks[answer.symbol].funnel.count(Stage.DECLINED, command.ts_ns)
        return ""

    def _permit_window(self, command: OperatorCommand) -> str:
        state, model = self._state, self._state.model
        if state.start.differs:
            return self._press_refused(command, PressRefusal.UNRECONCILED)
        if model is None or command.symbol not in state.desks:
            return self._press_refused(command, PressRefusal.BAD_TERMS)
        record = state.permits.open_window(
            command.symbol,
            command.terms,
            command.who,
            *state.desks[command.symbol].watch.identity,
            state.portfolio.day_quote_e8,
            command.ts_ns,
        )
        if isinstance(record, PressRefusal):
            return self._press_refused(command, record)
        self._opened(record, command.ts_ns)
        state.desks[command.symbol].policy.adopt()
        return ""

    def _end_permits(self, command: OperatorCommand) -> str:
        ended = self._state.permits.end_all(PermitEnd.OPERATOR, command.ts_ns)
        self._trader.permits_ended(ended, command.ts_ns)
        return f"{len(ended)} permits ended"

    def _edit_size(self, command: OperatorCommand) -> str:
        answer = self._state.ideas.edit(command.target_id, command.revision, command.qty_lots, command.ts_ns)
        return self._press_refused(command, answer) if isinstance(answer, PressRefusal) else ""

    def _opened(self, record: PermitRecord, now_ns: int) -> None:
        state, permit = self._state, record.permit
        state.counters.permits += 1
        state.desks[permit.symbol].refused_seq = 0
        values = (permit.permit_id, permit.idea_id, permit.max_order_lots)
        state.out.alert(AlertCode.PERMIT_OPENED, Severity.INFO, now_ns, permit.symbol, permit.who, values)

    def _press_refused(self, command: OperatorCommand, refusal: PressRefusal) -> str:
        self._state.out.alert(
            AlertCode.PERMIT_REFUSED, Severity.INFO, command.ts_ns, command.symbol, refusal.value
        )
        return refusal.value

    # --- the three axes -----------------------------------------------------------------------------------

    def _authority_down(self, command: OperatorCommand) -> str:
        lower = Authority(max(0, self._state.authority - 1))
        if lower is not self._state.authority:
            self.set_authority(lower, command.who, command.ts_ns)
        return lower.name

    def _set_authority(self, command: OperatorCommand) -> str:
        if command.authority not in tuple(Authority):
            return f"authority {command.authority}: wanted 0, 1 or 2"
        if command.authority > self._state.authority:
            if self._state.trading_state is TradingState.KILLED:
                return "KILLED: release it first, then `:resume`, then raise the authority"
            if self._state.start.differs:
                return UNSETTLED
        self.set_authority(Authority(command.authority), command.who, command.ts_ns)
        return self._state.authority.name

    def _halt(self, command: OperatorCommand) -> str:
        self._state.resume_to = None
        if self._state.trading_state > TradingState.HALTED:
            self.set_trading_state(TradingState.HALTED, command.who, command.ts_ns)
        return self._state.trading_state.name

    def _reduce(self, command: OperatorCommand) -> str:
        if self._state.resume_to is not None:
            self._state.resume_to = min(self._state.resume_to, TradingState.REDUCING)
        if self._state.trading_state > TradingState.REDUCING:
            self.set_trading_state(TradingState.REDUCING, command.who, command.ts_ns)
        return self._state.trading_state.name

    def _resume(self, command: OperatorCommand) -> str:
        state = self._state
        if state.trading_state is TradingState.KILLED or not state.gate_open:
            return "the gate is closed: release it first"
        if not state.order_path_up:
            return "the order path is down: what stands at the venue is not known"
        if state.start.differs:
            return UNSETTLED
        state.model_gate.reenable()
        state.out.put(OpenGate(command.ts_ns))
        for desk in state.desks.values():
            state.risk.reenable(desk.symbol)
            desk.flatten_who = ""
        self.set_trading_state(TradingState.ACTIVE, command.who, command.ts_ns)
        if state.authority is Authority.AUTO:
            self.open_auto(command.who, command.ts_ns)
        return state.trading_state.name

    def _kill(self, command: OperatorCommand) -> str:
        self._state.out.put(CloseGate(f"kill by {command.who}", latch=True, ts_ns=command.ts_ns))
        return "KILLED"

    def _release(self, command: OperatorCommand) -> str:
        if not self._state.gate_open:
            return "the gate is still closed"
        if self._state.trading_state > TradingState.HALTED:
            return "nothing to release: the gate is open"
        self.set_trading_state(TradingState.HALTED, command.who, command.ts_ns)
        killed = self._state.authority is Authority.OBSERVE
        return f"released: HALTED, {RELEASED if killed else '`:resume` arms'}"

    # --- orders -------------------------------------------------------------------------------------------

    def _cancel_order(self, command: OperatorCommand) -> str:
        order = self._state.orders.order(command.client_order_id)
        if order is None or not order.is_live:
            return "no such working order"
        desk = self._state.desks[order.symbol]
        self._trader.cancel(desk, command.client_order_id, "OPERATOR", command.ts_ns)
        return ""

    def _cancel_all(self, command: OperatorCommand) -> str:
        desk = self._state.desks.get(command.symbol)
        if desk is None:
            return f"{command.symbol}: not in this session"
        self._kills.choose_ours()
        return f"{self.cancel_live(desk, 'OPERATOR', command.ts_ns)} cancels sent"

    def _flatten(self, command: OperatorCommand) -> str:
        """Take a symbol home, and every permit on it away: or the machine would enter again at once."""
        desk = self._state.desks.get(command.symbol)
        if desk is None:
            return f"{command.symbol}: not in this session"
        ended = self._state.permits.end_all(PermitEnd.FLATTEN, command.ts_ns, desk.symbol)
        self._trader.permits_ended(ended, command.ts_ns)
        desk.auto_ended = True
        told = f"permits ended: {len(ended)}" if ended else ""
        if self._state.portfolio.position(desk.symbol).lots == 0:
            self.cancel_live(desk, "FLATTEN", command.ts_ns)
            return "; ".join(filter(None, ("nothing to flatten: the position is at home", told)))
        desk.flatten_who = command.who
        self._trader.work(desk, command.ts_ns)
        return f"flattening; {told}" if told else ""

    def _note_alert(self, command: OperatorCommand) -> str:
        return "" if self._state.alerts.note(command.target_id, command.who) else "no alert to note"

    def cancel_live(self, desk: SymbolDesk, reason: str, now_ns: int) -> int:
        """Ask for every live order of a symbol to be cancelled, also again after a while; count them."""
        return self._kills.cancel_live(desk, reason, now_ns)

    def cancel_again(self, client_order_id: str, reason: str, now_ns: int) -> None:
        """Ask for a live order to be cancelled, unless that was done a moment ago."""
        self._kills.cancel_again(client_order_id, reason, now_ns)
