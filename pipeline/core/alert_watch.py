"""A critical alert nobody has noted: it is said again, and in the end it acts (CONTROLS C13). Pure.

Whoever watches has two minutes. An alert whose cause has gone by itself (a path that is up again) is told
once and waits for nobody.
"""

from __future__ import annotations

from pipeline.core.alerts import AlertBoard

SECOND_NS = 1_000_000_000
AGAIN_NS = 30 * SECOND_NS
ACT_NS = 120 * SECOND_NS


class AlertWatch:
    """Looks once a second for the oldest critical alert that waits."""

    def __init__(self, board: AlertBoard, again_ns: int = AGAIN_NS, act_ns: int = ACT_NS) -> None:
        self._board = board
        self._again_ns = again_ns
        self._act_ns = act_ns
        self._next_ns = 0
        self._said: dict[int, int] = {}

    def due(self, now_ns: int) -> tuple[int, int, bool] | None:
        """Give (alert id, age in ns, whether to act) of an alert that is to be said again; else None."""
        if now_ns < self._next_ns:
            return None
        self._next_ns = now_ns + SECOND_NS
        oldest = self._board.oldest_critical()
        if oldest is None:
            self._said.clear()
            return None
        alert_id, raised_ns = oldest.alert_id, oldest.ts_ns
        said_ns = self._said.get(alert_id, raised_ns)
        if now_ns - said_ns < self._again_ns:
            return None
        self._said = {alert_id: now_ns}
        return alert_id, now_ns - raised_ns, now_ns - raised_ns >= self._act_ns
