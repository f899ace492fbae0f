"""Looks that are left out change nothing: the same effects and the same picture as looking at every beat."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pipeline.core.effects import Effect
from pipeline.core.engine import Engine
from pipeline.core.execution import ExecutionPolicy, ExecutionView
from pipeline.core.facts import RuntimeFacts
from pipeline.core.inputs import Input
from pipeline.core.order import Order
from pipeline.core.params import EntryStyle, ExecutionParams, Shape
from pipeline.core.rest import Rest
from pipeline.core.types import Authority, OrderState, Side, TradingState
from pipeline.core.view import build_snapshot
from tests.fakes.engines import MS, OPEN_LIMITS, engine_params, two_symbols
from tests.fakes.trading import ASK, BID, LIMITS, LOTS, SPOT, START, exit_intent, intent, view, wanted
from tests.property.test_engine_property import INPUTS, STEPS, Hands, a_running_engine


class Restless:
    """Looks at every beat, and counts the looks a `Rest` would have left out."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left_out = 0
        holds = Rest.holds

        def never(rest: Rest, seen: Any, now_ns: int) -> bool:
            self.left_out += holds(rest, seen, now_ns)
            return False

        monkeypatch.setattr(Rest, "holds", never)


def picture(engine: Engine) -> bytes:
    facts = RuntimeFacts(session="s", operator="o", consoles=1)
    shown = build_snapshot(engine, "BTCUSDT", 1, engine.state.now_ns, facts)
    return msgspec.msgpack.encode((shown, engine.counts(), engine.position_summary()))


def walked(style: EntryStyle, authority: Authority, shape: Shape, steps: list[Any]) -> Hands:
    hands = Hands(style, authority, shape)
    for what, number, other in steps:
        hands.do(what, number, other)
        hands.floor.pass_ms(30)
    return hands


@settings(max_examples=60, deadline=None, phases=(Phase.generate,))
@given(
    style=st.sampled_from(EntryStyle),
    authority=st.sampled_from([Authority.APPROVE, Authority.AUTO, Authority.AUTO]),
    shape=st.sampled_from(Shape),
    steps=STEPS,
)
def test_a_market_under_any_hand_goes_the_same_way(
    style: EntryStyle, authority: Authority, shape: Shape, steps: list[Any]
) -> None:
    resting = walked(style, authority, shape, steps)
    with pytest.MonkeyPatch.context() as monkeypatch:
        Restless(monkeypatch)
        restless = walked(style, authority, shape, steps)
    assert resting.floor.effects == restless.floor.effects
    assert picture(resting.floor.engine) == picture(restless.floor.engine)


@settings(max_examples=60, deadline=None)
@given(
    authority=st.sampled_from(Authority),
    style=st.sampled_from(EntryStyle),
    inputs=st.lists(INPUTS, max_size=40),
)
def test_nonsense_and_times_that_jump_go_the_same_way(
    authority: Authority, style: EntryStyle, inputs: list[Input]
) -> None:
    params = engine_params(
        authority=authority,
        instruments=two_symbols(),
        limits={"BTCUSDT": OPEN_LIMITS, "ETHUSDT": OPEN_LIMITS},
        execution=ExecutionParams(entry=style),
    )
    resting = a_running_engine(params)
    effects = [resting.handle(event) for event in inputs]
    with pytest.MonkeyPatch.context() as monkeypatch:
        Restless(monkeypatch)
        restless = a_running_engine(params)
        every: list[list[Effect]] = [restless.handle(event) for event in inputs]
    assert effects == every
    assert picture(resting) == picture(restless)


PARAMS = ExecutionParams(
    requote_after_ns=70 * MS, exit_after_ns=400 * MS, exit_rest_ns=150 * MS, retry_after_ns=100 * MS
)
HORIZON_NS = 200 * MS
SPREADS = st.integers(0, 6)


@st.composite
def views(draw: Any) -> Callable[[int], ExecutionView]:
    """A view that begins at a time: an order's age and a cancel's count from there."""
    side = draw(st.sampled_from([None, *Side]))
    lots = draw(st.sampled_from([0, LOTS, -LOTS, 1, LOTS]))
    entry = intent(side=draw(st.sampled_from(Side)), price_ticks=BID - draw(SPREADS))
    leaving = exit_intent(price_ticks=ASK + draw(SPREADS), qty_lots=draw(st.sampled_from([LOTS, 2 * LOTS])))
    intents = draw(st.sampled_from([[], [entry], [leaving], [entry, leaving]]))
    asked = draw(st.booleans())
    state = draw(st.sampled_from([OrderState.ACCEPTED, OrderState.UNKNOWN]))
    changes = {
        "trading_state": draw(st.sampled_from([TradingState.ACTIVE, TradingState.ACTIVE, *TradingState])),
        "book_ok": draw(st.sampled_from([True, True, True, False])),
        "ask_ticks": BID + draw(SPREADS),
        "position_lots": lots,
        "held_side": side,
        "wanted": None if side is None else wanted(side=side, feature_seq=draw(st.integers(1, 9))),
        "withdraw": draw(st.sampled_from([False, False, True])),
        "flatten": draw(st.sampled_from([False, False, False, True])) and lots != 0,
    }

    def begun(now_ns: int) -> ExecutionView:
        orders = tuple(
            Order(n, f"c{n}", one, state, now_ns, cancel_asked_ns=now_ns if asked else -1)
            for n, one in enumerate(intents)
        )
        return view(**changes, opened_ns=now_ns if lots else -1, orders=orders)

    return begun


STRETCHES = st.lists(st.tuples(views(), st.lists(st.integers(0, 250), max_size=12)), min_size=1, max_size=5)


@settings(max_examples=300, deadline=None)
@given(stretches=STRETCHES)
def test_a_policy_asked_when_time_says_plans_as_one_asked_always(stretches: list[Any]) -> None:
    always, seldom = (ExecutionPolicy(SPOT, PARAMS, LIMITS, HORIZON_NS) for _ in range(2))
    now_ns = START
    for begun, steps in stretches:
        seen, until_ns = begun(now_ns), now_ns
        for step in steps:
            now_ns += step * MS
            wanted_actions = always.plan(seen, now_ns)
            if now_ns < until_ns:
                assert wanted_actions == []
                continue
            assert seldom.plan(seen, now_ns) == wanted_actions
            until_ns = now_ns if wanted_actions else seldom.next_look_ns(seen, now_ns)


def test_most_looks_of_a_trading_engine_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without this the laws above could hold for a rest that never holds."""
    restless = Restless(monkeypatch)
    hands = Hands(EntryStyle.CROSS, Authority.AUTO, Shape.LINEAR)
    for number in range(100):
        hands.do("move", 50 + (-1) ** number, 1)
        hands.do("say", 4 if number // 20 % 2 == 0 else 1, 0)
        hands.floor.pass_ms(100)
    assert hands.floor.venue.fill_count > 0
    assert restless.left_out > 400
