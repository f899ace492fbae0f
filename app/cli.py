"""The command line: one function a command, each a few lines; the work is done elsewhere.

Textual is imported only inside the commands that draw. Errors a user can mend go to stderr in one line and
give exit status 2. The commands are in `cli_start`, `cli_sessions`, `cli_research` and `cli_files`, in the
order of the help.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from app import cli_files, cli_research, cli_sessions, cli_start

EXIT_USAGE = 2

app = typer.Typer(
    name="lobdeck",
    help="Trading console for live limit order books, in a terminal; alone, `lobdeck` starts the demo.",
    epilog="Exit status: 0 clean, 2 usage or configuration, 3 orders or positions left at the venue, "
    "4 killed, 5 internal error. LOBDECK_HOME moves the state directory; `lobdeck doctor` prints it.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (
    cli_start.demo,
    cli_start.replay,
    cli_start.run,
    cli_start.record,
    cli_start.sim,
    cli_sessions.attach,
    cli_sessions.sessions,
    cli_sessions.status,
    cli_sessions.halt,
    cli_sessions.kill,
    cli_sessions.release,
    cli_sessions.reconcile,
    cli_research.train,
    cli_research.evaluate,
    cli_research.report,
):
    app.command()(command)
app.add_typer(cli_files.config_app, name="config")
app.add_typer(cli_files.model_app, name="model")
app.add_typer(cli_files.journal_app, name="journal")
app.add_typer(cli_files.dataset_app, name="dataset")
app.add_typer(cli_sessions.drill_app, name="drill")


@app.callback(invoke_without_command=True)
def start(context: typer.Context) -> None:
    """Start the demo when no command is named."""
    if context.invoked_subcommand is None:
        cli_start.demo()


@app.command()
def doctor() -> None:
    """Check this machine before a session.

    Python, terminal, directories, clock, and what would shadow our modules.
    """
    from app.doctor import report

    text, sound = report()
    typer.echo(text)
    raise typer.Exit(0 if sound else EXIT_USAGE)


@app.command()
def bench(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer rounds: some four minutes, not fifteen.")
    ] = False,
    capture: Annotated[
        list[Path] | None, typer.Option("--capture", help="Measure on these Binance spot captures.")
    ] = None,
    part: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            "--part",
            help="Of book, workers, orders, replay, dataset, memory, console, decision, attached, flood, "
            "swap.",
        ),
    ] = None,
) -> None:
    """Measure the budgets on this machine. Ratios are taken side by side."""
    from app.bench import run_bench

    typer.echo(run_bench(as_json=as_json, quick=quick, captures=capture or (), parts=part or ()))


@app.command()
def simulate(
    seeds: Annotated[
        int | None, typer.Option(min=1, help="How many seeds; 200 unless --seed names one.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="The first seed.")] = None,
    steps: Annotated[int, typer.Option(min=1, help="Steps of 20 ms in which things go wrong.")] = 250,
) -> None:
    """Rehearse whole sessions from seeds.

    With faults, crashes and kills; each is judged by what the exchange holds.
    """
    from app.simulate_command import run_simulate

    count = seeds if seeds is not None else 200 if seed is None else 1
    status = run_simulate(seed or 0, count, steps, typer.echo, lambda text: typer.echo(text, err=True))
    raise typer.Exit(status)


def run(arguments: list[str] | None = None) -> int:
    """Run a command line; give its exit status."""
    from app.errors import mendable_errors, one_line

    try:
        status_of = app(args=sys.argv[1:] if arguments is None else arguments, standalone_mode=False)
    except typer.Abort:
        typer.echo("lobdeck: interrupted", err=True)
        return EXIT_USAGE
    except mendable_errors() as problem:
        typer.echo(f"lobdeck: {one_line(problem)}", err=True)
        return EXIT_USAGE
    return status_of if isinstance(status_of, int) else 0
