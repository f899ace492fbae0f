"""What is to be said of the workers' health: gone, replaced at once, all back.

Fed with counters as they are read. A worker that has not run yet is starting, and no news.
"""

from __future__ import annotations

from typing import NamedTuple

from pipeline.core.effects import AlertCode
from pipeline.core.inputs import WorkerCounters, WorkerStatus
from pipeline.core.types import Severity, WorkerState

_RUNNING = (WorkerState.READY, WorkerState.BUSY)


class WorkerNews(NamedTuple):
    """One alert to raise."""

    code: AlertCode
    severity: Severity
    values: tuple[int, int]
    """How many workers it is about, of how many."""


class WorkerWatch:
    """Follows the workers of one session; speaks when something changes."""

    def __init__(self) -> None:
        self._restarts: dict[int, int] = {}
        """Restarts of every worker that has run, when it was last seen running."""
        self._missing = 0

    def read(self, counters: WorkerCounters) -> WorkerNews | None:
        """Take a reading; give what is to be said of it."""
        workers = counters.workers
        before, self._missing = self._missing, sum(map(self._is_missing, workers))
        replaced = sum(map(self._is_replaced, workers))
        self._restarts.update({w.worker_id: w.restarts for w in workers if w.state in _RUNNING})
        if self._missing and not before:
            return WorkerNews(AlertCode.WORKER_DEAD, Severity.WARN, (self._missing, len(workers)))
        if before and not self._missing:
            return WorkerNews(AlertCode.WORKER_READY, Severity.INFO, (0, len(workers)))
        if replaced and not before:
            return WorkerNews(AlertCode.WORKER_REPLACED, Severity.WARN, (replaced, len(workers)))
        return None

    def _is_missing(self, worker: WorkerStatus) -> bool:
        has_run = worker.worker_id in self._restarts
        return worker.state not in _RUNNING and (has_run or worker.state is WorkerState.DEAD)

    def _is_replaced(self, worker: WorkerStatus) -> bool:
        """Say whether another process sits there than when it was last seen running."""
        known = self._restarts.get(worker.worker_id, worker.restarts)
        return worker.state in _RUNNING and worker.restarts > known
