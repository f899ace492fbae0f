"""Jumps by a market's own measure, absurd sizes, a symbol stopped after repeats; orders a trade; margin."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.effects import AlertCode, SubmitOrder
from pipeline.core.inputs import Command
from pipeline.core.market_sense import LEAST_MOVES, MarketSense, market_breach
from pipeline.core.throttles import OrdersPerTrade
from pipeline.core.types import DenyReason, OrderState, RiskApproved, RiskDenied
from tests.fakes.engines import SECOND, Floor, engine_params
from tests.fakes.trading import BID, LIMITS, LOTS, START, Desk, context, exit_intent, intent, report

MID, SPREAD = 12_800_000, 2
R = DenyReason


def denied(verdict: RiskApproved | RiskDenied) -> DenyReason | None:
    """Give the reason of a denial; None of an approval."""
    return verdict.reason if isinstance(verdict, RiskDenied) else None


def warmed(move_half_ticks: int, count: int = LEAST_MOVES) -> MarketSense:
    """A measure that has seen the same move up and down for a while."""
    sense = MarketSense(LIMITS)
    for number in range(count):
        near, far = MID, MID + move_half_ticks
        sense.on_second(near if number % 2 else far, far if number % 2 else near, SPREAD)
    return sense


def test_before_half_a_minute_the_fixed_bound_alone_holds() -> None:
    sense = warmed(MID // 10_000, LEAST_MOVES - 1)
    assert sense.sigma_e6 == -1
    assert sense.most_jump_e6(MID, SPREAD) == LIMITS.max_jump_e6


def test_a_jump_is_twenty_usual_moves() -> None:
    sense = warmed(MID // 10_000)  # a basis point a second
    assert 99 <= sense.sigma_e6 <= 100
    assert 20 * 99 <= sense.most_jump_e6(MID, SPREAD) <= 20 * 100


def test_a_market_that_stood_still_may_move_by_a_little_and_by_its_spread() -> None:
    sense = warmed(0)
    assert sense.most_jump_e6(MID, SPREAD) == 20 * 10
    assert sense.most_jump_e6(MID, MID // 1_000) == 2 * 1_000


def test_zero_sigmas_leave_the_fixed_bound() -> None:
    sense = MarketSense(msgspec.structs.replace(LIMITS, max_jump_sigmas=0))
    for _ in range(2 * LEAST_MOVES):
        sense.on_second(MID, MID, SPREAD)
    assert sense.most_jump_e6(MID, SPREAD) == LIMITS.max_jump_e6


@given(st.lists(st.integers(1, 2 * MID), min_size=2, max_size=200), st.integers(1, 1_000))
def test_the_bound_is_never_above_the_fixed_one_nor_below_two_spreads(mids: list[int], spread: int) -> None:
    sense = MarketSense(LIMITS)
    for before, mid in zip(mids, mids[1:], strict=False):
        sense.on_second(before, mid, spread)
        most = sense.most_jump_e6(mid, spread)
        assert min(LIMITS.max_jump_e6, 2 * spread * 10**6 // mid) <= most <= LIMITS.max_jump_e6


def test_size_beyond_any_market_adds_no_risk_and_lets_reductions_pass() -> None:
    absurd = context(touch_quote_e8=LIMITS.max_touch_quote_e8 + 1)
    assert denied(Desk().risk.check(intent(), absurd, START)) is R.TOUCH_SIZE
    held = Desk()
    held.hold(LOTS)
    assert denied(held.risk.check(exit_intent(), absurd, START)) is None
    at_most = context(touch_quote_e8=LIMITS.max_touch_quote_e8)
    assert denied(Desk().risk.check(intent(), at_most, START)) is None


def test_a_jump_beyond_the_market_s_own_bound_is_denied() -> None:
    now = context(jump_e6=201, most_jump_e6=200)
    assert denied(Desk().risk.check(intent(), now, START)) is R.MARKET_JUMP


def test_what_goes_on_is_one_breach_and_the_third_within_a_minute_is_one_too_many() -> None:
    sense = MarketSense(LIMITS)
    wrong = market_breach(LIMITS, LIMITS.max_spread_e6 + 1, 0, 1, 0)
    assert wrong is not None
    assert sense.look(wrong, START) == (True, False)
    assert sense.look(wrong, START + SECOND // 2) == (False, False)
    assert sense.look(wrong, START + SECOND) == (False, False)
    assert sense.look(None, START + 10 * SECOND) == (False, False)
    assert sense.look(wrong, START + 20 * SECOND) == (True, False)
    assert sense.look(wrong, START + 59 * SECOND) == (True, True)
    assert sense.look(wrong, START + 70 * SECOND) == (True, False)


def test_a_symbol_whose_market_is_odd_too_often_stops_its_model_until_a_person_resumes() -> None:
    limits = msgspec.structs.replace(engine_params().limits["BTCUSDT"], max_touch_quote_e8=1)
    floor = Floor(engine_params(limits={"BTCUSDT": limits}))
    floor.warm(0.9)
    floor.busy_ms(100)
    (first,) = floor.alerts(AlertCode.MARKET_DATA)
    assert (first.detail, first.symbol) == ("TOUCH_SIZE", "BTCUSDT")
    assert not floor.of(SubmitOrder)
    floor.engine.state.risk.stop("BTCUSDT")
    assert floor.picture().chain.stopped == "SYMBOL_STOPPED"
    assert ("model", "stopped: MARKET") in [(row.name, row.limit_text) for row in floor.picture().limits]
    floor.command(Command.HALT)
    floor.command(Command.RESUME)
    assert not floor.engine.state.risk.is_disabled("BTCUSDT")


def test_a_model_that_sends_on_and_on_and_hardly_trades_is_denied_and_forgotten_after_ten_minutes() -> None:
    desk = Desk(limits=msgspec.structs.replace(LIMITS, throttle_orders=1_000, max_orders_per_trade=3))
    found = []
    for number in range(5):
        now_ns = START + number * SECOND
        wanted = intent(feature_seq=number + 1, price_ticks=BID - number)
        verdict = desk.risk.check(wanted, context(), now_ns)
        found.append(denied(verdict))
        if isinstance(verdict, RiskApproved):
            ended = report(verdict.client_order_id, OrderState.EXPIRED, ts_ns=now_ns)
            desk.risk.on_applied(desk.orders.apply(ended))
    assert found == [None, None, None, R.ORDER_TO_TRADE, R.ORDER_TO_TRADE]
    later = intent(feature_seq=99, price_ticks=BID - 9)
    assert denied(desk.risk.check(later, context(), START + 700 * SECOND)) is None


def test_a_person_s_resume_begins_the_count_of_orders_a_trade_anew() -> None:
    desk = Desk(limits=msgspec.structs.replace(LIMITS, max_orders_per_trade=1))
    assert denied(desk.risk.check(intent(), context(), START)) is None
    desk.risk.reenable("BTCUSDT")
    assert desk.risk.orders_per_trade("BTCUSDT", START) == (0, 0)


@given(st.lists(st.tuples(st.integers(0, 400), st.booleans()), max_size=60))
def test_orders_a_trade_counts_the_last_five_minutes_whole_and_nothing_older_than_ten(
    steps: list[tuple[int, bool]],
) -> None:
    counted, now_s = OrdersPerTrade(), 1_000
    seen: list[tuple[int, bool]] = []
    for wait_s, traded in steps:
        now_s += wait_s
        (counted.on_traded if traded else counted.on_order)(now_s * SECOND)
        seen.append((now_s, traded))
        orders, trades = counted.counts(now_s * SECOND)
        for kind, count in ((False, orders), (True, trades)):
            least = sum(1 for at_s, one in seen if one is kind and now_s - at_s < 300)
            most = sum(1 for at_s, one in seen if one is kind and now_s - at_s < 600)
            assert least <= count <= most
