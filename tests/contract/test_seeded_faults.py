"""The tests that guard money can fail: each seeded fault of the committed list is killed by the one it names.

A fault is one line of the core made wrong in a copy of the tree, where the named test must then fail. The
default run takes four of them, by turns with the number of commits; ALL_FAULTS=1 takes all.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FAULTS: list[dict[str, str]] = tomllib.loads(
    (ROOT / "tests" / "contract" / "seeded_faults.toml").read_text(encoding="utf-8")
)["fault"]
AT_ONCE = 4
ROOMS = ("book", "sync", "sizing", "risk", "orders", "permits", "market", "trader")


def commits() -> int:
    """Give the number of commits; 0 outside a repository."""
    command = ["git", "-C", str(ROOT), "rev-list", "--count", "HEAD"]
    counted = subprocess.run(command, capture_output=True, text=True, check=False)
    return int(counted.stdout) if counted.returncode == 0 else 0


def chosen() -> list[int]:
    if os.environ.get("ALL_FAULTS") == "1":
        return list(range(len(FAULTS)))
    first = commits() * AT_ONCE % len(FAULTS)
    return [(first + step) % len(FAULTS) for step in range(AT_ONCE)]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy what the tests of the core need."""
    folder = tmp_path_factory.mktemp("copy")
    ignored = shutil.ignore_patterns("__pycache__", "pictures", "ui", "benchmarks")
    for name in ("app", "pipeline", "tests", "themes", "widgets"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def passes(folder: Path, *tests: str) -> bool:
    """Run tests on the copy; anything but passed and failed is an error of this test."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.returncode == 0


@pytest.mark.parametrize("number", chosen())
def test_a_seeded_fault_is_killed_by_the_test_it_names(copy: Path, number: int) -> None:
    fault = FAULTS[number]
    path = copy / fault["file"]
    sound = path.read_text(encoding="utf-8")
    path.write_text(sound.replace(fault["old"], fault["new"]), encoding="utf-8")
    try:
        assert not passes(copy, fault["killed_by"]), f"survived: {fault['new']!r} in {fault['file']}"
    finally:
        path.write_text(sound, encoding="utf-8")


def test_the_tests_that_kill_pass_on_a_sound_tree(copy: Path) -> None:
    """Without this a copy on which nothing runs would kill every fault."""
    assert passes(copy, *(FAULTS[number]["killed_by"] for number in chosen()))


@pytest.mark.parametrize("number", range(len(FAULTS)))
def test_every_seeded_fault_is_still_about_a_line_that_is_there(number: int) -> None:
    fault = FAULTS[number]
    assert (ROOT / fault["file"]).read_text(encoding="utf-8").count(fault["old"]) == 1
    assert fault["old"] != fault["new"]
    file, _, name = fault["killed_by"].partition("::")
    assert f"def {name.partition('[')[0].rpartition('::')[2]}(" in (ROOT / file).read_text(encoding="utf-8")


def test_every_room_that_guards_money_has_faults() -> None:
    files = [Path(fault["file"]).stem for fault in FAULTS]
    for room in ROOMS:
        assert any(stem.startswith((room, room.rstrip("s"))) for stem in files), room
