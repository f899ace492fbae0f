"""Every command of the tutorial runs, in its order, in an empty folder and home."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.fakes.sessions import ROOT

TUTORIAL = ROOT / "docs" / "TUTORIAL.md"
HOME_IN_TUTORIAL = "~/.local/state/lobdeck"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TUTORIAL.read_text(), re.DOTALL)


def how(command: str, folder: Path, home: Path) -> dict[str, Any]:
    words = shlex.split(command.replace(HOME_IN_TUTORIAL, str(home)))
    assert words[0] == "lobdeck"
    environment = {**os.environ, "LOBDECK_HOME": str(home), "PYTHONPATH": str(ROOT)}
    return {"args": [sys.executable, "-m", "app", *words[1:]], "cwd": folder, "env": environment}


def run(command: str, folder: Path, home: Path) -> subprocess.CompletedProcess[str]:
    called = how(command, folder, home)
    return subprocess.run(**called, capture_output=True, text=True, timeout=120, check=False)


@contextlib.contextmanager
def beside(command: str, folder: Path, home: Path) -> Iterator[None]:
    """Let a command run beside the next ones, from when its session answers."""
    silent: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(**how(command.rstrip(" &"), folder, home), **silent) as process:
        try:
            deadline_s = time.monotonic() + 30
            while "workers   2/2 ready" not in run("lobdeck status", folder, home).stdout:
                assert process.poll() is None
                assert time.monotonic() < deadline_s
            yield
        finally:
            process.terminate()


def test_the_tutorial_leads_from_a_capture_to_a_running_model(tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "work"
    home.mkdir(mode=0o700)
    folder.mkdir()
    (folder / "my-model.toml").write_text(*blocks("toml"))

    said = {}
    with contextlib.ExitStack() as stack:
        for command in "".join(blocks("sh")).splitlines():
            if command.endswith("&"):
                stack.enter_context(beside(command, folder, home))
                continue
            done = run(command, folder, home)
            assert done.returncode == 0, f"{command}: {done.stdout} {done.stderr}"
            said[" ".join(command.split()[1:3])] = said[command.split()[1]] = done.stdout

    assert "better than queue imbalance alone" in said["train"]
    assert "CAUTION" not in said["evaluate"]
    assert (folder / "report.html").stat().st_size > 10_000
    assert "What stopped decisions" in (folder / "session.html").read_text()
    assert "my-model@" in said["model use"]
    assert "is live as generation 3" in said["model use"]
    assert "ob-logit@80aefb5b is live as generation 4" in said["model back"]
    assert "shadow, paper" in run("lobdeck model list", folder, home).stdout
