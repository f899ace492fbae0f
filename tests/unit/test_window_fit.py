"""A network over windows learns what lies rows back, is proved against PyTorch, and loads like any model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.cli import run
from app.model_command import inspect_model as inspect_model_file
from app.model_command import verify_model
from pipeline.models.contract import CLASS_ORDER
from pipeline.models.expectation import Expectation, Role
from pipeline.models.inspection import inspect_model, model_spec
from pipeline.models.loader import load_model
from pipeline.models.refusal import ModelRefused
from pipeline.research.learners import LearnerOptions, learn
from pipeline.research.parity import MissingExtra, ParityError
from pipeline.research.rows import load_rows
from pipeline.research.scores import auc
from pipeline.research.tables import Picked
from pipeline.research.window_fit import LearnedWindow, WindowOptions
from tests.fakes.planted import FEATURES, write_planted

OPTIONS = LearnerOptions(kind="window", window=WindowOptions(rows=4, channels=4, epochs=6))
WHY = "the torch extra is not installed"


def lagged(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Windows of four rows whose odds of up depend on the oldest row alone, and what came, 0 or 2."""
    chance = np.random.default_rng(4)
    values = chance.uniform(-1, 1, (rows, 4 * len(FEATURES))).round(6)
    odds = 1 / (1 + np.exp(-4 * values[:, 0]))
    return values, np.where(chance.uniform(size=rows) < odds, 2, 0).astype(np.intp)


@pytest.fixture(scope="module")
def learned() -> LearnedWindow:
    pytest.importorskip("torch", reason=WHY)
    found = learn(OPTIONS, FEATURES, *lagged(6_000), binary=True)
    assert isinstance(found, LearnedWindow)
    return found


def test_what_lies_rows_back_is_learned(learned: LearnedWindow) -> None:
    values, place = lagged(3_000)
    found = auc(learned.probabilities(values)[:, 2], place == 2)
    assert found == pytest.approx(auc(values[:, 0], place == 2), abs=0.02)


def test_the_file_says_what_pytorch_said_and_another_is_not_given(learned: LearnedWindow) -> None:
    assert learned.onnx("some", 1, {}) == learned.tempered(1.0).onnx("some", 1, {})
    assert learned.tempered(1.7).onnx("some", 1, {})
    wrong = replace(learned, proof=replace(learned.proof, rows=learned.proof.rows[::-1].copy()))
    with pytest.raises(ParityError, match="differ by more than 1e-05 from what PyTorch said"):
        wrong.onnx("some", 1, {})


def test_three_classes_and_no_symmetry_pass_the_same_gate() -> None:
    pytest.importorskip("torch", reason=WHY)
    values, place = lagged(600)
    place[::3] = 1
    for mirror in (True, False):
        found = learn(replace(OPTIONS, mirror=mirror), FEATURES, values, place, binary=False)
        assert found.symmetric is mirror
        assert found.onnx("three", 1, {})
        assert found.probabilities(values).sum(axis=1) == pytest.approx(1.0)


def test_a_window_of_no_power_of_two_is_named() -> None:
    pytest.importorskip("torch", reason=WHY)
    options = replace(OPTIONS, window=WindowOptions(rows=6))
    with pytest.raises(ValueError, match="a window of 6 rows"):
        learn(options, FEATURES, *lagged(50), binary=True)


def test_without_pytorch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(MissingExtra, match=r"pip install -e .\.\[torch\]"):
        learn(OPTIONS, FEATURES, *lagged(50), binary=True)


def test_from_a_dataset_to_a_model_a_worker_loads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch", reason=WHY)
    write_planted(tmp_path / "rows", 4_000, 1)
    text = '\nlearner = "window"\n[window]\nrows = 4\nepochs = 2\n'
    (tmp_path / "train.toml").write_text(f'name = "net"\ndataset = "rows"{text}')
    outputs = [tmp_path / "one", tmp_path / "two"]
    for output in outputs:
        assert run(["train", str(tmp_path / "train.toml"), "-o", str(output)]) == 0
    path = outputs[0] / "net.onnx"
    capsys.readouterr()

    assert path.read_bytes() == (outputs[1] / "net.onnx").read_bytes()
    assert "sound" in verify_model(path, Role.SHADOW)
    inspected = inspect_model_file(path)
    assert "reads     4 rows at once, the newest last" in inspected
    assert "torch " in inspected
    model = load_model(path, Expectation(role=Role.SHADOW))
    assert (model.window, model.contract.input_width) == (4, 4 * len(FEATURES))
    assert model.contract.class_order == CLASS_ORDER
    assert model_spec(model.contract, model.model_id).width == 4 * len(FEATURES)
    table = load_rows(tmp_path / "rows").table(FEATURES, 4)
    rows = Picked(table, np.flatnonzero(table.whole))[:64]
    alone = [model.predict_into(row.tolist()) for row in rows]
    np.testing.assert_allclose(alone, model.bound.batch(rows), atol=1e-6)
    assert run(["evaluate", str(path), str(tmp_path / "rows")]) == 0
    assert "3,997 rows" in capsys.readouterr().out


def test_a_window_the_schema_does_not_have_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason=WHY)
    write_planted(tmp_path / "rows", 1_000, 1)
    text = '\nlearner = "window"\n[window]\nrows = 2\nepochs = 1\n'
    (tmp_path / "train.toml").write_text(f'name = "net"\ndataset = "rows"{text}')
    assert run(["train", str(tmp_path / "train.toml"), "-o", str(tmp_path / "out")]) == 0
    path = tmp_path / "out" / "net.onnx"
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"window":2', b'"window":4'))
    (tmp_path / "out" / "net.manifest.json").unlink()
    with pytest.raises(ModelRefused, match="E_SCHEMA_HASH"):
        inspect_model(path, Expectation(role=Role.SHADOW))
