"""`lobdeck train`: the same data and settings give the same bytes; what cannot be meant is refused."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli import run
from app.config_sources import ConfigError
from app.model_command import verify_model
from app.registry_command import approve_model, list_models
from app.train_config import plan_of, read_train_settings
from pipeline.models.expectation import Role
from pipeline.models.manifest import read_manifest
from pipeline.models.refusal import ModelRefused
from pipeline.models.venue_offer import CADENCES
from pipeline.research.dataset import Source, read_page, write_page
from pipeline.research.evaluation import read_evaluation
from pipeline.research.report_html import report_page
from tests.fakes.planted import FEATURES, write_planted

ROWS = 3_000


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "rows"
    write_planted(folder, ROWS, 1)
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("LOBDECK_HOME", str(folder))
    return folder


def config(folder: Path, rows: Path, text: str = "") -> Path:
    path = folder / "train.toml"
    path.write_text(f'name = "planted"\ndataset = "{rows}"\n{text}')
    return path


@pytest.mark.parametrize("text", ["", 'learner = "mlp"\n[mlp]\nepochs = 2', 'target = "barrier"'])
def test_same_data_and_settings_give_the_same_bytes(
    rows: Path, tmp_path: Path, home: Path, text: str
) -> None:
    path = config(tmp_path, rows, text)
    for name in ("one", "two"):
        assert run(["train", str(path), "-o", str(tmp_path / name)]) == 0
    one, two = ((tmp_path / name / "planted.onnx").read_bytes() for name in ("one", "two"))

    assert home.exists()
    assert one == two
    manifest = read_manifest(tmp_path / "one" / "planted.onnx")
    assert manifest is not None
    assert manifest.model_id == hashlib.sha256(one).hexdigest()
    assert "configuration" in manifest.notes
    assert verify_model(tmp_path / "one" / "planted.onnx", Role.SHADOW)


def test_a_model_goes_to_the_registry_as_a_shadow_and_higher_by_approval(
    rows: Path, tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", str(config(tmp_path, rows))]) == 0
    said = capsys.readouterr().out
    file = home / "models" / "planted" / "1" / "planted.onnx"

    assert "qi only" in said
    assert "constant" in said
    assert read_evaluation(file.parent / "evaluation.json").rows > 1_000
    assert "; approved for shadow\n" in verify_model(file)
    with pytest.raises(ModelRefused, match="approved for shadow, not for paper"):
        verify_model(file, Role.PAPER)
    assert "shadow, paper" in approve_model(file, Role.PAPER)
    assert "sound" in verify_model(file)
    assert "planted/1" in list_models()


def test_a_model_no_better_than_its_baseline_is_not_approved_for_paper(
    rows: Path, tmp_path: Path, home: Path
) -> None:
    path = config(tmp_path, rows, 'features = ["tfi_1s"]')
    assert run(["train", str(path)]) == 0
    file = home / "models" / "planted" / "1" / "planted.onnx"

    with pytest.raises(ModelRefused, match="E_METRICS"):
        approve_model(file, Role.PAPER)
    manifest = read_manifest(file)
    assert manifest is not None
    assert manifest.approvals == (Role.SHADOW,)


def test_another_model_in_the_same_place_is_refused(
    rows: Path, tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert home.exists()
    assert run(["train", str(config(tmp_path, rows))]) == 0
    assert run(["train", str(config(tmp_path, rows, "ridge = 5"))]) == 2
    assert "raise `version`" in capsys.readouterr().err
    assert run(["train", str(config(tmp_path, rows, "ridge = 5\nversion = 2"))]) == 0


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("lerner = 'mlp'", "lerner: unknown setting, did you mean learner?"),
        ("[folds]\ncuont = 3", "folds.cuont: unknown setting, did you mean count?"),
        ('[folds]\nsplit = "shuffled"', "walk-forward"),
        ('[folds]\nsplit = "shuffled"', "share their outcome"),
        ("[folds]\nshuffle = true", "share their outcome"),
        ("horizon_ms = 0", "horizon_ms: found 0"),
        ("mirror = 1", "mirror: found 1"),
        ('target = "up"', "target: found up"),
        ("[ridges]\nqi_2 = 3", "ridges.qi_2: no feature of this model, did you mean qi_1?"),
        ("ridge = nan", "ridge: found"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(rows: Path, tmp_path: Path, text: str, wanted: str) -> None:
    with pytest.raises(ConfigError, match=wanted.replace("?", r"\?")):
        plan_of(read_train_settings(config(tmp_path, rows, text)), FEATURES)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[folds]\nshuffle = true", "share their outcome"),
        ('[folds]\nsplit = "kfold"', "share their outcome"),
        ("lerner = 'mlp'", "did you mean learner?"),
        (None, "missing.toml: cannot be read"),
    ],
)
def test_a_bad_training_file_is_one_line_at_the_command(
    tmp_path: Path, text: str | None, wanted: str
) -> None:
    path = tmp_path / "missing.toml" if text is None else config(tmp_path, tmp_path / "rows", text)
    done = subprocess.run(
        [sys.executable, "-m", "app", "train", str(path)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert wanted in done.stderr
    assert done.stderr.count("\n") == 1


@given(st.binary(max_size=200))
def test_garbage_is_refused_in_one_line(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("garbage") / "train.toml"
    path.write_bytes(data)
    with pytest.raises(ConfigError) as refusal:
        read_train_settings(path)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(("rows_", "wanted"), [(40, "would learn from"), (3, "fold")])
def test_too_little_data_is_one_line(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str], rows_: int, wanted: str
) -> None:
    write_planted(tmp_path / "few", rows_, 1)

    assert run(["train", str(config(tmp_path, tmp_path / "few"))]) == 2
    assert wanted in capsys.readouterr().err
    assert not (home / "models").exists()


def test_a_feature_the_dataset_lacks_is_named(
    rows: Path, tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert home.exists()
    assert run(["train", str(config(tmp_path, rows, 'features = ["qi_5"]'))]) == 2
    assert "lacks qi_5" in capsys.readouterr().err


@pytest.mark.parametrize("target", ["direction", "three_class"])
def test_evaluation_on_what_was_learned_from_says_so_and_on_another_market_does_not(
    rows: Path, tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str], target: str
) -> None:
    assert run(["train", str(config(tmp_path, rows, f'target = "{target}"'))]) == 0
    file = str(home / "models" / "planted" / "1" / "planted.onnx")
    write_planted(tmp_path / "other", ROWS, 9)
    other = read_page(tmp_path / "other")
    unseen = Source(("other",), ("1" * 64,))
    write_page(tmp_path / "other", msgspec.structs.replace(other, sources=(unseen,)))
    capsys.readouterr()

    assert run(["evaluate", file, str(rows)]) == 0
    said = capsys.readouterr().out
    assert "CAUTION" in said
    assert "qi_bundled is the qi-logit that ships" in said
    assert "qi_only  " not in said
    assert run(["evaluate", file, str(tmp_path / "other"), "-o", str(tmp_path / "one.json")]) == 0
    assert "CAUTION" not in capsys.readouterr().out
    found = read_evaluation(tmp_path / "one.json")
    area = next(row.auc for row in found.scores if row.model == "model" and row.value == "1000 ms")
    assert area == pytest.approx(0.77, abs=0.04)
    names = {row.model for row in found.scores}
    assert names == {"model", "qi_bundled", "constant"}
    assert "not fitted on the model" in report_page([found])
    assert run(["evaluate", file, str(rows), "--press-delay", "-1"]) == 2
    assert "--press-delay wants" in capsys.readouterr().err


def test_a_model_of_another_market_is_refused_as_such(
    rows: Path, tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", str(config(tmp_path, rows))]) == 0
    file = str(home / "models" / "planted" / "1" / "planted.onnx")
    page = read_page(rows)
    bybit = replace(page.recipe.instrument, venue="bybit-spot", symbol="ETHUSDT")
    recipe = msgspec.structs.replace(page.recipe, instrument=bybit, cadence=CADENCES["bybit-spot"])
    shutil.copytree(rows, tmp_path / "bybit")
    write_page(tmp_path / "bybit", msgspec.structs.replace(page, recipe=recipe))
    capsys.readouterr()

    assert run(["evaluate", file, str(tmp_path / "bybit")]) == 2
    said = capsys.readouterr().err
    assert "the market differs" in said
    assert "binance" in said
    assert "bybit-spot ETHUSDT" in said


def test_an_export_that_answers_otherwise_is_not_written(
    rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("skl2onnx", reason="the train extra is not installed")
    if int(version("protobuf").partition(".")[0]) > 6:
        pytest.skip("protobuf 7 cannot write trees; the train extra wants an older one")
    from pipeline.models.graph import logistic_model
    from pipeline.research import trees
    from tests.fakes.models import logistic

    path = config(tmp_path, rows, 'learner = "trees"\n[trees]\nrounds = 5')
    assert run(["train", str(path), "-o", str(tmp_path / "sound")]) == 0
    assert verify_model(tmp_path / "sound" / "planted.onnx", Role.SHADOW)
    wrong = logistic_model(logistic(len(FEATURES)), "wrong", 1, {})
    monkeypatch.setattr(trees, "_exported", lambda *_: wrong)

    assert run(["train", str(path), "-o", str(tmp_path / "wrong")]) == 2
    assert "the exporter is wrong" in capsys.readouterr().err
    assert not (tmp_path / "wrong").exists()
