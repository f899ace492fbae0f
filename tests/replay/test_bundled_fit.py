"""The committed models come out of the real capture again, through the engine as it is now."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.fit_bundled import training
from pipeline.models.packaging import read_source
from pipeline.research.bundled_recipes import CAPTURE, RECIPES, SIM_LENGTH_S, SIM_PARTS
from pipeline.research.fit_bundled import FOLDER, fit, fit_weights

DATA = Path(__file__).parents[3] / "shared" / "data" / "hftbacktest"


@pytest.mark.skipif(not all((DATA / name).exists() for name in CAPTURE), reason=f"no captures in {DATA}")
def test_queue_imbalance_fitted_anew_is_what_was_committed(tmp_path: Path) -> None:
    committed = read_source(FOLDER / "qi-logit.json")

    made, report = fit(RECIPES[0], training(RECIPES[0], DATA, tmp_path))

    assert np.array(made.logistic.weights) == pytest.approx(np.array(committed.logistic.weights), rel=0.02)
    assert made.metrics.model.logloss == pytest.approx(committed.metrics.model.logloss, abs=0.003)
    assert made.metrics.model.auc == pytest.approx(committed.metrics.model.auc, abs=0.003)
    assert made.move_rate_e6 == pytest.approx(committed.move_rate_e6, rel=0.01)
    assert made.training_data_sha256 == committed.training_data_sha256
    assert made.features == ("qi_1",)
    assert "qi-logit" in report


def test_the_demo_s_model_is_of_the_simulated_market_as_it_is_now(tmp_path: Path) -> None:
    (recipe,) = [one for one in RECIPES if one.pace is not None]
    committed = read_source(FOLDER / f"{recipe.name}.json")

    rows = training(recipe, DATA, tmp_path, parts=1)
    moved = ~np.isnan(rows.returns) & (rows.returns != 0.0)
    made = fit_weights(recipe, rows.values[moved], rows.returns[moved] > 0.0)

    assert rows.digests == committed.training_data_sha256[:1], "the market is another: fit the model anew"
    assert np.array(made.weights) == pytest.approx(np.array(committed.logistic.weights), rel=0.4)
    assert len(committed.training_data_sha256) == SIM_PARTS
    assert rows.ts_ns[-1] - rows.ts_ns[0] > (SIM_LENGTH_S - 10) * 1_000_000_000
