"""What `fact_collector` follows over time: kills until the venue's zero, denials by code, and peaks."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.core.effects import Alert
from pipeline.core.inputs import GateChanged
from pipeline.core.kill_progress import KillProgress
from pipeline.core.session_facts import DenialFact, KillFact, PeakFact
from pipeline.core.state import EngineState
from pipeline.core.types import DenyReason


@dataclass(slots=True)
class _Kill:
    progress: KillProgress
    gate: GateChanged
    canceled: int = 0
    filled: int = 0
    first_cancel_ns: int = 0


@dataclass(slots=True)
class _Denial:
    first_ns: int
    last_ns: int = 0
    count: int = 0
    value: int = 0
    limit: int = 0


class KillWatch:
    """Every closing of the gate the engine followed."""

    def __init__(self, state: EngineState) -> None:
        self._state = state
        self._kills: list[_Kill] = []

    def on_gate(self, gate: GateChanged) -> None:
        """Look whether a new one began with this change."""
        kill = self._state.kill
        if kill is not None and (not self._kills or self._kills[-1].progress is not kill):
            self._kills.append(_Kill(kill, gate))

    def on_cancel(self, ts_ns: int) -> None:
        """Note the first cancel that was sent for one."""
        kill = self._newest()
        if kill is not None:
            kill.first_cancel_ns = kill.first_cancel_ns or ts_ns

    def look(self) -> None:
        """Read how far the newest has come; called often enough, for what comes after it counts no more."""
        kill = self._newest()
        if kill is not None:
            counts, progress = self._state.orders.counts, kill.progress
            kill.canceled = counts.canceled - progress.canceled_before - progress.later_canceled
            kill.filled = counts.filled - progress.filled_before - progress.later_filled

    def facts(self) -> tuple[KillFact, ...]:
        """Give them in order of time."""
        return tuple(_kill_fact(one) for one in self._kills)

    def _newest(self) -> _Kill | None:
        newest = self._kills[-1] if self._kills else None
        return newest if newest is not None and self._state.kill is newest.progress else None


class DenialWatch:
    """What our own risk refused, by code and symbol."""

    def __init__(self, state: EngineState) -> None:
        self._state = state
        self._seen = 0
        self._denials: dict[tuple[str, str], _Denial] = {}

    def look(self) -> None:
        """Look for new ones after each input."""
        orders, now_ns = self._state.orders, self._state.now_ns
        if orders.counts.denied == self._seen:
            return
        newest = orders.newest_ended
        if newest is not None:
            denial = self._denials.setdefault((newest.reason, newest.symbol), _Denial(now_ns))
            denial.last_ns = now_ns
            denial.count += orders.counts.denied - self._seen
        self._seen = orders.counts.denied

    def on_alert(self, alert: Alert) -> None:
        """Take value and limit of an ORDER_DENIED."""
        denial = self._denials.get((alert.detail, alert.symbol))
        _, value, limit = alert.values
        if denial is not None and (not denial.limit or abs(value) > abs(denial.value)):
            denial.value, denial.limit = value, limit

    def facts(self) -> tuple[DenialFact, ...]:
        """Give them in order of the first of each."""
        return tuple(
            DenialFact(DenyReason(code), symbol, one.count, one.first_ns, one.last_ns, one.value, one.limit)
            for (code, symbol), one in self._denials.items()
        )


class PeakWatch:
    """The furthest each symbol went."""

    def __init__(self, state: EngineState) -> None:
        self._state = state
        self._peaks = {symbol: PeakFact(symbol, 0, 0, 0, 0, 0, 0) for symbol in state.desks}

    def look(self, now_ns: int) -> None:
        """Read positions and live orders; called whenever one of them changed."""
        for symbol, peak in self._peaks.items():
            self._peaks[symbol] = self._further(peak, now_ns)

    def facts(self) -> tuple[PeakFact, ...]:
        """Give one a symbol, in the order of the parameters."""
        return tuple(self._peaks.values())

    def _further(self, peak: PeakFact, now_ns: int) -> PeakFact:
        position = self._state.portfolio.position(peak.symbol)
        exposure = self._state.orders.exposure(peak.symbol)
        worst = exposure.worst_case_lots(position.lots)
        held = abs(position.lots) > abs(peak.lots)
        wider = abs(worst) > abs(peak.worst_lots)
        if not held and not wider and exposure.orders <= peak.open_orders:
            return peak
        value = position.instrument.notional_quote_e8(position.reference_ticks, abs(worst))
        return PeakFact(
            peak.symbol,
            position.lots if held else peak.lots,
            now_ns if held else peak.lots_ns,
            worst if wider else peak.worst_lots,
            now_ns if wider else peak.worst_ns,
            value if wider else peak.worst_quote_e8,
            max(exposure.orders, peak.open_orders),
        )


def _kill_fact(kill: _Kill) -> KillFact:
    progress = kill.progress
    return KillFact(
        who=progress.who,
        tty=kill.gate.tty,
        reason=progress.reason,
        acted_ns=kill.gate.acted_ns,
        ts_ns=progress.ts_ns,
        latched=progress.latched,
        ours=progress.ours_total,
        cancels_sent=progress.cancels_sent,
        canceled=kill.canceled,
        filled=kill.filled,
        first_cancel_ns=kill.first_cancel_ns,
        gone_ns=progress.confirmed_ts_ns,
    )
