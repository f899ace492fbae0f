"""A bound model: what it answers, what it refuses to be asked, what it refuses to answer."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import numpy as np
import onnx
import pytest

from pipeline.models.graph import logistic_probabilities
from pipeline.models.inspection import inspect_model, model_spec
from pipeline.models.loader import LoadedModel, load_model
from pipeline.models.running import BoundModel, InvalidAnswer, InvalidRow, is_distribution, open_session
from tests.fakes.models import FEATURES, expectation, logistic, model_bytes, write_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return load_model(write_model(tmp_path_factory.mktemp("model")), expectation())


def test_row_after_row_through_the_same_memory_answers_as_numpy_does(model: LoadedModel) -> None:
    rows = np.random.default_rng(3).uniform(-1, 1, size=(50, 3)).astype(np.float32)

    answers = [model.predict_into(row.tolist()) for row in rows]

    assert np.abs(np.array(answers) - logistic_probabilities(logistic(), rows)).max() < 1e-6


def test_a_row_written_as_bytes_answers_like_the_same_numbers(model: LoadedModel) -> None:
    row = (0.25, -1.5, 0.75)
    expected = model.predict_into(row)
    model.predict_into((0.0, 0.0, 0.0))

    model.bound.row_bytes[:] = struct.pack("=3f", *row)

    assert model.bound.answer() == expected


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e39])
def test_a_number_that_is_not_finite_is_refused_before_the_model_sees_it(
    model: LoadedModel, bad: float
) -> None:
    with pytest.raises(InvalidRow):
        model.predict_into((0.0, bad, 0.0))


@pytest.mark.parametrize("row", [(), (0.0,), (0.0,) * 4])
def test_a_row_of_another_width_is_refused(model: LoadedModel, row: tuple[float, ...]) -> None:
    with pytest.raises(struct.error):
        model.predict_into(row)


def test_an_answer_that_is_no_distribution_is_refused() -> None:
    model = onnx.load_from_string(model_bytes())
    model.graph.node[-2].op_type = "Relu"
    bound = BoundModel(open_session(model.SerializeToString()), 3)

    with pytest.raises(InvalidAnswer):
        bound.predict_into((1.0, 1.0, 1.0))


@pytest.mark.parametrize(
    ("answer", "sound"),
    [
        ((0.2, 0.3, 0.5), True),
        ((0.0, 0.0, 1.0), True),
        ((0.2, 0.3, 0.5009), True),
        ((0.2, 0.3, 0.502), False),
        ((-0.1, 0.6, 0.5), False),
        ((1.1, -0.1, 0.0), False),
        ((math.nan, 0.5, 0.5), False),
        ((0.5, 0.5, math.nan), False),
        ((math.inf, 0.0, 0.0), False),
    ],
)
def test_what_counts_as_a_distribution(answer: tuple[float, float, float], sound: bool) -> None:
    assert is_distribution(*answer) is sound


def test_the_engines_view_of_a_model_needs_no_onnx_runtime(tmp_path: Path) -> None:
    inspected = inspect_model(write_model(tmp_path), expectation())

    spec = model_spec(inspected.contract, inspected.model_id, generation=4)

    assert (spec.name, spec.features, spec.generation) == ("test-logit", FEATURES, 4)
    assert (spec.horizon_ms, spec.binary, spec.sigma_train_e6) == (1000, True, 60)
    assert spec.schema_hash == inspected.contract.schema_hash
    assert len(spec.model_id) == 64
