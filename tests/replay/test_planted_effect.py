"""The trainer finds a planted effect as well as anybody could, and says so truthfully."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.research.dense_fit import NetOptions
from pipeline.research.learners import LearnerOptions
from pipeline.research.rows import load_rows
from pipeline.research.scores import auc
from pipeline.research.targets import TargetKind
from pipeline.research.training import Trained, TrainingPlan, train
from pipeline.research.window_fit import WindowOptions
from tests.fakes.planted import FEATURES, write_planted

ROWS = 12_000
NEAR = 0.01
SHORT = NetOptions(epochs=6)
SMALL = WindowOptions(rows=4, epochs=8, rate=0.005)


def trained_and_gap(folder: Path, seed: int, learner: str, kind: TargetKind) -> tuple[Trained, float]:
    """Give what was trained and by how much its area misses the best possible one on the tested rows."""
    odds = write_planted(folder, ROWS, seed)
    rows = load_rows(folder)
    plan = TrainingPlan(
        "planted", FEATURES, 1_000, kind, LearnerOptions(kind=learner, net=SHORT, window=SMALL)
    )
    trained = train(rows, plan)
    asked = trained.answers.rows
    up, moved = trained.target.place[asked] == 2, trained.target.place[asked] != 1
    moved &= trained.target.usable[asked]
    best = auc(odds[asked][moved], up[moved])
    return trained, best - trained.metrics.model.auc


@pytest.mark.parametrize("learner", ["logistic", "mlp", "window"])
def test_the_area_comes_within_a_hundredth_of_the_best_possible_on_five_seeds(
    tmp_path: Path, learner: str
) -> None:
    if learner == "window":
        pytest.importorskip("torch", reason="the torch extra is not installed")
    gaps = []
    for seed in range(1, 6):
        trained, gap = trained_and_gap(tmp_path / str(seed), seed, learner, TargetKind.DIRECTION)
        gaps.append(gap)
        assert trained.metrics.qi_only is not None
        assert trained.metrics.model.logloss < trained.metrics.qi_only.logloss
        assert trained.metrics.model.ece < 0.03

    print(f"{learner}: worst {max(gaps, key=abs):+.4f}")  # noqa: T201  # the number that is reported
    assert max(map(abs, gaps)) < NEAR, gaps


def test_three_classes_rank_the_moves_as_well(tmp_path: Path) -> None:
    trained, gap = trained_and_gap(tmp_path / "set", 1, "logistic", TargetKind.THREE_CLASS)

    assert abs(gap) < NEAR
    assert trained.answers.model[:, 1].mean() == pytest.approx(0.3, abs=0.03)


def test_trees_come_near_too(tmp_path: Path) -> None:
    pytest.importorskip("sklearn", reason="the train extra is not installed")
    _, gap = trained_and_gap(tmp_path / "set", 1, "trees", TargetKind.DIRECTION)

    assert abs(gap) < 2 * NEAR


def test_labels_that_mean_nothing_are_not_learned(tmp_path: Path) -> None:
    write_planted(tmp_path / "set", ROWS, 1)
    rows = load_rows(tmp_path / "set")
    order = np.random.default_rng(3).permutation(ROWS)
    shuffled = replace(rows, values=rows.values[order])

    trained = train(shuffled, TrainingPlan("noise", FEATURES, 1_000))

    assert trained.metrics.model.auc == pytest.approx(0.5, abs=0.02)
    assert trained.metrics.model.logloss == pytest.approx(np.log(2), abs=0.01)
