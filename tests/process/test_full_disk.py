"""A disk that is full when a session ends or starts: one line, a status, no traceback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.disks import fill, small_file_system
from tests.fakes.sessions import run_lobdeck, synthetic_lines, write_capture


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a file system of a quarter of a megabyte; skip where this user may not mount one."""
    with small_file_system(tmp_path / "disk", "256k") as folder:
        yield folder


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
