"""Training needs no memory for its features: they are mapped from a file and looked at by the chunk."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from pipeline.core.registry import NAMES
from pipeline.research.dataset import DatasetError
from pipeline.research.rows import load_rows
from pipeline.research.tables import Mirrored, Picked, chunks
from pipeline.research.training import TrainingPlan, train
from pipeline.research.walk_forward import FoldPlan
from tests.fakes.planted import FEATURES, write_planted, write_wide

ROWS = 100_000
MOST_BYTES = 80 << 20
"""The same training took 136 MB when it held its rows."""


def test_mapped_rows_train_within_a_cap_that_held_rows_break(tmp_path: Path) -> None:
    write_wide(tmp_path / "set", ROWS, 20_000)
    tracemalloc.start()
    rows = load_rows(tmp_path / "set", in_memory_bytes=0)
    loaded = tracemalloc.get_traced_memory()[0]
    trained = train(rows, TrainingPlan("wide", NAMES, 1_000, folds=FoldPlan(1, 0.4)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert isinstance(rows.values, np.memmap)
    assert loaded < 1 << 20
    assert peak < MOST_BYTES
    assert trained.metrics.model.auc == pytest.approx(0.83, abs=0.02)


def test_mapped_rows_give_the_same_model_and_leave_no_file(tmp_path: Path) -> None:
    write_planted(tmp_path / "set", 2_000, 1)
    before = sorted(tmp_path.rglob("*"))
    held, mapped = load_rows(tmp_path / "set"), load_rows(tmp_path / "set", in_memory_bytes=0)
    one, two = (train(rows, TrainingPlan("planted", FEATURES, 1_000)) for rows in (held, mapped))

    assert one.metrics == two.metrics
    assert one.learned.onnx("one", 1, {}) == two.learned.onnx("one", 1, {})
    assert sorted(tmp_path.rglob("*")) == before


def test_a_dataset_of_another_version_is_refused(tmp_path: Path) -> None:
    write_planted(tmp_path / "set", 500, 1)
    page = tmp_path / "set" / "dataset.json"
    page.write_text(page.read_text().replace('"version": 3', '"version": 2'))
    with pytest.raises(DatasetError, match="version 2, want 3; build the dataset again"):
        load_rows(tmp_path / "set")


def test_tables_give_the_same_rows_in_any_cut() -> None:
    values = np.random.default_rng(1).uniform(size=(90_000, 25))
    table = Mirrored(Picked(values, np.arange(0, 90_000, 3)), np.full(25, -1.0))
    parts = [table[at] for at in chunks(table)]

    assert len(parts) > 1
    np.testing.assert_array_equal(np.concatenate(parts), np.vstack([values[::3], -values[::3]]))
    some = np.array([59_999, 0, 30_000])
    np.testing.assert_array_equal(table[some], np.stack([-values[-3], values[0], -values[0]]))
