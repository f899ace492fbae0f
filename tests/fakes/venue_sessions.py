"""SIM sessions in a process of their own, and what the simulated venue's ledger says of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec

from app.launch import prepare_session
from app.run_command import RunOptions
from app.venue_session import sim_session
from pipeline.core.engine import Engine
from pipeline.core.inputs import Input
from pipeline.runtime.guard_report import GUARD_LOCK_NAME
from pipeline.runtime.journal_reader import read_journal
from pipeline.runtime.journal_run import JournalRun
from pipeline.runtime.locks import is_held, read_owner
from pipeline.runtime.places import SessionPlace
from pipeline.runtime.sim_child import SimAddress
from pipeline.runtime.spec import SessionSpec
from pipeline.runtime.venue_params import VenueParams
from pipeline.wire.venues import codec_for
from tests.fakes.sessions import ROOT

QUICK = {
    "backoff_first_ms": 50,
    "backoff_longest_ms": 200,
    "absent_after_ms": 1_500,
    "ask_after_ms": (100, 200, 400),
    "answer_ms": 400,
    "list_every_ms": 1_000,
    "list_closed_ms": 200,
}
"""An order path as patient as shipped would make every test wait."""


_AS_A_USER = "import sys; from pipeline.runtime.session_main import main; sys.exit(main(euid=1000))"
"""Tests may run as root, which LIVE refuses."""


@dataclass(eq=False)
class VenueSession:
    """One session of the sim's, and its files."""

    place: SessionPlace
    process: subprocess.Popen[str]
    orders: VenueParams
    status: int = -1
    errors: str = ""

    def stop(self) -> dict[str, Any]:
        """Ask it to end as the system does, and give the summary."""
        self.process.terminate()
        return self.ended()

    def ended(self, wait_s: float = 40) -> dict[str, Any]:
        """Wait for the end and give the summary."""
        _, self.errors = self.process.communicate(timeout=wait_s)
        self.status = self.process.returncode
        assert self.status in (0, 3, 4), self.errors
        found: dict[str, Any] = json.loads((self.place.root / "summary.json").read_text())
        return found


@contextmanager
def venue_session(
    at: Mapping[str, Any],
    name: str,
    changes: Mapping[str, Any] | None = None,
    program: Sequence[str] = ("-c", _AS_A_USER),
    spec_changes: Mapping[str, Any] | None = None,
    **options: Any,
) -> Iterator[VenueSession]:
    """Run a headless AUTO session at a sim; `changes` are of its `VenueParams`."""
    given = {"authority": "auto", "headless": True, "fees": "0/0", "name": name, "workers": 1, **options}
    address = SimAddress(at["base_url"], at["api_url"], at["api_key"], at["secret"])
    spec, place = sim_session(RunOptions(venue="binance", symbols=tuple(at["symbols"]), **given), address)
    spec = msgspec.structs.replace(spec, **(spec_changes or {}))
    with running(spec, place, changes, program) as session:
        yield session


@contextmanager
def running(
    spec: SessionSpec,
    place: SessionPlace,
    changes: Mapping[str, Any] | None = None,
    program: Sequence[str] = ("-c", _AS_A_USER),
) -> Iterator[VenueSession]:
    """Run a session that was made, its order path in a hurry; it is gone afterwards."""
    assert spec.orders is not None
    orders = msgspec.structs.replace(spec.orders, **{**QUICK, **(changes or {})})
    spec = msgspec.structs.replace(spec, orders=orders)
    prepare_session(spec, place)
    process = subprocess.Popen(
        [sys.executable, "-P", *program, str(place.root)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield VenueSession(place, process, orders)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
        dismiss_guard(place)


def dismiss_guard(place: SessionPlace) -> None:
    """End the guard of a session that was killed: it would go on for a minute about a venue that is gone."""
    lock = place.root / GUARD_LOCK_NAME
    owner = read_owner(lock) if is_held(lock) else None
    if owner is not None:
        os.kill(owner.pid, signal.SIGTERM)


@dataclass(eq=False)
class Replayed:
    """A session's journal through a fresh engine."""

    run: JournalRun
    events: list[Input] = field(default_factory=list)

    def of(self, kind: type[Any]) -> list[Any]:
        """Give the inputs of one kind, in order."""
        return [event for event in self.events if isinstance(event, kind)]


def replayed(place: SessionPlace) -> Replayed:
    """Feed the journal of a session to a fresh engine, and keep what went in."""
    header, records = read_journal(place.journal_dir)
    params = header.params
    instruments = {one.symbol: one for one in params.instruments}
    codec = codec_for(params.instruments[0].venue, instruments)
    run = JournalRun(Engine(params), codec, records, header.sources)
    found = Replayed(run)
    run.pump._observe = found.events.append
    run.advance(None, 60.0)
    assert run.ended
    return found
