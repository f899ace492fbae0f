"""The same seed and the same clients at the same times: the same bytes, in another process too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.sim_script import SCRIPTS

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("venue", SCRIPTS)
def test_a_script_is_told_the_same_bytes_again_and_others_with_another_seed(venue: str) -> None:
    first, second, other = (SCRIPTS[venue](seed) for seed in (3, 3, 4))
    assert first.bytes > 100_000
    assert first.hexdigest() == second.hexdigest()
    assert first.hexdigest() != other.hexdigest()


@pytest.mark.parametrize("venue", SCRIPTS)
def test_how_time_is_cut_into_steps_changes_nothing(venue: str) -> None:
    assert SCRIPTS[venue](3, 0.25).hexdigest() == SCRIPTS[venue](3, 0.01).hexdigest()


@pytest.mark.parametrize("venue", SCRIPTS)
def test_another_process_with_another_hash_seed_says_the_same(venue: str) -> None:
    said = [
        subprocess.run(
            [sys.executable, "-m", "tests.fakes.sim_script", venue, "3"],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout.strip()
        for seed in ("1", "2")
    ]
    assert said == [SCRIPTS[venue](3).hexdigest()] * 2
