"""A dataset costs little more than the engine that makes its rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.bench_dataset import RATE_BUDGET, measure
from app.bench_tools import Plan
from tests.fakes.sessions import synthetic_lines, write_capture

LINES = 8_000
MOST = 3.0
"""Of the engine's own processor time; 1.4 was measured on a long capture."""


def test_building_rows_costs_little_beside_the_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("LOBDECK_HOME", str(home))
    capture = write_capture(tmp_path / "capture.txt", synthetic_lines(LINES))
    built, ratio = measure(Plan((capture,), "cut to size", synthetic=True, quick=True, home=home))

    assert built.budget is RATE_BUDGET
    assert built.measured is not None
    assert built.measured > 0
    assert ratio.measured is not None
    assert ratio.measured < MOST
    assert not [path for path in home.iterdir() if path.name.startswith("dataset-")]
