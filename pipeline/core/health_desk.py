"""What the health agents' readings do: alert, take authority away, hold new orders back, halt.

Readings enter as inputs (`HealthRead` once a second, `TimerBeat`, answers), so a replay acts the same. A
blocked order is denied with the agent's own reason; cancels and a person's reductions are never blocked.
"""

from __future__ import annotations

from pipeline.core.desk import SymbolDesk
from pipeline.core.effects import AlertCode
from pipeline.core.health import STAGES, HealthAgents, Level, ThresholdAgent
from pipeline.core.inputs import HeadLeft, HealthRead, TimerBeat
from pipeline.core.market_sense import market_breach
from pipeline.core.operator import OperatorDesk
from pipeline.core.state import EngineState
from pipeline.core.types import Authority, DenyReason, Severity, TradingState

HEALTH = "health"
"""Who lowered the authority; never a person's name."""


class HealthDesk:
    """Hands readings to the agents and does what their levels ask for."""

    def __init__(self, state: EngineState, operator: OperatorDesk) -> None:
        self._state = state
        self._operator = operator
        self.agents = HealthAgents(state.params.health)
        self._head_kept = True

    def on_beat(self, beat: TimerBeat) -> None:
        """Look at the loop's lag and at how old each feed's news is."""
        self._moved(self.agents.loop_lag, beat.loop_lag_ns, AlertCode.LOOP_LAG, "", beat.ts_ns, 1_000)
        self._halt_at(self.agents.loop_lag, "loop lag", beat.ts_ns)
        for desk in self._state.desks.values():
            self._feed(desk, beat.ts_ns)

    def on_answer_age(self, age_ns: int, symbol: str, now_ns: int) -> None:
        """Look at how long a row waited for its answer; too long, three times, takes AUTO away."""
        agent = self.agents.latency
        level = agent.read(age_ns)
        if level is None:
            return
        ok = level is Level.OK
        code = AlertCode.LATENCY_OK if ok else AlertCode.LATENCY_HIGH
        severity = Severity.INFO if ok else Severity.WARN
        self._state.out.alert(code, severity, now_ns, symbol, "decide", (age_ns // 1000,))
        self._degrade_at(agent, now_ns)

    def on_read(self, read: HealthRead) -> None:
        """Take the session's own readings."""
        agents, now_ns = self.agents, read.ts_ns
        if self._moved(agents.clock, abs(read.clock_ahead_ns), AlertCode.CLOCK_SKEW, "", now_ns, 1_000):
            self._block_at(agents.clock, DenyReason.CLOCK)
        used = 100 - read.disk_free_percent
        for agent, value, code, why in (
            (agents.memory, read.rss_mb, AlertCode.MEMORY_HIGH, "memory"),
            (agents.disk, used, AlertCode.DISK_LOW, "disk full"),
            (agents.files, read.files_percent, AlertCode.FILES_HIGH, "open files"),
        ):
            self._moved(agent, value, code, "", now_ns, 1)
            self._halt_at(agent, why, now_ns)
        for name, agent, delay_ns in zip(STAGES, agents.stages, read.stages_ns, strict=False):
            if delay_ns >= 0 and self._moved(agent, delay_ns, AlertCode.LATENCY_HIGH, name, now_ns, 1_000):
                self._degrade_at(agent, now_ns)
        self._journal(read)

    def on_head(self, left: HeadLeft) -> None:
        """Say once that the journal's head could not be sent out, and once that it can again."""
        kept, self._head_kept = self._head_kept, not left.trouble
        if left.trouble and kept:
            code, severity = AlertCode.HEAD_NOT_KEPT, Severity.WARN
            self._state.out.alert(code, severity, left.ts_ns, "", left.trouble)
        elif not left.trouble and not kept:
            self._state.out.alert(AlertCode.HEAD_KEPT, Severity.INFO, left.ts_ns)

    def on_market(self, desk: SymbolDesk, now_ns: int) -> None:
        """Look whether a symbol's market makes sense; too often not, and the model stops there (C20)."""
        if desk.limits is None:
            return
        wrong = market_breach(desk.limits, *desk.market_numbers())
        news, often = desk.sense.look(wrong, now_ns)
        if wrong is None or not news:
            return
        reason, *values = wrong
        out = self._state.out
        out.alert(AlertCode.MARKET_DATA, Severity.WARN, now_ns, desk.symbol, reason.value, tuple(values))
        if often:
            self._state.risk.stop(desk.symbol)
            out.alert(AlertCode.SYMBOL_STOPPED, Severity.CRITICAL, now_ns, desk.symbol, reason.value)

    def on_skill(self, desk: SymbolDesk, now_ns: int) -> None:
        """Look at how the model's last calls came out; far worse than a coin takes AUTO away."""
        agent = self.agents.skill
        if self._moved(agent, desk.outcomes.misses_percent, AlertCode.MODEL_SKILL, desk.symbol, now_ns, 1):
            self._degrade_at(agent, now_ns)

    def _feed(self, desk: SymbolDesk, now_ns: int) -> None:
        agent = self.agents.feed(desk.symbol)
        lag_ns = desk.feed_lag.lag_ns
        if self._moved(agent, lag_ns, AlertCode.FEED_SLOW, desk.symbol, now_ns, 1_000):
            desk.feed_slow = agent.level is Level.ACT

    def _journal(self, read: HealthRead) -> None:
        blocked = self._state.blocked
        fails = DenyReason.NO_JOURNAL in blocked
        if read.journal_ok and fails:
            del blocked[DenyReason.NO_JOURNAL]
            self._well(AlertCode.JOURNAL_FAILED.value, read.ts_ns)
        elif not read.journal_ok and not fails:
            blocked[DenyReason.NO_JOURNAL] = None
            self._state.out.alert(AlertCode.JOURNAL_FAILED, Severity.CRITICAL, read.ts_ns)
            self._halt("journal failed", read.ts_ns)

    def _moved(
        self, agent: ThresholdAgent, value: int, code: AlertCode, detail: str, now_ns: int, unit: int
    ) -> bool:
        """Give a reading to an agent; say whether its level is another one, and tell of it.

        What is well again is said too: who was warned need not go and look.
        """
        level = agent.read(value)
        if level is Level.OK:
            self._well(f"{code.value} {detail}".strip(), now_ns, (value // unit,))
        elif level is not None:
            self._state.out.alert(code, Severity.WARN, now_ns, "", detail, (value // unit,))
        return level is not None

    def _well(self, what: str, now_ns: int, values: tuple[int, ...] = ()) -> None:
        self._state.out.alert(AlertCode.HEALTH_OK, Severity.INFO, now_ns, "", what, values)

    def _block_at(self, agent: ThresholdAgent, reason: DenyReason) -> None:
        if agent.level is Level.ACT:
            self._state.blocked[reason] = None
        else:
            self._state.blocked.pop(reason, None)

    def _degrade_at(self, agent: ThresholdAgent, now_ns: int) -> None:
        if agent.level is Level.ACT and self._state.authority is Authority.AUTO:
            self._operator.set_authority(Authority.APPROVE, HEALTH, now_ns)

    def _halt_at(self, agent: ThresholdAgent, why: str, now_ns: int) -> None:
        """Halt as long as it is so: a resume before it is mended does not last."""
        if agent.is_beyond:
            self._halt(why, now_ns)

    def _halt(self, why: str, now_ns: int) -> None:
        wanted = min(TradingState.HALTED, self._state.trading_state)
        self._operator.set_trading_state(wanted, why, now_ns)
