"""ONNX Runtime reports nothing to anybody and leaves nothing in the home directory, whoever loads it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.sessions import ROOT, synthetic_lines, write_capture

MODEL = "pipeline/models/bundled/ob-logit.onnx"
SWITCHES = ("ORT_", "CI", "GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD", "JENKINS_URL", "CIRCLECI", "XDG_")
"""With these in the environment the library would be quiet by itself, or keep its files elsewhere."""


def run(home: Path, *arguments: str) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(SWITCHES)}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**kept, "HOME": str(home), "LOBDECK_HOME": str(home.parent / "state")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def files(home: Path) -> list[str]:
    return [str(path.relative_to(home)) for path in home.rglob("*")]


def test_a_session_with_workers_leaves_nothing_in_the_home(home: Path) -> None:
    capture = write_capture(home.parent / "c.txt", synthetic_lines(1_000))
    run(home, "-m", "app", "replay", str(capture), "--headless", "--speed", "max", "--workers", "2")
    assert files(home) == []


@pytest.mark.parametrize(
    "command", [("doctor",), ("model", "verify", "pipeline/models/bundled/ob-logit.onnx")]
)
def test_a_command_that_loads_a_model_leaves_nothing(home: Path, command: tuple[str, ...]) -> None:
    run(home, "-m", "app", *command)
    assert files(home) == []


def test_an_environment_that_asks_for_it_is_overruled(home: Path) -> None:
    code = "import os; os.environ['ORT_DISABLE_TELEMETRY'] = '0'; import pipeline.models.running"
    run(home, "-c", code)
    assert files(home) == []
