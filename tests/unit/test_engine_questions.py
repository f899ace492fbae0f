"""What the engine answers, its workers, and what a start says."""

from __future__ import annotations

import msgspec

from pipeline.core.alerts import AlertBoard
from pipeline.core.effects import AlertCode
from pipeline.core.inputs import Command, WorkerCounters, WorkerStatus
from pipeline.core.outbox import Outbox
from pipeline.core.params import EntryStyle, ExecutionParams
from pipeline.core.types import Authority, Severity, VenueMode, WorkerState
from tests.fakes.engines import FREE, UNITS, Floor, engine_params, two_symbols
from tests.fakes.trading import BID


def workers(floor: Floor, *states: WorkerState) -> WorkerCounters:
    status = [
        WorkerStatus(n, 100 + n, state, 0, 0, 0, 0, 0.0, 0.0, 0.0, "m", 1, 5)
        for n, state in enumerate(states)
    ]
    return WorkerCounters(tuple(status), 0, floor.now_ns)


def test_a_worker_that_dies_and_its_replacement_are_said_once_each() -> None:
    floor = Floor().warm()
    assert not floor.put(workers(floor, WorkerState.READY, WorkerState.BUSY))
    effects = floor.put(workers(floor, WorkerState.READY, WorkerState.DEAD))
    assert [alert.values for alert in floor.alerts(AlertCode.WORKER_DEAD, effects)] == [(1, 2)]
    assert not floor.put(workers(floor, WorkerState.READY, WorkerState.STARTING))
    effects = floor.put(workers(floor, WorkerState.READY, WorkerState.READY))
    assert [alert.values for alert in floor.alerts(AlertCode.WORKER_READY, effects)] == [(0, 2)]


def test_the_first_input_says_that_the_session_started_and_under_which_policy() -> None:
    floor = Floor()
    floor.pass_ms(10)
    (alert,) = floor.alerts(AlertCode.SESSION_STARTED)
    assert floor.params.digest().startswith(alert.detail)
    assert alert.values == (Authority.AUTO, 1)
    floor.pass_ms(10)
    assert len(floor.alerts(AlertCode.SESSION_STARTED)) == 1


def test_questions_are_answered_by_symbol_and_none_for_strangers() -> None:
    floor = Floor(engine_params(instruments=two_symbols()))
    engine = floor.engine
    assert engine.mode is VenueMode.REPLAY
    assert engine.symbols == ("BTCUSDT", "ETHUSDT")
    assert engine.instrument("BTCUSDT") == FREE
    assert engine.instrument("XYZ") is None
    assert engine.synced_book("XYZ") is None


def test_leftovers_are_orders_and_positions() -> None:
    floor = Floor(engine_params(execution=ExecutionParams(entry=EntryStyle.CROSS))).warm()
    assert not floor.engine.has_leftovers
    floor.p_up = 0.9
    floor.busy_ms(300)
    assert floor.engine.open_orders == 0
    assert floor.engine.has_leftovers


def test_the_summary_names_a_position_in_exact_decimals() -> None:
    floor = Floor().warm(0.9)
    floor.busy_ms(200)
    floor.trade(BID, UNITS + 100_000)
    floor.pass_ms(20)
    summary = floor.engine.position_summary()["BTCUSDT"]
    assert summary["qty"] == "0.00100"
    assert summary["avg_price"] == "60000.00000000"
    assert summary["fees"] == "0.00000000"


def test_effects_are_given_once() -> None:
    outbox = Outbox(AlertBoard())
    outbox.alert(AlertCode.BOOK_GAP, Severity.WARN, 5)
    outbox.alert(AlertCode.BOOK_GAP, Severity.WARN, 6)
    assert [effect.ts_ns for effect in outbox.take()] == [5]
    assert outbox.take() == []


def test_two_engines_given_the_same_inputs_do_the_same() -> None:
    packed = []
    for _ in range(2):
        floor = Floor().warm(0.9)
        floor.busy_ms(1_000)
        floor.trade(BID, UNITS + 5_000_000)
        floor.command(Command.HALT)
        floor.busy_ms(300)
        packed.append(msgspec.msgpack.encode(floor.effects))
    assert packed[0] == packed[1]
