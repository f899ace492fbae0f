"""Any run of presses, orders and ends: no grant is ever outside the permit it names (INTERACTION 1.13)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.cards import Idea, exit_rule
from pipeline.core.params import ExecutionParams, PermitParams
from pipeline.core.permit import Grant, PermitEnd, PermitRecord
from pipeline.core.permits import PermitBook
from pipeline.core.types import Authority, DenyReason, OrderType, Origin, Side, TradingState
from tests.fakes.decisions import LIMITS, MS, SECOND, START, an_intent, window_terms

SIDES = st.sampled_from(Side)
TICKS = st.integers(990, 1_010)
LOTS = st.integers(1, 60)
MODELS = st.sampled_from((("qi-logit", 1),) * 6 + (("qi-logit", 2), ("other", 1)))
POSITIONS = st.one_of(st.integers(-10, 10), st.integers(-80, 80))

ORDERS = st.fixed_dictionaries(
    {
        "side": SIDES,
        "qty_lots": LOTS,
        "price_ticks": TICKS,
        "order_type": st.sampled_from((OrderType.POST_ONLY, OrderType.POST_ONLY, OrderType.LIMIT_IOC)),
        "edge_e6": st.sampled_from((-1, 0, 1, 2, 3, 4)),
        "model": MODELS,
        "position": POSITIONS,
        "send": st.booleans(),
    }
)
IDEAS = st.fixed_dictionaries(
    {
        "side": SIDES,
        "qty_lots": LOTS,
        "worst_ticks": TICKS,
        "passive": st.booleans(),
        "model": MODELS,
        "position": POSITIONS,
        "revision": st.sampled_from((1, 1, 1, 2)),
    }
)
WINDOWS = st.fixed_dictionaries(
    {
        "sides": st.sampled_from(((Side.BUY,), (Side.SELL,), (Side.BUY, Side.SELL))),
        "max_order_lots": LOTS,
        "max_net_lots": LOTS,
        "max_orders": st.integers(1, 3),
        "min_net_edge_e6": st.integers(0, 2),
        "lowest_ticks": st.integers(990, 1_000),
        "highest_ticks": st.integers(1_000, 1_010),
        "duration_ns": st.integers(1, 20).map(lambda seconds: seconds * SECOND),
    }
)
ORDER = st.tuples(st.just("order"), ORDERS)
PERMISSION = st.one_of(
    st.tuples(st.just("press"), IDEAS),
    st.tuples(st.just("window"), WINDOWS),
    st.tuples(st.just("auto"), MODELS),
)
RARER = st.one_of(
    st.tuples(st.just("beat"), st.tuples(st.booleans(), st.integers(-6, 6))),
    st.tuples(st.just("authority"), st.sampled_from((Authority.AUTO, Authority.AUTO, *Authority))),
    st.tuples(st.just("state"), st.sampled_from((TradingState.ACTIVE, TradingState.ACTIVE, *TradingState))),
    st.tuples(st.just("model"), MODELS),
    st.tuples(st.just("withdraw"), st.integers(1, 8)),
)
GAPS = st.sampled_from((0, 200 * MS, SECOND, 4 * SECOND))
ROUND = st.tuples(PERMISSION, st.lists(st.tuples(GAPS, ORDER), min_size=1, max_size=5), GAPS, RARER)
"""A permission, orders in its time, and something that may end it."""


@dataclass
class Desk:
    """A permit book, the clock, and what an onlooker wrote down."""

    book: PermitBook
    now_ns: int = START
    authority: Authority = Authority.AUTO
    ended_ids: frozenset[int] = frozenset()

    def step(self, name: str, what: Any) -> None:
        match name:
            case "order":
                self.order(dict(what))
            case "press":
                self.press(dict(what))
            case "window":
                terms = window_terms(**what)
                self.book.open_window("BTCUSDT", terms, "ada", "qi-logit", 1, 0, self.now_ns)
            case "auto":
                self.book.open_auto("BTCUSDT", "ada", what[0], what[1], self.now_ns)
            case "beat":
                self.book.beat("BTCUSDT", what[0], what[1] * 10**8, self.now_ns)
            case "authority":
                self.authority = what
                self.book.set_authority(what, self.now_ns)
            case "state":
                self.book.set_trading_state(what, self.now_ns)
            case "model":
                self.book.set_model(what[0], what[1], self.now_ns)
            case _:
                self.book.withdraw(what, self.now_ns)
        self.nothing_came_back()

    def press(self, what: dict[str, Any]) -> None:
        model_id, generation = what.pop("model")
        position, revision = what.pop("position"), what.pop("revision")
        idea = Idea(
            idea_id=1,
            revision=1,
            symbol="BTCUSDT",
            model_id=model_id,
            generation=generation,
            horizon_ms=1_000,
            life_ns=10 * SECOND,
            exit_rule=exit_rule(ExecutionParams()),
            revised_ns=self.now_ns - SECOND,
            **what,
        )
        result = self.book.permit_once(idea, revision, "ada", position, self.now_ns)
        assert revision == 1 or not isinstance(result, PermitRecord)

    def order(self, what: dict[str, Any]) -> None:
        model_id, generation = what.pop("model")
        position, send = what.pop("position"), what.pop("send")
        intent = an_intent(model_id=model_id, generation=generation, **what)
        answer = self.book.authorise(intent, position, self.now_ns)
        if isinstance(answer, DenyReason):
            return
        self.inside(answer, intent, position)
        if send:
            self.book.consume(answer.permit_id, self.now_ns)

    def inside(self, grant: Grant, intent: Any, position: int) -> None:
        """Hold a grant against the permit it names, with arithmetic of its own."""
        assert self.authority is not Authority.OBSERVE
        record = self.book.find(grant.permit_id)
        assert record is not None
        permit = record.permit
        assert record.end is None
        assert permit.permit_id not in self.ended_ids
        assert permit.starts_ns <= self.now_ns
        assert permit.ends_ns == 0 or self.now_ns < permit.ends_ns
        assert permit.lowest_ticks <= intent.price_ticks <= permit.highest_ticks
        assert permit.max_orders == 0 or record.used < permit.max_orders
        assert (permit.model_id, permit.generation) == (intent.model_id, intent.generation)
        assert intent.edge_e6 >= permit.min_net_edge_e6
        assert not permit.passive or intent.order_type is OrderType.POST_ONLY
        assert 0 < grant.qty_lots <= min(intent.qty_lots, permit.max_order_lots)
        after = position + intent.side * grant.qty_lots
        assert intent.side in permit.sides
        assert permit.max_net_lots == 0 or intent.side * after <= permit.max_net_lots

    def nothing_came_back(self) -> None:
        open_ids = frozenset(record.permit.permit_id for record in self.book.open_permits())
        assert not open_ids & self.ended_ids
        ended = self.book.ended_permits()
        assert all(record.end is not None for record in ended)
        assert all(
            record.permit.max_orders in (0, *range(record.used, 99)) for record in self.book.open_permits()
        )
        self.ended_ids |= {record.permit.permit_id for record in ended}


@settings(max_examples=100, deadline=None)
@given(st.lists(ROUND, min_size=1, max_size=8))
def test_permit_never_fires_outside_itself(rounds: list[tuple[Any, list[Any], int, Any]]) -> None:
    desk = Desk(PermitBook(PermitParams(), ExecutionParams(), {"BTCUSDT": LIMITS}, "policy", Authority.AUTO))
    for permission, orders, gap_ns, end in rounds:
        desk.now_ns += SECOND
        for pause_ns, (name, what) in [(0, permission), *orders, (gap_ns, end)]:
            desk.now_ns += pause_ns
            desk.step(name, what)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(1, 699), min_size=1, max_size=60))
def test_held_key_gives_at_most_one_permit_whatever_its_rhythm(gaps_ms: list[int]) -> None:
    book = PermitBook(PermitParams(), ExecutionParams(), {"BTCUSDT": LIMITS}, "policy", Authority.APPROVE)
    idea = Idea(
        1, 1, "BTCUSDT", Side.BUY, 10, 1_000, True, "m", 1, 1_000, SECOND, exit_rule(ExecutionParams()), START
    )
    now_ns, given_count = START, 0
    for gap_ms in gaps_ms:
        now_ns += gap_ms * MS
        fresh = replace(idea, idea_id=idea.idea_id + gap_ms)
        given_count += isinstance(book.permit_once(fresh, 1, "ada", 0, now_ns), PermitRecord)
    assert given_count <= 1


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(Authority), st.sampled_from(Origin), st.booleans(), SIDES)
def test_nothing_opens_in_observe_and_nothing_of_the_model_without_a_permit(
    authority: Authority, origin: Origin, reduces: bool, side: Side
) -> None:
    book = PermitBook(PermitParams(), ExecutionParams(), {"BTCUSDT": LIMITS}, "policy", authority)
    answer = book.authorise(an_intent(origin=origin, reduce_only=reduces, side=side), 0, START)
    if origin is Origin.MODEL:
        assert isinstance(answer, DenyReason)
    elif reduces:
        assert isinstance(answer, Grant)
    elif authority is Authority.OBSERVE:
        assert isinstance(answer, DenyReason)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 5), st.lists(st.integers(0, 100), max_size=12))
def test_window_sends_as_many_orders_as_it_says(budget: int, gaps_ms: list[int]) -> None:
    book = PermitBook(PermitParams(), ExecutionParams(), {"BTCUSDT": LIMITS}, "policy", Authority.APPROVE)
    terms = window_terms(max_orders=budget)
    record = book.open_window("BTCUSDT", terms, "ada", "qi-logit", 1, 0, START)
    now_ns, sent = START, 0
    for gap_ms in gaps_ms:
        now_ns += gap_ms * MS
        answer = book.authorise(an_intent(), 0, now_ns)
        if isinstance(answer, Grant):
            book.consume(answer.permit_id, now_ns)
            sent += 1
    assert sent == min(budget, len(gaps_ms))
    assert isinstance(record, PermitRecord)
    assert (record.end is PermitEnd.ORDERS) == (sent == budget)


@settings(max_examples=80, deadline=None)
@given(WINDOWS)
def test_a_window_that_opens_lets_the_least_order_through_on_each_of_its_sides(what: dict[str, Any]) -> None:
    for side in what["sides"]:
        book = PermitBook(PermitParams(), ExecutionParams(), {"BTCUSDT": LIMITS}, "policy", Authority.APPROVE)
        record = book.open_window("BTCUSDT", window_terms(**what), "ada", "qi-logit", 1, 0, START)
        assert isinstance(record, PermitRecord)
        intent = an_intent(
            side=side, qty_lots=1, price_ticks=1_000, edge_e6=what["min_net_edge_e6"], permit_id=1
        )
        assert book.authorise(intent, 0, START) == Grant(1, 1)
        assert book.covers(intent, 0, START) is None
