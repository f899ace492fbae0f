"""Which file a name means, and that nothing runs which nobody approved."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.models.expectation import Expectation, Role
from pipeline.models.manifest import manifest_path
from pipeline.models.refusal import ModelRefused, RefusalCode
from pipeline.models.registry import approved_model, find_model, one_line, role_of
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


def test_a_bundled_model_has_its_name_alone(tmp_path: Path) -> None:
    assert find_model("qi-logit", tmp_path).name == "qi-logit.onnx"
    with pytest.raises(ModelRefused):
        find_model("qi-logit@1", tmp_path)


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
        "E_CONTRACT: my-logit.manifest.json disagrees: approvals: shadow; wanted for paper"
    )


def test_a_file_without_a_manifest_is_approved_for_nothing(tmp_path: Path) -> None:
    path = registered(tmp_path, "my-logit", 1, *Role)
    manifest_path(path).unlink()
    with pytest.raises(ModelRefused, match="has no manifest: nothing approves it"):
        approved_model(path, Expectation(role=Role.SHADOW))


def test_real_money_wants_the_live_role() -> None:
    assert (role_of(live=True), role_of(live=False)) == (Role.LIVE, Role.PAPER)
