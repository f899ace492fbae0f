"""What the wheel holds: the four folders with all their data, the licence, the command, and no tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("app", "widgets", "pipeline", "themes")


@dataclass(frozen=True, slots=True)
class Built:
    """A wheel and the names of the files in the four folders it was built from."""

    wheel: Path
    sources: frozenset[str]

    def names(self) -> set[str]:
        return set(zipfile.ZipFile(self.wheel).namelist())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Build the wheel from a copy, without a network: the build backend is part of the environment."""
    copy, out = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, copy)
    for folder in (*FOLDERS, "tests"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    files = (path for folder in FOLDERS for path in (copy / folder).rglob("*") if path.is_file())
    sources = frozenset(str(path.relative_to(copy)) for path in files)
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, copy],
        env={**os.environ, "PIP_NO_INDEX": "1"},
        check=True,
        capture_output=True,
    )
    (wheel,) = out.glob("*.whl")
    return Built(wheel, sources)


def test_wheel_holds_the_four_folders_and_nothing_else(built: Built) -> None:
    assert {name for name in built.names() if ".dist-info/" not in name} == built.sources


@pytest.mark.parametrize("suffix", [".toml", ".onnx", ".tcss", ".zst"])
def test_wheel_holds_package_data(built: Built, suffix: str) -> None:
    assert {name for name in built.names() if name.endswith(suffix)}, f"no {suffix} file is shipped"


def test_wheel_names_licence_command_and_python(built: Built) -> None:
    archive = zipfile.ZipFile(built.wheel)
    info = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA")).rpartition("/")[
        0
    ]
    metadata = archive.read(f"{info}/METADATA").decode()
    assert "License-Expression: Apache-2.0" in metadata
    assert "Requires-Python: <3.14,>=3.11" in metadata
    assert {f"{info}/licenses/LICENSE", f"{info}/licenses/NOTICE"} <= set(archive.namelist())
    assert "lobdeck = app.__main__:main" in archive.read(f"{info}/entry_points.txt").decode()


def test_unpacked_wheel_finds_its_own_data_and_runs(built: Built, tmp_path: Path) -> None:
    zipfile.ZipFile(built.wheel).extractall(tmp_path)
    code = "from pipeline.sim.synthetic import packaged_session as p; assert p().exists(); print(p())"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    for arguments in (["-c", code], ["-m", "app", "--help"]):
        done = subprocess.run(
            [sys.executable, "-P", *arguments],
            cwd=tmp_path,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
        assert str(tmp_path) in done.stdout or "Usage" in done.stdout
