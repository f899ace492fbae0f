"""Whether guards act, and in time: by what the stage knows of the process, not by what guards say of it.

Only time in which a guard of the process was awake counts: one that starts, stands still or is gone is late
by no fault of its rules. What guards cancel and what they call zero is for the oracle.
"""

from __future__ import annotations

from collections.abc import Callable

from pipeline.rehearsal.process import Process
from pipeline.rehearsal.rules import Rule
from pipeline.rehearsal.watchmen import GuardHouse, Watchman
from pipeline.runtime.gate import Gate
from pipeline.runtime.guard_params import GuardSettings

_MS = 1_000_000
_COUNTED_NS = 60 * _MS
"""A keeper counts no more of the time between two of its turns."""
_SLACK_NS = 160 * _MS
"""A few turns of the guard's, and the stage's own steps."""


class GuardJudge:
    """Watches over the guards of one rehearsal."""

    def __init__(
        self, house: GuardHouse, gate: Gate, break_: Callable[[Rule, str], None], settings: GuardSettings
    ) -> None:
        self._house = house
        self._gate = gate
        self._break = break_
        self._settings = settings
        self._seen_ns = 0
        self._late_ns = 0
        self._deaf_ns = 0
        self._deaf_to = 0
        self._alone_ns = 0
        self._turned_ns = 0
        self._owing: Watchman | None = None
        """The guard of a process that died, until it has latched."""
        self._owed_ns = 0

    def turned(self, process: Process, now_ns: int) -> None:
        """Note that the process took a turn of its loop."""
        self._late_ns = 0
        passed_ns, self._turned_ns = now_ns - self._turned_ns, now_ns
        if self._house.watcher_of(process) is None:
            self._alone_ns += min(passed_ns, _COUNTED_NS)
        else:
            self._alone_ns = 0

    def left(self) -> None:
        """Judge an order that leaves without a person behind it."""
        if self._alone_ns > self._settings.missing_ms * _MS + _SLACK_NS:
            self._break(Rule.SENT_UNGUARDED, f"for {self._alone_ns // _MS} ms of the engine's turns")

    def started(self) -> None:
        """Note that a new process is there; what the old one's guard still does is its own affair."""
        self._late_ns = self._deaf_ns = self._deaf_to = 0

    def died(self, process: Process) -> None:
        """Note a process's end: the guard it had must latch."""
        self._owing, self._owed_ns = self._house.watcher_of(process), 0

    def step(self, process: Process | None, now_ns: int) -> None:
        """Judge what stands after a step."""
        passed_ns, self._seen_ns = now_ns - self._seen_ns, now_ns
        if self._owing is not None:
            self._check_dead(self._owing, passed_ns)
        if process is None or process.fenced or self._house.watcher_of(process) is None:
            self.started()
            return
        self._late_ns += passed_ns
        self._check_late()
        self._check_deaf(passed_ns)

    def _check_late(self) -> None:
        late_ms, settings = (self._late_ns - _SLACK_NS) // _MS, self._settings
        if late_ms > settings.late_ms:
            self._break(Rule.GUARD_LATE, f"the engine hangs for {late_ms} ms and is not fenced")
        elif late_ms > settings.halt_ms and self._gate.is_open():
            self._break(Rule.GUARD_LATE, f"the engine hangs for {late_ms} ms and the gate is open")

    def _check_deaf(self, passed_ns: int) -> None:
        if self._late_ns < passed_ns or self._gate.is_open():
            self._deaf_ns = self._deaf_to = 0
            return
        state = self._gate.state()
        deaf = state.latched and not all(one.acknowledged for one in state.closers)
        if not deaf or state.generation != self._deaf_to:
            self._deaf_ns, self._deaf_to = 0, state.generation if deaf else 0
            return
        self._deaf_ns += passed_ns
        deaf_ms = (self._deaf_ns - _SLACK_NS) // _MS
        if deaf_ms > self._settings.ack_ms:
            self._break(Rule.GUARD_LATE, f"the engine is deaf to a kill for {deaf_ms} ms and not fenced")

    def _check_dead(self, guard: Watchman, passed_ns: int) -> None:
        if guard.was_killed or not self._gate.is_open():
            self._owing = None
            return
        self._owed_ns += 0 if self._house.stands_still else passed_ns
        if self._owed_ns > _SLACK_NS:
            self._break(Rule.GUARD_LATE, "the engine is dead and the gate is open")
