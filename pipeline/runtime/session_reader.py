"""A journal read into typed facts: checked, then played through the engine that wrote it.

Nothing is sent and nothing asked of a worker: the journal has every input. A damaged journal gives the facts
up to the damage, and says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline.core.engine import Engine
from pipeline.core.fact_collector import FactCollector
from pipeline.core.params import RiskLimits
from pipeline.core.session_facts import ChainFact, RunFact, SessionFacts
from pipeline.runtime.capture_run import Progress
from pipeline.runtime.journal_format import JournalError, JournalHeader, Record, RecordKind
from pipeline.runtime.journal_reader import JournalRecords, read_journal, verify_journal
from pipeline.runtime.journal_run import JournalRun
from pipeline.wire.codec import Codec
from pipeline.wire.venues import codec_for

_TURN_S = 0.25


def journal_of(path: Path) -> Path:
    """Give the journal of a session's directory; a journal, or one of its segments, as it is."""
    inner = path / "journal"
    return inner if inner.is_dir() else path


def read_session_facts(path: Path, run: int = 0) -> tuple[RunFact, SessionFacts]:
    """Read one run of the journal at `path`, 0 the newest; about 20,000 frames a second.

    `path` is a journal's directory, one of its segments, or the directory of a session.

    Raises:
        JournalError: there is no journal, no such run, or its header cannot be read.
    """
    journal = journal_of(path)
    header, records = read_journal(journal, run)
    evidence: list[tuple[int, str]] = []
    engine = Engine(header.params)
    collector = FactCollector(engine)
    kept = _without_notes(records, evidence)
    played = JournalRun(
        engine, _codec(journal, header), kept, header.sources, collector.effect, collector.observe
    )
    cut_short = _play(played)
    if not cut_short and records.torn is not None:
        cut_short = f"the end is torn: {records.torn.damage}"
    return _run_fact(journal, header, records, played, cut_short, evidence), collector.facts()


def _codec(journal: Path, header: JournalHeader) -> Codec:
    instruments = {one.symbol: one for one in header.params.instruments}
    if not instruments:
        raise JournalError(f"{journal}: its header names no instrument")
    venue = header.params.instruments[0].venue
    try:
        return codec_for(venue, instruments, max_frame_bytes=header.max_frame_bytes)
    except ValueError as problem:
        raise JournalError(f"{journal}: {problem}") from problem


def _play(run: JournalRun) -> str:
    """Play to the end; give why it stopped before, or an empty text."""
    try:
        while run.advance(None, _TURN_S) is not Progress.ENDED:
            pass
    except JournalError as problem:
        return str(problem)
    return ""


def _without_notes(records: JournalRecords, evidence: list[tuple[int, str]]) -> Iterator[Record]:
    for record in records:
        if record.kind == RecordKind.NOTE:
            evidence.append((record.ts_ns, record.payload.decode("utf-8", "replace")))
        else:
            yield record


def _run_fact(
    journal: Path,
    header: JournalHeader,
    records: JournalRecords,
    played: JournalRun,
    cut_short: str,
    evidence: list[tuple[int, str]],
) -> RunFact:
    return RunFact(
        session=header.session,
        run=records.run,
        code_version=header.code_version,
        journal_version=header.journal_version,
        created_ns=header.created_ns,
        params=header.params,
        notes=header.notes,
        chain=_chain_fact(journal),
        inputs_sha256=played.pump.inputs_sha256,
        effects_sha256=played.pump.effects_sha256,
        frames=played.pump.frames,
        cut_short=cut_short,
        evidence=tuple(evidence),
        limits_before=_limits_before(journal, records.run),
    )


def _limits_before(journal: Path, run: int) -> dict[str, RiskLimits] | None:
    if run < 2 or not journal.is_dir():
        return None
    try:
        return read_journal(journal, run - 1)[0].params.limits
    except JournalError:
        return None


def _chain_fact(journal: Path) -> ChainFact:
    report = verify_journal(journal)
    return ChainFact(
        head=report.head,
        sound=report.sound,
        complete=report.complete,
        runs=report.runs,
        segments=report.segments,
        records=report.records,
        unsealed=report.unsealed,
        problems=report.problems,
        torn=tuple(f"{one.path}: {one.size} bytes at {one.offset} ({one.damage})" for one in report.torn),
    )
