"""The engine and the way orders go: halted without it, home inventory from it, a kill ended by its lists."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pipeline.core.effects import AlertCode, CancelOrder, SubmitOrder
from pipeline.core.inputs import (
    AccountRead,
    Command,
    OpenOrdersListed,
    OrderPathChanged,
    PositionBroke,
    SendRefused,
)
from pipeline.core.params import EntryStyle, ExecutionParams
from pipeline.core.types import Authority, OrderType, TradingState, VenueMode
from tests.fakes.engines import Floor, engine_params

CROSS = engine_params(execution=ExecutionParams(entry=EntryStyle.CROSS))
SECOND = 1_000_000_000


def floor_of(mode: VenueMode, authority: Authority = Authority.APPROVE) -> Floor:
    return Floor(replace(CROSS, mode=mode, authority=authority))


def path(floor: Floor, *, up: bool) -> None:
    floor.put(OrderPathChanged(up, "test", floor.now_ns))


def listed(floor: Floor, ours: int, foreign: int = 0) -> None:
    floor.put(OpenOrdersListed(ours, foreign, floor.now_ns, floor.now_ns, floor.now_ns))


def state(floor: Floor) -> TradingState:
    return floor.engine.trading_state


@pytest.mark.parametrize("mode", [VenueMode.PAPER, VenueMode.REPLAY])
def test_without_a_venue_outside_there_is_nothing_to_wait_for(mode: VenueMode) -> None:
    assert state(floor_of(mode)) is TradingState.ACTIVE


def test_a_sim_session_is_halted_until_the_path_is_up_and_whenever_it_is_down() -> None:
    floor = floor_of(VenueMode.SIM, Authority.AUTO)
    assert state(floor) is TradingState.HALTED
    floor.warm(0.9)
    floor.busy_ms(300)
    assert not floor.engine.counts()["orders"]
    path(floor, up=True)
    assert state(floor) is TradingState.ACTIVE
    floor.busy_ms(300)
    assert floor.position
    path(floor, up=False)
    assert state(floor) is TradingState.HALTED
    path(floor, up=True)
    assert state(floor) is TradingState.ACTIVE
    codes = {alert.code for alert in floor.alerts(AlertCode.ORDER_PATH_DOWN)}
    assert codes == {AlertCode.ORDER_PATH_DOWN}


@pytest.mark.parametrize(
    ("step_down", "recalled"), [(Command.HALT, True), (Command.REDUCE, True), (Command.RESUME, False)]
)
def test_an_order_that_may_not_have_left_yet_is_taken_back_with_a_step_down(
    step_down: Command, *, recalled: bool
) -> None:
    floor = Floor(replace(CROSS, mode=VenueMode.LIVE, authority=Authority.AUTO), latency_ms=60_000).warm(0.9)
    path(floor, up=True)
    floor.command(Command.RESUME)
    floor.busy_ms(200)
    (order,) = floor.of(SubmitOrder)
    assert order.approved.intent.order_type is OrderType.LIMIT_IOC
    floor.command(step_down)
    cancels = [cancel.client_order_id for cancel in floor.of(CancelOrder)]
    assert cancels == [order.approved.client_order_id] * recalled


def test_a_halt_of_a_person_outlasts_the_path() -> None:
    floor = floor_of(VenueMode.SIM)
    path(floor, up=True)
    path(floor, up=False)
    floor.command(Command.HALT)
    path(floor, up=True)
    assert state(floor) is TradingState.HALTED


def test_reducing_asked_for_while_the_path_is_down_is_what_comes_back() -> None:
    floor = floor_of(VenueMode.SIM)
    floor.command(Command.REDUCE)
    path(floor, up=True)
    assert state(floor) is TradingState.REDUCING


def test_a_kill_while_the_path_is_down_stays_a_kill() -> None:
    floor = floor_of(VenueMode.SIM)
    floor.close_gate(latch=True)
    path(floor, up=True)
    assert state(floor) is TradingState.KILLED


def test_live_waits_for_a_person_and_loses_auto_with_the_path() -> None:
    floor = floor_of(VenueMode.LIVE, Authority.OBSERVE)
    floor.command(Command.RESUME)
    assert floor.engine.last_answer.startswith("the order path is down")
    path(floor, up=True)
    assert state(floor) is TradingState.HALTED
    floor.command(Command.RESUME)
    floor.command(Command.SET_AUTHORITY, authority=int(Authority.AUTO))
    assert state(floor) is TradingState.ACTIVE
    path(floor, up=False)
    assert (state(floor), floor.engine.authority) == (TradingState.HALTED, Authority.APPROVE)
    path(floor, up=True)
    assert state(floor) is TradingState.HALTED


def test_what_the_account_held_is_home_and_nobodys_position() -> None:
    floor = floor_of(VenueMode.SIM)
    floor.put(AccountRead((("BTCUSDT", 3 * 10**8), ("OTHER", 7)), 500 * 10**8, floor.now_ns))
    portfolio = floor.engine.state.portfolio
    assert portfolio.home_lots("BTCUSDT") == 300_000
    assert portfolio.balance_lots("BTCUSDT") == 300_000
    assert portfolio.position("BTCUSDT").lots == 0
    assert portfolio.free_quote_e8(floor.engine.state.orders) == 500 * 10**8


def test_foreign_orders_are_counted_and_told_when_there_are_more() -> None:
    floor = floor_of(VenueMode.SIM)
    for foreign, told in ((0, 0), (2, 1), (2, 1), (1, 1), (3, 2)):
        listed(floor, 0, foreign)
        floor.pass_ms(6_000)
        assert len(floor.alerts(AlertCode.FOREIGN_ORDERS)) == told
    assert floor.engine.state.foreign_orders == 3


def test_no_orders_left_wants_two_lists_of_zero_a_window_apart() -> None:
    floor = floor_of(VenueMode.SIM)
    path(floor, up=True)
    listed(floor, 0)
    floor.pass_ms(10)
    floor.close_gate(latch=True)
    for ours, then_ms in ((0, 500), (1, 10), (0, 500), (0, 400)):
        floor.pass_ms(10)
        listed(floor, ours)
        floor.pass_ms(then_ms)
        assert not floor.alerts(AlertCode.ORDERS_GONE)
    floor.pass_ms(200)
    listed(floor, 0)
    floor.pass_ms(10)
    assert floor.alerts(AlertCode.ORDERS_GONE)


def test_a_position_break_halts_and_is_not_mended() -> None:
    floor = floor_of(VenueMode.SIM)
    path(floor, up=True)
    floor.put(PositionBroke("BTC", 10**9, 10**9 - 5_000, floor.now_ns))
    assert state(floor) is TradingState.HALTED
    (alert,) = floor.alerts(AlertCode.POSITION_BREAK)
    assert alert.detail == "BTC off by -0.00005000"
    path(floor, up=False)
    path(floor, up=True)
    assert state(floor) is TradingState.HALTED


def test_an_order_unknown_for_half_a_minute_halts() -> None:
    floor = floor_of(VenueMode.SIM, Authority.AUTO)
    path(floor, up=True)
    floor.warm(0.9)
    floor.venue.submit = lambda *_: None  # type: ignore[method-assign]
    floor.busy_ms(300)
    assert floor.engine.counts()["orders"] == 1
    floor.busy_ms(6_000)
    assert floor.engine.state.orders.unknown_orders == 1
    assert state(floor) is TradingState.ACTIVE
    floor.busy_ms(30_000)
    assert state(floor) is TradingState.HALTED
    assert "UNRESOLVED" in {alert.detail for alert in floor.alerts(AlertCode.ORDER_UNKNOWN)}


@pytest.mark.parametrize("reason", ["VENUE_DOWN", "VENUE_LIMIT", "NO_JOURNAL", "CANCELED_UNSENT"])
def test_what_the_last_hop_held_back_is_denied_with_its_reason(reason: str) -> None:
    floor = floor_of(VenueMode.SIM, Authority.AUTO)
    path(floor, up=True)
    floor.warm(0.9)
    held: list[str] = []

    def refuse(effect: SubmitOrder, now_ns: int) -> SendRefused:
        held.append(effect.approved.client_order_id)
        return SendRefused(held[-1], reason, now_ns)

    floor.gateway.submit = refuse  # type: ignore[method-assign]
    floor.busy_ms(300)
    assert held
    wanted = "GATE_CLOSED" if reason == "CANCELED_UNSENT" else reason
    assert floor.engine.counts()["denied"][wanted] == len(held)
