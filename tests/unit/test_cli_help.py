"""The help of every command, read as somebody who has never seen it reads it on 80 columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import pytest
import typer
from typer.testing import CliRunner

from app.cli import app
from app.cli_files import PaceName, RoleName
from pipeline.models.expectation import Role
from pipeline.sim.pace import Pace


def all_commands() -> Iterator[tuple[tuple[str, ...], Any]]:
    def below(path: tuple[str, ...], command: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
        yield path, command
        for name, child in getattr(command, "commands", {}).items():
            yield from below((*path, name), child)

    yield from below((), typer.main.get_command(app))


COMMANDS = dict(all_commands())


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_no_line_of_help_is_cut(path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "80"})
    assert shown.exit_code == 0
    assert [
        line for line in shown.output.splitlines() if line.startswith("  ") and line.endswith("...")
    ] == []


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_option_and_argument_says_what_it_is(path: tuple[str, ...]) -> None:
    mute = [part.name for part in COMMANDS[path].params if not getattr(part, "help", "")]
    assert mute == []


def test_the_first_help_names_the_exit_statuses() -> None:
    shown = CliRunner().invoke(app, ["--help"]).output
    assert all(word in shown for word in ("0 clean", "2 usage", "3 orders", "4 killed", "5 internal"))


def test_the_names_of_roles_and_paces_are_those_that_exist() -> None:
    assert get_args(RoleName) == tuple(role.value for role in Role)
    assert get_args(PaceName) == tuple(pace.value for pace in Pace)
