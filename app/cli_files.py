"""The commands about files: config, model, journal, dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from app.session_options import ConfigOption

config_app = typer.Typer(help="Write, check or show the configuration.", rich_markup_mode=None)
model_app = typer.Typer(
    help="Inspect, verify, approve, list models; swap a running one.", rich_markup_mode=None
)
dataset_app = typer.Typer(help="Turn captures and journals into labelled rows.", rich_markup_mode=None)
journal_app = typer.Typer(help="Verify, print or export a session's journal.", rich_markup_mode=None)

RoleName = Literal["shadow", "paper", "live"]
PaceName = Literal["usual", "calm"]
"""Names of `Role` and `Pace`; those are loaded by the commands alone, after the look for strange modules."""
ModelFile = Annotated[Path, typer.Argument(help="NAME.onnx with lobdeck's contract.")]
JournalPath = Annotated[Path, typer.Argument(help="Folder of a journal, as sessions/NAME/journal.")]


@config_app.command("init")
def config_init(config: ConfigOption = None) -> None:
    """Write a configuration file of commented defaults."""
    from app.config_commands import init_config

    typer.echo(f"wrote {init_config(config)}")


@config_app.command("check")
def config_check(config: ConfigOption = None) -> None:
    """Say whether the configuration is sound."""
    from app.config_commands import check_config

    typer.echo(check_config(config))


@config_app.command("show")
def config_show(config: ConfigOption = None) -> None:
    """Print the settings in force, each changed one with its source."""
    from app.config_commands import show_config

    typer.echo(show_config(config))


@model_app.command("inspect")
def model_inspect(file: ModelFile) -> None:
    """Print a model's contract."""
    from app.model_command import inspect_model

    typer.echo(inspect_model(file))


@model_app.command("verify")
def model_verify(
    file: ModelFile,
    role: Annotated[
        RoleName | None, typer.Option(help="What it must be approved for; none asks no approval.")
    ] = None,
) -> None:
    """Check a model exactly as loading it does. Says what it is approved for."""
    from app.model_command import verify_model
    from pipeline.models.expectation import Role

    typer.echo(verify_model(file, Role(role) if role else None))


@model_app.command("approve")
def model_approve(
    file: ModelFile, role: Annotated[RoleName, typer.Argument(help="What it may be used for.")]
) -> None:
    """Allow a model for shadow, paper or live. It is written into its manifest."""
    from app.registry_command import approve_model
    from pipeline.models.expectation import Role

    typer.echo(approve_model(file, Role(role)))


@model_app.command("list")
def model_list() -> None:
    """List the models trained on this machine and the bundled ones. Each with what it may be used for."""
    from app.registry_command import list_models

    typer.echo(list_models())


SessionName = Annotated[str, typer.Argument(metavar="SESSION", help="Name of a running session.")]
ModelName = Annotated[
    str, typer.Argument(metavar="NAME[@VERSION]", help="As `model list` prints it; newest version if none.")
]


@model_app.command("use")
def model_use(session: SessionName, name: ModelName) -> None:
    """Swap the live model of a session.

    All workers load it first; the old one runs until all have. Ends permits. Exit status 3 when refused.
    """
    _act_on_models(session, "USE", name)


@model_app.command("back")
def model_back(session: SessionName) -> None:
    """Go back to the model before the last swap. It is still loaded."""
    _act_on_models(session, "BACK", "")


@model_app.command("shadow")
def model_shadow(session: SessionName, name: ModelName) -> None:
    """Score a model beside the live one. It never trades."""
    _act_on_models(session, "SHADOW", name)


@model_app.command("drop")
def model_drop(
    session: SessionName, name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a shadow.")]
) -> None:
    """Score a shadow no longer."""
    _act_on_models(session, "DROP", name)


def _act_on_models(session: str, act: str, name: str) -> None:
    from app.model_act_command import act_on_models
    from pipeline.core.inputs import ModelAct

    line, done = act_on_models(session, ModelAct(act), name)
    typer.echo(line)
    raise typer.Exit(0 if done else 3)


@journal_app.command("verify")
def journal_verify(
    path: JournalPath,
    head: Annotated[str, typer.Option(help="A head that was kept elsewhere; it must be in the chain.")] = "",
) -> None:
    """Check framing, chain and sequence of a journal. Exit status 3 when anything is missing."""
    from app.journal_command import verify

    text, sound = verify(path, head)
    typer.echo(text)
    raise typer.Exit(0 if sound else 3)


@journal_app.command("dump")
def journal_dump(path: JournalPath) -> None:
    """Print a journal's records as JSON lines."""
    from app.journal_command import dump

    for line in dump(path):
        typer.echo(line)


@journal_app.command("export")
def journal_export(
    path: JournalPath, output: Annotated[Path, typer.Argument(help="The file to write.")]
) -> None:
    """Write a journal's raw frames as stamped lines. `lobdeck replay` reads them."""
    from app.journal_command import export

    typer.echo(export(path, output))


@dataset_app.command("build")
def dataset_build(
    paths: Annotated[list[Path], typer.Argument(help="Stamped captures in order, and journals.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the dataset.")],
    symbol: Annotated[str, typer.Option(help="Needed where a capture holds several.")] = "",
    venue: Annotated[str, typer.Option(help="Of the captures; found out otherwise.")] = "",
    features: Annotated[str, typer.Option(help="all, short (ready within 30 s), or names.")] = "short",
    horizons: Annotated[str, typer.Option(help="Label horizons in ms, rising.")] = "500,1000,3000",
    delay_ms: Annotated[int, typer.Option(help="From decision to the label's start.")] = 100,
    barrier_sigmas: Annotated[float, typer.Option(help="Half width of the triple barrier.")] = 1.0,
    part_rows: Annotated[int, typer.Option(help="Rows a file.")] = 20_000,
    kind: Annotated[str, typer.Option("--format", help="npz, or parquet with its extra.")] = "npz",
) -> None:
    """Write labelled rows of captures or journals. They run through the engine; run it again to go on."""
    from app.dataset_command import build_dataset, kept_of_interrupted
    from app.dataset_sources import BuildOptions
    from app.progress import progress_line

    options = BuildOptions(
        tuple(paths), output, symbol, features, horizons, delay_ms, barrier_sigmas, part_rows, kind, venue
    )
    try:
        with progress_line() as say:
            said = build_dataset(options, say)
    except KeyboardInterrupt:
        typer.echo(f"lobdeck: interrupted: {kept_of_interrupted(output)}", err=True)
        raise typer.Exit(130) from None
    typer.echo(said)


@dataset_app.command("verify")
def dataset_verify(
    folder: Annotated[Path, typer.Argument(help="Folder that `dataset build` wrote.")],
) -> None:
    """Prove every part of a dataset by its digest."""
    from app.dataset_command import verify_dataset

    typer.echo(verify_dataset(folder))


@dataset_app.command("sample")
def dataset_sample(
    output: Annotated[Path, typer.Option("-o", "--output", help="File of stamped lines.")],
    seconds: Annotated[int, typer.Option(help="Length of the market.")] = 600,
    seed: Annotated[int, typer.Option(help="Same seed, same market.")] = 1,
    pace: Annotated[PaceName, typer.Option(help="usual, as real spot data, or calm.")] = "usual",
) -> None:
    """Write a simulated market as a capture, to try these tools on."""
    from app.sample_command import write_sample
    from pipeline.sim.pace import Pace

    typer.echo(write_sample(output, seconds, seed, Pace(pace)))
