"""Which file a name means, and that nothing runs which nobody approved."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.registry_command import list_models
from pipeline.models.expectation import Expectation, Role
from pipeline.models.manifest import manifest_path
from pipeline.models.refusal import ModelRefused, RefusalCode
from pipeline.models.registry import approved_model, bundled_models, find_model, one_line, role_of
from tests.fakes.models import registered


def test_the_newest_version_is_meant_unless_one_is_named(tmp_path: Path) -> None:
    for version in (2, 10, 9):
        registered(tmp_path, "my-logit", version, Role.PAPER)
    assert find_model("my-logit", tmp_path).parent.name == "10"
    assert find_model("my-logit@9", tmp_path).parent.name == "9"


def test_a_version_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    registered(tmp_path, "my-logit", 3)
    with pytest.raises(ModelRefused, match="my-logit is there as @3"):
        find_model("my-logit@4", tmp_path)


def test_a_bundled_model_is_meant_by_its_name_and_its_own_version(tmp_path: Path) -> None:
    for name in bundled_models():
        assert find_model(name, tmp_path) == find_model(f"{name}@1", tmp_path) == bundled_models()[name]
    with pytest.raises(ModelRefused, match="qi-logit is there as @1"):
        find_model("qi-logit@7", tmp_path)


def test_a_version_of_the_registry_does_not_hide_the_bundled_one(tmp_path: Path) -> None:
    newer = registered(tmp_path, "qi-logit", 3)
    assert find_model("qi-logit", tmp_path) == newer
    assert find_model("qi-logit@1", tmp_path) == bundled_models()["qi-logit"]
    with pytest.raises(ModelRefused, match="qi-logit is there as @1, @3"):
        find_model("qi-logit@2", tmp_path)


def test_the_list_shows_the_bundled_models_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path))
    lines = list_models().splitlines()
    assert lines[0].startswith("no model in ")
    assert [line.split()[0] for line in lines[1:]] == ["calm-logit/1", "ob-logit/1", "qi-logit/1"]
    assert all("  shadow, paper  " in line and line.endswith("  bundled") for line in lines[1:])


@given(
    name=st.text(max_size=20)
    | st.sampled_from(["../x", "/etc/passwd", "a/b", ".", "", "@", "x@", "x@-1", "x@1/2", "x\0"])
)
def test_no_text_leads_out_of_the_folder(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.getbasetemp() / "models"
    with pytest.raises(ModelRefused) as refused:
        find_model(name, folder)
    assert refused.value.code is RefusalCode.E_SHA
    assert "\n" not in one_line(refused.value)


def test_a_role_nobody_approved_is_refused_by_its_code_in_one_line(tmp_path: Path) -> None:
    path = registered(tmp_path, "my-logit", 1, Role.SHADOW)
    assert approved_model(path, Expectation(role=Role.SHADOW)).features == ("qi_1",)
    with pytest.raises(ModelRefused) as refused:
        approved_model(path, Expectation(role=Role.PAPER))
    assert one_line(refused.value) == (
        "E_APPROVAL: my-logit.onnx is approved for shadow, not for paper: `lobdeck model approve FILE paper`"
    )


def test_a_file_without_a_manifest_is_approved_for_nothing(tmp_path: Path) -> None:
    path = registered(tmp_path, "my-logit", 1, *Role)
    manifest_path(path).unlink()
    with pytest.raises(ModelRefused, match="E_APPROVAL: .* has no manifest, approved for nothing"):
        approved_model(path, Expectation(role=Role.SHADOW))


def test_real_money_wants_the_live_role() -> None:
    assert (role_of(live=True), role_of(live=False)) == (Role.LIVE, Role.PAPER)
