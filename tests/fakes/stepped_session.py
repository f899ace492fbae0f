"""A session whose wall clock is stepped from outside: `python -m tests.fakes.stepped_session DIRECTORY`.

Eight bytes of the file `step` in the directory above the session's are the nanoseconds added to the system's
wall clock, read at each look at it. A clock of the machine's own cannot be stepped by a test.
"""

from __future__ import annotations

import mmap
import struct
import sys
import time
from pathlib import Path

STEP_NAME = "step"
_STEP = struct.Struct("<q")


class SteppedClock:
    """The system's wall clock and what the file adds to it."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), _STEP.size)
        self._system = time.time_ns

    def __call__(self) -> int:
        """Give nanoseconds since the epoch."""
        step_ns: int = _STEP.unpack_from(self._page)[0]
        return self._system() + step_ns


def step(directory: Path, seconds: float) -> None:
    """Set how far the wall clock of the sessions below a directory is ahead."""
    path = directory / STEP_NAME
    if not path.exists():
        path.write_bytes(bytes(_STEP.size))
    with path.open("r+b") as file:
        file.write(_STEP.pack(int(seconds * 1e9)))


if __name__ == "__main__":
    time.time_ns = SteppedClock(Path(sys.argv[1]).parent / STEP_NAME)
    # The session binds the clock when it is loaded, so it is loaded after.
    from pipeline.runtime.session_main import main

    sys.exit(main(euid=1000))
