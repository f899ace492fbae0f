"""The models that ship: built from their JSON byte for byte, sound, honest about their worth."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from pipeline.core.registry import spec_of
from pipeline.core.types import SyncRule
from pipeline.models.expectation import Expectation, Role
from pipeline.models.golden import probe_rows
from pipeline.models.graph import logistic_probabilities
from pipeline.models.loader import load_model
from pipeline.models.packaging import build_model, read_source, source_json
from pipeline.models.refusal import ModelRefused, RefusalCode
from pipeline.models.venue_offer import expectation_for
from pipeline.research.bundled_recipes import RECIPES, SPOT, Recipe
from pipeline.research.fit_bundled import FOLDER, write_built

NAMES = [recipe.name for recipe in RECIPES]
TODAY = datetime.date(2030, 1, 1).isoformat()


def path_of(name: str) -> Path:
    return FOLDER / f"{name}.onnx"


@pytest.mark.parametrize("recipe", RECIPES, ids=NAMES)
def test_the_files_are_built_from_the_json_byte_for_byte(recipe: Recipe, tmp_path: Path) -> None:
    write_built(recipe, tmp_path)
    for made in sorted(tmp_path.iterdir()):
        assert made.read_bytes() == (FOLDER / made.name).read_bytes(), made.name
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("name", NAMES)
def test_the_json_is_in_the_form_the_fit_writes(name: str) -> None:
    text = (FOLDER / f"{name}.json").read_bytes()
    assert source_json(read_source(FOLDER / f"{name}.json")) == text


def test_another_weight_gives_another_file() -> None:
    source = read_source(FOLDER / "qi-logit.json")
    changed = msgspec.structs.replace(source, rows=source.rows + 1)
    assert build_model(changed) != path_of("qi-logit").read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_every_load_check_passes_on_the_market_of_the_training(name: str) -> None:
    model = load_model(path_of(name), expectation_for(SPOT, TODAY))

    rows = probe_rows(model.features)
    wanted = logistic_probabilities(read_source(FOLDER / f"{name}.json").logistic, rows)
    answers = np.array([model.predict_into(row.tolist()) for row in rows])
    assert np.abs(answers - wanted).max() < 1e-6


def test_queue_imbalance_alone_runs_on_any_market_the_other_model_does_not() -> None:
    swap = replace(SPOT, venue="binance-usdm", sync_rule=SyncRule.CHAINED)

    assert load_model(path_of("qi-logit"), expectation_for(swap, TODAY))
    with pytest.raises(ModelRefused) as caught:
        load_model(path_of("ob-logit"), expectation_for(swap, TODAY))
    assert caught.value.code is RefusalCode.E_SPAN


@pytest.mark.parametrize("name", NAMES)
def test_neither_is_approved_for_real_money(name: str) -> None:
    with pytest.raises(ModelRefused, match="approved for shadow, paper, not for live"):
        load_model(path_of(name), Expectation(role=Role.LIVE))


@pytest.mark.parametrize("name", NAMES)
def test_a_full_bid_means_up_and_a_full_ask_the_mirror_of_it(name: str) -> None:
    model = load_model(path_of(name), Expectation())
    leaning = [1.0 if feature.startswith(("qi", "dwi")) else 0.0 for feature in model.features]

    p_down, p_flat, p_up = model.predict_into(leaning)

    # A queue that was empty all along says more than one that is empty now.
    assert 0.7 < p_up < (0.9995 if name == "calm-logit" else 0.95)
    assert p_flat == 0.0
    assert model.predict_into([-value for value in leaning]) == (p_up, 0.0, p_down)
    assert model.predict_into([0.0] * len(leaning)) == (0.5, 0.0, 0.5)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_in_them_looks_back_further_than_three_seconds(name: str) -> None:
    for feature in read_source(FOLDER / f"{name}.json").features:
        spec = spec_of(feature)
        assert max(spec.window_ms, spec.tau_ms, spec.norm_tau_ms) <= 3_000


def test_their_recorded_worth_is_better_than_the_constant_and_at_least_the_baseline() -> None:
    for name in NAMES:
        metrics = read_source(FOLDER / f"{name}.json").metrics
        assert metrics.qi_only is not None
        assert metrics.model.logloss <= metrics.qi_only.logloss < 0.693 < metrics.constant.logloss
        assert metrics.model.ece < 0.05
        assert metrics.rows > 5_000
