"""`lobdeck model inspect` and `verify`, and how a refusal reads on stderr."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import msgspec
import pytest

from app.cli import run
from app.model_command import inspect_model, verify_model
from app.replay_command import bundled_model
from pipeline.core.registry import REGISTRY
from pipeline.models.expectation import Role
from pipeline.models.manifest import manifest_path
from pipeline.models.packaging import contract_of
from pipeline.models.refusal import ModelRefused
from pipeline.runtime.instruments import InstrumentError
from tests.fakes.models import logistic, model_bytes, registered, source, write_model


def test_contract_is_given_in_lines() -> None:
    lines = inspect_model(bundled_model("ob-logit")).splitlines()
    titles = [line[:9].strip() for line in lines]
    assert titles[:7] == ["model", "name", "answers", "horizon", "label", "market", "units"]
    assert "features  qi_1 micro_dev qi_5 qi_10 dwi qi_band_5bps slope tfi_1s" in lines


def test_many_features_go_on_in_the_next_line(tmp_path: Path) -> None:
    names = tuple(REGISTRY)
    file = write_model(tmp_path, model_bytes(source(features=names, logistic=logistic(len(names)))))
    lines = inspect_model(file).splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("features"))
    assert lines[at + 1].startswith(" " * 10)
    assert set(names) <= set(" ".join(lines[at : at + 5]).split())


def test_refused_model_is_shown_with_every_difference(tmp_path: Path) -> None:
    worse = msgspec.structs.replace(source().metrics, model=source().metrics.constant)
    file = write_model(tmp_path, model_bytes(source(metrics=worse)))
    lines = inspect_model(file).splitlines()
    assert lines[0] == "name      test-logit"
    assert [line for line in lines if line.startswith("REFUSED")] == [
        "REFUSED   E_METRICS: not better than its baseline: only as a shadow",
        "REFUSED     logloss: model 0.693, baseline 0.58",
    ]


def test_what_a_file_says_cannot_steer_the_terminal(tmp_path: Path) -> None:
    file = write_model(tmp_path, model_bytes(contract={"name": "nice\x1b[2J\u202emodel"}))
    assert inspect_model(file).replace("\n", "").isprintable()


def test_file_without_a_contract_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match="E_OPS: not an ONNX model"):
        inspect_model(write_model(tmp_path, b"\xff\xff"))


@pytest.mark.parametrize("name", ["qi-logit", "ob-logit"])
def test_bundled_models_verify(name: str) -> None:
    assert f"sound; {name} on qi_1" in verify_model(bundled_model(name))


def test_verifying_says_what_a_model_is_approved_for(tmp_path: Path) -> None:
    path = registered(tmp_path, "my-logit", 1, Role.SHADOW, symbols=("BTCUSDT",), tick="0.01")
    assert "; approved for shadow\n" in verify_model(path)
    with pytest.raises(ModelRefused, match="E_APPROVAL: .* is approved for shadow, not for paper"):
        verify_model(path, Role.PAPER)
    manifest_path(path).unlink()
    assert "; no manifest: approved for nothing\n" in verify_model(path)
    with pytest.raises(ModelRefused, match="E_APPROVAL: .* has no manifest"):
        verify_model(path, Role.SHADOW)


def test_verifying_runs_the_model(tmp_path: Path) -> None:
    other = dataclasses.replace(logistic(), temperature=2.0)
    with pytest.raises(ModelRefused, match="E_GOLDEN"):
        verify_model(write_model(tmp_path, model_bytes(graph=other)))


def test_verifying_looks_at_today(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match="E_SPAN"):
        verify_model(write_model(tmp_path, model_bytes(source(expires_at="2024-12-31"))))


def test_verifying_looks_at_the_instrument_table(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match="E_UNITS"):
        verify_model(write_model(tmp_path, model_bytes(source(tick="0.5"))))
    with pytest.raises(InstrumentError, match="nowhere"):
        verify_model(write_model(tmp_path, model_bytes(source(venue="nowhere"))))


def test_refusal_is_one_line_on_stderr_and_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["model", "verify", str(write_model(tmp_path, model_bytes(graph=logistic(2))))]) == 2
    out = capsys.readouterr()
    assert out.out == ""
    assert out.err == "lobdeck: E_IO: input or output does not fit; row is 2 wide, want 3\n"


def test_differences_of_the_features_are_on_the_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    schema = json.loads(contract_of(source()).schema_json)
    schema["features"][0]["version"] = 9
    schema["features"][2]["params"]["window_ms"] = 250
    text = json.dumps(schema, sort_keys=True, separators=(",", ":"))
    changed = {"schema_json": text, "schema_hash": hashlib.sha256(text.encode()).hexdigest()}
    assert run(["model", "verify", str(write_model(tmp_path, model_bytes(contract=changed)))]) == 2
    assert capsys.readouterr().err == (
        "lobdeck: E_SCHEMA_HASH: 2 fields of the features differ; features[qi_1].version: model 9, here 1; "
        "features[tfi_1s].params.window_ms: model 250, here 1000\n"
    )
