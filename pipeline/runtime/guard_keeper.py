"""The session's side of its guard: starts it before orders can go, beats for it, replaces a lost one."""

from __future__ import annotations

import time
from pathlib import Path

from pipeline.runtime.guard_child import GuardChild, GuardProcesses, GuardStarter
from pipeline.runtime.guard_params import GuardParams, write_guard_params
from pipeline.runtime.heart import GuardState, Heart, Life, Pulse

MS = 1_000_000
_GOODBYE_S = 3.0
_LOOK_S = 0.01
_READ_EVERY = 100
"""Looks between two readings of the guard's report."""


class GuardKeeper:
    """One session's guard, whichever process it is at the moment."""

    def __init__(
        self,
        params: GuardParams,
        directory: Path,
        pause_ns: int,
        keeps: tuple[int, ...] = (),
        starter: GuardStarter | None = None,
    ) -> None:
        """Prepare what a guard reads; `look` starts it and is expected every `pause_ns`.

        `keeps` are descriptors it holds open as long as it lives. A guard is a process of its own unless a
        `starter` gives another.

        Raises:
            OSError: the session's directory takes no files.
        """
        self._params = params
        self._settings = params.settings
        write_guard_params(params, directory)
        self._heart = Heart.create(directory)
        self._starter = starter or GuardProcesses(directory, keeps)
        self._pulse = Pulse(pause_ns)
        self._no_venue = Pulse(pause_ns)
        self._process: GuardChild | None = None
        self._started_ns = 0
        self._next_start_ns = 0
        self._wait_ms = self._settings.restart_first_ms
        self._beat = 0
        self._seen = GuardState.NONE
        self._late_ns = 0
        self._no_venue_ns = 0
        self._dead_man = ""
        self.starts = 0

    @property
    def pid(self) -> int | None:
        """Give the guard's pid; None while there is none."""
        return None if self._process is None else self._process.pid

    @property
    def acts(self) -> bool:
        """Say whether orders go to a venue, where the guard could cancel them."""
        return self._params.acts

    @property
    def is_ready(self) -> bool:
        """Say whether a guard watches and could cancel: before that no order may go."""
        return self._seen in (GuardState.WATCHES, GuardState.ACTS) and not self.trouble

    @property
    def trouble(self) -> str:
        """Say why nothing new may go to the venue; empty while the guard is well. Only of one that acts."""
        if not self._params.acts or not self.starts:
            return ""
        if self._process is None or self._seen is GuardState.NONE:
            return "guard DOWN"
        if self._late_ns >= self._settings.missing_ms * MS and self._seen is not GuardState.STARTING:
            return "guard DOWN"
        if self._no_venue_ns >= self._settings.no_venue_ms * MS:
            return "guard has no venue"
        return "guard starts" if self._seen is GuardState.STARTING else ""

    @property
    def resume_refusal(self) -> str:
        """Say why nobody may resume yet; empty while a guard is well.

        The gate would be open until the session's next look at its guard: long enough for an order.
        """
        return f"{self.trouble}: resume once a guard can act" if self.trouble else ""

    @property
    def words(self) -> str:
        """Give a few words for the screen: the guard, and the dead-man switch where orders go to a venue."""
        return f"{self._word}, dead-man {self._dead_man}" if self._dead_man else self._word

    @property
    def _word(self) -> str:
        if self.trouble:
            return "DOWN" if "DOWN" in self.trouble else "no venue" if "venue" in self.trouble else "starts"
        match self._seen:
            case GuardState.ACTS:
                return "acts"
            case GuardState.WATCHES | GuardState.NO_VENUE:
                return "ok"
            case _:
                return "starts"

    def look(self, now_ns: int, *, healthy: bool, spared: int = 0) -> None:
        """Beat once, and look after the guard; `now_ns` is monotonic, `spared` as in the heart."""
        self._beat += 1
        self._heart.beat_engine(self._beat, healthy=healthy, spared=spared)
        if self._beat == 1:
            self._heart.set_life(Life.RUNS)
        self._look_at_process(now_ns)
        if self._beat % _READ_EVERY == 0 and self._params.acts:
            report = self._starter.report()
            self._dead_man = report.dead_man if report is not None else ""
        if self._process is None and now_ns >= self._next_start_ns:
            self._start(now_ns)

    def say_goodbye(self, life: Life) -> None:
        """Tell the guard that the session ends in good order, and wait for its end; at most 3 s.

        One that has a kill to bring to its end is left alone with it; any other does not outlive this.
        """
        self._heart.set_life(life)
        deadline_s = time.monotonic() + _GOODBYE_S
        while self._process is not None and self._process.poll() is None:
            if time.monotonic() > deadline_s:
                if self._heart.guard_state(self._process.pid) is not GuardState.ACTS:
                    self._process.kill()
                break
            time.sleep(_LOOK_S)
        self._starter.close()

    def _look_at_process(self, now_ns: int) -> None:
        process = self._process
        if process is None:
            return
        if process.poll() is not None:
            self._lost(now_ns)
            return
        self._seen = self._heart.guard_state(process.pid)
        self._late_ns = self._pulse.look(self._heart.guard_beat, now_ns)
        lonely = self._seen is GuardState.NO_VENUE
        self._no_venue_ns = self._no_venue.look(0 if lonely else self._beat, now_ns) if lonely else 0
        if not lonely:
            self._no_venue.look(self._beat, now_ns)
        if self._seen is GuardState.STARTING:
            hung = now_ns - self._started_ns >= self._settings.start_ms * MS
        else:
            hung = self._late_ns >= self._settings.missing_ms * MS
        if hung:
            process.kill()
            self._lost(now_ns)
        elif self._seen is GuardState.WATCHES:
            self._wait_ms = self._settings.restart_first_ms

    def _lost(self, now_ns: int) -> None:
        self._process, self._seen = None, GuardState.NONE
        self._next_start_ns = now_ns + self._wait_ms * MS
        self._wait_ms = min(2 * self._wait_ms, self._settings.restart_longest_ms)

    def _start(self, now_ns: int) -> None:
        self._started_ns = now_ns
        self._process = self._starter.start()
        self._seen = GuardState.STARTING
        self._pulse.look(-2, now_ns)
        self.starts += 1
