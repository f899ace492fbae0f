"""The commands of research: train, evaluate, report."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer


class ReportReader(enum.StrEnum):
    """Whom a report is for."""

    RISK = "risk"


def train(
    config: Annotated[Path, typer.Argument(help="TOML: name, dataset, learner and how it is tested.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder of the model; default the registry's.")
    ] = None,
) -> None:
    """Train a model beside its baselines.

    Walk-forward; the model is stored with its contract.
    """
    from app.progress import progress_line
    from app.train_command import train_model

    with progress_line() as say:
        said = train_model(config, output, say)
    typer.echo(said)


def evaluate(
    model: Annotated[Path, typer.Argument(help="NAME.onnx.")],
    dataset: Annotated[Path, typer.Argument(help="Folder of a dataset with the model's features.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="JSON for `lobdeck report`.")] = None,
    press_delay: Annotated[
        float, typer.Option("--press-delay", help="Seconds from an idea to the press.")
    ] = 1.2,
    permit: Annotated[float, typer.Option(help="Seconds a permit of one order lives.")] = 10.0,
) -> None:
    """Score a model beside its baselines.

    By horizon, delay, regime and decile, and with a person who presses late.
    """
    from app.evaluate_command import evaluate_model

    typer.echo(evaluate_model(model, dataset, output, press_delay, permit))


def report(
    evaluations: Annotated[
        list[Path], typer.Argument(help="Files of `train` or `evaluate -o`, or one session's journal.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="One HTML file.")] = Path("report.html"),
    pictures: Annotated[
        Path | None, typer.Option("--png", help="Folder for PNGs; needs the `report` extra.")
    ] = None,
    reader: Annotated[
        ReportReader | None, typer.Option("--for", help="risk: limits, kills, acts and orders of a session.")
    ] = None,
) -> None:
    """Write evaluations, or a session, as one HTML page. It needs nothing else."""
    if reader is ReportReader.RISK:
        from app.risk_report import write_risk_report

        typer.echo(write_risk_report(evaluations, output))
        return
    from app.session_report import are_journals, write_session_report

    if are_journals(evaluations):
        typer.echo(write_session_report(evaluations, output, pictures))
        return
    from app.report_command import write_report

    typer.echo(write_report(evaluations, output, pictures))
