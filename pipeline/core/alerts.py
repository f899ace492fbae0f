"""The alert board: what was said, how often, and who noted it; bounded, newest first.

An alert is a code and integers. The same code and weight for the same symbol and detail within `REPEAT_NS`
is one alert that counts its repeats, so that a storm cannot push an older alert off the screen. What somebody
did, or what changed what may be done, is said each time: two changes of state are no repeat.
"""

from __future__ import annotations

from collections import deque
from itertools import islice

from pipeline.core.effects import Alert, AlertCode
from pipeline.core.snapshot import AlertView
from pipeline.core.types import Severity

REPEAT_NS = 5_000_000_000
KEEP = 200

SAID_EACH_TIME = (
    AlertCode.PERMIT_OPENED,
    AlertCode.PERMIT_USED,
    AlertCode.PERMIT_ENDED,
    AlertCode.AUTHORITY_CHANGED,
    AlertCode.TRADING_STATE_CHANGED,
    AlertCode.GATE_CLOSED,
    AlertCode.GATE_OPENED,
    AlertCode.LOSS_LIMIT,
    AlertCode.ALERT_UNNOTED,
    AlertCode.ORDERS_GONE,
    AlertCode.REPLAY_LAP,
    AlertCode.WORKER_REPLACED,
    AlertCode.MODEL_LOADING,
    AlertCode.MODEL_SWAPPED,
    AlertCode.MODEL_SHADOWED,
    AlertCode.MODEL_KEPT,
    AlertCode.SHADOW_NOT_TAKEN,
)

CURES = {
    AlertCode.ORDER_PATH_UP: AlertCode.ORDER_PATH_DOWN,
    AlertCode.ORDERS_GONE: AlertCode.GATE_CLOSED,
    AlertCode.GATE_OPENED: AlertCode.GATE_CLOSED,
    AlertCode.START_SETTLED: AlertCode.START_DIFFERS,
    AlertCode.HEAD_KEPT: AlertCode.HEAD_NOT_KEPT,
}
"""What ends the wait for somebody to note an alert: its cause is gone."""

_Key = tuple[AlertCode, Severity, str, str]


class _Entry:
    __slots__ = ("alert", "cured", "noted_by", "repeats")

    def __init__(self, alert: Alert) -> None:
        self.alert = alert
        self.repeats = 0
        self.noted_by = ""
        self.cured = False

    @property
    def waits(self) -> bool:
        return not self.noted_by and self.alert.severity > Severity.INFO


class AlertBoard:
    """Makes alerts, folds repeats, remembers the newest `KEEP`."""

    def __init__(self, step: int = 1) -> None:
        """Make an empty board; ids count from `step` on in steps of it, so that two boards differ by sign."""
        self._entries: deque[_Entry] = deque(maxlen=KEEP)
        self._newest: dict[_Key, _Entry] = {}
        self._step = step
        self._next_id = step
        self.raised = 0

    def raise_alert(
        self,
        code: AlertCode,
        severity: Severity,
        ts_ns: int,
        symbol: str = "",
        detail: str = "",
        values: tuple[int, ...] = (),
    ) -> Alert | None:
        """Make an alert, or give None where it only repeats the newest of its kind."""
        self.raised += 1
        cured = CURES.get(code)
        if cured is not None:
            for entry in self._entries:
                entry.cured = entry.cured or entry.alert.code is cured
        key = (code, severity, symbol, detail)
        known = None if code in SAID_EACH_TIME else self._newest.get(key)
        if known is not None and ts_ns - known.alert.ts_ns < REPEAT_NS and not known.noted_by:
            known.repeats += 1
            return None
        alert = Alert(self._next_id, code, severity, symbol, detail, values, ts_ns)
        self._next_id += self._step
        entry = _Entry(alert)
        self._forget_oldest()
        self._entries.appendleft(entry)
        self._newest[key] = entry
        return alert

    def oldest_critical(self) -> Alert | None:
        """Give the oldest critical alert nobody has noted and whose cause may still be there."""
        waiting = (e for e in reversed(self._entries) if e.waits and not e.cured)
        return next((e.alert for e in waiting if e.alert.severity is Severity.CRITICAL), None)

    def note(self, alert_id: int, who: str) -> bool:
        """Mark an alert as noted, for id 0 the newest that waits to be; False if there is none."""
        for entry in self._entries:
            meant = entry.alert.alert_id == alert_id or (alert_id == 0 and entry.waits)
            if meant and not entry.noted_by:
                entry.noted_by = who
                return True
        return False

    @property
    def unnoted(self) -> int:
        """Count alerts above INFO nobody has noted."""
        return sum(1 for entry in self._entries if entry.waits)

    def views(self, limit: int) -> tuple[AlertView, ...]:
        """Give the newest alerts, newest first, then the newest older one that waits to be noted."""
        shown = list(islice(self._entries, limit))
        shown += [entry for entry in islice(self._entries, limit, None) if entry.waits][:1]
        return tuple(
            AlertView(
                alert_id=e.alert.alert_id,
                ts_ns=e.alert.ts_ns,
                code=e.alert.code.value,
                severity=e.alert.severity,
                symbol=e.alert.symbol,
                detail=e.alert.detail,
                values=e.alert.values,
                noted_by=e.noted_by,
                repeats=e.repeats,
            )
            for e in shown
        )

    def _forget_oldest(self) -> None:
        if len(self._entries) == KEEP:
            old = self._entries[-1].alert
            key = (old.code, old.severity, old.symbol, old.detail)
            if self._newest.get(key) is self._entries[-1]:
                del self._newest[key]
