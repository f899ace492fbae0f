"""Permits: how they are given, what they let through, what they wait for and how they end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from pipeline.core.cards import Idea, PressRefusal, exit_rule
from pipeline.core.params import EntryStyle, ExecutionParams, PermitParams
from pipeline.core.permit import Grant, PermitEnd, PermitKind, PermitRecord, PermitStatus, PermitWait
from pipeline.core.permits import REMEMBERED, PermitBook
from pipeline.core.types import QUOTE_SCALE, Authority, DenyReason, OrderType, Origin, Side, TradingState
from tests.fakes.decisions import LIMITS, MS, SECOND, START, an_intent, window_terms

T = START + 350 * MS
"""When a press on the card counts for the first time."""

IDEA = Idea(
    idea_id=91,
    revision=3,
    symbol="BTCUSDT",
    side=Side.BUY,
    qty_lots=800,
    worst_ticks=6_421_000,
    passive=True,
    model_id="qi-logit",
    generation=1,
    horizon_ms=1_000,
    life_ns=10 * SECOND,
    exit_rule=exit_rule(ExecutionParams()),
    revised_ns=START,
)
SHORT = replace(IDEA, idea_id=92, side=Side.SELL, worst_ticks=6_420_000)


def a_book(authority: Authority = Authority.APPROVE, entry: EntryStyle = EntryStyle.PASSIVE) -> PermitBook:
    limits = {"BTCUSDT": LIMITS, "ETHUSDT": LIMITS}
    return PermitBook(PermitParams(), ExecutionParams(entry=entry), limits, "policy", authority)


def once(book: PermitBook, idea: Idea = IDEA, now_ns: int = T, position_lots: int = 0) -> PermitRecord:
    record = book.permit_once(idea, idea.revision, "ada", position_lots, now_ns)
    assert isinstance(record, PermitRecord)
    return record


def window(book: PermitBook, now_ns: int = T, day_quote_e8: int = 0, **terms: Any) -> PermitRecord:
    record = book.open_window("BTCUSDT", window_terms(**terms), "ada", "qi-logit", 1, day_quote_e8, now_ns)
    assert isinstance(record, PermitRecord)
    return record


def auto(book: PermitBook, now_ns: int = T) -> PermitRecord:
    record = book.open_auto("BTCUSDT", "ada", "qi-logit", 1, now_ns)
    assert isinstance(record, PermitRecord)
    return record


def asked(book: PermitBook, now_ns: int = T, position_lots: int = 0, **intent: Any) -> Grant | DenyReason:
    return book.authorise(an_intent(**intent), position_lots, now_ns)


# -- giving ----------------------------------------------------------------------------------------------


def test_press_on_a_card_permits_one_order_of_it() -> None:
    permit = once(a_book(), position_lots=200).permit
    assert (permit.permit_id, permit.kind, permit.idea_id, permit.who) == (1, PermitKind.ONE_SHOT, 91, "ada")
    assert (permit.sides, permit.max_order_lots, permit.max_orders) == ((Side.BUY,), 800, 1)
    assert permit.max_net_lots == 1_000
    assert permit.highest_ticks == 6_421_000
    assert (permit.starts_ns, permit.ends_ns) == (T, T + 10 * SECOND)
    assert (permit.model_id, permit.generation, permit.policy_hash) == ("qi-logit", 1, "policy")
    assert permit.drawn_hash == IDEA.content_hash
    assert permit.exit_rule == IDEA.exit_rule
    assert permit.passive


def test_permit_for_a_sale_is_bounded_from_below() -> None:
    permit = once(a_book(), SHORT).permit
    assert permit.lowest_ticks == 6_420_000
    assert permit.highest_ticks > 10**15


def test_press_within_350_ms_of_the_card_does_nothing() -> None:
    assert a_book().permit_once(IDEA, 3, "ada", 0, T - 1) is PressRefusal.NOT_ARMED


def test_press_within_350_ms_of_a_symbol_change_does_nothing() -> None:
    book = a_book()
    late = START + 5 * SECOND
    assert book.permit_once(IDEA, 3, "ada", 0, late, late - 349 * MS) is PressRefusal.NOT_ARMED


def test_press_binds_to_the_revision_drawn() -> None:
    assert a_book().permit_once(IDEA, 2, "ada", 0, T) is PressRefusal.REVISED
    assert a_book().permit_once(None, 3, "ada", 0, T) is PressRefusal.GONE


def test_second_press_within_700_ms_is_dropped() -> None:
    book = a_book()
    once(book)
    assert book.permit_once(SHORT, 3, "ada", 0, T + 699 * MS) is PressRefusal.REPEATED
    assert isinstance(book.permit_once(SHORT, 3, "ada", 0, T + 1_399 * MS), PermitRecord)


def test_key_held_for_two_seconds_gives_one_permit() -> None:
    book = a_book()
    presses = [book.permit_once(IDEA, 3, "ada", 0, T + 33 * MS * n) for n in range(60)]
    assert sum(isinstance(press, PermitRecord) for press in presses) == 1


def test_key_held_since_before_the_card_gives_none() -> None:
    book = a_book()
    presses = [book.permit_once(IDEA, 3, "ada", 0, START + 33 * MS * n) for n in range(60)]
    assert not any(isinstance(press, PermitRecord) for press in presses)


@pytest.mark.parametrize("state", [TradingState.REDUCING, TradingState.HALTED, TradingState.KILLED])
def test_nothing_is_permitted_unless_active(state: TradingState) -> None:
    book = a_book(Authority.AUTO)
    book.set_trading_state(state, START)
    assert book.permit_once(IDEA, 3, "ada", 0, T) is PressRefusal.HALTED
    late = T + SECOND
    assert book.open_window("BTCUSDT", window_terms(), "ada", "m", 1, 0, late) is PressRefusal.HALTED
    assert book.open_auto("BTCUSDT", "ada", "m", 1, late) is PressRefusal.HALTED
    book.set_trading_state(TradingState.ACTIVE, late)
    assert isinstance(book.open_auto("BTCUSDT", "ada", "m", 1, late), PermitRecord)


def test_observe_gives_no_permit_and_approve_no_auto() -> None:
    assert a_book(Authority.OBSERVE).permit_once(IDEA, 3, "ada", 0, T) is PressRefusal.AUTHORITY
    assert a_book().open_auto("BTCUSDT", "ada", "m", 1, T) is PressRefusal.AUTHORITY


def test_symbol_without_limits_gets_no_permit() -> None:
    other = replace(IDEA, symbol="XRPUSDT")
    assert a_book().permit_once(other, 3, "ada", 0, T) is PressRefusal.BAD_TERMS
    assert a_book(Authority.AUTO).open_auto("XRPUSDT", "ada", "m", 1, T) is PressRefusal.BAD_TERMS


@pytest.mark.parametrize(
    "terms",
    [
        {"sides": ()},
        {"sides": (Side.BUY, Side.BUY)},
        {"max_order_lots": 0},
        {"max_order_lots": 10_001},
        {"max_net_lots": 0},
        {"max_orders": 0},
        {"max_loss_quote_e8": 0},
        {"max_loss_quote_e8": 41 * QUOTE_SCALE},
        {"lowest_ticks": 0},
        {"lowest_ticks": 6_430_000},
        {"duration_ns": 0},
        {"duration_ns": 1_801 * SECOND},
    ],
)
def test_window_beyond_the_limits_is_refused_not_trimmed(terms: dict[str, Any]) -> None:
    result = a_book().open_window("BTCUSDT", window_terms(**terms), "ada", "m", 1, 0, T)
    assert result is PressRefusal.BAD_TERMS


def test_window_without_terms_is_refused() -> None:
    assert a_book().open_window("BTCUSDT", None, "ada", "m", 1, 0, T) is PressRefusal.BAD_TERMS


def test_enter_pressed_twice_opens_one_window() -> None:
    book = a_book()
    window(book)
    again = book.open_window("BTCUSDT", window_terms(), "ada", "m", 1, 0, T + 200 * MS)
    assert again is PressRefusal.REPEATED


def test_newer_permit_takes_the_place_of_one_of_its_kind() -> None:
    book = a_book()
    first, wide = once(book), window(book, T + SECOND)
    second = once(book, SHORT, T + 2 * SECOND)
    assert (first.end, first.status, first.why) == (PermitEnd.REPLACED, PermitStatus.ENDED, "REPLACED")
    assert book.open_permits() == (second, wide)
    assert book.ended_permits() == (first,)


# -- letting through -------------------------------------------------------------------------------------


def test_without_a_permit_nothing_goes_in_approve() -> None:
    assert asked(a_book()) is DenyReason.NO_PERMIT


def test_order_inside_the_permit_is_granted_up_to_its_quantity() -> None:
    book = a_book()
    once(book)
    assert asked(book) == Grant(1, 100)
    assert asked(book, qty_lots=900) == Grant(1, 800)
    assert asked(book, symbol="ETHUSDT") is DenyReason.NO_PERMIT


@pytest.mark.parametrize(
    ("intent", "wait"),
    [
        ({"side": Side.SELL}, PermitWait.OTHER_SIDE),
        ({"price_ticks": 6_421_001}, PermitWait.PRICE_ABOVE),
        ({"generation": 2}, PermitWait.OTHER_MODEL),
        ({"model_id": "other"}, PermitWait.OTHER_MODEL),
        ({"edge_e6": -1}, PermitWait.EDGE_TOO_SMALL),
        ({"order_type": OrderType.LIMIT_IOC}, PermitWait.MUST_REST),
    ],
)
def test_order_outside_the_permit_waits_with_its_reason(intent: dict[str, Any], wait: PermitWait) -> None:
    book = a_book()
    record = once(book)
    assert asked(book, **intent) is DenyReason.NO_PERMIT
    assert record.why == wait.value
    assert record.status is PermitStatus.WAITING


def test_sale_below_its_price_waits() -> None:
    book = a_book()
    record = once(book, SHORT)
    assert asked(book, side=Side.SELL, price_ticks=6_419_999) is DenyReason.NO_PERMIT
    assert record.why == "PRICE_BELOW"
    assert asked(book, side=Side.SELL, price_ticks=6_420_000) == Grant(1, 100)


def test_position_that_grew_elsewhere_leaves_no_room() -> None:
    book = a_book()
    record = once(book, position_lots=0)
    assert asked(book, position_lots=300, qty_lots=800) == Grant(1, 500)
    assert asked(book, position_lots=800) is DenyReason.NO_PERMIT
    assert record.why == "NET_FULL"


def test_window_wants_its_least_edge() -> None:
    book = a_book()
    window(book, min_net_edge_e6=20)
    assert asked(book, edge_e6=20) == Grant(1, 100)
    assert asked(book, edge_e6=19) is DenyReason.NO_PERMIT


def test_taking_permit_lets_resting_orders_through_too() -> None:
    book = a_book(entry=EntryStyle.CROSS)
    window(book)
    assert asked(book, order_type=OrderType.LIMIT_IOC) == Grant(1, 100)
    assert asked(book) == Grant(1, 100)


def test_narrowest_permit_is_used_first() -> None:
    book = a_book(Authority.AUTO)
    auto(book)
    window(book, T)
    once(book, IDEA, T + SECOND)
    assert asked(book, T + SECOND) == Grant(3, 100)
    book.consume(3, T + SECOND)
    assert asked(book, T + SECOND) == Grant(2, 100)
    assert asked(book, T + SECOND, price_ticks=6_430_000) == Grant(1, 100)


def test_auto_is_bounded_by_the_limits_only() -> None:
    book = a_book(Authority.AUTO)
    record = auto(book)
    for n in range(40):
        now_ns = T + n * 3_600 * SECOND
        assert asked(book, now_ns, qty_lots=20_000, position_lots=10**6) == Grant(1, 10_000)
        book.consume(1, now_ns)
    assert (record.status, record.used, record.end) == (PermitStatus.OPEN, 40, None)


def test_observe_lets_no_model_order_through() -> None:
    assert asked(a_book(Authority.OBSERVE)) is DenyReason.MODE


@pytest.mark.parametrize("authority", Authority)
@pytest.mark.parametrize("origin", [Origin.EXIT, Origin.FLATTEN, Origin.MANUAL])
def test_reductions_go_in_every_authority(authority: Authority, origin: Origin) -> None:
    book = a_book(authority)
    intent = an_intent(origin=origin, reduce_only=True, side=Side.SELL)
    assert book.authorise(intent, 100, T) == Grant(0, 100)
    assert book.covers(intent, 100, T) is None


def test_exit_that_would_open_needs_what_nobody_gave() -> None:
    book = a_book(Authority.AUTO)
    auto(book)
    assert asked(book, origin=Origin.EXIT) is DenyReason.NO_PERMIT
    assert book.covers(an_intent(origin=Origin.FLATTEN, permit_id=1), 0, T) is DenyReason.NO_PERMIT


def test_own_order_of_a_person_needs_no_permit_but_a_hand_on_the_desk() -> None:
    assert asked(a_book(), origin=Origin.MANUAL) == Grant(0, 100)
    assert asked(a_book(Authority.OBSERVE), origin=Origin.MANUAL) is DenyReason.MODE


# -- the check before the send ---------------------------------------------------------------------------


def test_order_is_covered_by_the_very_permit_it_names() -> None:
    book = a_book()
    once(book)
    assert book.covers(an_intent(permit_id=1), 0, T) is None
    for intent, position in (
        (an_intent(permit_id=0), 0),
        (an_intent(permit_id=2), 0),
        (an_intent(permit_id=1, qty_lots=801), 0),
        (an_intent(permit_id=1, qty_lots=0), 0),
        (an_intent(permit_id=1, qty_lots=701), 100),
        (an_intent(permit_id=1, price_ticks=6_421_001), 0),
        (an_intent(permit_id=1, symbol="ETHUSDT"), 0),
    ):
        assert book.covers(intent, position, T) is DenyReason.NO_PERMIT


def test_used_permit_covers_nothing_more() -> None:
    book = a_book()
    once(book)
    book.consume(1, T)
    assert book.covers(an_intent(permit_id=1), 0, T) is DenyReason.PERMIT_SPENT


def test_ended_permit_covers_nothing() -> None:
    book = a_book(Authority.AUTO)
    auto(book)
    book.withdraw(1, T)
    assert book.covers(an_intent(permit_id=1), 0, T) is DenyReason.NO_PERMIT


# -- budget ----------------------------------------------------------------------------------------------


def test_one_shot_is_spent_by_one_order() -> None:
    book = a_book()
    record = once(book)
    assert book.consume(1, T + SECOND) is record
    assert (record.status, record.end, record.used_ns) == (PermitStatus.USED, PermitEnd.ORDERS, T + SECOND)
    assert asked(book, T + SECOND) is DenyReason.PERMIT_SPENT
    assert asked(book, T + 10 * SECOND) is DenyReason.NO_PERMIT
    with pytest.raises(ValueError, match="permit 1 is not open"):
        book.consume(1, T + SECOND)


def test_order_nobody_allowed_is_a_broken_invariant() -> None:
    with pytest.raises(ValueError, match="permit 5 is not open"):
        a_book().consume(5, T)


def test_window_ends_when_its_orders_are_used() -> None:
    book = a_book()
    record = window(book, max_orders=3)
    for n in range(3):
        assert record.status is PermitStatus.OPEN
        assert asked(book) == Grant(1, 100)
        book.consume(1, T + n)
    assert (record.end, record.used, record.used_ns) == (PermitEnd.ORDERS, 3, T)
    assert asked(book) is DenyReason.PERMIT_SPENT


# -- ends ------------------------------------------------------------------------------------------------


def test_unused_one_shot_lapses_with_what_it_waited_for_most() -> None:
    book = a_book()
    record = once(book)
    asked(book, T + SECOND, price_ticks=6_421_500)
    book.note("BTCUSDT", DenyReason.BOOK_NOT_OK)
    asked(book, T + 2 * SECOND, price_ticks=6_421_500)
    assert book.beat("BTCUSDT", True, 0, T + 10 * SECOND - 1) == ()
    assert book.beat("BTCUSDT", True, 0, T + 10 * SECOND) == (record,)
    assert record.lapsed
    assert (record.status, record.why, record.always) == (PermitStatus.ENDED, "PRICE_ABOVE", False)


def test_lapse_for_one_reason_all_the_time_says_so() -> None:
    book = a_book()
    record = once(book)
    asked(book, T + SECOND, price_ticks=6_421_500)
    book.beat("BTCUSDT", True, 0, T + 10 * SECOND)
    assert record.always


def test_lapse_nothing_was_asked_of_says_time() -> None:
    book = a_book()
    record = once(book)
    assert record.why == ""
    book.beat("BTCUSDT", True, 0, T + 10 * SECOND)
    assert (record.why, record.always) == ("TIME", False)


def test_permit_is_over_at_its_end_even_before_the_beat() -> None:
    book = a_book()
    once(book)
    assert asked(book, T + 10 * SECOND - 1) == Grant(1, 100)
    assert asked(book, T + 10 * SECOND) is DenyReason.NO_PERMIT
    assert asked(book, T - 1) is DenyReason.NO_PERMIT


def test_window_ends_on_time_and_never_renews() -> None:
    book = a_book()
    record = window(book)
    assert book.beat("BTCUSDT", True, 0, T + 300 * SECOND) == (record,)
    assert (record.end, record.lapsed, record.why) == (PermitEnd.TIME, True, "TIME")
    assert asked(book, T + 301 * SECOND) is DenyReason.NO_PERMIT


def test_window_that_was_used_and_ran_out_did_not_lapse() -> None:
    book = a_book()
    record = window(book)
    book.consume(1, T)
    asked(book, T, price_ticks=1)
    book.beat("BTCUSDT", True, 0, T + 300 * SECOND)
    assert (record.lapsed, record.why) == (False, "TIME")


def test_window_ends_by_the_loss_since_it_was_opened() -> None:
    book = a_book()
    record = window(book, day_quote_e8=-2 * QUOTE_SCALE)
    assert book.beat("BTCUSDT", True, -7 * QUOTE_SCALE + 1, T + SECOND) == ()
    assert book.beat("BTCUSDT", True, -7 * QUOTE_SCALE, T + SECOND) == (record,)
    assert record.end is PermitEnd.LOSS


def test_window_ends_when_the_book_is_lost_for_three_seconds() -> None:
    book = a_book()
    record = window(book)
    book.beat("BTCUSDT", True, 0, T)
    assert book.beat("BTCUSDT", False, 0, T + SECOND) == ()
    assert book.beat("BTCUSDT", False, 0, T + 4 * SECOND - 1) == ()
    assert book.beat("BTCUSDT", False, 0, T + 4 * SECOND) == (record,)
    assert record.end is PermitEnd.BOOK


def test_book_that_returns_in_time_saves_the_window() -> None:
    book = a_book()
    window(book)
    for second, ok in enumerate((True, False, False, True, False, False, False)):
        assert book.beat("BTCUSDT", ok, 0, T + second * SECOND) == ()


def test_book_that_never_was_ok_is_not_lost() -> None:
    book = a_book(Authority.AUTO)
    record = auto(book, START)
    for second in range(20):
        assert book.beat("BTCUSDT", False, 0, START + second * SECOND) == ()
    assert record.status is PermitStatus.OPEN


def test_one_shot_outlives_a_lost_book_and_lapses_by_its_time() -> None:
    book = a_book()
    record = once(book)
    book.beat("BTCUSDT", True, 0, T)
    book.beat("BTCUSDT", False, 0, T + SECOND)
    book.note("BTCUSDT", DenyReason.BOOK_NOT_OK)
    assert book.beat("BTCUSDT", False, 0, T + 9 * SECOND) == ()
    assert book.beat("BTCUSDT", False, 0, T + 10 * SECOND) == (record,)
    assert record.why == "BOOK_NOT_OK"


@pytest.mark.parametrize(
    ("state", "end"), [(TradingState.HALTED, PermitEnd.HALTED), (TradingState.KILLED, PermitEnd.KILLED)]
)
def test_halt_and_kill_end_every_permit(state: TradingState, end: PermitEnd) -> None:
    book = a_book()
    records = (once(book), window(book, T + SECOND))
    assert book.set_trading_state(state, T + 2 * SECOND) == records
    assert [record.end for record in records] == [end, end]
    assert book.open_permits() == ()


def test_reducing_ends_no_permit() -> None:
    book = a_book()
    window(book)
    assert book.set_trading_state(TradingState.REDUCING, T) == ()


def test_step_down_ends_every_permit_and_a_step_up_none() -> None:
    book = a_book()
    record = window(book)
    assert book.set_authority(Authority.AUTO, T) == ()
    assert book.set_authority(Authority.APPROVE, T) == (record,)
    assert record.end is PermitEnd.AUTHORITY
    window(book, T + SECOND)
    assert book.set_authority(Authority.APPROVE, T + SECOND) == ()


def test_other_model_or_generation_ends_the_permit() -> None:
    book = a_book()
    record = window(book)
    assert book.set_model("qi-logit", 1, T) == ()
    assert book.set_model("qi-logit", 2, T) == (record,)
    assert record.end is PermitEnd.MODEL
    other = window(book, T + SECOND)
    assert book.set_model("other", 1, T + SECOND) == (other,)


def test_lost_presence_ends_all_and_rejects_those_of_a_symbol() -> None:
    book = a_book(Authority.AUTO)
    here = auto(book)
    there = book.open_auto("ETHUSDT", "ada", "qi-logit", 1, T)
    assert book.end_all(PermitEnd.REJECTS, T, "BTCUSDT") == (here,)
    assert book.end_all(PermitEnd.REJECTS, T, "XRPUSDT") == ()
    assert book.end_all(PermitEnd.PRESENCE, T) == (there,)
    assert here.end is PermitEnd.REJECTS


def test_person_takes_a_permit_back() -> None:
    book = a_book()
    record = once(book)
    assert book.withdraw(9, T) is None
    assert book.withdraw(1, T + SECOND) is record
    assert (record.end, record.ended_ns) == (PermitEnd.OPERATOR, T + SECOND)
    assert book.withdraw(1, T + SECOND) is None


def test_waiting_one_shot_is_told_apart_from_a_window() -> None:
    book = a_book()
    window(book)
    assert not book.waits_on("BTCUSDT")
    once(book, IDEA, T + SECOND)
    assert book.waits_on("BTCUSDT")
    assert not book.waits_on("ETHUSDT")


def test_note_reaches_waiting_one_shots_only() -> None:
    book = a_book()
    wide = window(book)
    book.note("BTCUSDT", DenyReason.MAX_POSITION)
    book.note("ETHUSDT", DenyReason.MAX_POSITION)
    assert wide.why == ""


def test_ended_permits_are_remembered_newest_first_and_bounded() -> None:
    book = a_book(Authority.AUTO)
    for n in range(REMEMBERED + 5):
        auto(book, T + n)
    ended = book.ended_permits()
    assert len(ended) == REMEMBERED
    assert ended[0].permit.permit_id == REMEMBERED + 4
    assert book.find(1) is None
    assert book.find(REMEMBERED + 4) is ended[0]


def test_window_is_bound_to_its_terms_as_drawn() -> None:
    one, other = window(a_book()), window(a_book(), max_orders=19)
    assert len(one.permit.drawn_hash) == 16
    assert one.permit.drawn_hash != other.permit.drawn_hash
    assert msgspec.structs.astuple(window_terms())[0] == one.permit.sides
