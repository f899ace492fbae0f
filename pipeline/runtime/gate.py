"""The gate every order passes: closed by anyone at once, opened only by a release that saw who closed it.

Theory of operation. Each closer (console, shell, guard, engine, signal) has two words in a shared page: the
generation of its newest close, and the generation a release last took back. The gate is open while the two
are equal for every closer and no latch file exists. A close stores a generation nobody has used before, so
no release of an older one can make the words equal: a close cannot be lost, whatever runs between the
compare and the store of a release, and two processes may share a closer. Neither closing nor releasing
waits for anyone. Two more words a closer do the same for kills, so that a kill is one also where the disk
takes no latch file.

A reader loads the released words first, then the latch, then the closed words. Where a pair is equal that
closer was open all the time between the two loads, so an answer "open" was true at the look at the latch.
`gate_memory` has the layout, `latch` the latch file.
"""

from __future__ import annotations

import fcntl
import itertools
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from pipeline.runtime.gate_file import open_page, publish_page
from pipeline.runtime.gate_memory import (
    RELEASE_SLOT,
    SLOTS,
    GateMemory,
    new_page,
    pack_record,
    unpack_record,
)
from pipeline.runtime.gate_state import Closer, CloserRecord, GateError, GateState, ReleaseResult
from pipeline.runtime.latch import Latch, LatchDir, LatchRecord
from pipeline.runtime.private_dirs import Warn

__all__ = ["Closer", "CloserRecord", "Gate", "GateError", "GateState", "ReleaseResult"]

GATE_NAME = "gate"
_ORDINAL_SHIFT = 32
_ORDINAL_MASK = 0x7FFF_FFFF
_PID_SHIFT = 10
_PID_MASK = 0x3F_FFFF
_TURN_MASK = 0x3FF
_turns = itertools.count()
"""Tells apart closes of two threads of one process; `next` on it is atomic and safe in a signal handler."""

_EMPTY_RECORD = (0, 0, 0, "?", "?", "record unreadable")


class Gate:
    """One process's view of a session's gate."""

    def __init__(self, memory: GateMemory, descriptor: int, latch_dirs: tuple[LatchDir, ...]) -> None:
        """Wrap a mapped page; use `create` or `attach`. Kills are written to the last latch directory."""
        self._memory = memory
        self._descriptor = descriptor
        self._latch_dirs = latch_dirs

    @classmethod
    def create(cls, session_dir: Path, latch_dir: Path | None = None) -> Gate:
        """Make the session's gate, open, or join the one that is there with all that closed it.

        `latch_dir` is the account's directory in LIVE: its latch counts as well, and kills are written there.

        Raises:
            GateError: when the file cannot be made, or what is there is no gate.
        """
        path = session_dir / GATE_NAME
        relative = "" if latch_dir is None else os.path.relpath(latch_dir, session_dir)
        try:
            publish_page(path, new_page(relative))
        except (OSError, ValueError) as problem:
            raise GateError(f"cannot make the gate {path}: {problem}") from problem
        gate = cls.attach(session_dir)
        if gate._memory.latch_dir() != relative:
            gate.detach()
            raise GateError(f"the gate {path} belongs to another account; start under another --name")
        return gate

    @classmethod
    def attach(cls, session_dir: Path, warn: Warn | None = None) -> Gate:
        """Join the gate of a session; with `warn` one that is not private to this user is joined too.

        Raises:
            GateError: when there is none, it is damaged, or it is not private to this user.
        """
        path = session_dir / GATE_NAME
        latch_dirs: list[LatchDir] = []
        try:
            descriptor, page = open_page(path, warn)
        except OSError as problem:
            raise GateError(f"cannot use the gate {path}: {problem.strerror}") from problem
        memory = GateMemory(page)
        try:
            latch_dirs.append(LatchDir(session_dir))
            if memory.latch_dir():
                latch_dirs.append(LatchDir(session_dir / memory.latch_dir()))
        except OSError as problem:
            _close_all(memory, descriptor, latch_dirs)
            raise GateError(
                f"cannot use the latch directory {problem.filename}: {problem.strerror}"
            ) from None
        return cls(memory, descriptor, tuple(latch_dirs))

    @property
    def is_of_account(self) -> bool:
        """Say whether the latch is an account's: a session with real money."""
        return len(self._latch_dirs) > 1

    @property
    def session_dir(self) -> Path:
        """Give the session's directory."""
        return self._latch_dirs[0].path

    def detach(self) -> None:
        """Unmap the page and close all descriptors; what this process closed stays closed."""
        _close_all(self._memory, self._descriptor, self._latch_dirs)

    def is_open(self) -> bool:
        """Say whether an order may leave. Costs a few microseconds; to be asked right before each send."""
        memory = self._memory
        released, unkilled = memory.released_all(), memory.unkilled_all()
        if self._orphaned() or self._has_latch():
            return False
        return released == memory.closed_all() and unkilled == memory.killed_all()

    def close(
        self, closer: Closer, who: str, tty: str, reason: str, ts_ns: int, *, kill: bool = False
    ) -> int:
        """Close the gate for `closer` and give the generation of this close; with `kill` it is a kill.

        Waits for nobody; may be called from a signal handler or any thread, and again while closed: every
        call is a close of its own, which a release of an earlier one does not undo.
        """
        memory, slot = self._memory, int(closer)
        newest = max(memory.closed(slot), memory.released(slot))
        generation = _generation_after(newest)
        memory.store_record(slot, pack_record(generation, ts_ns, os.getpid(), who, tty, reason))
        if kill:  # first: whoever sees the close must see what it is
            memory.store_killed(slot, generation)
        memory.store_closed(slot, generation)
        return generation

    def latch(self, who: str, tty: str, reason: str, ts_ns: int) -> bool:
        """Write the latch, KILL; False when no directory takes it. Call `close` first, `sync_latch` after.

        Only the latch survives a restart and counts for the whole account.

        Touches the disk but does not wait for it; a latch that is there already gets one more line.
        """
        record = LatchRecord(who, tty, reason, ts_ns, os.getpid())
        return any(place.engage(record) for place in reversed(self._latch_dirs))

    def sync_latch(self) -> bool:
        """Make the latch survive a power loss. Waits for the disk: not for an input thread."""
        return bool(sum(place.sync() for place in self._latch_dirs))

    def state(self) -> GateState:
        """Read everything there is to show; slower than `is_open`."""
        memory = self._memory
        released = [memory.released(slot) for slot in range(SLOTS)]
        unkilled = [memory.unkilled(slot) for slot in range(SLOTS)]
        latches = tuple(latch for place in self._latch_dirs if (latch := place.read()) is not None)
        orphaned, has_latch = self._orphaned(), self._has_latch()
        closed = [memory.closed(slot) for slot in range(SLOTS)]
        killed = [memory.killed(slot) for slot in range(SLOTS)]
        kills = {slot: killed[slot] for slot in range(SLOTS) if killed[slot] != unkilled[slot]}
        shut = [slot for slot in range(SLOTS) if closed[slot] != released[slot]]
        known = [slot for slot in shut if slot < len(Closer)]
        return GateState(
            open=not (shut or has_latch or kills or orphaned),
            latched=has_latch or bool(kills),
            closers=tuple(self._record(slot, closed[slot]) for slot in known),
            generation=sum(word >> _ORDINAL_SHIFT for word in closed),
            latches=latches,
            kills=kills,
            kill_count=sum(word >> _ORDINAL_SHIFT for word in killed),
            unknown_slots=tuple(slot for slot in shut if slot >= len(Closer)),
            orphaned=orphaned,
            last_release=self._last_release(),
        )

    def mark(self) -> bytes:
        """Give bytes that change with every close, release, latch and removal; cheap enough for each beat."""
        memory, flags = self._memory, bytes((self._has_latch(), self._orphaned()))
        early = memory.released_all() + memory.unkilled_all()
        return early + flags + memory.closed_all() + memory.killed_all()

    def acknowledge(self, seen: Iterable[CloserRecord]) -> None:
        """Note that the engine has acted on these closes; the engine alone calls this."""
        for record in seen:
            self._memory.store_acknowledged(int(record.closer), record.generation)

    def release(
        self,
        shown: Mapping[Closer, int],
        who: str,
        tty: str,
        reason: str,
        ts_ns: int,
        *,
        latches: tuple[Latch, ...] = (),
        kills: Mapping[int, int] | None = None,
    ) -> ReleaseResult:
        """Take back the closes the operator was shown, the latches and kills named; anything newer stays.

        `shown` holds the generations of `GateState.closers`; `latches` and `kills` those of `GateState` that
        are to go. Never waits: while another release runs the result says `busy`.

        Raises:
            OSError: when no descriptor is left for the lock.
        """
        lock = os.open(f"/proc/self/fd/{self._descriptor}", os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return ReleaseResult((), tuple(shown), (), busy=True, open=self.is_open())
        else:
            latches_kept = self._remove(latches, ts_ns)
            for slot, generation in (kills or {}).items():
                # Like a close: a kill stored since carries another generation and stays.
                self._memory.store_unkilled(slot, generation)
            released = tuple(closer for closer in shown if self._release_one(closer, shown[closer]))
            record = pack_record(len(released), ts_ns, os.getpid(), who, tty, reason)
            self._memory.store_record(RELEASE_SLOT, record)
        finally:
            os.close(lock)
        kept = tuple(closer for closer in shown if closer not in released)
        return ReleaseResult(released, kept, latches_kept, busy=False, open=self.is_open())

    def _release_one(self, closer: Closer, generation: int) -> bool:
        if self._memory.closed(closer) != generation:
            return False
        # A close stored from here on carries another generation, so this store cannot undo it.
        self._memory.store_released(closer, generation)
        return self._memory.closed(closer) == generation

    def _remove(self, latches: tuple[Latch, ...], ts_ns: int) -> tuple[str, ...]:
        places = {str(place.path): place for place in self._latch_dirs}
        kept = []
        for latch in latches:
            place = places.get(os.path.dirname(latch.path))
            if place is None or not place.remove(latch, ts_ns):
                kept.append(latch.path)
        return tuple(kept)

    def _has_latch(self) -> bool:
        return any(place.present() for place in self._latch_dirs)

    def _orphaned(self) -> bool:
        return os.fstat(self._descriptor).st_nlink == 0

    def _record(self, slot: int, generation: int) -> CloserRecord:
        record = unpack_record(self._memory.record(slot))
        if record is None or record[0] != generation:
            record = _EMPTY_RECORD
        _, ts_ns, pid, who, tty, reason = record
        acknowledged = self._memory.acknowledged(slot) == generation
        return CloserRecord(Closer(slot), generation, who, tty, ts_ns, reason, pid, acknowledged)

    def _last_release(self) -> CloserRecord | None:
        record = unpack_record(self._memory.record(RELEASE_SLOT))
        if record is None or record[1] == 0:
            return None
        count, ts_ns, pid, who, tty, reason = record
        return CloserRecord(Closer.SHELL, count, who, tty, ts_ns, reason, pid, acknowledged=True)


def _generation_after(newest: int) -> int:
    ordinal = ((newest >> _ORDINAL_SHIFT) + 1) & _ORDINAL_MASK
    turn = next(_turns) & _TURN_MASK
    return ordinal << _ORDINAL_SHIFT | (os.getpid() & _PID_MASK) << _PID_SHIFT | turn


def _close_all(memory: GateMemory, descriptor: int, latch_dirs: Iterable[LatchDir]) -> None:
    memory.detach()
    os.close(descriptor)
    for place in latch_dirs:
        place.detach()
