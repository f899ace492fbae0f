"""The journal when its process is killed at any moment, and on disks that are really full."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.runtime.journal_reader import read_journal, verify_journal
from tests.fakes.journals import append_frames, payloads_of, writer

ROOT = Path(__file__).resolve().parents[2]

APPENDING = """
import os, sys
from pathlib import Path
from tests.fakes.journals import writer
journal = writer(Path(sys.argv[1]), segment_bytes=16_384, pack=True)
for number in range(10**9):
    sequence = journal.append(16, number, b"%d " % number * 20)
    os.write(1, b"%d\\n" % sequence)
"""

FILLING = """
import json, resource, sys
from pathlib import Path
from tests.fakes.journals import writer
journal = writer(Path(sys.argv[1]), segment_bytes=65_536, interval_s=0.01)
states = [journal.state.value]
if sys.argv[2] == "limit":
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, resource.RLIM_INFINITY))
for number in range(20_000):
    journal.append(16, number, b"x" * 300)
    if journal.state.value != states[-1]:
        states.append(journal.state.value)
lost, reason, head = journal.lost, journal.stats().reason, journal.head()
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
journal.close()
print(json.dumps({"states": states, "lost": lost, "reason": reason, "head": head}))
"""


def command(script: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", script, *arguments]


@pytest.mark.parametrize("lines", [1, 40, 400])
def test_nothing_appended_is_lost_when_the_writer_is_killed(tmp_path: Path, lines: int) -> None:
    process = subprocess.Popen(command(APPENDING, str(tmp_path)), cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout as output:
        for _ in range(lines):
            assert output.readline()
        process.send_signal(signal.SIGKILL)
        # What it had written before it died may still be in the pipe.
        acknowledged = [int(line) for line in output.read().splitlines() if line] or [lines]
    assert process.wait() == -signal.SIGKILL
    _, records = read_journal(tmp_path)
    found = list(records)
    assert not records.complete
    # The last line may be cut in the pipe, and the last append may not have been told any more.
    assert len(found) >= max(acknowledged[-2:-1] or [lines])
    assert [record.payload for record in found] == [b"%d " % number * 20 for number in range(len(found))]
    journal = writer(tmp_path, segment_bytes=16_384)
    append_frames(journal, [b"after"])
    journal.close()
    report = verify_journal(tmp_path, expected_head=journal.head())
    assert report.sound, report
    assert report.records == len(found) + 1
    assert payloads_of(tmp_path) == [b"after"]


def filled(directory: Path, how: str) -> dict[str, object]:
    run = subprocess.run(
        command(FILLING, str(directory), how),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    result: dict[str, object] = json.loads(run.stdout)
    return result


def check_filled(directory: Path, result: dict[str, object], reason: str) -> None:
    assert isinstance(result["states"], list)
    assert result["states"][-1] == "FAILED"
    assert reason in str(result["reason"])
    report = verify_journal(directory, expected_head=str(result["head"]))
    assert report.sound, report
    assert report.records + int(str(result["lost"])) == 20_000
    assert len(payloads_of(directory)) == report.records


def test_file_size_limit_is_a_failed_journal_and_not_a_crash(tmp_path: Path) -> None:
    check_filled(tmp_path, filled(tmp_path, "limit"), "File too large")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs root and the right to mount")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_really_full_disk_is_a_failed_journal_and_not_a_crash(small_disk: Path) -> None:
    check_filled(small_disk / "journal", filled(small_disk / "journal", "disk"), "No space left on device")
