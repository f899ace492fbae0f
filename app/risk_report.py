"""`lobdeck report JOURNAL --for risk`: a session's journal as one page for a risk manager."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.core.effects import Alert
from pipeline.core.params import EngineParams
from pipeline.core.snapshot import AlertView
from pipeline.core.view_market import instrument_view
from pipeline.research.evaluation import EvaluationError
from pipeline.research.risk_page import Words, risk_page
from pipeline.runtime.kill_records import kill_records
from pipeline.runtime.session_reader import journal_of, read_session_facts
from widgets.words import alert_words


def write_risk_report(paths: Sequence[Path], output: Path) -> str:
    """Write the page of one journal; give one line about what was written.

    Raises:
        JournalError: there is no journal, or it cannot be read at all.
        EvaluationError: more than one path, or the page cannot be written.
    """
    if len(paths) != 1:
        raise EvaluationError(f"--for risk: wanted one journal or session directory, got {len(paths)}")
    run, facts = read_session_facts(paths[0])
    journal = journal_of(paths[0].resolve())
    journal = journal.parent if journal.is_file() else journal
    if journal.name == "journal":
        told_ns = {one.acted_ns for one in facts.gates}
        run = replace(run, beside=kill_records(journal.parent, told_ns))
    try:
        output.write_text(risk_page(run, facts, alert_sentences(run.params)), encoding="utf-8")
    except OSError as problem:
        raise EvaluationError(f"{output}: cannot be written: {problem.strerror}") from problem
    sound = "sound" if run.chain.sound else "NOT SOUND"
    return f"wrote {output}: {len(facts.orders):,} orders, journal {sound}, head {run.chain.head}"


def alert_sentences(params: EngineParams) -> Words:
    """Give what says an alert in the screen's words, in the scales of its own symbol."""
    views = {one.symbol: instrument_view(one) for one in params.instruments}
    first = instrument_view(params.instruments[0])

    def words(alert: Alert) -> str:
        view = AlertView(
            alert_id=alert.alert_id,
            ts_ns=alert.ts_ns,
            code=alert.code.value,
            severity=alert.severity,
            symbol=alert.symbol,
            detail=alert.detail,
            values=alert.values,
            noted_by="",
            repeats=0,
        )
        return alert_words(view, views.get(alert.symbol, first))

    return words
