"""The collar over time, market reasonability and parent accounting (CONTROLS C4, C9, C20)."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.effects import CloseGate
from pipeline.core.families import Families
from pipeline.core.types import DenyReason, OrderState, OrderType, Origin, RiskApproved, RiskDenied, Side
from tests.fakes.engines import Floor, engine_params
from tests.fakes.trading import (
    ASK,
    BID,
    LIMITS,
    LOTS,
    SECOND,
    START,
    Desk,
    context,
    exit_intent,
    intent,
    permit,
    report,
)

R = DenyReason
TAKES = {"order_type": OrderType.LIMIT_IOC, "price_ticks": ASK}


def denied(verdict: RiskApproved | RiskDenied) -> DenyReason | None:
    """Give the reason of a denial; None of an approval."""
    return verdict.reason if isinstance(verdict, RiskDenied) else None


def taken(desk: Desk, number: int, side: Side = Side.BUY) -> DenyReason | None:
    """Take once, nothing of it filled; give why not."""
    now_ns = START + number * SECOND
    price = ASK if side is Side.BUY else BID
    wanted = intent(feature_seq=number + 1, side=side, **{**TAKES, "price_ticks": price})
    verdict = desk.risk.check(wanted, context(), now_ns)
    if isinstance(verdict, RiskApproved):
        ended = report(verdict.client_order_id, OrderState.EXPIRED, ts_ns=now_ns)
        desk.risk.on_applied(desk.orders.apply(ended))
    return denied(verdict)


def test_taking_on_one_side_ends_at_a_few_orders_worth_and_needs_a_person() -> None:
    desk = Desk(limits=msgspec.structs.replace(LIMITS, throttle_orders=1_000, aggressive_times=1))
    found = [taken(desk, number) for number in range(12)]
    first = found.index(R.COLLAR_TIME)
    assert 1 <= first < 12
    assert desk.risk.is_disabled("BTCUSDT")
    desk.risk.reenable("BTCUSDT")
    assert taken(desk, first + 70) is None  # the window is over


def test_taking_on_both_sides_is_no_push() -> None:
    desk = Desk(limits=msgspec.structs.replace(LIMITS, throttle_orders=1_000, aggressive_times=1))
    sides = [Side.BUY if number % 2 else Side.SELL for number in range(20)]
    assert R.COLLAR_TIME not in [taken(desk, number, side) for number, side in enumerate(sides)]


def test_a_wide_spread_and_a_jump_add_no_risk_but_let_reductions_pass() -> None:
    wide = context(ask_ticks=BID + BID // 150)
    jumped = context(jump_e6=10_001)
    for now, reason in ((wide, R.SPREAD), (jumped, R.MARKET_JUMP)):
        assert denied(Desk().risk.check(intent(), now, START)) is reason
        held = Desk()
        held.hold(LOTS)
        assert denied(held.risk.check(exit_intent(), now, START)) is None
    assert denied(Desk().risk.check(intent(), context(jump_e6=10_000), START)) is None


def test_orders_under_one_permit_never_outgrow_it() -> None:
    desk = Desk()
    now = context(permit=permit(parent_lots=LOTS + LOTS // 2))
    first = desk.risk.check(intent(), now, START)
    assert isinstance(first, RiskApproved)
    again = intent(feature_seq=99, price_ticks=BID - 1)
    assert denied(desk.risk.check(again, now, START + SECOND)) is R.PARENT_EXCEEDED
    ended = report(first.client_order_id, OrderState.EXPIRED)
    desk.risk.on_applied(desk.orders.apply(ended))
    assert denied(desk.risk.check(again, now, START + 2 * SECOND)) is None


def test_orders_beyond_their_permit_kill() -> None:
    floor = Floor(engine_params()).warm(0.9)
    floor.busy_ms(200)
    trader, desk = floor.engine._trader, floor.state.desks["BTCUSDT"]
    trader._denied(desk, RiskDenied(intent(), R.PARENT_EXCEEDED, 1, 2), floor.now_ns)
    closes = [effect for effect in floor.state.out.take() if isinstance(effect, CloseGate)]
    assert [close.latch for close in closes] == [True]


def test_what_agents_hold_back_a_person_may_still_reduce() -> None:
    for origin, reason in ((Origin.EXIT, R.CLOCK), (Origin.FLATTEN, None), (Origin.MANUAL, None)):
        held = Desk()
        held.hold(LOTS)
        verdict = held.risk.check(exit_intent(origin=origin), context(blocked=R.CLOCK), START)
        assert denied(verdict) is reason


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 1_000)), max_size=40))
def test_families_add_up(orders: list[tuple[int, int]]) -> None:
    families, sums = Families(), dict.fromkeys(range(1, 6), 0)
    for permit_id, lots in orders:
        families.on_approved(permit_id, lots)
        sums[permit_id] += lots
    assert {one: families.lots(one) for one in sums} == sums
    assert families.lots(0) == 0
