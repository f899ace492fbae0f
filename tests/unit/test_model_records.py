"""What a session learned of a model comes back in the next one, and only there where it belongs."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pipeline.core.engine import Engine
from pipeline.core.inputs import Input, ModelRecord
from pipeline.core.params import SECOND, EngineParams
from pipeline.core.types import VenueMode
from pipeline.runtime.model_records import OLDEST_NS, SAVE_EVERY_S, ModelRecords
from tests.fakes.engines import Floor, engine_params
from tests.fakes.planted_models import FAST, PlantedMarket, watched_floor

IDS = (FAST.model_id,)
WALL = 1_800_000_000 * SECOND
pytestmark = pytest.mark.timeout(60)


@pytest.fixture(scope="module")
def learned() -> Floor:
    """A floor whose model has a record."""
    floor = watched_floor()
    PlantedMarket(floor).play(30, knows=0.9)
    return floor


def records(folder: Path, **changes: object) -> ModelRecords:
    """Give the records of a PAPER session unless said otherwise."""
    return ModelRecords(folder / "records", params(**changes))


def params(**changes: object) -> EngineParams:
    """Give a session's parameters."""
    return engine_params(**{"mode": VenueMode.PAPER, "model": FAST, **changes})


def test_a_record_comes_back_as_it_was(learned: Floor, tmp_path: Path) -> None:
    records(tmp_path).save(learned.engine, WALL)
    (found,) = records(tmp_path, mode=VenueMode.LIVE).load(IDS, WALL + SECOND)
    live = learned.state.desks["BTCUSDT"].watch.live
    assert found.symbol == "BTCUSDT"
    assert found.state == live.state(learned.engine.state.now_ns)
    journalled = msgspec.msgpack.decode(msgspec.msgpack.encode(found), type=Input)
    assert journalled == found
    assert isinstance(journalled, ModelRecord)
    next_engine = Engine(params())
    next_engine.handle(found)
    watch = next_engine.state.desks["BTCUSDT"].watch
    assert watch.live is not None
    assert watch.live.blocks == live.blocks
    (tmp_path / "again").mkdir()
    records(tmp_path / "again").save(next_engine, WALL)
    assert records(tmp_path / "again").load(IDS, WALL)[0].state.blocks == found.state.blocks


def test_a_record_is_of_one_model_one_kind_of_market_and_one_day(learned: Floor, tmp_path: Path) -> None:
    records(tmp_path).save(learned.engine, WALL)
    assert records(tmp_path).load(IDS, WALL + OLDEST_NS)
    assert not records(tmp_path).load(IDS, WALL + OLDEST_NS + 1)
    assert not records(tmp_path).load(IDS, WALL - 2 * 3_600 * SECOND)
    assert not records(tmp_path, mode=VenueMode.SIM).load(IDS, WALL)
    assert not records(tmp_path).load(("other",), WALL)


def test_each_running_model_is_asked_for_once(tmp_path: Path) -> None:
    keeper = records(tmp_path)
    shadowed = Engine(params(shadows=(replace(FAST, model_id="shadow", generation=2),)))
    assert keeper.unasked(Engine(params())) == IDS
    assert keeper.unasked(shadowed) == ("shadow",)
    assert keeper.unasked(shadowed) == ()
    assert keeper.unasked(Engine(params(model=None))) == ()
    assert records(tmp_path, mode=VenueMode.REPLAY).unasked(shadowed) == ()


def test_another_schema_is_refused_by_the_engine(learned: Floor, tmp_path: Path) -> None:
    records(tmp_path).save(learned.engine, WALL)
    (found,) = records(tmp_path).load(IDS, WALL)
    engine = Engine(params(model=replace(FAST, schema_hash="other")))
    engine.handle(found)
    live = engine.state.desks["BTCUSDT"].watch.live
    assert live is not None
    assert not live.blocks


def test_a_replay_has_no_records(learned: Floor, tmp_path: Path) -> None:
    replay = records(tmp_path, mode=VenueMode.REPLAY)
    replay.save(learned.engine, WALL)
    replay.save_when_due(learned.engine, 1.0, WALL)
    assert not (tmp_path / "records").exists()


def test_it_is_written_once_a_minute(learned: Floor, tmp_path: Path) -> None:
    keeper = records(tmp_path)
    for now_s in (1.0, 2.0, SAVE_EVERY_S):
        keeper.save_when_due(learned.engine, now_s, WALL)
    assert not (tmp_path / "records").exists()
    keeper.save_when_due(learned.engine, 1.0 + SAVE_EVERY_S, WALL)
    keeper.save(learned.engine, WALL)
    assert len(list((tmp_path / "records").iterdir())) == 1


@given(garbage=st.binary(max_size=200))
def test_garbage_is_said_and_not_used(garbage: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    keeper = records(tmp_path_factory.mktemp("garbage"))
    path = keeper.path("BTCUSDT", FAST.model_id)
    path.parent.mkdir()
    path.write_bytes(garbage)
    assert keeper.load(IDS, WALL) == ()


def test_a_folder_that_takes_nothing_costs_only_the_record(
    learned: Floor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "records").write_text("in the way")
    records(tmp_path).save(learned.engine, WALL)
    assert "records are not kept" in capsys.readouterr().err
