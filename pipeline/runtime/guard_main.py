"""The guard's process: `python -P -m pipeline.runtime.guard_main SESSION_DIRECTORY PIDFD`.

Started by the session, in a session of its own, with the engine's pidfd and its output in a log. Survives
hang-up, interrupt and the death of whoever started it; SIGUSR1 is a kill; SIGTERM ends it only when the
engine is gone. Imports little: the standard library, msgspec, the gate and the requests.
"""

from __future__ import annotations

import functools
import os
import select
import signal
import sys
import time
from pathlib import Path

from pipeline.runtime.gate import Gate, GateError
from pipeline.runtime.guard import PAUSE_NS, Guard
from pipeline.runtime.guard_engine import PidfdEngine
from pipeline.runtime.guard_params import read_guard_params
from pipeline.runtime.guard_report import GUARD_LOCK_NAME, write_report
from pipeline.runtime.guard_venue import GuardVenue
from pipeline.runtime.heart import Heart
from pipeline.runtime.locks import InstanceLock, LockHeldError
from pipeline.runtime.venue_keys import KeyFileError, read_keys

EXIT_USAGE = 2
_LOCK_TRIES, _LOCK_PAUSE_S = 20, 0.1


def run_guard(directory: Path, engine: int) -> int:
    """Guard until there is nothing left to guard; give the exit status, 3 for orders not confirmed gone.

    Raises:
        GateError: the session has no gate.
        KeyFileError: the key file cannot be used.
        LockHeldError: another guard guards it.
        OSError: the session's files cannot be used.
    """
    params = read_guard_params(directory)
    with _lock(directory):
        gate, heart = Gate.attach(directory), Heart.join(directory)
        venue = GuardVenue(params, read_keys(Path(params.key_path))) if params.acts else None
        tell = functools.partial(write_report, directory=directory)
        guard = Guard(params, gate, heart, PidfdEngine(engine), venue, tell, time.time_ns, os.getpid())
        _heed_signals(guard)
        try:
            _loop(guard, venue, engine)
        finally:
            if venue is not None:
                venue.close()
    return guard.exit_status


def _loop(guard: Guard, venue: GuardVenue | None, engine: int) -> None:
    """Turn fifty times a second, and at once when the venue speaks or the engine ends."""
    while guard.turn(time.monotonic_ns()):
        poll = select.poll()
        if not guard.engine_has_ended:
            poll.register(engine, select.POLLIN)
        for descriptor, events in venue.descriptors if venue is not None else ():
            poll.register(descriptor, events)
        poll.poll(PAUSE_NS / 1e6)


def _heed_signals(guard: Guard) -> None:
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGUSR1, lambda *_: guard.kill("SIGUSR1 to the guard"))
    signal.signal(signal.SIGTERM, lambda *_: guard.dismiss())


def _lock(directory: Path) -> InstanceLock:
    """Take the guard's lock; one that was killed a moment ago still holds it for a moment."""
    for tried in range(_LOCK_TRIES):
        try:
            return InstanceLock.acquire(directory / GUARD_LOCK_NAME, "guard", time.time_ns())
        except LockHeldError:
            if tried + 1 == _LOCK_TRIES:
                raise
            time.sleep(_LOCK_PAUSE_S)
    raise AssertionError


def main() -> int:
    """Guard the session on the command line; give the exit status."""
    directory, engine = Path(sys.argv[1]), int(sys.argv[2])
    os.set_inheritable(engine, False)
    try:
        return run_guard(directory, engine)
    except (GateError, KeyFileError, LockHeldError, OSError, ValueError) as problem:
        sys.stderr.write(f"lobdeck guard: {' '.join(str(problem).split())}\n")
        return EXIT_USAGE


if __name__ == "__main__":
    sys.exit(main())
