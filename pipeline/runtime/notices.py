"""What a replay tells its consoles beside the engine's alerts: workers that died, a lap that began.

In a replay these may not enter the engine: the same capture must give the same effects whether or not a
worker died, and whichever lap it is. So they stand on a board of the session's own, drawn among the alerts.
In live data a worker's health is an input, and its alert an effect.
"""

from __future__ import annotations

from pipeline.core.alerts import AlertBoard
from pipeline.core.effects import AlertCode
from pipeline.core.inputs import WorkerCounters
from pipeline.core.snapshot import AlertView
from pipeline.core.types import Severity
from pipeline.core.worker_watch import WorkerWatch


class Notices:
    """One replay's board; its ids are negative, the engine's positive."""

    def __init__(self) -> None:
        self._board = AlertBoard(step=-1)
        self._watch = WorkerWatch()

    def workers(self, counters: WorkerCounters) -> None:
        """Take a reading of the workers."""
        news = self._watch.read(counters)
        if news is not None:
            self._board.raise_alert(news.code, news.severity, counters.ts_ns, values=news.values)

    def start_again(self) -> None:
        """Forget what was said, as the new engine does: its time has gone back."""
        self._board = AlertBoard(step=-1)

    def lap(self, number: int, now_ns: int) -> None:
        """Say that a looped replay began again; `number` is 2 for the second pass."""
        self._board.raise_alert(AlertCode.REPLAY_LAP, Severity.INFO, now_ns, values=(number,))

    def note(self, who: str) -> bool:
        """Mark the newest that waits as noted; False if none does."""
        return self._board.note(0, who)

    @property
    def unnoted(self) -> int:
        """Count those nobody has noted."""
        return self._board.unnoted

    def views(self, limit: int) -> tuple[AlertView, ...]:
        """Give the newest, newest first."""
        return self._board.views(limit)
