"""The commands about files: config, model, journal."""

from __future__ import annotations

from pathlib import Path

import typer

from app.session_options import ConfigOption

config_app = typer.Typer(help="Write, check or show the configuration.", rich_markup_mode=None)
model_app = typer.Typer(help="Look inside a model file, or check it as loading does.", rich_markup_mode=None)
journal_app = typer.Typer(help="Verify, print or export a session's journal.", rich_markup_mode=None)


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
def model_inspect(file: Path) -> None:
    """Print a model's contract."""
    from app.model_command import inspect_model

    typer.echo(inspect_model(file))


@model_app.command("verify")
def model_verify(file: Path) -> None:
    """Check a model exactly as loading it does."""
    from app.model_command import verify_model

    typer.echo(verify_model(file))


@journal_app.command("verify")
def journal_verify(path: Path) -> None:
    """Check framing, chain and sequence of a journal; exit 3 when anything is missing."""
    from app.journal_command import verify

    text, sound = verify(path)
    typer.echo(text)
    raise typer.Exit(0 if sound else 3)


@journal_app.command("dump")
def journal_dump(path: Path) -> None:
    """Print a journal's records as JSON lines."""
    from app.journal_command import dump

    for line in dump(path):
        typer.echo(line)


@journal_app.command("export")
def journal_export(path: Path, output: Path) -> None:
    """Write a journal's raw frames as stamped lines, which `replay` reads."""
    from app.journal_command import export

    typer.echo(export(path, output))
