"""Every command of the tutorial runs, in its order, in an empty folder and home."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.fakes.sessions import ROOT

TUTORIAL = ROOT / "docs" / "TUTORIAL.md"
HOME_IN_TUTORIAL = "~/.local/state/lobdeck"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TUTORIAL.read_text(), re.DOTALL)


def run(command: str, folder: Path, home: Path) -> subprocess.CompletedProcess[str]:
    words = shlex.split(command.replace(HOME_IN_TUTORIAL, str(home)))
    assert words[0] == "lobdeck"
    environment = {**os.environ, "LOBDECK_HOME": str(home), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", "app", *words[1:]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_tutorial_leads_from_a_capture_to_a_running_model(tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "work"
    home.mkdir(mode=0o700)
    folder.mkdir()
    (folder / "my-model.toml").write_text(*blocks("toml"))

    said = {}
    for command in "".join(blocks("sh")).splitlines():
        done = run(command, folder, home)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        said[command.split()[1]] = done.stdout

    assert "better than queue imbalance alone" in said["train"]
    assert "CAUTION" not in said["evaluate"]
    assert (folder / "report.html").stat().st_size > 10_000
    assert "shadow, paper" in run("lobdeck model list", folder, home).stdout
