"""Several models in one pool: all workers or none, whoever dies meanwhile, no answer under a false name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from pipeline.core.effects import RequestInference
from pipeline.core.inputs import PredictionReceived
from pipeline.core.params import SECOND
from pipeline.models.expectation import Expectation
from pipeline.runtime.model_orders import DropOrder, ModelOrder
from pipeline.runtime.workers import ModelFile, Prepared
from tests.fakes.models import request
from tests.fakes.workers import SPEC, FakeFloor

NEXT = replace(SPEC, model_id="ef" * 32, name="next", generation=2, schema_hash="12" * 32)
WIDE = replace(NEXT, features=SPEC.features * 30)


@pytest.fixture
def floor() -> Iterator[Any]:
    made: list[FakeFloor] = []

    def make(**settings: Any) -> FakeFloor:
        made.append(FakeFloor(**{"spares": 0, "workers": 2, **settings}))
        return made[-1].ready()

    yield make
    for one in made:
        one.pool.close(0)


def prepare(floor: FakeFloor, model: Any = NEXT) -> str:
    return floor.pool.prepare(ModelFile(model, Path("next.onnx"), Expectation()))


def loaded(floor: FakeFloor, *workers: int) -> Prepared | None:
    for worker in workers:
        floor.started[worker].report(2, schema_hash=NEXT.schema_hash)
    floor.pass_ms(10)
    return floor.pool.prepared()


def ask_next(floor: FakeFloor, seq: int = 500, **changes: Any) -> RequestInference:
    row = replace(request(NEXT, seq, "BTCUSDT", floor.now_ns), **changes)
    floor.pool.submit(row)
    return row


def test_every_worker_is_told_once_and_all_must_have_loaded_it(floor: Any) -> None:
    desk = floor()
    assert prepare(desk) == ""
    desk.pass_ms(30)
    for process in desk.started:
        (order,) = process.orders()
        assert isinstance(order, ModelOrder)
        assert (order.generation, order.path) == (2, "next.onnx")
        assert order.expectation.sha256 == NEXT.model_id
    assert loaded(desk, 0) is None
    assert loaded(desk, 1) == Prepared(2, "")
    assert desk.pool.prepared() is None


def test_one_that_cannot_load_it_ends_it_for_all_with_its_words(floor: Any) -> None:
    desk = floor()
    prepare(desk)
    desk.pass_ms(10)
    assert loaded(desk, 0) is None
    desk.started[1].report(2, why="E_GOLDEN: 3 of 17 golden rows off")
    desk.pass_ms(10)
    assert desk.pool.prepared() == Prepared(2, "worker 1: E_GOLDEN: 3 of 17 golden rows off")
    desk.pool.hold(1, (1,))
    desk.pass_ms(10)
    assert desk.started[0].orders()[-1] == DropOrder(2)
    desk.ask()
    desk.started[0].answer()
    assert desk.ends() == [(1, "answer")]


def test_another_schema_in_the_file_is_no_agreement(floor: Any) -> None:
    desk = floor()
    prepare(desk)
    desk.started[0].report(2, schema_hash=SPEC.schema_hash)
    desk.pass_ms(10)
    assert desk.pool.prepared() == Prepared(2, "worker 0 found another schema in the file")


def test_a_ready_spare_must_agree_too(floor: Any) -> None:
    desk = floor(workers=1, spares=1)
    prepare(desk)
    desk.pass_ms(10)
    assert loaded(desk, 0) is None
    desk.started[1].report(2, why="E_OPS: no")
    desk.pass_ms(10)
    assert desk.pool.prepared() == Prepared(2, "a spare worker: E_OPS: no")


def test_a_worker_that_dies_meanwhile_is_waited_for(floor: Any) -> None:
    desk = floor()
    prepare(desk)
    desk.pass_ms(10)
    desk.started[0].die()
    assert loaded(desk, 1) is None
    desk.pass_ms(500)
    replacement = desk.started[2]
    replacement.become_ready()
    desk.pass_ms(20)
    assert [order.generation for order in replacement.orders()] == [2]
    assert desk.pool.prepared() is None
    assert loaded(desk, 2) == Prepared(2, "")


def test_one_that_was_starting_when_all_switched_sits_down_only_with_the_new_model(floor: Any) -> None:
    desk = floor()
    desk.started[0].die()
    desk.pass_ms(500)
    late = desk.started[2]  # started with the models of before
    prepare(desk)
    desk.pass_ms(10)
    late.become_ready()
    assert loaded(desk, 1) is None
    late.orders()
    assert loaded(desk, 2) == Prepared(2, "")
    desk.pool.hold(2, (1, 2))
    desk.started[1].die()
    desk.pass_ms(500)
    newest = desk.started[3]
    newest.become_ready()
    desk.pass_ms(10)
    assert 2 in newest.holds, "a process started after the switch holds the new model by its launch"


def test_one_started_before_the_switch_and_ready_after_it_is_told_before_it_sits(floor: Any) -> None:
    desk = floor(workers=1, spares=1)
    desk.started[1].die()
    desk.pass_ms(500)
    spare = desk.started[2]
    prepare(desk)
    desk.pass_ms(10)
    assert loaded(desk, 0) == Prepared(2, "")
    desk.pool.hold(2, (1, 2))
    spare.become_ready()
    desk.started[0].die()
    desk.pass_ms(10)
    assert desk.pool.ready == 0
    assert [order.generation for order in spare.orders()] == [2]
    spare.report(2, schema_hash=NEXT.schema_hash)
    desk.pass_ms(10)
    assert desk.pool.ready == 1


def test_nobody_who_answers_in_time_ends_it(floor: Any) -> None:
    desk = floor(prepare_ns=SECOND)
    prepare(desk)
    desk.pass_ms(1_050)
    assert desk.pool.prepared() == Prepared(2, "not every worker had loaded it after 1 s")


def test_a_model_wider_than_the_rings_is_refused_at_once(floor: Any) -> None:
    desk = floor()
    words = "E_IO: a row of 90 numbers; the rings of this session's workers hold 28: start it with --shadow"
    assert prepare(desk, WIDE) == words
    assert desk.pool.prepared() is None


def test_rows_of_both_generations_are_served_until_one_is_let_go(floor: Any) -> None:
    desk = floor(workers=1)
    prepare(desk)
    desk.pass_ms(10)
    assert loaded(desk, 0) == Prepared(2, "")
    desk.pool.hold(2, (1, 2))
    desk.ask()
    ask_next(desk)
    desk.started[0].orders()
    desk.started[0].answer(1)
    desk.started[0].answer(1, check=int(NEXT.schema_hash[:16], 16))
    old, new = desk.pool.poll(0)
    assert (old.generation, old.model_id) == (1, SPEC.model_id)
    assert (new.generation, new.model_id, new.schema_hash) == (2, NEXT.model_id, NEXT.schema_hash)
    assert desk.pool.counters(0).workers[0].generation == 2


def test_a_generation_is_let_go_only_when_no_row_is_in_flight_for_it(floor: Any) -> None:
    desk = floor(workers=1)
    prepare(desk)
    desk.pass_ms(10)
    loaded(desk, 0)
    desk.ask()
    desk.pool.hold(2, (2,))
    desk.started[0].orders()
    desk.pass_ms(20)
    assert desk.started[0].orders() == []
    desk.started[0].answer()
    desk.pool.poll(0)
    desk.pass_ms(10)
    assert desk.started[0].orders() == [DropOrder(1)]


@pytest.mark.parametrize("lie", [{"claim": 9}, {"claim": 2}, {"check": 7}])
def test_a_worker_that_names_another_model_is_quoted_and_not_corrected(floor: Any, lie: Any) -> None:
    desk = floor(workers=1)
    desk.ask()
    desk.started[0].answer(**lie)
    (answer,) = desk.pool.poll(0)
    assert isinstance(answer, PredictionReceived)
    assert (answer.generation, answer.schema_hash) != (1, SPEC.schema_hash)


def test_a_row_of_a_model_nobody_holds_is_a_fault_of_ours(floor: Any) -> None:
    with pytest.raises(ValueError, match="no worker holds that"):
        ask_next(floor())


def test_a_shadows_row_takes_no_place_of_the_live_models(floor: Any) -> None:
    desk = floor(workers=1, depth=1)
    prepare(desk)
    desk.pass_ms(10)
    loaded(desk, 0)
    desk.pool.hold(1, (1, 2))
    desk.ask()
    desk.ask()
    ask_next(desk, shadow_of=2)
    ask_next(desk, seq=501, shadow_of=3)
    assert desk.ends() == [(500, "conflated")]
