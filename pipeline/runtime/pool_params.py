"""Settings of a worker pool, and the accounts of its rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.core.params import MS, SECOND
from pipeline.runtime.rings import is_depth


@dataclass(frozen=True, slots=True)
class PoolParams:
    """Settings of a pool; times in nanoseconds."""

    workers: int = 2
    spares: int = 1
    """Warm processes that take over at once; each costs about 60 MB."""
    depth: int = 64
    """Slots of each ring, a power of two; what it costs is in `rings.py`."""
    deadline_ns: int = 50 * MS
    """An answer taken later than this after its row was asked is void."""
    lockstep: bool = False
    """Nothing may depend on real time: every row waits its turn, none is late."""
    tries: int = 3
    """How often a row is asked in lock-step when workers die over it."""
    hang_ns: int = 400 * MS
    """Silence with rows in flight after which a worker is killed."""
    idle_hang_ns: int = 2 * SECOND
    """The same without rows in flight, or for one that beats and answers nothing."""
    start_ns: int = 30 * SECOND
    """Longest start-up."""
    prepare_ns: int = 20 * SECOND
    """Longest time all workers may take to load a further model."""
    backoff_ns: int = 50 * MS
    """Wait before the next start; doubles with each recent death of an unproven process."""
    backoff_max_ns: int = 5 * SECOND
    deaths_max: int = 5
    """This many deaths of unproven processes within `deaths_window_ns` end the replacing."""
    deaths_window_ns: int = 60 * SECOND
    proven_after: int = 20
    """Rows a process must have answered for its death to be an accident and not a habit."""
    spin_ns: int = 50_000
    """How long a worker looks for the next row before it sleeps, while rows come about that fast."""
    log_path: Path | None = None
    log_bytes: int = 1 << 20

    def __post_init__(self) -> None:
        """Refuse settings no pool can run with.

        Raises:
            ValueError: naming the setting, its value and what is wanted.
        """
        if not 1 <= self.workers <= 64:
            raise ValueError(f"workers is {self.workers}; want 1 to 64")
        if not 0 <= self.spares <= 8:
            raise ValueError(f"spares is {self.spares}; want 0 to 8")
        if not is_depth(self.depth):
            raise ValueError(f"ring depth is {self.depth}; want a power of two from 1 to 65536")


@dataclass(slots=True)
class PoolCounts:
    """What became of the rows asked; `open` are those that have not ended yet."""

    asked: int = 0
    answered: int = 0
    late: int = 0
    worker: int = 0
    conflated: int = 0
    invalid: int = 0

    @property
    def void(self) -> int:
        """Count rows that ended without an answer, for whatever cause."""
        return self.late + self.worker + self.conflated + self.invalid

    @property
    def open(self) -> int:
        """Count rows that are waiting or in flight."""
        return self.asked - self.answered - self.void
