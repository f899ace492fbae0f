"""The order path on a virtual clock against the simulated venue: what it sends, tells and never does."""

from __future__ import annotations

import pytest

from pipeline.core.earlier import BalancesCompared
from pipeline.core.inputs import (
    AccountRead,
    ExecutionReport,
    OpenOrdersListed,
    OrderPathChanged,
    PositionBroke,
    SendFailed,
    SymbolStatus,
)
from pipeline.core.order import client_order_id
from pipeline.core.orders import Problem
from pipeline.core.types import Fees, OrderState, Side
from pipeline.runtime.venue_state import Phase
from tests.fakes.trading import MS
from tests.fakes.venue import T0
from tests.fakes.venue_bench import BEST_ASK, BEST_BID, SESSION, VenueBench, quick, stands

S = OrderState


def is_up(bench: VenueBench) -> bool:
    return bench.desk.phase is Phase.UP


class TestStart:
    def test_nothing_leaves_before_account_and_orders_are_known(self) -> None:
        bench = VenueBench()
        early = bench.submit()
        assert bench.state(early) is S.DENIED
        bench.up()
        assert [r["method"] for r in bench.sent] == [
            "time",
            "userDataStream.subscribe.signature",
            "openOrders.status",
            "account.status",
            "exchangeInfo",
        ]
        assert [type(report) for report in bench.reports] == [
            OpenOrdersListed,
            AccountRead,
            BalancesCompared,
            OrderPathChanged,
            SymbolStatus,
        ]
        (account,) = bench.of(AccountRead)
        assert account.base_e8 == (("BTCUSDT", 10 * 10**8),)
        assert account.quote_e8 == 1_000_000 * 10**8

    @pytest.mark.parametrize("skew_ms", [-90_000, -700, 700, 3_600_000])
    def test_a_clock_that_is_off_is_measured_and_corrected(self, skew_ms: int) -> None:
        bench = VenueBench(skew_ms=skew_ms).up()
        order = bench.submit()
        bench.pass_ms(100)
        assert bench.state(order) is S.ACCEPTED

    def test_what_a_dead_session_left_is_taken_as_ours_and_foreign_orders_stay(self) -> None:
        bench = VenueBench()
        stray = client_order_id(SESSION - 1, 3)
        stands(bench, stray)
        stands(bench, "somebody-elses")
        bench.pass_ms(2_500)
        assert is_up(bench)
        assert bench.open_ids() == ["somebody-elses", stray]
        assert bench.live_ids() == [stray]
        assert bench.state(stray) is S.ACCEPTED
        (listed, *_) = bench.of(OpenOrdersListed)
        assert (listed.ours, listed.foreign) == (1, 1)
        assert not bench.methods("order.cancel")
        bench.cancel(stray)
        bench.pass_ms(100)
        assert bench.open_ids() == ["somebody-elses"]

    def test_a_key_the_venue_does_not_know_never_comes_up(self) -> None:
        bench = VenueBench()
        bench.account.secret = "another"
        bench.venue._api._keys._accounts.clear()
        bench.pass_ms(1_000)
        assert bench.desk.phase is not Phase.UP
        assert not bench.of(OrderPathChanged)


class TestOrders:
    def test_a_resting_order_is_accepted_filled_in_parts_and_whole(self) -> None:
        bench = VenueBench().up()
        order = bench.submit(lots=10_000, ticks=BEST_BID + 1)
        bench.pass_ms(50)
        assert bench.state(order) is S.ACCEPTED
        bench.street(Side.SELL, 4_000)
        bench.pass_ms(50)
        assert bench.state(order) is S.PARTIALLY_FILLED
        bench.street(Side.SELL, 6_000)
        bench.pass_ms(50)
        assert bench.state(order) is S.FILLED
        assert bench.agrees()
        assert all(report.maker for report in bench.of(ExecutionReport) if report.filled_lots)

    def test_an_order_that_takes_is_filled_once_though_answer_and_events_tell_of_it(self) -> None:
        bench = VenueBench().up()
        order = bench.submit(lots=8_000, ticks=BEST_ASK + 1, takes=True)
        bench.pass_ms(100)
        assert bench.state(order) is S.FILLED
        assert len([r for r in bench.of(ExecutionReport) if r.filled_lots]) == 2
        assert bench.agrees()

    def test_what_an_order_that_takes_cannot_get_expires(self) -> None:
        bench = VenueBench().up()
        order = bench.submit(lots=8_000, ticks=BEST_ASK, takes=True)
        bench.pass_ms(100)
        assert bench.state(order) is S.EXPIRED
        assert bench.portfolio.position("BTCUSDT").lots == 5_000

    def test_a_post_only_order_that_would_take_is_rejected_and_not_in_doubt(self) -> None:
        bench = VenueBench().up()
        order = bench.submit(ticks=BEST_ASK)
        bench.pass_ms(100)
        assert bench.state(order) is S.REJECTED
        found = bench.store.order(order)
        assert found is not None
        assert found.reason == "POST_ONLY_WOULD_TAKE"
        assert not bench.of(SendFailed)

    def test_a_closed_gate_is_read_right_before_the_send(self) -> None:
        bench = VenueBench().up()
        resting = bench.submit()
        bench.pass_ms(50)
        bench.gate.open = False
        order = bench.submit()
        assert bench.state(order) is S.DENIED
        assert len(bench.methods("order.place")) == 1
        bench.cancel(resting)
        bench.pass_ms(50)
        assert bench.state(resting) is S.CANCELED

    def test_open_orders_are_listed_often_while_the_gate_is_closed(self) -> None:
        bench = VenueBench(params=quick(list_closed_ms=100, list_every_ms=60_000)).up()
        bench.reports.clear()
        bench.gate.open = False
        bench.pass_ms(1_000)
        assert len(bench.of(OpenOrdersListed)) >= 8


class TestDoubt:
    @pytest.mark.parametrize("fault", ["lost-ack=1@0+3:order.place", "unknown=1@0+3:order.place"])
    @pytest.mark.parametrize("takes", [True, False])
    def test_a_lost_answer_is_unknown_until_the_query_tells(self, fault: str, takes: bool) -> None:
        bench = VenueBench(fault, "lost-report=1@0+3").up()
        order = bench.submit(ticks=BEST_ASK if takes else BEST_BID, takes=takes)
        bench.pass_ms(700)
        assert SendFailed in [type(report) for report in bench.reports]
        bench.settle()
        assert bench.state(order) is (S.FILLED if takes else S.ACCEPTED)
        assert len(bench.methods("order.place")) == 1
        assert bench.agrees()
        assert bench.problems == []

    def test_an_order_that_never_arrived_is_believed_gone_late_twice_and_by_a_list(self) -> None:
        bench = VenueBench(delay_ms=1).up()
        order = bench.submit()
        bench._to_venue.clear()
        bench.cut()
        assert bench.state(order) is S.UNKNOWN
        bench.pass_ms(1_900)
        assert bench.state(order) is S.UNKNOWN
        bench.settle()
        assert bench.state(order) is S.REJECTED
        assert len(bench.methods("order.status")) >= 3
        assert len(bench.methods("order.place")) == 1

    def test_an_order_given_up_that_stands_after_all_is_cancelled_and_told(self) -> None:
        bench = VenueBench(delay_ms=1).up()
        order = bench.submit()
        bench._to_venue.clear()
        bench.cut()
        bench.settle()
        stands(bench, order)
        bench.settle(4)
        assert bench.open_ids() == []
        assert bench.problems

    def test_fills_of_an_outage_are_booked_from_the_query_once(self) -> None:
        bench = VenueBench().up()
        order = bench.submit(lots=3_000, ticks=BEST_BID + 1)
        bench.pass_ms(50)
        bench.cut()
        bench.street(Side.SELL, 1_000)
        bench.street(Side.SELL, 500)
        bench.settle(3)
        assert bench.state(order) is S.PARTIALLY_FILLED
        assert bench.agrees()
        bench.cut()
        bench.street(Side.SELL, 1_500)
        bench.settle(3)
        assert bench.state(order) is S.FILLED
        assert bench.agrees()
        assert bench.problems == []

    def test_the_daily_cut_loses_nothing(self) -> None:
        bench = VenueBench(delay_ms=20).up()
        rests = bench.submit(lots=2_000, ticks=BEST_BID + 1)
        canceled = bench.submit(lots=1_000)
        bench.pass_ms(100)
        bench.street(Side.SELL, 500)
        bench.pass_ms(1)
        bench.cancel(canceled)
        on_its_way = bench.submit(lots=1_200)
        bench.cut()  # a fill not told, a cancel not answered, an order not answered
        bench.street(Side.SELL, 700)
        bench.settle(6)
        assert bench.state(rests) is S.PARTIALLY_FILLED
        assert bench.state(canceled) is S.CANCELED
        assert not bench.store.unknown_orders
        assert bench.state(on_its_way) in (S.ACCEPTED, S.REJECTED)
        assert bench.agrees()
        assert bench.problems == []
        assert [event.up for event in bench.of(OrderPathChanged)] == [True, False, True]

    def test_the_path_comes_up_again_only_when_every_order_was_asked_for(self) -> None:
        bench = VenueBench().up()
        order = bench.submit()
        bench.pass_ms(50)
        bench.cut()
        bench.exchange.cancel(bench.exchange.find(bench.account, "BTCUSDT", 0, order), bench.venue_ns)
        bench.exchange.take_events()
        bench.settle(2)
        assert [event.up for event in bench.of(OrderPathChanged)] == [True, False, True]
        assert bench.state(order) is S.CANCELED

    def test_an_answer_about_another_order_leaves_ours_in_doubt(self) -> None:
        bench = VenueBench().up()
        order = bench.submit()
        assert bench._link is not None
        bench._link.frames = [
            frame.replace(b'"origQty":"0.01', b'"origQty":"0.02').replace(b'"q":"0.01', b'"q":"0.02')
            for frame in bench._link.frames
        ]
        bench.pass_ms(50)
        assert bench.state(order) is S.UNKNOWN


class TestCancels:
    @pytest.mark.parametrize(
        "fault",
        ["lost-ack=1@0+3:order.cancel", "unknown=1@0+3:order.cancel", "overload=1@0+3:order.cancel"],
    )
    def test_a_cancel_goes_again_until_the_order_has_ended(self, fault: str) -> None:
        bench = VenueBench(fault, "lost-report=1@0+3").up()
        order = bench.submit()
        bench.pass_ms(50)
        bench.cancel(order)
        bench.settle()
        assert bench.state(order) is S.CANCELED
        assert bench.agrees()

    def test_a_cancel_asked_for_while_disconnected_is_sent_once_orders_are_known(self) -> None:
        bench = VenueBench().up()
        order = bench.submit()
        bench.pass_ms(50)
        bench.cut()
        bench.cancel(order)
        assert not bench.methods("order.cancel")
        bench.settle(2)
        assert bench.state(order) is S.CANCELED

    def test_a_fill_that_beats_the_cancel_wins(self) -> None:
        bench = VenueBench().up()
        order = bench.submit(ticks=BEST_BID + 1)
        bench.pass_ms(50)
        bench.street(Side.SELL, 1_000)
        bench.cancel(order)
        bench.settle(2)
        assert bench.state(order) is S.FILLED
        assert bench.agrees()
        assert bench.problems == []


class TestLimits:
    def test_a_throttled_path_places_nothing_and_still_cancels(self) -> None:
        bench = VenueBench().up()
        orders = [bench.submit(ticks=BEST_BID - n) for n in range(3)]
        bench.pass_ms(50)
        bench.budget.throttled((bench.venue_ns // 10**6) + 5_000, bench.venue_ns)
        refused = bench.submit()
        assert bench.state(refused) is S.DENIED
        for order in orders:
            bench.cancel(order)
        bench.pass_ms(2_500)
        assert [bench.state(order) for order in orders] == [S.CANCELED] * 3
        cancels = [request["at_ns"] for request in bench.methods("order.cancel")]
        assert len([at for at in cancels if at // 10**9 == cancels[0] // 10**9]) <= 2
        bench.pass_ms(4_000)
        assert bench.state(bench.submit()) is S.SUBMITTED

    def test_a_ban_stops_everything_and_cancels_go_when_it_ends(self) -> None:
        bench = VenueBench().up()
        order = bench.submit()
        bench.pass_ms(50)
        bench.budget.banned((bench.venue_ns // 10**6) + 3_000, bench.venue_ns)
        before = len(bench.sent)
        bench.cancel(order)
        assert bench.state(bench.submit()) is S.DENIED
        bench.pass_ms(2_900)
        assert len(bench.sent) == before
        bench.pass_ms(1_000)
        assert bench.state(order) is S.CANCELED

    def test_a_429_that_comes_later_than_the_time_it_names_pauses_nothing(self) -> None:
        bench = VenueBench().up()
        bench.budget.throttled((bench.venue_ns // 10**6) - 1, bench.venue_ns)
        assert bench.budget.may_place(bench.venue_ns)
        bench.budget.throttled(0, bench.venue_ns)  # no time named: a whole window is waited for
        assert not bench.budget.may_place(bench.venue_ns + 59 * 10**9)

    def test_the_venues_own_429_is_heeded(self) -> None:
        bench = VenueBench(weight_per_minute=200).up()
        while bench.venue._api.limits.weight.has_room(1, bench.venue_ns):
            bench.venue._api.limits.weight.use(1, bench.venue_ns)
        first = bench.submit()
        bench.pass_ms(100)
        assert bench.state(first) is S.ACCEPTED  # orders weigh nothing at this venue
        bench.desk._state.time_due_ns = 0
        bench.pass_ms(100)
        assert bench.state(bench.submit()) is S.DENIED


class TestWhatAnEarlierSessionSent:
    """A process that died may have an order on its way that arrives after the next one has begun."""

    def test_is_waited_for_before_the_account_is_read(self) -> None:
        bench = VenueBench(params=quick(earlier_ms=1_500))
        bench.pass_ms(600)
        stands(bench, client_order_id(SESSION - 1, 3))
        bench.pass_ms(800)
        assert not is_up(bench)
        bench.pass_ms(1_700)
        assert is_up(bench)
        assert bench.live_ids() == bench.open_ids() == [client_order_id(SESSION - 1, 3)]
        assert [read["at_ns"] for read in bench.methods("account.status")][0] >= T0 + 1_500 * MS

    def test_is_found_by_a_later_list_all_the_same(self) -> None:
        bench = VenueBench().up()
        stands(bench, client_order_id(SESSION - 1, 3))
        bench.pass_ms(2_500)
        assert bench.live_ids() == bench.open_ids() == [client_order_id(SESSION - 1, 3)]
        assert is_up(bench)

    def test_is_waited_for_once_a_session(self) -> None:
        bench = VenueBench(params=quick(earlier_ms=1_500))
        bench.pass_ms(1_800)
        assert is_up(bench)
        bench.cut()
        bench.pass_ms(300)
        assert is_up(bench)

    def test_lists_the_budget_has_no_room_for_are_asked_for_later(self) -> None:
        bench = VenueBench()
        bench.pass_ms(1)
        bench.budget.throttled(bench.venue_ns // 10**6 + 900, bench.venue_ns)
        bench.pass_ms(600)
        assert not is_up(bench)
        bench.pass_ms(600)
        assert is_up(bench)


class TestBalance:
    def test_what_our_fills_and_their_commissions_add_up_to_is_no_break(self) -> None:
        bench = VenueBench(fees=Fees(1_000, 2_000, "venue")).up()
        bench.submit(lots=8_000, ticks=BEST_ASK + 1, takes=True)
        bench.pass_ms(500)
        bench.submit(Side.SELL, lots=3_000, ticks=BEST_BID, takes=True)
        bench.settle(6)
        assert len(bench.methods("account.status")) >= 3
        assert not bench.of(PositionBroke)
        position = bench.portfolio.position("BTCUSDT")
        assert position.lots == 5_000
        bought_e8 = 5_000 * BEST_ASK * 10 + 3_000 * (BEST_ASK + 1) * 10
        paid_e8 = bought_e8 * 2 // 1_000 + 3_000 * BEST_BID * 10 * 2 // 1_000
        assert paid_e8 <= position.fees_quote_e8 <= paid_e8 + 3

    def test_coins_that_come_or_go_behind_our_back_are_told_once(self) -> None:
        bench = VenueBench().up()
        bench.account.receive("BTC", 7_000)
        bench.settle(8)
        (broken,) = bench.of(PositionBroke)
        assert (broken.asset, broken.found_e8 - broken.expected_e8) == ("BTC", 7_000)
        bench.account.receive("BTC", -2_000)
        bench.settle(8)
        assert [one.found_e8 - one.expected_e8 for one in bench.of(PositionBroke)] == [7_000, 5_000]

    def test_dust_below_a_lot_is_no_break(self) -> None:
        bench = VenueBench().up()
        bench.account.receive("BTC", 999)
        bench.settle(8)
        assert not bench.of(PositionBroke)


def test_absence_no_list_agrees_with_is_never_believed() -> None:
    bench = VenueBench(params=quick(list_every_ms=3_600_000), delay_ms=1).up()
    order = bench.submit()
    bench._to_venue.clear()
    bench.pass_ms(600)
    orders = bench.desk._state.orders
    found = orders.find(order)
    assert found is not None
    late_ns = bench.now_ns + 10**10
    for _ in range(5):
        assert orders.absent(found, late_ns, 0, late_ns) == []
    orders.listed("BTCUSDT", {order: None}, late_ns + 1, late_ns + 1)
    assert orders.absent(found, late_ns, 0, late_ns) == []
    orders.listed("BTCUSDT", {}, late_ns + 1, late_ns + 1)
    assert len(orders.absent(found, late_ns, 0, late_ns)) == 1


def test_nonsense_from_the_venue_is_told_and_changes_nothing() -> None:
    bench = VenueBench().up()
    order = bench.submit()
    bench.pass_ms(50)
    for frame in (
        b"",
        b"{}",
        b"\xff",
        b'{"event":{"e":"executionReport"}}',
        b'{"id":"9","status":200,"result":[]}',
    ):
        bench.desk.message(frame, bench.now_ns)
    refused = [report for report in bench.desk.take_reports() if type(report).__name__ == "FrameRefused"]
    assert len(refused) == 4
    assert bench.state(order) is S.ACCEPTED


def test_events_of_foreign_orders_are_counted_and_told_to_nobody() -> None:
    bench = VenueBench().up()
    stands(bench, "theirs", BEST_BID + 1)
    bench.street(Side.SELL, 1_000)
    bench.pass_ms(100)
    assert bench.desk.counts.foreign_reports > 0
    assert not bench.of(ExecutionReport)


def test_a_fill_of_this_sessions_id_that_nobody_knows_is_told_to_the_engine() -> None:
    bench = VenueBench().up()
    stands(bench, client_order_id(SESSION, 999), BEST_BID + 1)
    bench.street(Side.SELL, 1_000)
    bench.pass_ms(100)
    assert [report.filled_lots for report in bench.of(ExecutionReport)] == [1_000]
    assert bench.problems == [Problem.FOREIGN]


def test_changed_filters_are_told_as_a_symbol_that_does_not_trade(monkeypatch: pytest.MonkeyPatch) -> None:
    params = quick(info_every_ms=1_000)
    bench = VenueBench(params=params).up()
    assert [(one.tradable, one.status) for one in bench.of(SymbolStatus)] == [(True, "TRADING")]
    monkeypatch.setattr("pipeline.runtime.venue_answers.same_filters", lambda *_: False)
    bench.pass_ms(1_200)
    monkeypatch.undo()
    monkeypatch.setattr(bench.market, "is_trading", lambda _: False)
    bench.pass_ms(1_200)
    found = dict.fromkeys((one.tradable, one.status) for one in bench.of(SymbolStatus))
    assert list(found) == [(True, "TRADING"), (False, "FILTERS_CHANGED"), (False, "HALT")]


def test_a_path_that_is_down_denies_with_its_own_reason() -> None:
    bench = VenueBench().up()
    bench.cut()
    bench.submit()
    found = bench.store.recent(1)[0]
    assert (found.state, found.reason) == (S.DENIED, "VENUE_DOWN")
