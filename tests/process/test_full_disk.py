"""A disk that is full when a session ends or starts: one line, a status, no traceback."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.sessions import run_lobdeck, synthetic_lines, write_capture


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a file system of a quarter of a megabyte; skip where this user may not mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k,mode=700", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a file system takes root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(folder: Path) -> None:
    with (folder / "ballast").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4_096))


def test_a_summary_that_finds_the_disk_full(tmp_path: Path, small_disk: Path) -> None:
    capture = write_capture(tmp_path / "c.txt", synthetic_lines(300))
    wanted = small_disk / "s.json"
    fill(small_disk)
    done = run_lobdeck(
        tmp_path / "home",
        *("replay", str(capture), "--headless", "--speed", "max", "--summary", str(wanted)),
    )
    assert done.returncode == 5
    assert done.stderr == (
        f"lobdeck: the session ended clean, but its summary could not be written: {wanted}: "
        "No space left on device\n"
    )
    assert not wanted.exists()


def test_a_session_that_cannot_be_prepared(tmp_path: Path, small_disk: Path) -> None:
    capture = write_capture(tmp_path / "c.txt", synthetic_lines(300))
    fill(small_disk)
    done = run_lobdeck(small_disk, "replay", str(capture), "--headless", "--speed", "max", "--journal")
    assert done.returncode == 2
    assert done.stderr.startswith("lobdeck: ")
    assert "No space left on device" in done.stderr
    assert done.stderr.count("\n") == 1
