"""The order store, situation by situation."""

from __future__ import annotations

import pytest

from pipeline.core.inputs import CancelRejected, SendFailed, SendRefused
from pipeline.core.order import client_order_id
from pipeline.core.order_moves import LIVE_STATES, MOVES, OrderEvent
from pipeline.core.orders import MAX_CANCEL_REFUSALS, Exposure, Order, OrderStore, Problem
from pipeline.core.types import DenyReason, OrderState, RiskDenied, Side
from tests.fakes.trading import BID, LOTS, MS, SECOND, START, approved, fill, intent, report

S = OrderState


def store_with_order(qty_lots: int = LOTS, **changes: object) -> tuple[OrderStore, Order]:
    store = OrderStore(session_number=1)
    order = store.add(approved("c1", qty_lots=qty_lots, **changes), START)
    return store, order


def test_client_id_has_sixteen_characters_and_sorts_by_counter() -> None:
    first, second = client_order_id(1, 1), client_order_id(1, 2)
    assert (first, second) == ("t000000100000001", "t000000100000002")
    assert client_order_id(32**7 - 1, 32**8 - 1) == "t" + "v" * 15


@pytest.mark.parametrize(("session", "counter"), [(32**7, 1), (1, 32**8), (-1, 1)])
def test_client_id_that_would_wrap_is_refused(session: int, counter: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        client_order_id(session, counter)


def test_ids_of_one_session_never_repeat() -> None:
    store = OrderStore(session_number=5)
    ids = [store.next_client_order_id() for _ in range(100)]
    assert len(dict.fromkeys(ids)) == 100


def test_reused_client_id_is_a_broken_invariant() -> None:
    store, _ = store_with_order()
    with pytest.raises(ValueError, match="used before"):
        store.add(approved("c1"), START)


def test_every_state_has_its_moves_and_only_known_targets() -> None:
    assert {*MOVES} == {*OrderState}
    for state, moves in MOVES.items():
        for target in moves.values():
            assert target in MOVES
        if state in LIVE_STATES:
            assert {S.CANCELED, S.FILLED, S.EXPIRED, S.UNKNOWN} <= {*moves.values()}


def test_no_order_comes_back_to_life() -> None:
    ended = (S.FILLED, S.CANCELED, S.EXPIRED, S.REJECTED, S.DENIED)
    assert not [target for state in ended for target in MOVES[state].values() if target in LIVE_STATES]


def test_accepted_order_is_working_and_its_ack_time_is_kept() -> None:
    store, order = store_with_order()
    applied = store.apply(report("c1", S.ACCEPTED, venue_order_id=99))
    assert (order.state, order.venue_order_id) == (S.ACCEPTED, 99)
    assert order.first_answer_ns - order.created_ns == 12 * MS
    assert applied.before is S.SUBMITTED
    assert not applied.ended


def test_report_without_a_venue_id_keeps_the_one_known() -> None:
    store, order = store_with_order()
    store.apply(report("c1", S.ACCEPTED, venue_order_id=99))
    store.apply(fill("c1", 1, trade_id=1, venue_order_id=0))
    assert order.venue_order_id == 99


def test_fill_before_the_ack_counts_and_the_late_ack_changes_nothing() -> None:
    store, order = store_with_order()
    applied = store.apply(fill("c1", 300, trade_id=1))
    assert applied.fill is not None
    assert (applied.fill.lots, applied.fill.side) == (300, Side.BUY)
    late = store.apply(report("c1", S.ACCEPTED))
    assert (order.state, late.problem) == (S.PARTIALLY_FILLED, None)


def test_fills_add_up_to_the_whole_order() -> None:
    store, order = store_with_order()
    store.apply(fill("c1", 400, trade_id=1, fill_price_ticks=BID))
    applied = store.apply(fill("c1", 600, trade_id=2, status=S.FILLED, fill_price_ticks=BID - 10))
    assert order.state is S.FILLED
    assert applied.ended
    assert (order.filled_lots, order.leaves_lots) == (LOTS, 0)
    assert order.avg_half_ticks == 2 * (400 * BID + 600 * (BID - 10)) // 1000
    assert store.open_orders == 0
    assert store.exposure("BTCUSDT") == Exposure()


def test_same_trade_twice_counts_once() -> None:
    store, order = store_with_order()
    store.apply(fill("c1", 400, trade_id=1))
    again = store.apply(fill("c1", 400, trade_id=1))
    assert (again.fill, again.problem) == (None, Problem.DUPLICATE_FILL)
    assert (order.filled_lots, store.counts.duplicate_fills) == (400, 1)


def test_partial_fill_while_a_cancel_is_pending_counts_and_the_cancel_ends_the_rest() -> None:
    store, order = store_with_order()
    store.apply(report("c1", S.ACCEPTED))
    assert store.cancel_asked("c1", START + SECOND)
    store.apply(fill("c1", 250, trade_id=1))
    assert order.state is S.PENDING_CANCEL
    assert store.exposure("BTCUSDT").buy_lots == LOTS - 250
    store.apply(report("c1", S.CANCELED))
    assert (order.state, order.filled_lots) == (S.CANCELED, 250)
    assert store.exposure("BTCUSDT").buy_lots == 0


def test_fill_after_the_cancel_was_confirmed_is_real() -> None:
    store, order = store_with_order()
    store.cancel_asked("c1", START)
    store.apply(report("c1", S.CANCELED))
    part = store.apply(fill("c1", 250, trade_id=1))
    assert part.fill is not None
    assert (order.state, part.problem) == (S.CANCELED, None)
    whole = store.apply(fill("c1", 750, trade_id=2))
    assert whole.fill is not None
    assert (order.state, store.counts.filled) == (S.FILLED, 1)


def test_last_fill_and_cancel_in_one_report() -> None:
    store, order = store_with_order()
    applied = store.apply(fill("c1", 250, trade_id=1, status=S.CANCELED))
    assert applied.fill is not None
    assert applied.ended
    assert order.state is S.CANCELED


def test_rejected_order_gives_its_exposure_back() -> None:
    store, order = store_with_order()
    applied = store.apply(report("c1", S.REJECTED, reason="-2010 no"))
    assert (order.state, order.reason) == (S.REJECTED, "-2010 no")
    assert applied.ended
    assert (store.exposure("BTCUSDT").orders, store.counts.rejected) == (0, 1)


def test_ack_after_a_reject_is_illegal_and_changes_nothing() -> None:
    store, order = store_with_order()
    store.apply(report("c1", S.REJECTED))
    applied = store.apply(report("c1", S.ACCEPTED))
    assert (order.state, applied.problem) == (S.REJECTED, Problem.ILLEGAL_MOVE)
    assert store.counts.illegal_moves == 1


def test_fill_of_a_rejected_order_is_illegal_and_still_money() -> None:
    store, _ = store_with_order()
    store.apply(report("c1", S.REJECTED))
    applied = store.apply(fill("c1", 10, trade_id=1))
    assert applied.fill is not None
    assert applied.problem is Problem.ILLEGAL_MOVE


def test_more_filled_than_ordered_is_taken_and_named() -> None:
    store, order = store_with_order()
    applied = store.apply(fill("c1", LOTS + 5, trade_id=1))
    assert applied.fill is not None
    assert (applied.problem, order.state, order.leaves_lots) == (Problem.OVERFILLED, S.FILLED, 0)


def test_filled_by_word_but_not_by_fills_is_unknown_until_the_fills_come() -> None:
    store, order = store_with_order()
    applied = store.apply(fill("c1", 400, trade_id=2, status=S.FILLED))
    assert (applied.problem, order.state) == (Problem.FILLS_MISSING, S.UNKNOWN)
    assert store.exposure("BTCUSDT").buy_lots == LOTS - 400
    store.apply(fill("c1", 600, trade_id=1, status=S.PARTIALLY_FILLED))
    assert order.state is S.FILLED


def test_filled_without_any_fill_is_unknown() -> None:
    store, order = store_with_order()
    applied = store.apply(report("c1", S.FILLED))
    assert (applied.problem, order.state) == (Problem.FILLS_MISSING, S.UNKNOWN)
    assert store.unknown_orders == 1


def test_word_of_a_partial_fill_without_one_changes_nothing() -> None:
    store, order = store_with_order()
    applied = store.apply(report("c1", S.PARTIALLY_FILLED))
    assert (applied.problem, order.state) == (None, S.SUBMITTED)


def test_word_that_a_filled_order_is_filled_changes_nothing() -> None:
    store, order = store_with_order()
    store.apply(fill("c1", LOTS, trade_id=1, status=S.FILLED))
    assert store.apply(report("c1", S.FILLED)).problem is None
    assert order.state is S.FILLED


@pytest.mark.parametrize(
    "changes",
    [
        {"filled_lots": -1, "trade_id": 1, "fill_price_ticks": BID},
        {"filled_lots": 1, "trade_id": 1, "fill_price_ticks": 0},
        {"filled_lots": 1, "trade_id": -1, "fill_price_ticks": BID},
    ],
)
def test_impossible_numbers_make_the_order_unknown(changes: dict[str, int]) -> None:
    store, order = store_with_order()
    applied = store.apply(report("c1", S.PARTIALLY_FILLED, **changes))
    assert (applied.problem, applied.fill, order.state) == (Problem.BAD_REPORT, None, S.UNKNOWN)


@pytest.mark.parametrize("status", [S.INITIALIZED, S.DENIED, S.SUBMITTED, S.PENDING_CANCEL, S.UNKNOWN])
def test_status_no_venue_may_report_is_a_bad_report(status: OrderState) -> None:
    store, _ = store_with_order()
    assert store.apply(report("c1", status)).problem is Problem.BAD_REPORT


def test_bad_report_of_an_ended_order_leaves_it_ended() -> None:
    store, order = store_with_order()
    store.apply(report("c1", S.CANCELED))
    assert store.apply(report("c1", S.UNKNOWN)).problem is Problem.BAD_REPORT
    assert order.state is S.CANCELED


def test_report_for_another_symbol_is_not_believed() -> None:
    store, order = store_with_order()
    applied = store.apply(fill("c1", 10, trade_id=1, symbol="ETHUSDT"))
    assert (applied.problem, applied.fill, order.filled_lots) == (Problem.OTHER_SYMBOL, None, 0)
    assert order.state is S.UNKNOWN


def test_report_of_no_order_of_ours_is_foreign() -> None:
    store, _ = store_with_order()
    applied = store.apply(fill("someone-else", 10, trade_id=1))
    assert (applied.order, applied.before, applied.problem) == (None, None, Problem.FOREIGN)
    assert not applied.ended
    assert store.counts.foreign == 1


def test_refused_at_the_gate_never_left() -> None:
    store, order = store_with_order()
    applied = store.apply(SendRefused("c1", "GATE_CLOSED", START))
    assert (order.state, order.reason) == (S.DENIED, "GATE_CLOSED")
    assert applied.ended
    assert (store.open_orders, store.counts.refused_by_gate) == (0, 1)


def test_broken_send_is_unknown_and_keeps_its_exposure() -> None:
    store, order = store_with_order()
    store.apply(SendFailed("c1", "socket closed", START))
    assert order.state is S.UNKNOWN
    exposure = store.exposure("BTCUSDT")
    assert (exposure.buy_lots, exposure.orders, exposure.unknown) == (LOTS, 1, 1)


def test_broken_send_of_an_order_the_venue_spoke_of_is_old_news() -> None:
    store, order = store_with_order()
    store.apply(report("c1", S.ACCEPTED))
    assert store.apply(SendFailed("c1", "late", START)).problem is None
    assert order.state is S.ACCEPTED


@pytest.mark.parametrize("status", [S.ACCEPTED, S.CANCELED, S.REJECTED, S.EXPIRED])
def test_unknown_order_becomes_what_the_venue_says(status: OrderState) -> None:
    store, order = store_with_order()
    store.apply(SendFailed("c1", "timeout", START))
    assert store.apply(report("c1", status)).problem is None
    assert order.state is status


def test_unknown_order_stays_unknown_while_a_cancel_is_asked() -> None:
    store, order = store_with_order()
    store.apply(SendFailed("c1", "timeout", START))
    assert store.cancel_asked("c1", START)
    assert (order.state, store.unknown_orders) == (S.UNKNOWN, 1)


def test_refused_cancel_means_the_order_still_works() -> None:
    store, order = store_with_order()
    store.apply(report("c1", S.ACCEPTED))
    store.cancel_asked("c1", START)
    store.apply(CancelRejected("BTCUSDT", "c1", "-2011", START))
    assert (order.state, order.cancel_refusals) == (S.ACCEPTED, 1)


def test_refused_cancel_of_a_part_filled_order_leaves_it_part_filled() -> None:
    store, order = store_with_order()
    store.apply(fill("c1", 10, trade_id=1))
    store.cancel_asked("c1", START)
    store.apply(CancelRejected("BTCUSDT", "c1", "-2011", START))
    assert order.state is S.PARTIALLY_FILLED


def test_refused_cancel_of_an_order_never_heard_of_is_unknown() -> None:
    store, order = store_with_order()
    store.cancel_asked("c1", START)
    store.apply(CancelRejected("BTCUSDT", "c1", "-2011 Unknown order", START))
    assert (order.state, order.reason) == (S.UNKNOWN, "-2011 Unknown order")


def test_refused_cancel_of_a_filled_order_is_no_problem() -> None:
    store, order = store_with_order()
    store.cancel_asked("c1", START)
    store.apply(fill("c1", LOTS, trade_id=1, status=S.FILLED))
    assert store.apply(CancelRejected("BTCUSDT", "c1", "-2011", START)).problem is None
    assert order.state is S.FILLED


def test_refused_cancel_of_an_order_that_never_worked_is_no_problem() -> None:
    for end in (report("c1", S.REJECTED), SendRefused("c1", "GATE_CLOSED", START)):
        store, order = store_with_order()
        store.cancel_asked("c1", START)
        store.apply(end)
        ended = order.state
        assert store.apply(CancelRejected("BTCUSDT", "c1", "-2011", START)).problem is None
        assert order.state is ended


def test_cancels_refused_again_and_again_make_it_unknown() -> None:
    store, order = store_with_order()
    store.apply(report("c1", S.ACCEPTED))
    for _ in range(MAX_CANCEL_REFUSALS):
        assert order.state is S.ACCEPTED
        store.cancel_asked("c1", START)
        store.apply(CancelRejected("BTCUSDT", "c1", "-2011", START))
    assert order.state is S.UNKNOWN


def test_nothing_to_cancel_when_ended_or_foreign() -> None:
    store, _ = store_with_order()
    store.apply(report("c1", S.CANCELED))
    assert not store.cancel_asked("c1", START)
    assert not store.cancel_asked("other", START)


def test_no_answer_for_long_is_unknown_but_an_acknowledged_order_waits() -> None:
    store, silent = store_with_order()
    store.add(approved("c2"), START)
    store.apply(report("c2", S.ACCEPTED))
    assert store.give_up_waiting(START + 2 * SECOND - 1, 2 * SECOND) == []
    assert store.give_up_waiting(START + 2 * SECOND, 2 * SECOND) == [silent]
    assert (silent.state, silent.reason) == (S.UNKNOWN, "NO_ANSWER")
    assert store.give_up_waiting(START + 9 * SECOND, 2 * SECOND) == []


def test_denied_orders_show_in_the_blotter_and_repeats_are_counted() -> None:
    store = OrderStore(session_number=1)
    denied = RiskDenied(intent(), DenyReason.MAX_POSITION, 10, 12)
    first = store.add_denied(denied, START)
    assert store.add_denied(denied, START + SECOND) is first
    assert (first.state, first.reason, first.repeats, first.leaves_lots) == (
        S.DENIED,
        "MAX_POSITION",
        1,
        0,
    )
    other_side = RiskDenied(intent(side=Side.SELL), DenyReason.MAX_POSITION, 10, 12)
    assert store.add_denied(other_side, START) is not first
    assert store.counts.denied == 3
    assert [order.number for order in store.recent(10)] == [2, 1]


def test_denial_is_not_counted_on_an_order_the_gate_refused() -> None:
    store, refused = store_with_order()
    store.apply(SendRefused("c1", "MAX_POSITION", START))
    denied = store.add_denied(RiskDenied(intent(), DenyReason.MAX_POSITION, 10, 12), START)
    assert denied is not refused


def test_history_forgets_the_oldest_ended_order_and_never_a_live_one() -> None:
    store = OrderStore(session_number=1, history=2)
    store.add(approved("live"), START)
    for number in range(4):
        store.add(approved(f"c{number}"), START)
        store.apply(report(f"c{number}", S.CANCELED))
    assert [order.client_order_id for order in store.recent(9)] == ["c3", "c2", "live"]
    assert store.order("c0") is None
    assert store.counts.forgotten_orders == 2
    assert store.apply(report("c0", S.CANCELED)).problem is Problem.FOREIGN


def test_trade_ids_are_remembered_up_to_their_bound() -> None:
    store = OrderStore(session_number=1, trade_ids=2)
    store.add(approved("c1"), START)
    for trade_id in (1, 2, 3):
        store.apply(fill("c1", 1, trade_id=trade_id))
    assert store.apply(fill("c1", 1, trade_id=3)).problem is Problem.DUPLICATE_FILL
    assert store.apply(fill("c1", 1, trade_id=1)).fill is not None


def test_exposure_keeps_sides_and_symbols_apart() -> None:
    store = OrderStore(session_number=1)
    store.add(approved("b", qty_lots=10, price_ticks=100), START)
    store.add(approved("s", qty_lots=4, price_ticks=200, side=Side.SELL), START)
    store.add(approved("e", qty_lots=7, symbol="ETHUSDT"), START)
    exposure = store.exposure("BTCUSDT")
    assert exposure == Exposure(10, 4, 1_000, 800, 2, 0)
    assert (exposure.lots(Side.BUY), exposure.lots(Side.SELL), exposure.net_lots) == (10, 4, 6)
    assert (exposure.worst_case_lots(0), exposure.worst_case_lots(-20)) == (10, -24)
    assert [order.client_order_id for order in store.live("BTCUSDT")] == ["b", "s"]
    assert (store.open_orders, store.live("XRPUSDT")) == (3, ())


def test_table_uses_every_event() -> None:
    used = {event for moves in MOVES.values() for event in moves}
    assert used == {*OrderEvent}
