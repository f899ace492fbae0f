"""The options that demo, replay and run share: written once, and each reaches the session."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import app.cli
from app.session_options import SessionOptions, takes_session_options

GIVEN = SessionOptions(
    name="one",
    authority="auto",
    model=Path("m.onnx"),
    shadow=["qi-logit"],
    fees="1/2",
    workers=3,
    config=Path("c.toml"),
    headless=True,
    seconds=4.0,
    summary=Path("s.json"),
    slow=True,
)
ARGUMENTS = [
    "--name",
    "one",
    "--authority",
    "auto",
    "--model",
    "m.onnx",
    "--shadow",
    "qi-logit",
    "--fees",
    "1/2",
    "--workers",
    "3",
    "--config",
    "c.toml",
    "--headless",
    "--seconds",
    "4",
    "--summary",
    "s.json",
    "--slow",
]


def gathered(arguments: list[str], **defaults: object) -> tuple[SessionOptions, str, int]:
    seen: list[tuple[SessionOptions, str]] = []

    def command(session: SessionOptions, extra: str = "x") -> int:
        seen.append((session, extra))
        return 3

    program = typer.Typer()
    program.command()(takes_session_options(**defaults)(command))
    result = CliRunner().invoke(program, arguments)
    return *seen[0], result.exit_code


def test_every_shared_option_reaches_the_session() -> None:
    untouched = SessionOptions()
    for field in dataclasses.fields(SessionOptions):
        assert getattr(GIVEN, field.name) != getattr(untouched, field.name), field.name
    assert gathered([*ARGUMENTS, "--extra", "y"]) == (GIVEN, "y", 3)


def test_without_flags_a_command_gets_the_defaults_and_its_own() -> None:
    assert gathered([]) == (SessionOptions(), "x", 3)
    assert gathered([], fees="0/0")[0] == SessionOptions(fees="0/0")


@pytest.mark.parametrize("command", ["demo", "replay", "run"])
def test_command_shows_every_shared_flag_in_its_help(command: str) -> None:
    shown = CliRunner().invoke(app.cli.app, [command, "--help"]).output
    for field in dataclasses.fields(SessionOptions):
        assert f"--{field.name}" in shown
