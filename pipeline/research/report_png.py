"""The charts of a report as PNG files, drawn by matplotlib where the `report` extra is installed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.research.evaluation import Evaluation, EvaluationError
from pipeline.research.report_html import evaluation_charts
from pipeline.research.report_svg import MARKED_POINTS, Chart


def write_pictures(one: Evaluation, folder: Path, stem: str) -> list[Path]:
    """Write decay, reliability and edge against cost of one evaluation; give the files.

    Raises:
        EvaluationError: matplotlib is not installed, or the folder cannot be written.
    """
    return write_charts(evaluation_charts(one), folder, stem, f"{one.name}, {one.symbol}")


def write_charts(charts: Sequence[Chart], folder: Path, stem: str, title: str) -> list[Path]:
    """Write charts as `STEM-KIND.png`; give the files.

    Raises:
        EvaluationError: as `write_pictures`.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as problem:
        raise EvaluationError("--png needs the extra: .venv/bin/pip install -e '.[report]'") from problem
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for one in charts:
            figure = Figure(figsize=(6.4, 4.0), layout="constrained")
            _draw(figure.subplots(), one, title)
            path = folder / f"{stem}-{one.kind}.png"
            figure.savefig(path, dpi=120)
            written.append(path)
    except OSError as problem:
        raise EvaluationError(f"{folder}: cannot be written: {problem.strerror}") from problem
    return written


def _draw(axes: Any, one: Chart, title: str) -> None:
    for line, mark in zip(one.lines, "os^x" * (len(one.lines) // 4 + 1), strict=False):
        if line.points:
            shown = mark if len(line.points) <= MARKED_POINTS else ""
            axes.plot(*zip(*line.points, strict=True), marker=shown, label=line.name)
    axes.set(xlabel=one.x_name, ylabel=one.y_name, title=f"{one.title}: {title}")
    axes.legend()
