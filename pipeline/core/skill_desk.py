"""What follows from what models were worth: alerts, reductions only, queue imbalance instead, and back.

Outcomes enter the monitors as the market moves; here is looked at once a beat, and only where something that
matters has changed. A closed gate takes one-shots, windows, cards and working entries away and leaves exits
alone. AUTO's permit stays, bounded as it is, and nothing goes through it before the gate is open again.
"""

from __future__ import annotations

from pipeline.core.desk import SymbolDesk
from pipeline.core.effects import AlertCode
from pipeline.core.inputs import ModelRecord
from pipeline.core.model_book import short_name
from pipeline.core.model_monitor import ModelMonitor
from pipeline.core.permit import PermitEnd, PermitKind, PermitRecord
from pipeline.core.skill import Proof
from pipeline.core.state import EngineState
from pipeline.core.symbol_watch import Source
from pipeline.core.trader import Trader
from pipeline.core.types import Severity

GATE = "skill gate"
"""Who opens AUTO's permit anew for another source; never a person's name."""


class SkillDesk:
    """The models' side of the engine."""

    def __init__(self, state: EngineState, trader: Trader) -> None:
        self._state = state
        self._trader = trader
        self._proven: dict[str, str] = {}
        """By symbol, the model that was last said to be proven."""

    def on_beat(self, desk: SymbolDesk, now_ns: int) -> None:
        """Look at one symbol: judge after a block, see who may decide, take the fates of ideas."""
        watch = desk.watch
        if watch.live is None:
            return
        moved = False
        if watch.block_ended:
            watch.block_ended = False
            moved = self._judge(desk, now_ns)
        stopped = bool(self._state.model_gate.disabled) or watch.silent(now_ns)
        if moved or stopped is not watch.stopped:
            watch.stopped = stopped
            self._settle(desk, now_ns)

    def on_fates(self) -> None:
        """Tell each symbol's watch what became of its cards."""
        for idea, end in self._state.ideas.take_ended():
            self._state.desks[idea.symbol].watch.ideas.ended(idea.idea_id, end)

    def on_record(self, record: ModelRecord) -> None:
        """Go on from what an earlier session learned of the same file on the same symbol."""
        state, desk = self._state, self._state.desks.get(record.symbol)
        model_id, shadows = record.state.model_id, state.models.shadows
        monitor = desk.watch.monitor_of(model_id, shadows) if desk is not None else None
        if desk is None or monitor is None or not monitor.restore(record.state):
            code, who = AlertCode.MODEL_RECORD_REFUSED, model_id[:16]
            state.out.alert(code, Severity.WARN, record.ts_ns, record.symbol, who)
            return
        age_s = max(0, record.ts_ns - record.state.ts_ns) // 1_000_000_000
        values = (monitor.restored_rows, monitor.calls, age_s)
        name = short_name(monitor.spec)
        state.out.alert(AlertCode.MODEL_RECORD, Severity.INFO, record.ts_ns, record.symbol, name, values)
        self._settle(desk, record.ts_ns)

    def _judge(self, desk: SymbolDesk, now_ns: int) -> bool:
        watch, live = desk.watch, desk.watch.live
        if live is None:
            return False
        proof, moved = live.judge()
        model_id = live.spec.model_id
        if proof is Proof.PROVEN and self._proven.get(desk.symbol) != model_id:
            self._proven[desk.symbol] = model_id
            self._say(AlertCode.MODEL_PROVEN, Severity.INFO, desk, live, proof.value, now_ns)
        if moved:
            code = AlertCode.MODEL_GATE_OPENED if live.gate.is_open else AlertCode.MODEL_GATE_CLOSED
            severity = Severity.INFO if live.gate.is_open else Severity.WARN
            beaten = proof is Proof.PROVEN and not live.gate.is_open
            self._say(code, severity, desk, live, "BEATEN" if beaten else proof.value, now_ns)
        # Queue imbalance may have become, or ceased to be, worth deciding by.
        return moved or watch.source is not Source.MODEL

    def _say(
        self,
        code: AlertCode,
        severity: Severity,
        desk: SymbolDesk,
        live: ModelMonitor,
        detail: str,
        now_ns: int,
    ) -> None:
        skill = live.over_constant()
        values = (skill.skill_e6, skill.low_e6, skill.high_e6, live.calls)
        self._state.out.alert(code, severity, now_ns, desk.symbol, detail, values)

    def _settle(self, desk: SymbolDesk, now_ns: int) -> None:
        """Let the one decide who may; whoever loses leaves nothing behind that could still open."""
        watch = desk.watch
        source, before = watch.source_now(), watch.source
        if source is before:
            return
        state = self._state
        watch.source = source
        if Source.FALLBACK not in (source, before) and watch.live is not None and watch.live.gate.is_open:
            return  # no answers, or answers again: what was permitted waits, and nothing goes meanwhile
        end = PermitEnd.SKILL if source is not Source.MODEL else PermitEnd.MODEL
        ended = state.permits.end_given(end, now_ns, desk.symbol)
        if Source.FALLBACK in (source, before):
            ended += self._auto_anew(desk, now_ns)
        self._trader.permits_ended(ended, now_ns)
        state.ideas.withdraw(desk.symbol, now_ns)
        desk.decision = None
        if desk.decider is not None:
            desk.decider.reset()
        if source is Source.FALLBACK:
            why = "STOPPED" if watch.stopped else "UNPROVEN"
            state.out.alert(AlertCode.MODEL_FALLBACK, Severity.WARN, now_ns, desk.symbol, why)
        self._trader.work(desk, now_ns)

    def _auto_anew(self, desk: SymbolDesk, now_ns: int) -> tuple[PermitRecord, ...]:
        """Give AUTO's permit to who decides now, where one is open; give the one it replaces."""
        permits, symbol = self._state.permits, desk.symbol
        old = [
            record
            for record in permits.open_permits()
            if record.permit.symbol == symbol and record.permit.kind is PermitKind.AUTO
        ]
        if old:
            permits.open_auto(symbol, GATE, *desk.watch.identity, now_ns)
        return tuple(old)
