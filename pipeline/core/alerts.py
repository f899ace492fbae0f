"""The alert board: what was said, how often, and who noted it; bounded, newest first.

An alert is a code and integers. The same code for the same symbol and detail within `REPEAT_NS` is one
alert that counts its repeats, so that a storm cannot push an older alert off the screen.
"""

from __future__ import annotations

from collections import deque

from pipeline.core.effects import Alert, AlertCode
from pipeline.core.snapshot import AlertView
from pipeline.core.types import Severity

REPEAT_NS = 5_000_000_000
KEEP = 200


class _Entry:
    __slots__ = ("alert", "noted_by", "repeats")

    def __init__(self, alert: Alert) -> None:
        self.alert = alert
        self.repeats = 0
        self.noted_by = ""


class AlertBoard:
    """Makes alerts, folds repeats, remembers the newest `KEEP`."""

    def __init__(self) -> None:
        self._entries: deque[_Entry] = deque(maxlen=KEEP)
        self._newest: dict[tuple[AlertCode, str, str], _Entry] = {}
        self._next_id = 1
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
        key = (code, symbol, detail)
        known = self._newest.get(key)
        if known is not None and ts_ns - known.alert.ts_ns < REPEAT_NS and not known.noted_by:
            known.repeats += 1
            return None
        alert = Alert(self._next_id, code, severity, symbol, detail, values, ts_ns)
        self._next_id += 1
        entry = _Entry(alert)
        self._forget_oldest()
        self._entries.appendleft(entry)
        self._newest[key] = entry
        return alert

    def note(self, alert_id: int, who: str) -> bool:
        """Mark an alert, or the newest unnoted one for id 0, as noted; False if there is none."""
        for entry in self._entries:
            if entry.noted_by == "" and alert_id in (0, entry.alert.alert_id):
                entry.noted_by = who
                return True
        return False

    @property
    def unnoted(self) -> int:
        """Count alerts above INFO nobody has noted."""
        return sum(1 for e in self._entries if not e.noted_by and e.alert.severity > Severity.INFO)

    def views(self, limit: int) -> tuple[AlertView, ...]:
        """Give the newest alerts, newest first."""
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
            for e, _ in zip(self._entries, range(limit), strict=False)
        )

    def _forget_oldest(self) -> None:
        if len(self._entries) == KEEP:
            old = self._entries[-1].alert
            key = (old.code, old.symbol, old.detail)
            if self._newest.get(key) is self._entries[-1]:
                del self._newest[key]
