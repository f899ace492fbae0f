"""The model screen's slices are the monitors' own numbers, and unknown where nothing came of age."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from pipeline.core.snapshot import NONE_E6, RecordView, WatchView
from pipeline.models.expectation import Role
from pipeline.models.manifest import Manifest, write_manifest
from pipeline.runtime.model_words import file_words
from tests.fakes.engines import Floor
from tests.fakes.planted_models import FAST, PlantedMarket, watched_floor

pytestmark = pytest.mark.timeout(60)


def watch_of(floor: Floor) -> WatchView:
    """Give the slice of the picture a console would get now."""
    model = floor.picture().model
    assert model is not None
    assert model.watch is not None
    return model.watch


def numbers(record: RecordView) -> list[int]:
    """Give what would say something of a model's worth."""
    return [*(skill.skill_e6 for skill in record.skills), record.brier_e6, record.ece_e6, record.moved_e6]


def test_nothing_is_known_at_the_start() -> None:
    watch = watch_of(watched_floor())
    assert numbers(watch.records[0]) == [NONE_E6] * 5
    assert watch.records[0].skills[0].proof == "GATHERING"
    assert watch.deciles == ()
    assert [one.index_e6 for one in watch.drift] == [-1]


def test_live_and_shadow_stand_beside_each_other() -> None:
    shadow = replace(FAST, model_id="shadow", generation=2)
    floor = watched_floor(shadows=(shadow,))
    PlantedMarket(floor).play(100, knows=0.9)
    watch = watch_of(floor)
    live, beside = watch.records
    monitor = floor.state.desks["BTCUSDT"].watch.live
    assert (live.role, beside.role) == ("live", "shadow")
    assert numbers(live) == numbers(beside)
    assert live.skills[0].skill_e6 == monitor.over_constant().skill_e6
    assert live.brier_e6 == pytest.approx(monitor.recent.reliability().brier_e6, abs=5_000)
    assert sum(one.calls for one in watch.deciles) > 900
    assert {fate.fate for fate in watch.fates} == {"PERMITTED", "DECLINED", "LAPSED", "WITHDRAWN"}


def test_the_summary_says_the_same_as_the_screen() -> None:
    floor = watched_floor()
    empty = floor.engine.counts()["skill"]["BTCUSDT"]
    assert (empty["proof"], empty["over_constant_e6"], empty["brier_e6"]) == ("GATHERING", None, None)
    PlantedMarket(floor).play(100, knows=0.9)
    watch_of(floor)  # a picture of before, that the summary must not be taken from
    PlantedMarket(floor).play(3, knows=0.9)
    live = floor.state.desks["BTCUSDT"].watch.live
    assert floor.engine.counts()["skill"]["BTCUSDT"]["ece_e6"] == live.recent.reliability().ece_e6
    PlantedMarket(floor).play(8, knows=0.9)
    said, shown = floor.engine.counts()["skill"]["BTCUSDT"], watch_of(floor).records[0]
    assert said["over_constant_e6"] == shown.skills[0].skill_e6
    assert said["over_constant_low_e6"] == shown.skills[0].low_e6
    assert (said["calls"], said["source"]) == (shown.calls, "MODEL")
    assert said["ece_e6"] == pytest.approx(shown.ece_e6, abs=5_000)
    assert floor.engine.counts()["fates"].keys() == {fate.fate for fate in watch_of(floor).fates}


def test_version_and_approvals_of_a_file(tmp_path: Path) -> None:
    folder = tmp_path / "ob" / "3"
    folder.mkdir(parents=True)
    path = folder / "ob.onnx"
    assert file_words(path) == "version 3, no approvals"
    write_manifest(path, Manifest("ob", "id", "schema", "ada", "", (Role.SHADOW, Role.PAPER)))
    assert file_words(path) == "version 3, approved for shadow paper"
    path.with_suffix(".manifest.json").write_text("garbage")
    assert file_words(path) == "version 3, no approvals"
