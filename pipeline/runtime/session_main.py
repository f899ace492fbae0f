"""The session's process: `python -P -m pipeline.runtime.session_main SESSION_DIRECTORY`.

Started by the console before it takes over the terminal, in a session of its own, with its output in the
session's log. Everything it needs is in the spec file of its directory.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
import traceback
from contextlib import ExitStack
from pathlib import Path

import msgspec
import uvloop

from pipeline.core.types import VenueMode
from pipeline.models.refusal import ModelRefused
from pipeline.runtime.capture import CaptureError
from pipeline.runtime.earlier_day import earlier_day
from pipeline.runtime.earlier_journals import earlier_books
from pipeline.runtime.gate import Gate
from pipeline.runtime.journal_format import JournalError
from pipeline.runtime.locks import InstanceLock, LockHeldError
from pipeline.runtime.places import account_place, session_place
from pipeline.runtime.session import ReplaySession, collector_tamed, open_pool
from pipeline.runtime.session_host import SessionHost
from pipeline.runtime.sim_child import SimChild, SimError, aimed, orders_at
from pipeline.runtime.spec import SPEC_NAME, SessionSpec, read_spec
from pipeline.runtime.summary import EXIT_FAILED, EXIT_USAGE, Summary, SummaryError, keep_summary
from pipeline.runtime.venue_facts import Difference, VenueFactsError, as_the_venue_says
from pipeline.runtime.venue_keys import KeyFileError, read_keys
from pipeline.runtime.workers import WorkerPool


class SessionRefusedError(Exception):
    """A session must not run like this; one line says why."""


def run_session(spec: SessionSpec, directory: Path, euid: int | None = None) -> Summary:
    """Run one session to its end and write its summary; the caller made its gate.

    `euid` is whose process this is: our own unless given.

    Raises:
        SessionRefusedError: it would trade real money as root.
        VenueFactsError: the venue does not tell filters and fees, or a symbol does not trade there.
        LockHeldError: the session runs already, or another one trades its account.
        SimError: it has an exchange of its own, which did not start.
        SummaryError: it ended in order, but its summary could not be written.
    """
    if spec.params.mode is VenueMode.LIVE and (os.geteuid() if euid is None else euid) == 0:
        raise SessionRefusedError("LIVE: not as root: run as the user the key belongs to")
    place = session_place(directory.name)
    with InstanceLock.acquire(place.lock, spec.operator, time.time_ns()) as lock, ExitStack() as stack:
        stack.enter_context(_account_lock(spec))
        gate = Gate.attach(directory)
        stack.callback(gate.detach)
        # Before the workers, so that both start at once; `_session` waits for it.
        sim = _start_sim(spec, directory, stack)
        pool = open_pool(spec, directory)
        if pool is not None:
            stack.callback(pool.close, 0)
        session = _session(spec, directory, gate, pool, lock, sim)
        with collector_tamed(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            summary = runner.run(session.run())
    wanted = (Path(spec.summary_path),) if spec.summary_path else ()
    keep_summary(summary, (place.summary, *wanted))
    return summary


def _start_sim(spec: SessionSpec, directory: Path, stack: ExitStack) -> SimChild | None:
    if spec.sim is None:
        return None
    sim = SimChild(spec.sim, spec.symbols, directory)
    stack.callback(sim.close)
    return sim


def _account_lock(spec: SessionSpec) -> contextlib.AbstractContextManager[object]:
    """Hold the account of a LIVE session: two sessions would count each other's orders as their own risk."""
    if spec.orders is None or spec.params.mode is not VenueMode.LIVE:
        return contextlib.nullcontext()
    return InstanceLock.acquire(account_place(spec.orders.account).lock, spec.operator, time.time_ns())


def _session(
    spec: SessionSpec,
    directory: Path,
    gate: Gate,
    pool: WorkerPool | None,
    lock: InstanceLock,
    sim: SimChild | None,
) -> SessionHost:
    if spec.feed is None:
        return ReplaySession(spec, directory, gate, pool, lock)
    # A replay needs neither sockets nor HTTP; loading them takes a tenth of a second.
    from pipeline.runtime.live_session import LiveSession

    feed = spec.feed
    if sim is not None:
        address = sim.address()
        feed = aimed(feed, spec.venue, address)
        spec = msgspec.structs.replace(spec, orders=orders_at(address, directory))
    spec, differs = _as_the_venue_says(spec)
    books = None
    if spec.orders is not None and sim is None:
        books = earlier_books(spec.orders, time.time_ns())
    day = None if sim is not None else earlier_day(spec, directory / "journal", time.time_ns(), books)
    return LiveSession(spec, feed, directory, gate, pool, lock, sim, differs, books, day)


def _as_the_venue_says(spec: SessionSpec) -> tuple[SessionSpec, tuple[Difference, ...]]:
    """Put the venue's filters and fees over the tables' where orders go to a venue."""
    if spec.orders is None:
        return spec, ()
    from pipeline.runtime.venue_preflight import read_facts

    key = read_keys(Path(spec.orders.key_path))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        facts, fees = runner.run(read_facts(spec.orders, key, spec.symbols))
    params, differs = as_the_venue_says(spec.params, facts, fees)
    return msgspec.structs.replace(spec, params=params), differs


_REFUSALS = (
    CaptureError,
    JournalError,
    KeyFileError,
    LockHeldError,
    ModelRefused,
    SessionRefusedError,
    SimError,
    VenueFactsError,
)


def main(euid: int | None = None) -> int:
    """Run the session of the directory on the command line; give its exit status."""
    directory = Path(sys.argv[1])
    try:
        return run_session(read_spec(directory / SPEC_NAME), directory, euid).exit_status
    except SummaryError as problem:
        sys.stderr.write(f"lobdeck: {problem}\n")
        return EXIT_FAILED
    except _REFUSALS as problem:
        sys.stderr.write(f"lobdeck: {' '.join(str(problem).split())}\n")
        return EXIT_USAGE
    except Exception:  # the host's border: whatever it was, the log has it and the exit status says so
        traceback.print_exc()
        return EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
