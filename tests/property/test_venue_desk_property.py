"""Laws of the order path over a bad line: nothing is sent twice, nothing is booked twice, all ends known."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.inputs import PositionBroke
from pipeline.core.orders import Problem
from pipeline.core.types import OrderState, Side
from pipeline.runtime.venue_budget import CANCEL_WEIGHT, RequestBudget
from pipeline.runtime.venue_state import Phase
from pipeline.wire.binance_answers import UsedLimit
from tests.fakes.venue_bench import BEST_ASK, BEST_BID, VenueBench, quick

SECOND_NS = 10**9
FAULTY_S = 4
"""How long the line is bad; then it heals, and everything must come to be known."""

sides = st.sampled_from(Side)
acts = st.one_of(
    st.tuples(st.just("rest"), sides, st.integers(500, 6_000)),
    st.tuples(st.just("take"), sides, st.integers(500, 9_000)),
    st.tuples(st.just("cancel"), st.integers(0, 30), st.just(0)),
    st.tuples(st.just("street"), sides, st.integers(1, 9_000)),
    st.tuples(st.just("cut"), st.just(0), st.just(0)),
    st.tuples(st.just("gate"), st.just(0), st.just(0)),
    st.tuples(st.just("pass"), st.integers(1, 700), st.just(0)),
)
RARE = (
    "late-fill=0.5",
    "late-fill=1",
    "double-report=0.5",
    "slow-report=300",
    "late-request=700:order.",
    "late-request=1300:order.",
    "slow-ack=700:order.",
    "end-stream",
    "ban",
)
rates = st.sampled_from(["0", "0.2", "0.5", "1"])
FAULTS = ("lost-ack", "unknown", "overload", "reject", "deaf", "html", "throttle")
TARGETS = ("order.", "order.", "order.place", "order.cancel", "order.status", "")
"""Whose answers suffer; "" is every request's, those a connection needs to come up among them."""


def do(bench: VenueBench, act: tuple[str, int, int], given_ids: list[str]) -> None:
    """Carry out one act of the engine, the market or the line."""
    what, number, amount = act
    match what:
        case "rest":
            side = Side(number)
            given_ids.append(bench.submit(side, amount, BEST_BID + 1 if side is Side.BUY else BEST_ASK - 1))
        case "take":
            side = Side(number)
            ticks = BEST_ASK + 2 if side is Side.BUY else BEST_BID - 2
            given_ids.append(bench.submit(side, amount, ticks, takes=True))
        case "cancel":
            if given_ids:
                bench.cancel(given_ids[number % len(given_ids)])
        case "street":
            bench.street(Side(number), amount)
        case "cut":
            bench.cut()
        case "gate":
            bench.gate.open = not bench.gate.open
        case _:
            bench.pass_ms(number)
    bench.pass_ms(20, 20)


@given(
    st.lists(acts, min_size=4, max_size=25),
    st.lists(st.tuples(st.sampled_from(FAULTS), rates, st.sampled_from(TARGETS)), max_size=3),
    st.lists(st.sampled_from(RARE), max_size=2),
    rates,
    st.integers(0, 2**16),
    st.sampled_from([0, 0, 80, 1_200]),
    st.sampled_from([0, -5_000, 900]),
)
@settings(max_examples=100, deadline=None)
def test_whatever_the_line_does_engine_and_venue_come_to_agree(
    script: list[tuple[str, int, int]],
    bad: list[tuple[str, str, str]],
    rare: list[str],
    lost_reports: str,
    seed: int,
    delay_ms: int,
    skew_ms: int,
) -> None:
    faults = [f"{kind}={rate}@0.4+{FAULTY_S}:{target}".rstrip(":") for kind, rate, target in bad]
    for one in rare:
        kind, _, target = one.partition(":")
        length = "" if kind == "end-stream" else f"+{FAULTY_S}" if kind != "ban" else "+1"
        faults.append(f"{kind}@1{length}:{target}".rstrip(":"))
    faults.append(f"lost-report={lost_reports}@0.4+{FAULTY_S}")
    bench = VenueBench(*faults, seed=seed, skew_ms=skew_ms)
    bench.pass_ms(300, 20)
    assert bench.desk.phase is Phase.UP
    bench.delay_ms = delay_ms
    given_ids: list[str] = []
    for act in script:
        do(bench, act, given_ids)
    bench.delay_ms = 0
    bench.gate.open = True
    bench.settle(FAULTY_S)
    if not bench.budget.may_ask(1, bench.venue_ns):
        bench.pass_ms(61_000, 250)  # the venue named the minute's end
    bench.settle(8)
    placed = Counter(request["params"]["newClientOrderId"] for request in bench.methods("order.place"))
    assert set(placed.values()) <= {1}
    assert bench.desk.phase is Phase.UP
    assert bench.agrees()
    assert not bench.store.unknown_orders
    assert not bench.of(PositionBroke)
    assert [one for one in bench.problems if one is not Problem.FOREIGN] == []
    refused = {one for one in given_ids if bench.state(one) is OrderState.DENIED}
    assert not refused & set(placed)


@given(
    st.lists(
        st.tuples(st.sampled_from([*("place", "ask", "cancel", "told") * 3, "pass"]), st.integers(1, 9_000)),
        min_size=60,
        max_size=200,
    ),
    st.integers(20, 120),
    st.integers(5, 60),
)
@settings(max_examples=60)
def test_the_budget_is_never_exceeded_and_cancels_keep_their_reserve(
    script: list[tuple[str, int]], weight: int, orders: int
) -> None:
    params = quick(weight_per_minute=weight, orders_per_10_s=orders)
    budget = RequestBudget(params)
    now_ns, minute, ten = 1_700_000_000 * SECOND_NS, 0, 0
    used = Counter[str]()
    for what, amount in script:
        if now_ns // (60 * SECOND_NS) != minute:
            minute, used["weight"], used["cancels"] = now_ns // (60 * SECOND_NS), 0, 0
        if now_ns // (10 * SECOND_NS) != ten:
            ten, used["orders"] = now_ns // (10 * SECOND_NS), 0
        match what:
            case "pass":
                now_ns += amount * 10**6
            case "told":
                # The venue counts no more than was sent; an old answer may tell of less.
                told = UsedLimit("REQUEST_WEIGHT", 60, weight, min(used["weight"], amount))
                budget.observe((told,), now_ns)
            case "place" if budget.may_place(now_ns):
                budget.placed(now_ns)
                used["weight"] += CANCEL_WEIGHT
                used["orders"] += 1
            case "ask" if budget.may_ask(amount % 20 + 1, now_ns):
                budget.asked(amount % 20 + 1, now_ns)
                used["weight"] += amount % 20 + 1
            case "cancel" if budget.may_cancel(now_ns):
                budget.canceled(now_ns)
                used["weight"] += CANCEL_WEIGHT
                used["cancels"] += 1
            case _:
                pass
        assert used["weight"] <= weight
        assert used["orders"] <= orders * 80 // 100
        assert used["weight"] - used["cancels"] <= weight * 80 // 100
        # The reserve is the cancels' alone: while they have not used it up, the next one fits.
        if what != "pass" and used["cancels"] < weight - weight * 80 // 100:
            assert budget.may_cancel(now_ns)
