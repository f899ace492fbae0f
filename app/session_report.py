"""`lobdeck report JOURNAL`: one session of a journal as one page, and PNGs where they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.research.evaluation import EvaluationError
from pipeline.research.session_page import session_charts, session_page
from pipeline.runtime.journal_reader import is_journal
from pipeline.runtime.session_reader import journal_of, read_session_facts


def are_journals(paths: Sequence[Path]) -> bool:
    """Say whether a report is asked for of journals; a file that is no segment of one is none."""
    return any(path.is_dir() or is_journal(path) for path in paths)


def write_session_report(paths: Sequence[Path], output: Path, pictures: Path | None) -> str:
    """Write the page of one journal or session directory; give one line about what was written.

    Raises:
        JournalError: there is no journal, or it cannot be read at all.
        EvaluationError: more than one path, or the page cannot be written.
    """
    if len(paths) != 1:
        raise EvaluationError(
            f"wanted one journal or session directory, or evaluations alone; got {len(paths)}"
        )
    run, facts = read_session_facts(journal_of(paths[0]))
    try:
        output.write_text(session_page(run, facts), encoding="utf-8")
    except OSError as problem:
        raise EvaluationError(f"{output}: cannot be written: {problem.strerror}") from problem
    said = f"wrote {output}: {len(facts.orders):,} orders, {len(facts.fills):,} fills"
    if pictures is None:
        return said
    from pipeline.research.report_png import write_charts

    drawn = write_charts(session_charts(run, facts), pictures, run.session, f"session {run.session}")
    return f"{said}, and {len(drawn)} pictures in {pictures}"
