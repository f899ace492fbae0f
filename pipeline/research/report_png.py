"""The charts of a report as PNG files, drawn by matplotlib where the `report` extra is installed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pipeline.research.evaluation import Evaluation, EvaluationError

Lines = Mapping[str, Sequence[tuple[float, float]]]


def write_pictures(one: Evaluation, folder: Path, stem: str) -> list[Path]:
    """Write decay, reliability and edge against cost of one evaluation; give the files.

    Raises:
        EvaluationError: matplotlib is not installed, or the folder cannot be written.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as problem:
        raise EvaluationError("--png needs the extra: pip install 'lobdeck[report]'") from problem
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for kind, x_name, y_name, lines in _charts(one):
            figure = Figure(figsize=(6.4, 4.0), layout="constrained")
            axes = figure.subplots()
            for (name, points), mark in zip(lines.items(), "os^x", strict=False):
                axes.plot(*zip(*points, strict=True), marker=mark, label=name)
            axes.set(xlabel=x_name, ylabel=y_name, title=f"{one.name}, {one.symbol}")
            axes.legend()
            path = folder / f"{stem}-{kind}.png"
            figure.savefig(path, dpi=120)
            written.append(path)
    except OSError as problem:
        raise EvaluationError(f"{folder}: cannot be written: {problem.strerror}") from problem
    return written


def _charts(one: Evaluation) -> Iterator[tuple[str, str, str, Lines]]:
    names = list(dict.fromkeys(row.model for row in one.decay))
    areas = {n: [(row.delay_ms, row.auc) for row in one.decay if row.model == n] for n in names}
    yield "decay", "delay, ms", "AUC", areas
    bins = {n: [(row.mean_p, row.up_rate) for row in one.reliability if row.model == n] for n in names}
    yield "reliability", "P(up) said", "share that rose", bins
    edges = {n: [(row.decile, row.gross_bps) for row in one.deciles if row.model == n] for n in names}
    costs = [(row.decile, row.cost_bps) for row in one.deciles if row.model == names[0]]
    yield "edge", "tenth by confidence", "bp", {**edges, "cost": costs}
