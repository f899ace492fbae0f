"""Whole replay sessions for tests: captures cut to size, run headless, their summaries read back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.runtime.packed_lines import line_blocks
from pipeline.sim.synthetic import packaged_session

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data" / "hftbacktest"


def synthetic_lines(count: int) -> list[bytes]:
    """Give the first lines of the market that ships with the package."""
    lines = (line for block in line_blocks(packaged_session()) for line in block)
    return list(islice(lines, count))


def write_capture(path: Path, lines: list[bytes]) -> Path:
    """Write stamped lines as a plain capture."""
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def run_lobdeck(
    home: Path, *arguments: str, hash_seed: str = "0", timeout_s: float = 170
) -> subprocess.CompletedProcess[str]:
    """Run the real command in a fresh process with its own home."""
    environment = {**os.environ, "LOBDECK_HOME": str(home), "PYTHONHASHSEED": hash_seed}
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def replayed(home: Path, *arguments: str, hash_seed: str = "0") -> dict[str, Any]:
    """Replay headless at full speed and give the summary; a failed run fails the test with its words."""
    summary = home / "summary.json"
    command = ("replay", *arguments, "--headless", "--speed", "max", "--summary", str(summary))
    done = run_lobdeck(home, *command, hash_seed=hash_seed)
    assert done.returncode == 0, done.stderr
    content: dict[str, Any] = json.loads(summary.read_text())
    return content
