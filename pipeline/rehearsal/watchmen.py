"""The guards of a rehearsal: the product's own guard, one life after the other, without a process each.

A guard takes a while to start, waits for the lock of the one before it, joins the session's gate and heart by
their files, and turns fifty times a second. It may die at its own sends, stand still, or lose its venue.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline.rehearsal.crash import Fuse, ProcessDied
from pipeline.rehearsal.guard_lines import GuardNetwork
from pipeline.rehearsal.scenario import Scenario
from pipeline.runtime.gate import Gate
from pipeline.runtime.guard import PAUSE_NS, Guard
from pipeline.runtime.guard_engine import EngineProcess
from pipeline.runtime.guard_params import GuardParams
from pipeline.runtime.guard_report import GuardReport
from pipeline.runtime.guard_venue import GuardVenue
from pipeline.runtime.heart import Heart
from pipeline.sim.chance import Chance
from pipeline.wire.binance_requests import ApiKey

_MS = 1_000_000
_STARTS_MS = (40, 250)
_LOCK_NS = 2_000 * _MS
_FIRST_PID = 5_000_000
_KILLED, _REFUSED = -9, 2


@dataclass(frozen=True, slots=True)
class GuardRoom:
    """What every guard of a rehearsal finds."""

    scenario: Scenario
    directory: Path
    network: GuardNetwork
    chance: Chance
    now_ns: Callable[[], int]
    our_ns: Callable[[], int]
    key: ApiKey
    heard: Callable[[GuardReport], None]
    """Told of every report at the moment it is made."""


class Watchman:
    """One guard's process; the keeper's `GuardChild`."""

    def __init__(
        self, room: GuardRoom, params: GuardParams, engine: EngineProcess, pid: int, fuse: Fuse
    ) -> None:
        self.pid = pid
        self.engine = engine
        self.status: int | None = None
        self.guard: Guard | None = None
        self.report = GuardReport()
        self._room = room
        self._params = params
        self._fuse = fuse
        self._gate: Gate | None = None
        self._heart: Heart | None = None
        self._venue: GuardVenue | None = None
        self._begun_ns = room.now_ns()
        self._next_ns = self._begun_ns + room.chance.between(*_STARTS_MS) * _MS

    def poll(self) -> int | None:
        """Give the exit status; None while it lives."""
        return self.status

    def kill(self) -> None:
        """End it at once."""
        self.end(_KILLED)

    @property
    def was_killed(self) -> bool:
        """Say whether it did not end by itself."""
        return self.status == _KILLED

    @property
    def is_busy(self) -> bool:
        """Say whether it has a kill to bring to its end."""
        return self.status is None and self.guard is not None and self.guard.is_busy

    def turn(self, now_ns: int, *, locked: bool) -> None:
        """Do what is due; while another guard has the lock there is nothing to be done but to wait."""
        if self.status is not None or now_ns < self._next_ns:
            return
        self._next_ns = now_ns + PAUSE_NS
        if self.guard is None:
            if locked:
                if now_ns - self._begun_ns > _LOCK_NS:
                    self.end(_REFUSED)
                return
            self._join()
        assert self.guard is not None
        try:
            if not self.guard.turn(self._room.our_ns()):
                self.end(self.guard.exit_status)
        except ProcessDied:
            self.end(_KILLED)

    def end(self, status: int) -> None:
        """Let go of everything, as the kernel does."""
        if self.status is not None:
            return
        self.status = status
        for held in (self._gate, self._heart):
            if held is not None:
                held.detach()
        if self._venue is not None:
            self._venue.close()

    def _join(self) -> None:
        room = self._room
        self._gate, self._heart = Gate.attach(room.directory), Heart.join(room.directory)
        self._venue = GuardVenue(
            self._params, room.key, lambda: room.network.open_line(self._fuse), lambda: 0
        )
        self.guard = Guard(
            self._params, self._gate, self._heart, self.engine, self._venue, self._tell, room.our_ns, self.pid
        )

    def _tell(self, report: GuardReport) -> None:
        self.report = report
        self._room.heard(report)


class Starter:
    """Starts guards of one process; the keeper's `GuardStarter`."""

    def __init__(self, house: GuardHouse, params: GuardParams, engine: EngineProcess) -> None:
        self._house = house
        self._params = params
        self._engine = engine
        self._newest: Watchman | None = None

    def start(self) -> Watchman:
        """Start one."""
        self._newest = self._house.start(self._params, self._engine)
        return self._newest

    def report(self) -> GuardReport | None:
        """Give what the newest one reported."""
        return None if self._newest is None else self._newest.report

    def close(self) -> None:
        """Hold nothing."""


class GuardHouse:
    """All guards of one rehearsal."""

    def __init__(self, room: GuardRoom) -> None:
        self._room = room
        self._living: list[Watchman] = []
        self._started = 0
        self._lives = list(room.scenario.guard_deaths)
        self._fuses: list[Fuse] = []
        self._stands_until_ns = 0
        self._began_ns = room.now_ns()
        self._stops = list(room.scenario.guard_stops)
        self._storms = True

    def start(self, params: GuardParams, engine: EngineProcess) -> Watchman:
        """Start a guard for an engine."""
        fuse = Fuse(self._lives.pop(0) if self._lives and self._storms else None)
        self._fuses.append(fuse)
        self._started += 1
        guard = Watchman(self._room, params, engine, _FIRST_PID + self._started, fuse)
        self._living.append(guard)
        return guard

    def starter(self, params: GuardParams, engine: EngineProcess) -> Starter:
        """Give what starts guards of a process."""
        return Starter(self, params, engine)

    def turn(self) -> None:
        """Let every guard do what is due."""
        now_ns = self._room.now_ns()
        if self._stops and now_ns - self._began_ns >= self._stops[0][0]:
            self._stands_until_ns = now_ns + self._stops.pop(0)[1]
        if now_ns < self._stands_until_ns:
            return
        for one in list(self._living):
            locked = any(other.guard is not None for other in self._living if other is not one)
            one.turn(now_ns, locked=locked)
        self._living = [one for one in self._living if one.status is None]

    def power_lost(self) -> None:
        """End every guard with the machine."""
        for one in self._living:
            one.end(_KILLED)
        self._living.clear()

    def calm(self) -> None:
        """Let nothing happen to guards any more."""
        self._storms = False
        self._stops.clear()
        self._stands_until_ns = 0
        for fuse in self._fuses:
            fuse.disarm()

    @property
    def stands_still(self) -> bool:
        """Say whether guards are stopped just now."""
        return self._room.now_ns() < self._stands_until_ns

    def watcher_of(self, engine: EngineProcess) -> Watchman | None:
        """Give the guard that watches an engine now; None while none is awake."""
        if self.stands_still:
            return None
        found = [one for one in self._living if one.engine is engine and one.guard is not None]
        return found[-1] if found else None

    @property
    def is_busy(self) -> bool:
        """Say whether any guard has a kill to bring to its end."""
        return any(one.is_busy for one in self._living)

    @property
    def fuses(self) -> list[Fuse]:
        """Give the fuse of every guard there was."""
        return self._fuses

    def close(self) -> None:
        """Let go of everything."""
        self.power_lost()
