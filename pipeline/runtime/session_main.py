"""The session's process: `python -P -m pipeline.runtime.session_main SESSION_DIRECTORY`.

Started by the console before it takes over the terminal, in a session of its own, with its output in the
session's log. Everything it needs is in the spec file of its directory.
"""

from __future__ import annotations

import asyncio
import sys
import time
import traceback
from pathlib import Path

import uvloop

from pipeline.models.refusal import ModelRefused
from pipeline.runtime.capture import CaptureError
from pipeline.runtime.gate import Gate
from pipeline.runtime.journal_format import JournalError
from pipeline.runtime.locks import InstanceLock, LockHeldError
from pipeline.runtime.places import session_place
from pipeline.runtime.session import ReplaySession, collector_tamed, open_pool
from pipeline.runtime.session_host import SessionHost
from pipeline.runtime.spec import SessionSpec, read_spec
from pipeline.runtime.summary import EXIT_FAILED, EXIT_USAGE, Summary, SummaryError, keep_summary
from pipeline.runtime.venue_keys import KeyFileError
from pipeline.runtime.workers import WorkerPool

SPEC_NAME = "spec"


def run_session(spec: SessionSpec, directory: Path) -> Summary:
    """Run one session to its end and write its summary; the caller made its gate.

    Raises:
        LockHeldError: the session runs already.
        SummaryError: it ended in order, but its summary could not be written.
    """
    place = session_place(directory.name)
    with InstanceLock.acquire(place.lock, spec.operator, time.time_ns()) as lock:
        gate = Gate.attach(directory)
        pool = open_pool(spec, directory)
        try:
            session = _session(spec, directory, gate, pool, lock)
            with collector_tamed(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                summary = runner.run(session.run())
        finally:
            if pool is not None:
                pool.close(0)
            gate.detach()
    wanted = (Path(spec.summary_path),) if spec.summary_path else ()
    keep_summary(summary, (place.summary, *wanted))
    return summary


def _session(
    spec: SessionSpec, directory: Path, gate: Gate, pool: WorkerPool | None, lock: InstanceLock
) -> SessionHost:
    if spec.feed is None:
        return ReplaySession(spec, directory, gate, pool, lock)
    # A replay needs neither sockets nor HTTP; loading them takes a tenth of a second.
    from pipeline.runtime.live_session import LiveSession

    return LiveSession(spec, spec.feed, directory, gate, pool, lock)


def main() -> int:
    """Run the session of the directory on the command line; give its exit status."""
    directory = Path(sys.argv[1])
    try:
        return run_session(read_spec(directory / SPEC_NAME), directory).exit_status
    except SummaryError as problem:
        sys.stderr.write(f"lobdeck: {problem}\n")
        return EXIT_FAILED
    except (CaptureError, JournalError, KeyFileError, LockHeldError, ModelRefused) as problem:
        sys.stderr.write(f"lobdeck: {' '.join(str(problem).split())}\n")
        return EXIT_USAGE
    except Exception:  # the host's border: whatever it was, the log has it and the exit status says so
        traceback.print_exc()
        return EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
