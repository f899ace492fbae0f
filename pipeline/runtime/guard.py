"""One session's guard: watches its engine, and when it must, fences it, latches, cancels ours and says so.

The order of things is the point. A kill the engine does not acknowledge in time, an engine that is dead or
hung: first the engine is made unable to send (SIGKILL by pidfd, and its exit seen), then the latch is
written, then the venue is asked and ours are cancelled (`guard_sweep`). Nothing here waits: `turn` is called
about fifty times a second and does what can be done now. Processes, clocks and sockets are given to it, so
that a rehearsal runs this very guard in virtual time.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import msgspec

from pipeline.runtime.gate import Closer, Gate
from pipeline.runtime.guard_asks import AskKind, Reply
from pipeline.runtime.guard_engine import EngineProcess
from pipeline.runtime.guard_params import GuardParams
from pipeline.runtime.guard_report import GuardReport
from pipeline.runtime.guard_sweep import Sweep
from pipeline.runtime.guard_venue import GuardVenue
from pipeline.runtime.guard_watch import EngineWatch, Verdict
from pipeline.runtime.heart import GuardState, Heart, Life

MS = 1_000_000
PAUSE_NS = 20 * MS
_GOODBYE_NS = 2_000 * MS
"""How long an orderly end may take to stop the dead-man switches."""


class Guard:
    """The guard's state; single-threaded."""

    def __init__(
        self,
        params: GuardParams,
        gate: Gate,
        heart: Heart,
        engine: EngineProcess,
        venue: GuardVenue | None,
        tell: Callable[[GuardReport], None],
        wall_ns: Callable[[], int],
        pid: int,
    ) -> None:
        """Watch `engine` as process `pid`; without a `venue` watching is all. `tell` gets the report."""
        self._pid = pid
        self._params = params
        self._tell_report = tell
        self._wall_ns = wall_ns
        self._gate = gate
        self._heart = heart
        self._engine = engine
        self._venue = venue
        self._watch = EngineWatch(params.settings, PAUSE_NS)
        self._state = gate.state()
        self._mark = gate.mark()
        self._beat = 0
        self._dead = False
        self._fenced_for = ""
        self._halted = False
        self._sweep: Sweep | None = None
        self._newest_sweep: Sweep | None = None
        self._swept_generation = 0
        self._reason = ""
        self._goodbye_ns = 0
        self._unreached_ns = 0
        self._kill_wanted = ""
        self._dismissed = False
        self._report = GuardReport(pid=self._pid)
        self.exit_status = 0

    def kill(self, reason: str) -> None:
        """Kill the session at the next turn; may be called from a signal handler."""
        self._kill_wanted = reason

    def dismiss(self) -> None:
        """End as soon as the engine is gone, whatever is left; may be called from a signal handler."""
        self._dismissed = True

    @property
    def engine_has_ended(self) -> bool:
        """Say whether the engine's process is gone."""
        return self._dead

    def turn(self, now_ns: int) -> bool:
        """Do what can be done now; False when there is nothing left to guard."""
        self._look_at_gate()
        self._look_at_engine(now_ns)
        self._look_for_a_kill(now_ns)
        if self._venue is not None:
            self._talk(self._venue, now_ns)
        self._beat += 1
        self._heart.beat_guard(self._beat, self._pid, self._guard_state())
        goes_on = self._goes_on(now_ns)
        self._tell(now_ns, goes_on=goes_on)
        return goes_on

    # --- gate ---------------------------------------------------------------------------------------------

    @property
    def _kill_commanded(self) -> bool:
        return self._state.latched

    @property
    def _spares(self) -> bool:
        """Say whether a person at the console spares our orders, by the word of an engine that lives."""
        alive = self._heart.life is Life.RUNS and not self._dead and not self._fenced_for
        return alive and 0 < self._heart.spared == self._state.generation

    @property
    def _acknowledged(self) -> bool:
        return all(record.acknowledged for record in self._state.closers)

    def _look_at_gate(self) -> None:
        if self._kill_wanted or (self._params.sentinel and os.path.lexists(self._params.sentinel)):
            reason = self._kill_wanted or f"sentinel file {os.path.basename(self._params.sentinel)}"
            self._kill_wanted = ""
            if not self._state.latched:
                self._close(reason, latch=True)
        mark = self._gate.mark()
        if mark != self._mark or not self._acknowledged:
            self._mark = mark
            self._state = self._gate.state()
        if self._state.latched and not self._state.closers and self._heart.life is Life.RUNS:
            # A latch somebody made by hand: a close of ours gives the engine something to acknowledge.
            self._close("latch file", latch=False)

    def _close(self, reason: str, *, latch: bool) -> None:
        now_ns = self._wall_ns()
        self._gate.close(Closer.GUARD, "guard", "", reason, now_ns, kill=latch)
        if latch:
            self._gate.latch("guard", "", reason, now_ns)
        self._mark = self._gate.mark()
        self._state = self._gate.state()

    # --- engine -------------------------------------------------------------------------------------------

    def _look_at_engine(self, now_ns: int) -> None:
        if not self._dead and self._engine.has_ended():
            self._dead = True
            self._engine_ended(now_ns)
        deaf_to = 0 if self._acknowledged or not self._kill_commanded else self._state.generation
        verdict = self._watch.look(
            self._heart.engine_beat, self._heart.life, dead=self._dead, deaf_to=deaf_to, now_ns=now_ns
        )
        if not self._params.acts or self._fenced_for or self._dead:
            return
        if verdict in (Verdict.FENCE_DEAF, Verdict.FENCE_LATE):
            self._fenced_for = verdict.value
            self._engine.fence()
        elif verdict is Verdict.HALT and not self._halted:
            self._close(verdict.value, latch=False)
        self._halted = verdict is Verdict.HALT

    def _engine_ended(self, now_ns: int) -> None:
        """Take the engine's end: a good one needs nothing, any other is a kill."""
        orderly = self._heart.life in (Life.ENDED, Life.LEFT, Life.OWING) and not self._fenced_for
        if orderly or not self._params.acts:
            return
        self._close(self._fenced_for or Verdict.DEAD.value, latch=True)
        self._gate.sync_latch()
        self._begin_sweep(now_ns, now_ns)

    # --- kill ---------------------------------------------------------------------------------------------

    def _look_for_a_kill(self, now_ns: int) -> None:
        """Begin to sweep once a kill's barrier is known: the engine's word or its end."""
        if not self._params.acts:
            return
        if not self._kill_commanded:
            # A release takes the kill back, but not what an engine left that is dead: a disk that takes no
            # latch, or a release of a dead session, leaves its orders to the sweep.
            owes = self._heart.life is Life.OWING
            self._sweep = self._sweep if self._dead or self._fenced_for or owes else None
            if owes and self._sweep is None:
                # Its connection is closed by now, so that word is as good a barrier as its death.
                self._begin_sweep(now_ns, now_ns)
                self._reason = "orders left at an orderly end"
            return
        if self._spares:
            self._sweep, self._swept_generation = None, 0
            return
        if self._sweep is not None and self._swept_generation == self._state.generation:
            return
        gone = self._dead or self._heart.life in (Life.ENDED, Life.LEFT, Life.OWING)
        if self._heart.life is Life.LEFT and not self._fenced_for:
            return
        if gone or (self._acknowledged and self._state.closers):
            self._begin_sweep(now_ns, now_ns if gone else now_ns + self._params.settings.converge_ms * MS)

    def _begin_sweep(self, now_ns: int, help_ns: int) -> None:
        params = self._params
        settle_ns = (params.recv_window_ms + params.settings.settle_ms) * MS
        self._swept_generation = self._state.generation
        self._reason = self._newest_reason()
        self._sweep = self._newest_sweep = Sweep(
            params.symbols, params.id_prefix, now_ns, settle_ns, help_ns, self._newest_sweep
        )

    def _newest_reason(self) -> str:
        newest = max(self._state.closers, key=lambda record: record.ts_ns, default=None)
        return newest.reason if newest is not None else "latch file"

    # --- venue --------------------------------------------------------------------------------------------

    def _talk(self, venue: GuardVenue, now_ns: int) -> None:
        venue.begin(now_ns, healthy=self._is_healthy(venue))
        if self._sweep is not None:
            for ask in self._sweep.step(now_ns) if venue.knows_time else []:
                venue.ask(ask, now_ns)
        for reply in venue.pump(now_ns, healthy=self._is_healthy(venue)):
            self._take(venue, reply, now_ns)
        if self._goodbye_ns == 0 and self._heart.life in (Life.ENDED, Life.LEFT):
            self._goodbye_ns = now_ns
            if self._heart.life is Life.LEFT:
                venue.stop_dead_man(now_ns)

    def _take(self, venue: GuardVenue, reply: Reply, now_ns: int) -> None:
        sweep = self._sweep
        if sweep is None or reply.ask.kind not in (AskKind.LIST, AskKind.CANCEL):
            return
        for ask in sweep.take(reply):
            venue.ask(ask, now_ns)
        if sweep.confirmed:
            venue.stop_dead_man(now_ns)

    def _is_healthy(self, venue: GuardVenue) -> bool:
        """Say whether the venue's dead-man switch is to be refreshed."""
        return (
            self._heart.life is Life.RUNS
            and self._heart.healthy
            and self._state.open
            and not self._dead
            and not self._fenced_for
            and venue.up
            and self._watch.late_ns < self._params.settings.halt_ms * MS
        )

    # --- itself -------------------------------------------------------------------------------------------

    @property
    def is_busy(self) -> bool:
        """Say whether a kill is not brought to its end."""
        swept = self._swept_generation == self._state.generation
        waits = self._kill_commanded and not swept and not self._spares
        sweeps = self._sweep is not None and not self._sweep.confirmed
        return self._params.acts and (bool(self._fenced_for) and not self._dead or waits or sweeps)

    def _guard_state(self) -> GuardState:
        if self.is_busy:
            return GuardState.ACTS
        if self._venue is not None and not (self._venue.up and self._venue.knows_time):
            return GuardState.NO_VENUE
        return GuardState.WATCHES

    def _goes_on(self, now_ns: int) -> bool:
        life = self._heart.life
        orderly = life in (Life.ENDED, Life.LEFT, Life.OWING) and not self._fenced_for
        if not (self._dead or orderly):
            return True
        if self._sweep is None or (orderly and life is Life.LEFT):
            return self._is_saying_goodbye(now_ns)
        if self._sweep.confirmed:
            return self._venue is not None and not self._venue.is_idle
        return not (self._dismissed or self._gives_up(now_ns))

    def _is_saying_goodbye(self, now_ns: int) -> bool:
        """Say whether switches are being stopped yet."""
        venue = self._venue
        return venue is not None and not venue.is_idle and 0 < now_ns - self._goodbye_ns < _GOODBYE_NS

    def _gives_up(self, now_ns: int) -> bool:
        """Say whether the venue was out of reach for too long with nobody left to tell."""
        if self._venue is not None and self._venue.up:
            self._unreached_ns = 0
            return False
        self._unreached_ns = self._unreached_ns or now_ns
        limit_ns = self._params.settings.give_up_ms * MS
        return bool(limit_ns) and now_ns - self._unreached_ns >= limit_ns

    def _tell(self, now_ns: int, *, goes_on: bool) -> None:
        """Write the report where it changed."""
        sweep, venue = self._sweep, self._venue
        confirmed = sweep is not None and sweep.confirmed
        if not goes_on and sweep is not None and not confirmed:
            self.exit_status = 3
        values = GuardReport(
            pid=self._pid,
            acts=self._params.acts,
            phase=self._phase(confirmed=confirmed, goes_on=goes_on),
            engine=self._engine_words(),
            reason=self._reason if sweep is not None else "",
            generation=self._swept_generation if sweep is not None else 0,
            confirmed=confirmed,
            venue_ms=venue.venue_ms(sweep.zero_came_ns) if confirmed and sweep and venue else 0,
            ours_seen=sweep.ours_seen if sweep is not None else 0,
            cancels_sent=sweep.cancels_sent if sweep is not None else 0,
            ours_left=sweep.ours_left if sweep is not None else -1,
            foreign=sweep.foreign if sweep is not None else -1,
            venue_up=venue is not None and venue.up,
            dead_man=venue.dead_man_words(now_ns) if venue is not None else "NONE",
            dead_man_s=venue.dead_man_s if venue is not None else 0,
            refreshed_ns=venue.refreshed_wall_ns if venue is not None else 0,
            ts_ns=self._report.ts_ns,
        )
        if values != self._report:
            self._report = msgspec.structs.replace(values, ts_ns=self._wall_ns())
            self._tell_report(self._report)

    def _phase(self, *, confirmed: bool, goes_on: bool) -> str:
        if confirmed:
            return "confirmed"
        if not goes_on:
            return "gave up" if self._sweep is not None else "ended"
        if self._fenced_for and not self._dead:
            return "fencing"
        if self._sweep is not None:
            return "cancelling"
        if self._kill_commanded and self._spares:
            return "sparing"
        return "waiting" if self.is_busy else "watching"

    def _engine_words(self) -> str:
        if self._fenced_for:
            return "fenced" if self._dead else "being fenced"
        if self._heart.life in (Life.ENDED, Life.LEFT, Life.OWING):
            return "ended"
        if self._dead:
            return "dead"
        return "late" if self._watch.late_ns >= self._params.settings.halt_ms * MS else "runs"
