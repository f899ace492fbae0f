"""Every error a user can mend is one line on stderr and exit status 2."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli import run
from app.errors import one_line
from pipeline.models.refusal import ModelRefused, RefusalCode

ROOT = Path(__file__).resolve().parents[2]


def refusal(differences: int) -> ModelRefused:
    lines = tuple(f"field_{number}: model 1, here 2" for number in range(differences))
    return ModelRefused(RefusalCode.E_SCHEMA_HASH, f"{differences} fields differ", lines)


def test_differences_are_joined_and_counted() -> None:
    assert one_line(refusal(2)) == (
        "E_SCHEMA_HASH: 2 fields differ; field_0: model 1, here 2; field_1: model 1, here 2"
    )
    line = one_line(refusal(40))
    assert line.endswith("field_4: model 1, here 2; and 35 more")
    assert len(line) < 250


def test_a_message_cannot_steer_the_terminal() -> None:
    assert one_line(ValueError("bad \x1b[2J\u202e name")) == "bad \ufffd[2J\ufffd name"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["bogus"], "No such command 'bogus'."),
        (["replay"], "Missing argument"),
        (["replay", "x", "--seconds", "soon"], "Invalid value for '--seconds'"),
        (["replay", "x", "--speed", "fast"], "--speed fast: wanted max"),
        (["journal", "verify", "/nowhere"], "/nowhere"),
        (["model", "verify", "/nowhere"], "E_SHA: /nowhere cannot be read"),
        (["status", "nosuch"], "no session named nosuch"),
    ],
)
def test_wrong_usage_is_one_line(
    arguments: list[str],
    words: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path / "home"))
    assert run(arguments) == 2
    err = capsys.readouterr().err
    assert err.startswith("lobdeck: ")
    assert words in err
    assert err.count("\n") == 1


def test_a_reader_that_has_read_enough_gets_no_traceback() -> None:
    command = f"{sys.executable} -m app --help | true"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
