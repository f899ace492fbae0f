"""Every command of the README runs on a fresh clone, in the README's order, and does what it says.

`make run` and `make test` are what `.ci/run` and this very run stand for; here their targets are looked up
in the clone, and the console of `make run` is started in a pseudo-terminal. Commands on a live venue run
against `lobdeck sim`, which speaks its protocol.
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
        own = {"LOBDECK_HOME": str(self.home), "PYTHONPATH": str(self.tree), "LOBDECK_SESSION__LINGER_S": "2"}
        return {**os.environ, **own}

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


@dataclass
class Console:
    """A command in a pseudo-terminal of 160x48, and what it drew."""

    child: int
    terminal: int
    drawn: str = ""

    def read_until(self, word: str) -> None:
        deadline_s = time.monotonic() + 60
        while word not in self.drawn:
            assert time.monotonic() < deadline_s, f"no {word} in {self.drawn[-2000:]}"
            if select.select([self.terminal], [], [], 0.5)[0]:
                self.drawn += os.read(self.terminal, 65_536).decode("utf-8", "replace")

    def press(self, key: str) -> None:
        self.drawn = ""
        os.write(self.terminal, key.encode())

    def close(self) -> int:
        """Hang up and give the exit status."""
        os.close(self.terminal)
        return os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])


def console(clone: Clone, *words: str) -> Console:
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(clone.tree)
        environment = {**clone.environment, "TERM": "xterm-256color", "COLUMNS": "160", "LINES": "48"}
        os.execve(sys.executable, [sys.executable, "-m", "app", *words], environment)
    return Console(child, terminal)


@pytest.fixture(scope="module")
def demo(clone: Clone) -> Iterator[str]:
    """Start what `make run` starts, in a pseudo-terminal, and give what it drew."""
    started = console(clone, "demo")
    started.read_until("ACTIVE")
    yield started.drawn
    started.close()


@pytest.fixture(scope="module")
def venue() -> Iterator[str]:
    """Give the address of a simulated exchange that stands in for the live venue."""
    command = [sys.executable, "-m", "app", "sim", "--port", "0", "--json", "--seconds", "60"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["base_url"]
        process.terminate()


def test_make_has_the_two_commands(clone: Clone) -> None:
    for target, wanted in (("run", "lobdeck demo"), ("test", "pytest")):
        planned = subprocess.run(
            ["make", "-n", target], cwd=clone.tree, capture_output=True, text=True, check=True
        )
        assert wanted in planned.stdout


def test_make_run_draws_a_live_screen(demo: str) -> None:
    assert "PROPOSALS" in demo
    assert "ACTIVE" in demo


SHELL = ("lobdeck sessions", "lobdeck status --json", "lobdeck attach", "lobdeck halt", "lobdeck kill")
PAPER = tuple(command for command in readme_commands() if "--venue" in command and "--live" not in command)
MONEY = tuple(command for command in readme_commands() if "--live" in command)
OTHERS = tuple(
    command
    for command in readme_commands()
    if command not in (*SHELL, *PAPER, *MONEY, "lobdeck demo") and not command.startswith("make ")
)


def test_every_command_is_known_here() -> None:
    assert set(SHELL) < set(readme_commands())
    assert len(PAPER) == 2
    assert len(MONEY) == 1


def test_the_shell_commands_work_on_the_running_demo(clone: Clone, demo: str) -> None:
    assert demo
    listed = clone.run("lobdeck sessions")
    assert "running" in listed.stdout, listed.stderr
    summary = json.loads(clone.run("lobdeck status --json").stdout)
    assert summary["gaps"] == 0
    assert summary["frames"] > 0
    second = console(clone, "attach")
    second.read_until("PROPOSALS")
    second.press("q")
    second.read_until("Leave?")
    second.press("d")
    assert os.waitstatus_to_exitcode(os.waitpid(second.child, 0)[1]) == 0
    assert clone.run("lobdeck halt").returncode == 0
    killed = clone.run("lobdeck kill")
    assert killed.returncode == 0, killed.stdout
    assert "NO ORDERS LEFT" in killed.stdout
    assert json.loads(clone.run("lobdeck status --json").stdout)["trading_state"] == "KILLED"


@pytest.mark.parametrize("command", PAPER)
def test_the_commands_on_a_live_venue_work_on_the_simulated_one(
    clone: Clone, venue: str, command: str
) -> None:
    ending = "" if "record" in command else " --headless --seconds 3"
    done = clone.run(f"{command}{ending} --base-url {venue} --summary {clone.home}/summary.json")
    assert done.returncode == 0, done.stderr
    summary = json.loads((clone.home / "summary.json").read_text())
    assert summary["book"]["BTCUSDT"]["state"] == "SYNCED"


def test_real_money_is_refused_in_one_line_on_a_fresh_machine(clone: Clone) -> None:
    refused = clone.run(MONEY[0])
    assert refused.returncode == 2
    assert len(refused.stderr.strip().splitlines()) == 1


HASHES: list[str] = []


@pytest.mark.parametrize("command", OTHERS)
def test_the_other_commands_work_in_the_order_of_the_readme(clone: Clone, command: str) -> None:
    done = clone.run(command)
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    HASHES.extend(re.findall(r'"effects_sha256": "(\w+)"', done.stdout))


def test_the_journals_replay_gives_the_effects_of_the_session_that_wrote_it() -> None:
    assert len(HASHES) == 3
    assert HASHES[1] == HASHES[2]


@pytest.mark.parametrize("named", sorted(set(re.findall(r"`(tests/[\w/]+\.py)`", README.read_text()))))
def test_a_promise_names_a_test_that_is_there(named: str) -> None:
    assert re.search(r"^(?:async )?def test_", (ROOT / named).read_text(), re.MULTILINE)


def test_the_files_the_readme_links_to_are_there() -> None:
    linked = re.findall(r"\]\(([\w./-]+)\)", README.read_text())
    assert linked
    assert [path for path in linked if not (ROOT / path).exists()] == []
