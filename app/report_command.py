"""`lobdeck report`: evaluations into one HTML page, and PNGs where they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.research.evaluation import EvaluationError, read_evaluation
from pipeline.research.report_html import report_page


def write_report(files: Sequence[Path], output: Path, pictures: Path | None) -> str:
    """Write the page; give one line about what was written.

    Raises:
        EvaluationError: a file is no evaluation, or the page cannot be written.
    """
    evaluations = [read_evaluation(path) for path in files]
    try:
        output.write_text(report_page(evaluations), encoding="utf-8")
    except OSError as problem:
        raise EvaluationError(f"{output}: cannot be written: {problem.strerror}") from problem
    if pictures is None:
        return f"wrote {output}"
    from pipeline.research.report_png import write_pictures

    drawn = [
        path
        for number, one in enumerate(evaluations, 1)
        for path in write_pictures(one, pictures, f"{number:02}-{one.name}")
    ]
    return f"wrote {output} and {len(drawn)} pictures in {pictures}"
