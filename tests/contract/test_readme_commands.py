"""Every command of the README runs on a fresh clone, in the README's order, and does what it says.

`make run` and `make test` are what `.ci/run` and this very run stand for; here their targets are looked up
in the clone, and the console of `make run` is started in a pseudo-terminal.
"""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fakes.sessions import ROOT

README = ROOT / "README.md"
HOME_IN_README = "~/.local/state/lobdeck"
NEEDS_CONFIG = ("lobdeck config",)


def readme_commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", README.read_text(), re.DOTALL)
    return [line.strip() for block in blocks for line in block.splitlines() if line.strip()]


@dataclass
class Clone:
    """A fresh clone, a home of its own, and a demo session on it."""

    tree: Path
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "LOBDECK_HOME": str(self.home), "PYTHONPATH": str(self.tree)}

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        words = shlex.split(command.replace(HOME_IN_README, str(self.home)))
        if command.startswith(NEEDS_CONFIG):
            words += ["--config", str(self.home / "config.toml")]
        return subprocess.run(
            [sys.executable, "-m", "app", *words[1:]],
            cwd=self.tree,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    tree = tmp_path_factory.mktemp("clone") / "lobdeck"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(tree)], check=True)
    return Clone(tree, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def demo(clone: Clone) -> Iterator[str]:
    """Start what `make run` starts, in a pseudo-terminal, and give what it drew."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(clone.tree)
        environment = {**clone.environment, "TERM": "xterm-256color", "COLUMNS": "160", "LINES": "48"}
        os.execve(sys.executable, [sys.executable, "-m", "app", "demo"], environment)
    drawn, deadline_s = b"", time.monotonic() + 60
    while b"ACTIVE" not in drawn and time.monotonic() < deadline_s:
        if select.select([terminal], [], [], 0.5)[0]:
            drawn += os.read(terminal, 65_536)
    yield drawn.decode("utf-8", "replace")
    os.close(terminal)
    os.waitpid(child, 0)


def test_make_has_the_two_commands(clone: Clone) -> None:
    for target, wanted in (("run", "lobdeck demo"), ("test", "pytest")):
        planned = subprocess.run(
            ["make", "-n", target], cwd=clone.tree, capture_output=True, text=True, check=True
        )
        assert wanted in planned.stdout


def test_make_run_draws_a_live_screen(demo: str) -> None:
    assert "PROPOSALS" in demo
    assert "ACTIVE" in demo


def test_every_command_is_known_here() -> None:
    known = {"make run", "make test"} | set(SHELL) | set(OTHERS)
    assert set(readme_commands()) == known


SHELL = ("lobdeck sessions", "lobdeck status --json", "lobdeck halt", "lobdeck kill")
OTHERS = tuple(
    command for command in readme_commands() if command not in SHELL and not command.startswith("make ")
)


def test_the_shell_commands_work_on_the_running_demo(clone: Clone, demo: str) -> None:
    assert demo
    listed = clone.run("lobdeck sessions")
    assert "running" in listed.stdout, listed.stderr
    summary = json.loads(clone.run("lobdeck status --json").stdout)
    assert summary["gaps"] == 0
    assert summary["frames"] > 0
    assert clone.run("lobdeck halt").returncode == 0
    killed = clone.run("lobdeck kill")
    assert killed.returncode == 0, killed.stdout
    assert "no orders left" in killed.stdout
    assert json.loads(clone.run("lobdeck status --json").stdout)["trading_state"] == "KILLED"


HASHES: list[str] = []


@pytest.mark.timeout(420)
@pytest.mark.parametrize("command", OTHERS)
def test_the_other_commands_work_in_the_order_of_the_readme(clone: Clone, command: str) -> None:
    done = clone.run(command)
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    HASHES.extend(re.findall(r'"effects_sha256": "(\w+)"', done.stdout))


def test_the_journals_replay_gives_the_effects_of_the_session_that_wrote_it() -> None:
    assert len(HASHES) == 3
    assert HASHES[1] == HASHES[2]
