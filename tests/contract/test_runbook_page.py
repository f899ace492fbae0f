"""docs/RUNBOOK.md against the program: its commands, keys, codes, tests; and the unit it hands out."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from app.actions import ACTIONS, BY_KEY
from app.cli import app
from pipeline.core.effects import AlertCode

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "RUNBOOK.md").read_text(encoding="utf-8")
UNIT = ROOT / "docs" / "systemd" / "lobdeck@.service"
SECTIONS = [part.splitlines()[0] for part in PAGE.split("\n## ")[1:]]
SITUATIONS = (
    "Kill",
    "SSH drops",
    "The venue is down",
    "An order is UNKNOWN",
    "Restart",
    "Disk full",
    "Upgrade",
)
QUOTED = re.findall(r"`([^`\n]+)`", PAGE)
CHOICES = ("c",)
"""Keys of a box, no actions."""


def unknown_in(words: list[str]) -> list[str]:
    """Give what of a command line lobdeck does not know: a command, or an option of the one it names."""
    command: Any = typer.main.get_command(app)
    rest = words
    while hasattr(command, "commands") and rest:
        inner = command.commands.get(rest[0])
        if inner is None:
            return rest[:1]
        command, rest = inner, rest[1:]
    options = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
    return [word for word in rest if word.startswith("--") and word not in options]


def test_it_has_the_seven_situations_in_order_and_each_was_tried() -> None:
    assert len(SECTIONS) > len(SITUATIONS)
    for number, (title, wanted) in enumerate(zip(SECTIONS, SITUATIONS, strict=False), 1):
        assert title.startswith(f"{number}. {wanted}")
    for part in PAGE.split("\n## ")[1 : len(SITUATIONS) + 1]:
        assert "\n1. " in part
        assert "\nTried by `tests/" in part


@pytest.mark.parametrize("text", sorted({one for one in QUOTED if one.startswith("lobdeck ")}))
def test_its_commands_are_known(text: str) -> None:
    assert unknown_in(shlex.split(text)[1:]) == []


def test_a_command_that_is_none_would_be_seen() -> None:
    assert unknown_in(["slay"]) == ["slay"]
    assert unknown_in(["kill", "x", "--softly"]) == ["--softly"]


def test_its_keys_words_and_codes_are_known() -> None:
    words = {action.word for action in ACTIONS}
    assert [one for one in QUOTED if re.fullmatch(r":\w+", one) and one[1:] not in words] == []
    keys = [one for one in QUOTED if len(one) == 1 and one not in CHOICES]
    assert [key for key in keys if key not in BY_KEY] == []
    codes = set(re.findall(r"\b[A-Z]+_[A-Z_]+\b", PAGE)) - {"LOBDECK_HOME"}
    assert codes <= set(AlertCode.__members__)


@pytest.mark.parametrize("test", sorted({one for one in QUOTED if "::" in one}))
def test_what_tried_it_is_there(test: str) -> None:
    file, _, name = test.partition("::")
    assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")


def unit() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # keys keep their capitals
    parser.read(UNIT)
    return parser["Service"]


def test_the_unit_starts_what_the_program_knows_and_leaves_the_guard_alone() -> None:
    service = unit()
    assert unknown_in(shlex.split(service["ExecStart"])[1:]) == []
    assert "--live" not in service["ExecStart"]
    assert (service["KillMode"], service["KillSignal"], service["Restart"]) == ("process", "SIGTERM", "no")
    assert service["StateDirectoryMode"] == "0700"
    assert service["Environment"].endswith(f"/{service['StateDirectory']}")
    assert service["LimitCORE"] == "0"


def test_the_unit_is_one_to_systemd(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here")
    here = str(Path(sys.executable).with_name("lobdeck"))
    text = UNIT.read_text(encoding="utf-8").replace("/opt/lobdeck/.venv/bin/lobdeck", here)
    copy = tmp_path / "lobdeck@try.service"
    copy.write_text(text.replace("User=lobdeck", "User=root"), encoding="utf-8")
    command = ["systemd-analyze", "verify", "--man=no", str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    about_it = [line for line in done.stderr.splitlines() if "lobdeck" in line]
    assert about_it == []
    assert done.returncode == 0
