"""A look is left out only while everything it reads is as it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from pipeline.core.execution import ExecutionPolicy, ExecutionView
from pipeline.core.inputs import Command
from pipeline.core.order import Order
from pipeline.core.params import ExecutionParams
from pipeline.core.rest import Rest, seen_now
from pipeline.core.types import Authority, BookState, OrderState, TradingState
from tests.fakes.engines import MS, SECOND, Floor, engine_params
from tests.fakes.trading import ASK, BID, LIMITS, LOTS, SPOT, START, exit_intent, intent, view, wanted

CHANGES: dict[str, Callable[[Floor], object]] = {
    "the touch": lambda floor: floor.update(((BID + 1, 100_000_000),)),
    "the book's state": lambda floor: setattr(
        floor.engine.state.desks["BTCUSDT"].synced, "state", BookState.STALE
    ),
    "the decision": lambda floor: floor.pass_ms(110),
    "an order": lambda floor: floor.command(Command.CANCEL_ALL),
    "a permit": lambda floor: floor.command(Command.END_PERMITS),
    "the authority": lambda floor: setattr(floor.engine.state, "authority", Authority.APPROVE),
    "the trading state": lambda floor: setattr(floor.engine.state, "trading_state", TradingState.REDUCING),
    "a flatten": lambda floor: setattr(floor.engine.state.desks["BTCUSDT"], "flatten_who", "ann"),
    "a refused row": lambda floor: setattr(floor.engine.state.desks["BTCUSDT"], "refused_seq", 77),
    "dust": lambda floor: setattr(floor.engine.state.desks["BTCUSDT"].policy, "dust", True),
    "an exit rule": lambda floor: setattr(floor.engine.state.desks["BTCUSDT"].policy, "unmanaged", True),
    "the position": lambda floor: setattr(floor.engine.state.portfolio.position("BTCUSDT"), "lots", 5),
    "its age": lambda floor: setattr(floor.engine.state.portfolio.position("BTCUSDT"), "opened_ns", 5),
}


def a_floor_with_an_order() -> Floor:
    floor = Floor(engine_params()).warm(0.9)
    floor.pass_ms(200)
    assert floor.engine.open_orders == 1
    return floor


@pytest.mark.parametrize("what", CHANGES)
def test_each_thing_a_look_reads_ends_the_rest(what: str) -> None:
    floor = a_floor_with_an_order()
    state = floor.engine.state
    desk = state.desks["BTCUSDT"]
    before = seen_now(state, desk)
    assert seen_now(state, desk) == before
    CHANGES[what](floor)
    assert seen_now(state, desk) != before


def test_a_rest_holds_between_its_two_times_for_what_it_saw() -> None:
    rest = Rest()
    assert not rest.holds((), 0)
    rest.begin((1, 2), 10, 20)
    assert [rest.holds((1, 2), now_ns) for now_ns in (9, 10, 19, 20)] == [False, True, True, False]
    assert not rest.holds((1, 3), 15)


def asked_again(policy: ExecutionPolicy, seen: ExecutionView, now_ns: int = START) -> int:
    """Ask a policy that has nothing to do when to ask again; milliseconds from the start."""
    assert policy.plan(seen, now_ns) == []
    return (policy.next_look_ns(seen, now_ns) - START) // MS


def policy() -> ExecutionPolicy:
    return ExecutionPolicy(SPOT, ExecutionParams(), LIMITS, 2 * SECOND)


def test_an_entry_is_looked_at_again_when_the_touch_has_been_away_long_enough() -> None:
    entry = Order(1, "c1", intent(price_ticks=BID - 3), OrderState.ACCEPTED, START)
    assert asked_again(policy(), view(orders=(entry,))) == 500


def test_an_entry_is_looked_at_again_when_another_may_go() -> None:
    working = policy()
    assert working.plan(view(wanted=wanted()), START) != []
    assert asked_again(working, view(wanted=wanted(feature_seq=2)), START + 10 * MS) == 500


def test_an_exit_is_looked_at_again_when_another_may_go_or_its_touch_is_away() -> None:
    working, old = policy(), START - 30 * SECOND
    held = view(position_lots=LOTS, opened_ns=old)
    assert working.plan(held, START) != []
    assert asked_again(working, held, START + 10 * MS) == 500
    away = Order(2, "x1", exit_intent(price_ticks=ASK + 3), OrderState.ACCEPTED, START)
    assert asked_again(working, replace(held, orders=(away,)), START + 100 * MS) == 500
    assert asked_again(working, replace(held, orders=(away,)), START + 550 * MS) == 600


def test_a_flatten_and_several_orders_are_looked_at_always() -> None:
    orders = tuple(Order(n, f"c{n}", intent(), OrderState.UNKNOWN, START) for n in range(2))
    assert asked_again(policy(), view(orders=orders)) == 0
    cheap = view(position_lots=LOTS, opened_ns=START, flatten=True, book_ok=False)
    assert asked_again(policy(), cheap) == 0
