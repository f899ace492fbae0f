"""The pool's own rules, with processes played by the test: who gets a row, how it ends, who is replaced."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipeline.core.inputs import PredictionReceived
from pipeline.core.params import SECOND
from pipeline.core.types import WorkerState
from pipeline.runtime.pool_params import PoolParams
from pipeline.runtime.rings import RESULT
from pipeline.runtime.worker_process import open_log
from tests.fakes.models import request
from tests.fakes.workers import SPEC, FakeFloor


@pytest.fixture(autouse=True)
def floors() -> Iterator[list[FakeFloor]]:
    made: list[FakeFloor] = []
    yield made
    for floor in made:
        floor.pool.close(0)


@pytest.fixture
def floor(floors: list[FakeFloor]) -> Any:
    def make(**settings: Any) -> FakeFloor:
        floors.append(FakeFloor(**settings))
        return floors[-1]

    return make


def state(floor: FakeFloor, worker: int = 0) -> WorkerState:
    return floor.pool.counters(floor.now_ns).workers[worker].state


def test_an_answer_carries_the_identity_of_its_row_and_the_sessions_time(floor: Any) -> None:
    desk = floor().ready()
    desk.ask()
    desk.started[0].answer()

    (answer,) = desk.pool.poll(77)

    assert isinstance(answer, PredictionReceived)
    assert (answer.symbol, answer.feature_seq, answer.epoch, answer.ts_ns) == ("BTCUSDT", 1, 1, 77)
    assert (answer.model_id, answer.generation, answer.schema_hash) == (SPEC.model_id, 1, SPEC.schema_hash)
    assert (answer.p_down, answer.p_flat, answer.p_up, answer.horizon_ms) == (0.25, 0.0, 0.75, 1000)
    assert answer.finished_ns - answer.started_ns == 4
    assert desk.ends() == []


def test_a_symbol_stays_with_its_worker(floor: Any) -> None:
    desk = floor(workers=2, spares=0).ready()
    for symbol in ("BTC", "ETH", "BTC", "BTC"):
        desk.ask(symbol)

    assert [desk.started[at].answer() for at in (0, 1)] == [3, 1]


def test_of_rows_that_find_the_ring_full_the_newest_of_each_symbol_waits(floor: Any) -> None:
    desk = floor(depth=2).ready()
    for symbol in ("BTC", "BTC", "BTC", "ETH", "BTC", "ETH"):
        desk.ask(symbol)

    assert desk.ends() == [(3, "conflated"), (4, "conflated")]
    assert desk.started[0].answer() == 2
    assert desk.ends() == [(1, "answer"), (2, "answer")]
    assert desk.started[0].answer() == 2
    assert desk.ends() == [(5, "answer"), (6, "answer")]
    assert desk.pool.counts.open == 0
    assert desk.pool.counters(0).conflated == 2


def test_a_row_asked_before_any_worker_is_ready_waits_and_is_answered(floor: Any) -> None:
    desk = floor()
    desk.pool.start()
    desk.ask()
    assert (desk.ends(), state(desk)) == ([], WorkerState.STARTING)

    desk.started[0].become_ready()
    desk.pass_ms(10)
    desk.started[0].answer()

    assert desk.ends() == [(1, "answer")]


def test_an_answer_after_the_deadline_is_void(floor: Any) -> None:
    desk = floor().ready()
    desk.ask()
    desk.pass_ms(60)
    assert state(desk) is WorkerState.STALLED
    desk.started[0].answer()

    assert desk.ends() == [(1, "late")]
    assert desk.pool.counters(0).workers[0].late == 1


def test_a_row_that_waited_past_the_deadline_is_void_without_being_asked(floor: Any) -> None:
    desk = floor()
    desk.pool.start()
    desk.ask()
    desk.pass_ms(60)
    desk.started[0].become_ready()
    desk.pass_ms(10)

    assert desk.ends() == [(1, "late")]
    assert desk.started[0].answer() == 0


def test_an_invalid_answer_is_void(floor: Any) -> None:
    desk = floor().ready()
    desk.ask()
    desk.started[0].answer(valid=False)

    assert desk.ends() == [(1, "invalid")]


def test_rows_in_a_dead_worker_are_void_and_the_spare_takes_the_next(floor: Any) -> None:
    desk = floor().ready()
    desk.ask()
    desk.started[0].die()
    desk.pass_ms(10)
    desk.ask()
    desk.started[1].answer()

    assert desk.ends() == [(1, "worker"), (2, "answer")]
    status = desk.pool.counters(0).workers[0]
    assert (status.pid, status.restarts, status.state) == (1001, 1, WorkerState.READY)


def test_answers_a_worker_gave_before_it_died_count(floor: Any) -> None:
    desk = floor().ready()
    desk.ask()
    desk.ask()
    desk.started[0].answer(1)
    desk.started[0].die()
    desk.pass_ms(10)

    assert desk.ends() == [(1, "answer"), (2, "worker")]
    assert desk.pool.counters(0).workers[0].served == 1


def test_an_answer_nobody_asked_for_costs_the_worker_its_life(floor: Any) -> None:
    desk = floor().ready()
    desk.ask()
    desk.started[0].worker.results.push(RESULT.pack(99, 5, 9, 0.2, 0.3, 0.5, 1, 1, 0))
    assert desk.ends() == []
    desk.pass_ms(10)

    assert desk.started[0].killed
    assert desk.ends() == [(1, "worker")]


def test_a_worker_silent_with_rows_in_flight_is_killed_and_replaced(floor: Any) -> None:
    desk = floor().ready()
    desk.ask()
    desk.pass_ms(390, beating=False)
    assert not desk.started[0].killed
    desk.pass_ms(40, beating=False)

    assert desk.started[0].killed
    assert desk.ends() == [(1, "worker")]


def test_an_idle_worker_may_be_silent_for_longer(floor: Any) -> None:
    desk = floor().ready()
    desk.pass_ms(1_900, beating=False)
    assert not desk.started[0].killed
    desk.pass_ms(200, beating=False)
    assert desk.started[0].killed


def test_a_worker_that_beats_and_answers_nothing_is_killed(floor: Any) -> None:
    desk = floor().ready()
    desk.ask()
    desk.pass_ms(2_100)
    assert desk.started[0].killed


def test_a_session_that_slept_itself_takes_no_worker_for_hung(floor: Any) -> None:
    desk = floor().ready()
    desk.ask()
    desk.pass_ms(60_000, step_ms=60_000, beating=False)
    assert not desk.started[0].killed
    desk.started[0].beat()
    desk.pass_ms(60_000, step_ms=60_000, beating=False)
    assert not desk.started[0].killed


def test_a_worker_that_never_comes_up_is_killed(floor: Any) -> None:
    desk = floor(spares=0, start_ns=SECOND)
    desk.pool.start()
    desk.pass_ms(1_200)
    assert desk.started[0].killed


def test_replacements_wait_longer_after_each_early_death(floor: Any) -> None:
    desk = floor(spares=0, deaths_max=10).ready()
    waits = []
    for _ in range(4):
        desk.started[-1].die()
        count, began_ns = len(desk.started), desk.now_ns
        while len(desk.started) == count:
            desk.pass_ms(10)
        waits.append((desk.now_ns - began_ns) // 1_000_000)
        desk.started[-1].become_ready()
        desk.pass_ms(10)

    assert waits == [110, 210, 410, 810]


def test_five_early_deaths_within_a_minute_end_the_replacing(floor: Any) -> None:
    desk = floor().ready()
    for _ in range(5):
        desk.started[-1].die()
        desk.pass_ms(6_000)
    desk.ask()
    desk.started[0].die()
    desk.pass_ms(60_000, step_ms=1_000)

    assert len(desk.started) == 6
    assert state(desk) is WorkerState.DEAD
    assert "5 workers ended early within 60 s; the last: exit status -9" in desk.pool.gave_up
    desk.ask()
    assert desk.ends() == [(1, "worker"), (2, "worker")]
    assert desk.pool.counts.open == 0


def test_workers_that_have_proven_themselves_are_replaced_however_often_they_are_killed(floor: Any) -> None:
    desk = floor(proven_after=3).ready()
    for _ in range(12):
        serving = next(process for process in desk.started if process.worker_id == 0 and not process.reap())
        for _ in range(3):
            desk.ask()
        serving.answer()
        desk.ends()
        serving.die()
        desk.pass_ms(300)
        desk.started[-1].become_ready()
        desk.pass_ms(10)

    assert desk.pool.gave_up == ""
    assert desk.pool.counters(0).workers[0].restarts == 12


def test_a_refused_model_is_not_tried_again(floor: Any) -> None:
    desk = floor(spares=0)
    desk.pool.start()
    desk.started[0].refuse("E_SHA: another file")
    desk.ask()
    desk.pass_ms(5_000)

    assert desk.pool.gave_up == "E_SHA: another file"
    assert len(desk.started) == 1
    assert desk.pool.wait_ready(0) is False
    assert desk.ends() == [(1, "worker")]


def test_processes_that_cannot_be_started_are_tried_again_and_then_given_up(floor: Any) -> None:
    desk = floor(spares=0)
    desk.cannot_start = True
    desk.pool.start()
    desk.pass_ms(150)
    desk.cannot_start = False
    desk.pass_ms(1_000)
    assert len(desk.started) == 1

    desk.started[0].die()
    desk.cannot_start = True
    desk.pass_ms(10_000)
    assert "Too many open files" in desk.pool.gave_up


def test_in_lockstep_every_row_waits_its_turn_and_none_is_late(floor: Any) -> None:
    desk = floor(depth=2, lockstep=True)
    desk.pool.start()
    asked = [desk.ask() for _ in range(5)]
    desk.pass_ms(500)
    desk.started[0].become_ready()
    ended = []
    for _ in range(5):
        desk.pass_ms(100)
        desk.started[0].answer()
        ended += desk.ends()

    assert ended == [(seq, "answer") for seq in asked]


def test_in_lockstep_the_rows_of_a_dead_worker_are_asked_again_but_not_forever(floor: Any) -> None:
    desk = floor(lockstep=True, tries=3, deaths_max=10).ready()
    desk.ask()
    for _ in range(3):
        assert desk.ends() == []
        next(process for process in desk.started if process.worker_id == 0 and not process.reap()).die()
        desk.pass_ms(1_000)
        desk.started[-1].become_ready()
        desk.pass_ms(10)

    assert desk.ends() == [(1, "worker")]


def test_closing_ends_every_row(floor: Any) -> None:
    desk = floor(depth=1, workers=2, spares=1)
    desk.ready()
    asked = [desk.ask(symbol) for symbol in ("BTC", "BTC", "ETH", "ETH")]
    desk.started[0].answer()

    ends = desk.pool.close(5)

    assert sorted(end.feature_seq for end in ends) == asked
    assert {getattr(end, "cause", "answer") for end in ends} == {"answer", "worker"}
    assert desk.pool.counts.open == 0
    assert desk.pool.close(5) == []


def test_waiting_for_one_row_keeps_the_others_for_poll(floor: Any) -> None:
    desk = floor().ready()
    desk.ask()
    desk.ask()
    desk.started[0].answer()

    found = desk.pool.wait(2, 1.0, desk.now_ns)

    assert found is not None
    assert found.feature_seq == 2
    assert desk.ends() == [(1, "answer")]
    assert desk.pool.wait(3, 0.0, desk.now_ns) is None


def test_ticks_tell_when_a_worker_changed(floor: Any) -> None:
    desk = floor(spares=0)
    assert desk.pool.tick(0) is True
    assert desk.pool.tick(0) is False
    desk.started[0].become_ready()
    assert desk.pool.tick(0) is True
    desk.ask()
    assert desk.pool.tick(0) is False
    desk.now_ns += 60_000_000
    assert desk.pool.tick(0) is True


@pytest.mark.parametrize(
    "change", [{"model_id": "other"}, {"generation": 2}, {"schema_hash": "other"}, {"row_e6": (1, 2)}]
)
def test_a_row_for_another_model_is_a_broken_invariant(floor: Any, change: dict[str, object]) -> None:
    desk = floor().ready()
    with pytest.raises(ValueError, match="row 1 is for"):
        desk.pool.submit(msgspec.structs.replace(request(SPEC, 1), **change))
    assert desk.pool.counts.asked == 0


@pytest.mark.parametrize("settings", [{"workers": 0}, {"workers": 65}, {"spares": 9}, {"depth": 48}])
def test_settings_no_pool_can_run_with_are_refused(settings: dict[str, int]) -> None:
    (name,) = settings
    with pytest.raises(ValueError, match=name):
        PoolParams(**settings)  # type: ignore[arg-type]  # wrong on purpose


def test_a_log_near_its_limit_is_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "workers.log"
    path.write_bytes(b"x" * 600)
    with open_log(path, 1000) as log:
        log.write(b"new")
    assert path.read_bytes() == b"new"
    assert (tmp_path / "workers.log.1").stat().st_size == 600
    with open_log(path, 1000) as log:
        log.write(b"er")
    assert path.read_bytes() == b"newer"
    with open_log(None, 1000) as log:
        log.write(b"nowhere")
