"""Kills, halts and releases on file in a session's directory that its journal does not tell of.

An engine that stands still or is dead writes no journal; a kill then is on the gate's page and in the latch
file, and what came of it in the guard's report. None of these is in the journal's chain: they are evidence of
the second rank and say so. The page has the newest record of each closer only.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

import msgspec

from pipeline.core.inputs import GateChanged
from pipeline.core.session_facts import GateFileFact
from pipeline.runtime.earlier_books import input_tag
from pipeline.runtime.gate import GATE_NAME
from pipeline.runtime.gate_memory import MAGIC, RELEASE_SLOT, SIZE, GateMemory, unpack_record
from pipeline.runtime.gate_state import Closer
from pipeline.runtime.guard_report import read_report
from pipeline.runtime.journal_format import JournalError, RecordKind
from pipeline.runtime.journal_scan import open_segment, segment_files
from pipeline.runtime.latch import LATCH_NAME, LatchRecord

_MAX_READ = 64 * 1024
_TAG = b"GateChanged"
_decode = msgspec.msgpack.Decoder(GateChanged).decode


def kill_records(session_dir: Path, told_ns: Collection[int]) -> tuple[GateFileFact, ...]:
    """Give what is on file and was not acted on at one of `told_ns`, in order of time.

    A record older than the oldest segment that is kept is left out: nobody can say whether it was told.
    What cannot be read gives nothing; the newest kill before the guard's report has what that says.
    """
    journal = session_dir / "journal"
    began_ns, earlier_ns = _told_before(journal)
    known = {*told_ns, *earlier_ns}
    page = _page(session_dir / GATE_NAME)
    places = [session_dir]
    if page is not None and page.latch_dir():
        places.append(session_dir / page.latch_dir())
    found: dict[tuple[int, str], GateFileFact] = {}
    for fact in (*(one for place in places for one in _latched(place)), *_of_page(page)):
        if fact.acted_ns >= began_ns and fact.acted_ns not in known:
            found.setdefault((fact.acted_ns, fact.kind), fact)
    return _with_guard(session_dir, sorted(found.values(), key=lambda one: one.acted_ns))


def _told_before(journal: Path) -> tuple[int, set[int]]:
    """Give when the oldest kept run began, and the times of the acts its earlier runs were told of."""
    files = segment_files(journal) if journal.is_dir() else []
    newest = max((file.run for file in files), default=0)
    began_ns, told = 0, set[int]()
    for file in files:
        with contextlib.suppress(JournalError, msgspec.MsgspecError), open_segment(file) as reader:
            if reader.header is not None:
                began_ns = began_ns or reader.header.created_ns
            if file.run == newest:
                continue
            for record, _ in reader:
                if record.kind == RecordKind.INPUT and input_tag(record.payload) == _TAG:
                    told.add(_decode(record.payload).acted_ns)
    return began_ns, told


def _page(path: Path) -> GateMemory | None:
    try:
        raw = path.read_bytes()
    except OSError:
        return None
    return GateMemory(bytearray(raw)) if len(raw) == SIZE and raw.startswith(MAGIC) else None


def _of_page(page: GateMemory | None) -> Iterator[GateFileFact]:
    if page is None:
        return
    for slot in (*map(int, Closer), RELEASE_SLOT):
        record = unpack_record(page.record(slot))
        if record is None or not record[1]:
            continue
        generation, ts_ns, _, who, tty, reason = record
        kind = "release"
        if slot != RELEASE_SLOT:
            kind = "KILL" if page.killed(slot) == generation else "halt"
        yield GateFileFact(ts_ns, kind, who, tty, reason, "gate's page")


def _latched(place: Path) -> Iterator[GateFileFact]:
    with contextlib.suppress(OSError, ValueError):
        for path in sorted(place.glob(f"{LATCH_NAME}*")):
            source = "latch file" if path.name == LATCH_NAME else "latch file, released"
            for line in _lines(path):
                with contextlib.suppress(msgspec.DecodeError, RecursionError):
                    one = msgspec.json.decode(line, type=LatchRecord)
                    yield GateFileFact(one.ts_ns, "KILL", one.who, one.tty, one.reason, source)


def _lines(path: Path) -> list[bytes]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return []
    try:
        return os.read(descriptor, _MAX_READ).splitlines()
    except OSError:
        return []
    finally:
        os.close(descriptor)


def _with_guard(session_dir: Path, facts: list[GateFileFact]) -> tuple[GateFileFact, ...]:
    """Put what the guard reports to the newest kill before its report."""
    report = read_report(session_dir)
    if report is not None and report.generation:
        before = [at for at, one in enumerate(facts) if one.kind == "KILL" and one.acted_ns <= report.ts_ns]
        if before:
            facts[before[-1]] = replace(
                facts[before[-1]],
                guard=report.phase,
                engine=report.engine,
                cancels=report.cancels_sent,
                gone_ns=report.venue_ms * 1_000_000 if report.confirmed else 0,
            )
    return tuple(facts)
