"""From a person's words to a swap and back to the person: what is asked, checked, answered, and by whom."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from pipeline.core.effects import HoldModels, PrepareModel
from pipeline.core.engine import Engine
from pipeline.core.inputs import Input, ModelAct, ModelPrepared, ModelWanted
from pipeline.core.types import VenueMode
from pipeline.models.expectation import Expectation, Role
from pipeline.runtime.model_switch import ModelSwitch
from pipeline.runtime.workers import ModelFile
from tests.fakes.engines import engine_params
from tests.fakes.models import registered, spec_for
from tests.fakes.workers import SPEC, FakeFloor

FILES = (ModelFile(SPEC, Path("none.onnx"), Expectation()),)


class Room:
    """A switch between one engine and a pool whose workers the test plays."""

    def __init__(self, folder: Path, mode: VenueMode = VenueMode.REPLAY) -> None:
        params = engine_params(model=SPEC, mode=mode)
        self.engine = Engine(params)
        self.floor = FakeFloor(workers=1, spares=0).ready()
        self.now_ns = 1_000
        self.inputs: list[Input] = []
        self.said: list[tuple[bool, str]] = []
        self.switch = ModelSwitch(self.floor.pool, FILES, folder, params.instruments, mode, "2026-01-01")

    def put(self, event: Input) -> None:
        self.inputs.append(event)
        for effect in self.engine.handle(event):
            if isinstance(effect, PrepareModel | HoldModels):
                self.switch.carry_out(effect)

    def ask(self, act: ModelAct, name: str = "", until: Callable[[], bool] | None = None) -> None:
        """Ask, and let the loop run until it was answered or something else is so."""

        async def asked() -> None:
            count = len(self.said)
            self.switch.ask(act, name, ("ada", "tty"), lambda: self, self.hear)
            while len(self.said) == count and not (until is not None and until()):
                await asyncio.sleep(0.001)

        asyncio.run(asyncio.wait_for(asked(), 10))

    def hear(self, ok: bool, text: str) -> None:
        self.said.append((ok, text))

    def load(self, name: str) -> None:
        """Ask for a model and come back when the workers are told of it."""
        self.ask(ModelAct.USE, name, until=lambda: self.engine.models.pending is not None)

    def worker_says(self, why: str = "") -> None:
        pending = self.engine.models.pending
        assert pending is not None
        self.floor.pass_ms(10)
        model = pending.model
        self.floor.started[0].report(model.generation, why, model.schema_hash)
        self.floor.pass_ms(10)
        self.switch.tick(self)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    registered(tmp_path, "good", 1, Role.PAPER, Role.SHADOW)
    registered(tmp_path, "good", 2, Role.SHADOW)
    made = Room(tmp_path)
    yield made
    made.floor.pool.close(0)


def test_a_name_becomes_a_model_the_workers_load_and_the_answer_comes_when_it_is_live(
    room: Room, tmp_path: Path
) -> None:
    room.load("good@1")
    assert room.said == []
    model = spec_for(tmp_path / "good" / "1" / "good.onnx")
    (wanted,) = room.inputs
    assert isinstance(wanted, ModelWanted)
    assert (wanted.act, wanted.who, wanted.tty) == (ModelAct.USE, "ada", "tty")
    assert wanted.model == model
    room.worker_says()
    assert room.said == [(True, f"good@{model.model_id[:8]} is live as generation 2")]
    assert room.inputs[-1] == ModelPrepared(2, ok=True, why="", ts_ns=1_000)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("good", "E_APPROVAL: good.onnx is approved for shadow, not for paper: `lobdeck model approve"),
        ("good@7", "E_SHA: no model good@7 in "),
        ("../good", "E_SHA: '../good' is no NAME"),
    ],
)
def test_what_is_refused_by_its_file_never_reaches_the_engine(room: Room, name: str, words: str) -> None:
    room.ask(ModelAct.USE, name)
    ((ok, said),) = room.said
    assert not ok
    assert said.startswith(words)
    assert said.endswith("; nothing changed")
    assert room.inputs == []


def test_real_money_wants_the_approval_for_live(tmp_path: Path) -> None:
    registered(tmp_path, "good", 1, Role.PAPER)
    room = Room(tmp_path, VenueMode.LIVE)
    try:
        room.ask(ModelAct.USE, "good")
        assert "approved for paper, not for live" in room.said[0][1]
    finally:
        room.floor.pool.close(0)


def test_a_worker_that_refuses_is_quoted_to_who_asked(room: Room) -> None:
    room.load("good@1")
    room.worker_says("E_NAN: 3 of 17 finite rows gave no distribution")
    ((ok, said),) = room.said
    assert not ok
    assert said.endswith("was not taken: worker 0: E_NAN: 3 of 17 finite rows gave no distribution")
    assert room.engine.models.live == SPEC


def test_who_asks_while_a_model_loads_is_told_to_wait(room: Room) -> None:
    room.load("good@1")
    room.ask(ModelAct.SHADOW, "good@2")
    assert room.said == [(False, "a model is being loaded: wait for it")]


def test_two_who_ask_at_once_are_not_both_looked_up(room: Room) -> None:
    async def both() -> None:
        for name in ("good@1", "good@2"):
            room.switch.ask(
                ModelAct.SHADOW, name, ("", ""), lambda: room, lambda *said: room.said.append(said)
            )
        while room.engine.models.pending is None:
            await asyncio.sleep(0.001)

    turn_s = sys.getswitchinterval()
    asyncio.run(asyncio.wait_for(both(), 10))
    assert room.said == [(False, "a model is being loaded: wait for it")]
    assert sys.getswitchinterval() == turn_s


def test_a_shadow_comes_and_is_dropped_by_its_name(room: Room) -> None:
    room.ask(ModelAct.SHADOW, "good", until=lambda: room.engine.models.pending is not None)
    room.worker_says()
    assert room.said[-1][0]
    room.ask(ModelAct.DROP, "other")
    assert room.said[-1] == (False, "'other' is no shadow here")
    room.ask(ModelAct.DROP, "good")
    ok, said = room.said[-1]
    assert ok
    assert said.endswith("is no shadow any more")


def test_the_way_back_needs_no_file(room: Room, tmp_path: Path) -> None:
    room.load("good@1")
    room.worker_says()
    for file in tmp_path.rglob("*.onnx"):
        file.unlink()
    room.ask(ModelAct.BACK, until=lambda: room.engine.models.pending is not None)
    room.worker_says()
    assert room.said[-1] == (True, f"fake@{SPEC.model_id[:8]} is live as generation 3")


def test_a_model_too_wide_for_the_rings_is_given_up_at_once(room: Room, tmp_path: Path) -> None:
    wide = replace(spec_for(tmp_path / "good" / "1" / "good.onnx"), window=64)
    room.put(ModelWanted(ModelAct.USE, "ada", "", replace(wide, model_id=SPEC.model_id[::-1]), 5))
    room.switch.tick(room)
    assert "its file is not known" in room.engine.last_answer
    room.switch._paths[wide.model_id] = Path("good.onnx")
    room.put(ModelWanted(ModelAct.USE, "ada", "", wide, 6))
    room.switch.tick(room)
    assert "E_IO: a row of 64 numbers" in room.engine.last_answer
    assert room.engine.models.pending is None


def test_a_replay_that_begins_anew_answers_who_waits(room: Room) -> None:
    room.load("good@1")
    room.switch.start_again()
    assert room.said == [(False, "the replay began anew; nothing changed")]


def test_a_session_without_workers_has_no_models(tmp_path: Path) -> None:
    said: list[Any] = []
    switch = ModelSwitch(None, (), tmp_path, (), VenueMode.REPLAY, "")
    switch.ask(ModelAct.USE, "good", ("", ""), lambda: None, lambda *one: said.append(one))  # type: ignore[arg-type, return-value]
    assert said == [(False, "no model runs here")]
