"""What a person at a console may still choose after the kill key, and that nothing else waits for it."""

from __future__ import annotations

import pytest

from pipeline.core.effects import AlertCode, CancelAccount, CancelOrder
from pipeline.core.inputs import Command, GateChanged, LinkChanged
from pipeline.core.types import TradingState
from tests.fakes.engines import Floor
from tests.unit.test_engine_stops import working


def killed(floor: Floor, *killers: str, kills: int = 1, consoles: int = 1, generation: int = 5) -> Floor:
    """Kill as `killers` do, with consoles attached."""
    floor.put(LinkChanged(consoles, floor.now_ns))
    floor.gate.open, floor.gate.latched = False, True
    closers = killers or ("guard",)
    gate = GateChanged(
        False, True, closers, "ada", "kill key", generation, floor.now_ns, killers=killers, kills=kills
    )
    floor.put(gate)
    return floor


def choosing(floor: Floor) -> bool:
    view = floor.picture().kill
    assert view is not None
    return view.choosing


def left(floor: Floor) -> Floor:
    """Leave one order of ours resting after a kill."""
    killed(floor, "console")
    floor.command(Command.LEAVE_ORDERS)
    floor.command(Command.LEAVE_ORDERS, revision=1)
    return floor


def test_kill_key_of_a_console_waits_two_seconds_for_a_choice_and_then_cancels_ours() -> None:
    floor = killed(working(), "console")
    assert floor.is_in(TradingState.KILLED)
    assert choosing(floor)
    assert floor.engine.spared_generation == 5
    assert not floor.of(CancelOrder, floor.pass_ms(1_990))
    (cancel,) = floor.of(CancelOrder, floor.pass_ms(20))
    assert cancel.reason == "KILL"
    floor.pass_ms(50)
    assert floor.alerts(AlertCode.ORDERS_GONE)
    assert floor.engine.spared_generation == 0
    assert not choosing(floor)


@pytest.mark.parametrize("killers", [(), ("shell",), ("guard",), ("engine",), ("console", "shell")])
def test_any_other_kill_cancels_ours_at_once(killers: tuple[str, ...]) -> None:
    floor = killed(working(), *killers)
    assert len(floor.of(CancelOrder)) == 1
    assert not choosing(floor)


def test_kill_key_with_nobody_who_could_choose_cancels_ours_at_once() -> None:
    assert len(killed(working(), "console", consoles=0).of(CancelOrder)) == 1


def test_terminal_that_dies_while_it_could_choose_cancels_ours() -> None:
    floor = killed(working(), "console")
    floor.put(LinkChanged(0, floor.now_ns))
    assert len(floor.of(CancelOrder, floor.pass_ms(10))) == 1


def test_second_kill_cancels_ours_now_and_a_mere_change_of_the_gate_does_not() -> None:
    floor = killed(working(), "console")
    killed(floor, "console")
    killed(floor, "console", generation=6)
    assert not floor.of(CancelOrder)
    killed(floor, "console", kills=2, generation=7)
    assert len(floor.of(CancelOrder)) == 1


def test_cancel_of_ours_is_the_choice() -> None:
    floor = killed(working(), "console")
    floor.command(Command.CANCEL_ALL)
    assert len(floor.of(CancelOrder)) == 1
    assert not choosing(floor)


def test_a_question_about_leaving_ours_gives_no_more_time() -> None:
    floor = killed(working(), "console")
    floor.pass_ms(1_500)
    floor.command(Command.LEAVE_ORDERS)
    assert not floor.of(CancelOrder, floor.pass_ms(490))
    assert len(floor.of(CancelOrder, floor.pass_ms(20))) == 1
    floor.command(Command.LEAVE_ORDERS, revision=1)
    assert "too late to leave our orders" in floor.engine.last_answer


def test_orders_left_stay_and_the_screen_and_the_guard_are_told() -> None:
    floor = left(working())
    (alert,) = floor.alerts(AlertCode.ORDERS_LEFT)
    assert (alert.values, floor.engine.last_answer) == ((1,), "1 orders of ours left resting")
    assert not floor.of(CancelOrder, floor.busy_ms(30_000))
    assert floor.engine.open_orders == 1
    assert floor.engine.spared_generation == 5
    assert not floor.alerts(AlertCode.ORDERS_GONE)
    view = floor.picture().kill
    assert view is not None
    assert (view.left, view.choosing) == (True, False)


def test_orders_left_are_cancelled_by_a_person_or_by_another_kill() -> None:
    by_hand, by_kill = left(working()), left(working())
    by_hand.command(Command.CANCEL_ALL)
    killed(by_kill, "console", "shell", kills=2, generation=9)
    for floor in (by_hand, by_kill):
        assert len(floor.of(CancelOrder)) == 1
        floor.pass_ms(50)
        assert floor.alerts(AlertCode.ORDERS_GONE)
        assert floor.engine.spared_generation == 0


def test_halt_after_it_leaves_what_was_left() -> None:
    floor = left(working())
    killed(floor, "console", generation=6)
    assert not floor.of(CancelOrder, floor.busy_ms(2_000))
    assert floor.engine.spared_generation == 6


def test_every_order_of_the_account_goes_only_when_killed_and_asked_for() -> None:
    floor = working()
    floor.command(Command.CANCEL_ACCOUNT)
    assert floor.engine.last_answer == "only a kill cancels foreign orders"
    assert not floor.of(CancelAccount)
    killed(floor, "console")
    floor.command(Command.CANCEL_ACCOUNT)
    assert len(floor.of(CancelAccount)) == 1
    assert len(floor.of(CancelOrder)) == 1
    assert floor.alerts(AlertCode.ACCOUNT_CANCELED)


def test_flatten_cancels_what_was_left_on_its_symbol() -> None:
    floor = left(working())
    floor.command(Command.FLATTEN)
    assert floor.of(CancelOrder)
