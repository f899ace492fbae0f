"""When to ring: once for a fill, twice for an alert, three times for a kill, never twice within a moment."""

from __future__ import annotations

from pipeline.core.effects import AlertCode
from pipeline.core.snapshot import ConsoleSnapshot
from pipeline.core.types import Severity

QUIET_S = 2.0
FILL, ALERT, KILL = 1, 2, 3


class Bell:
    """Follows the pictures; says how many times to ring for each."""

    def __init__(self) -> None:
        self.on = True
        self._newest_alert: int | None = None
        self._was_killed = False
        self._rang_s = -QUIET_S

    def rings(self, snapshot: ConsoleSnapshot, now_s: float) -> int:
        """Give how often to ring for this picture; what happened before the first picture is silent."""
        newest = max((alert.alert_id for alert in snapshot.alerts), default=0)
        known, self._newest_alert = self._newest_alert, newest
        killed = snapshot.kill is not None and snapshot.kill.latched
        fresh_kill, self._was_killed = killed and not self._was_killed, killed
        if known is None or not self.on:
            return 0
        new = [alert for alert in snapshot.alerts if alert.alert_id > known]
        loud = KILL if fresh_kill else 0
        if any(alert.severity > Severity.INFO for alert in new):
            loud = max(loud, ALERT)
        if any(alert.code == AlertCode.ORDER_FILLED for alert in new):
            loud = max(loud, FILL)
        if not loud or (now_s - self._rang_s < QUIET_S and loud < KILL):
            return 0
        self._rang_s = now_s
        return loud
