"""The pulse of engine and guard: one page of shared memory, each word written by one process alone.

    offset  bytes  what
         0      8  magic `LOBHEART`
        64      8  the engine's beat: any number, another one at each turn of its loop
        72      8  the engine's life (`Life`)
        80      8  1 while the engine's whole chain is healthy: only then a dead-man switch is refreshed
        88      8  generation of the gate at which a person spares our orders, for now or on purpose; 0 = none
       128      8  the guard's beat
       136      8  pid of the guard that beats
       144      8  the guard's state (`GuardState`)

Words are unsigned, little-endian, aligned. Whether a beat is late is counted by whoever looks, in turns of
its own (`Pulse`): on a machine that stood still for ten seconds nobody was late.
"""

from __future__ import annotations

import enum
import mmap
import os
from pathlib import Path

HEART_NAME = "heart"
MAGIC = b"LOBHEART"
SIZE = 4096
_ENGINE, _GUARD, _WORDS = 64, 128, 4
_PATIENCE = 3
"""A look that comes later than this many times its usual pause counts as that many."""


class Life(enum.IntEnum):
    """What the engine says of itself."""

    STARTING = 0
    RUNS = 1
    ENDED = 2
    """In good order: nothing of ours is to be left at the venue."""
    LEFT = 3
    """In good order, and somebody chose to leave our orders where they are."""
    OWING = 4
    """In good order, but the venue has not said that our orders are gone: the guard sweeps them."""


class GuardState(enum.IntEnum):
    """What the guard says of itself."""

    NONE = 0
    STARTING = 1
    WATCHES = 2
    NO_VENUE = 3
    """It watches, but its own connection to the venue is down: it could cancel nothing."""
    ACTS = 4
    """A kill: it waits, fences, cancels or asks."""


_LIVES = {int(one): one for one in Life}
_STATES = {int(one): one for one in GuardState}


class Heart:
    """The page; the engine makes it, the guard joins it."""

    def __init__(self, page: mmap.mmap) -> None:
        """Wrap a mapped page; use `create` or `join`."""
        self._page = page
        self._whole = memoryview(page)
        self._engine = self._whole[_ENGINE : _ENGINE + 8 * _WORDS].cast("Q")
        self._guard = self._whole[_GUARD : _GUARD + 8 * _WORDS].cast("Q")

    @classmethod
    def create(cls, directory: Path) -> Heart:
        """Make a new page in a session's directory; an older run's stays with whoever still maps it.

        Raises:
            OSError: it cannot be made.
        """
        path = directory / HEART_NAME
        draft = path.with_name(f"{HEART_NAME}.{os.getpid()}")
        draft.write_bytes(MAGIC + bytes(SIZE - len(MAGIC)))
        draft.chmod(0o600)
        draft.replace(path)
        return cls.join(directory)

    @classmethod
    def join(cls, directory: Path) -> Heart:
        """Map the page of a session.

        Raises:
            OSError: there is none.
            ValueError: it is no such page.
        """
        descriptor = os.open(directory / HEART_NAME, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            page = mmap.mmap(descriptor, SIZE)
        finally:
            os.close(descriptor)
        if page[: len(MAGIC)] != MAGIC:
            page.close()
            raise ValueError(f"{directory / HEART_NAME} does not begin with {MAGIC.decode()}")
        return cls(page)

    def detach(self) -> None:
        """Unmap the page."""
        for view in (self._engine, self._guard, self._whole):
            view.release()
        self._page.close()

    # --- the engine's words -------------------------------------------------------------------------------

    def beat_engine(self, beat: int, *, healthy: bool, spared: int = 0) -> None:
        """Say that the engine's loop turns; `spared` as in the page above."""
        self._engine[3] = spared
        self._engine[2] = healthy
        self._engine[0] = beat

    def set_life(self, life: Life) -> None:
        """Say how the engine's life stands."""
        self._engine[1] = life

    @property
    def engine_beat(self) -> int:
        """Give the engine's beat."""
        return self._engine[0]

    @property
    def life(self) -> Life:
        """Give how the engine's life stands; RUNS for a word nobody knows."""
        word = self._engine[1]
        return _LIVES.get(word, Life.RUNS)

    @property
    def healthy(self) -> bool:
        """Say whether the engine calls its chain healthy."""
        return self._engine[2] == 1

    @property
    def spared(self) -> int:
        """Give the generation of the gate at which a person spares our orders; 0 for none."""
        return self._engine[3]

    # --- the guard's words --------------------------------------------------------------------------------

    def beat_guard(self, beat: int, pid: int, state: GuardState) -> None:
        """Say that the guard's loop turns."""
        self._guard[1] = pid
        self._guard[2] = state
        self._guard[0] = beat

    @property
    def guard_beat(self) -> int:
        """Give the guard's beat."""
        return self._guard[0]

    def guard_state(self, pid: int) -> GuardState:
        """Give the state of the guard with this pid; STARTING before its first beat."""
        if self._guard[1] != pid:
            return GuardState.STARTING
        word = self._guard[2]
        return _STATES.get(word, GuardState.NONE)


class Pulse:
    """How late a beat is, in the time the looker itself was awake."""

    def __init__(self, pause_ns: int) -> None:
        """Expect a look every `pause_ns`."""
        self._most_ns = _PATIENCE * pause_ns
        self._beat = -1
        self._looked_ns = -1
        self.late_ns = 0

    def look(self, beat: int, now_ns: int) -> int:
        """Take the beat as it stands; give how long it has not changed."""
        passed_ns = 0 if self._looked_ns < 0 else min(now_ns - self._looked_ns, self._most_ns)
        self._looked_ns = now_ns
        if beat != self._beat:
            self._beat, self.late_ns = beat, 0
        else:
            self.late_ns += passed_ns
        return self.late_ns
