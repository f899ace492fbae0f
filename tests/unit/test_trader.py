"""From an answer of the model to an order, and from the venue's answers to a position."""

from __future__ import annotations

import math

import pytest
from msgspec.structs import replace

from pipeline.core.effects import AlertCode, CancelOrder, RequestInference, SubmitOrder
from pipeline.core.funnel import Stage
from pipeline.core.inputs import CancelRejected, Command, ExecutionReport, PredictionVoid, SendFailed
from pipeline.core.params import EntryStyle, ExecutionParams
from pipeline.core.types import (
    QUOTE_SCALE,
    Authority,
    DenyReason,
    OrderState,
    OrderType,
    Origin,
    Severity,
    Side,
)
from tests.fakes.engines import FREE, MODEL, MS, OPEN_LIMITS, Floor, engine_params, two_symbols
from tests.fakes.trading import ASK, BID, SPOT

APPROVE = engine_params(authority=Authority.APPROVE)
CROSS = engine_params(execution=ExecutionParams(entry=EntryStyle.CROSS))


def filled(floor: Floor, order: SubmitOrder, lots: int, **changes: object) -> ExecutionReport:
    """A fill of an order of the engine's, at its price."""
    report = ExecutionReport(
        symbol="BTCUSDT",
        client_order_id=order.approved.client_order_id,
        venue_order_id=1,
        status=OrderState.PARTIALLY_FILLED,
        trade_id=900,
        filled_lots=lots,
        fill_price_ticks=order.approved.intent.price_ticks,
        fee_quote_e8=0,
        maker=True,
        reason="",
        ts_event_ns=0,
        ts_ns=floor.now_ns,
    )
    return replace(report, **changes)


class TestAnswer:
    def test_past_the_threshold_under_auto_becomes_an_order_at_the_touch(self) -> None:
        floor = Floor().warm()
        floor.pass_ms(100)
        (order,) = floor.of(SubmitOrder, floor.answer(0.9))
        intent = order.approved.intent
        assert (intent.side, intent.price_ticks) == (Side.BUY, BID)
        assert intent.order_type is OrderType.POST_ONLY
        assert intent.permit_id == 1
        assert intent.feature_seq == floor.of(RequestInference)[-1].feature_seq
        assert intent.model_id == MODEL.model_id

    def test_in_the_middle_is_a_decision_and_nothing_else(self) -> None:
        floor = Floor().warm()
        floor.pass_ms(100)
        assert not floor.of(SubmitOrder, floor.answer(0.55))
        assert floor.engine.counts()["denied"] == {"SCORE_BELOW_ENTRY": 1}

    def test_that_pays_no_fee_is_a_signal_and_no_order(self) -> None:
        floor = Floor(engine_params(instruments=(SPOT,))).warm(0.9)
        floor.busy_ms(1_000)
        counts = floor.engine.counts()
        assert counts["signals"] > 0
        assert counts["orders"] == 0
        assert counts["denied"] == {"EDGE_BELOW_COST": counts["signals"]}

    def test_twice_counts_once(self) -> None:
        floor = Floor().warm()
        floor.pass_ms(100)
        row = floor.of(RequestInference)[-1]
        floor.answer(0.9, row)
        assert not floor.answer(0.9, row)
        assert floor.engine.counts()["decisions"] == 1

    def test_older_than_the_row_limit_decides_nothing_and_is_counted(self) -> None:
        floor = Floor().warm()
        floor.pass_ms(100)
        row = floor.of(RequestInference)[-1]
        floor.pass_ms(210)
        assert not floor.of(SubmitOrder, floor.answer(0.9, row))
        counts = floor.engine.counts()
        assert (counts["decisions"], counts["stale_predictions"]) == (0, 1)

    def test_of_another_generation_decides_nothing(self) -> None:
        floor = Floor().warm()
        floor.pass_ms(100)
        assert not floor.answer(0.9, generation=2)
        assert floor.engine.counts()["decisions"] == 0

    def test_of_an_unknown_symbol_decides_nothing(self) -> None:
        floor = Floor().warm()
        floor.pass_ms(100)
        assert not floor.answer(0.9, symbol="XYZ")
        assert floor.engine.counts()["decisions"] == 0

    def test_after_its_row_was_given_up_decides_nothing(self) -> None:
        floor = Floor().warm()
        floor.pass_ms(100)
        row = floor.of(RequestInference)[-1]
        floor.put(PredictionVoid("BTCUSDT", row.feature_seq, "late", floor.now_ns))
        assert not floor.answer(0.9, row)
        assert floor.engine.counts()["stale_predictions"] == 1
        assert floor.picture().chain.late == 1

    def test_that_a_newer_one_overtook_decides_nothing(self) -> None:
        floor = Floor().warm()
        floor.pass_ms(200)
        older, newer = floor.of(RequestInference)[-2:]
        floor.answer(0.55, newer)
        assert not floor.of(SubmitOrder, floor.answer(0.9, older))
        assert floor.engine.counts()["decisions"] == 1
        assert floor.engine.counts()["stale_predictions"] == 1

    @pytest.mark.parametrize("p_up", [math.nan, math.inf, -0.1, 1.2])
    def test_that_is_no_probability_is_refused_with_an_alert(self, p_up: float) -> None:
        floor = Floor().warm()
        floor.pass_ms(100)
        effects = floor.answer(p_up)
        assert [alert.detail for alert in floor.alerts(AlertCode.PREDICTION_REFUSED, effects)] == [
            "NOT_PROBABILITIES"
        ]
        assert not floor.of(SubmitOrder, effects)

    def test_without_an_ok_book_decides_nothing(self) -> None:
        floor = Floor().warm()
        floor.pass_ms(100)
        floor.ticker(BID, BID)
        floor.answer(0.9)
        assert floor.engine.counts()["denied"] == {"BOOK_NOT_OK": 1}


class TestLatency:
    def answer_late(self, floor: Floor, late_ms: int) -> None:
        floor.pass_ms(100 - floor.now_ns // MS % 100)
        row = floor.of(RequestInference)[-1]
        floor.pass_ms(late_ms)
        floor.answer(0.5, row)
        floor.update()

    def test_above_the_warning_is_said_once_and_taken_back(self) -> None:
        floor = Floor().warm()
        self.answer_late(floor, 50)
        self.answer_late(floor, 60)
        assert len(floor.alerts(AlertCode.LATENCY_HIGH)) == 1
        self.answer_late(floor, 0)
        assert len(floor.alerts(AlertCode.LATENCY_OK)) == 1

    def test_too_slow_to_decide_lowers_auto_to_approve(self) -> None:
        floor = Floor().warm()
        for _ in range(3):
            self.answer_late(floor, 250)
        assert floor.engine.authority is Authority.APPROVE
        (alert,) = floor.alerts(AlertCode.AUTHORITY_CHANGED)
        assert alert.detail == "health"

    def test_leaves_a_lower_authority_alone(self) -> None:
        floor = Floor(APPROVE).warm()
        for _ in range(4):
            self.answer_late(floor, 250)
        assert floor.engine.authority is Authority.APPROVE
        assert not floor.alerts(AlertCode.AUTHORITY_CHANGED)


class TestEntry:
    def test_that_crosses_takes_at_the_far_touch_and_fills(self) -> None:
        floor = Floor(CROSS).warm(0.9)
        floor.busy_ms(300)
        order = floor.of(SubmitOrder)[0].approved.intent
        assert (order.order_type, order.price_ticks) == (OrderType.LIMIT_IOC, ASK)
        assert floor.position == order.qty_lots
        assert floor.alerts(AlertCode.ORDER_FILLED)
        assert floor.picture().chart.marks[0][1] == order.qty_lots

    def test_is_withdrawn_when_its_score_left(self) -> None:
        floor = Floor().warm(0.9)
        floor.busy_ms(200)
        floor.p_up = 0.5
        cancels = floor.of(CancelOrder, floor.busy_ms(300))
        assert [cancel.reason for cancel in cancels] == ["SCORE_LEFT"]
        assert floor.engine.open_orders == 0

    def test_that_the_gate_held_back_was_denied_and_never_sent(self) -> None:
        floor = Floor().warm()
        floor.pass_ms(100)
        floor.gate.open = False
        (order,) = floor.of(SubmitOrder, floor.answer(0.9))
        found = floor.state.orders.order(order.approved.client_order_id)
        assert found.state is OrderState.DENIED
        assert floor.venue.open_orders() == ()
        counts = floor.engine.counts()
        assert counts["orders"] == 0
        assert counts["denied"]["GATE_CLOSED"] == 1
        assert [a.detail for a in floor.alerts(AlertCode.ORDER_DENIED)] == ["GATE_CLOSED"]
        assert floor.picture().counts.sent == 0

    def test_beyond_a_limit_is_denied_counted_and_shown(self) -> None:
        limits = replace(OPEN_LIMITS, new_per_second=0)
        floor = Floor(engine_params(limits={"BTCUSDT": limits})).warm(0.9)
        floor.busy_ms(300)
        assert not floor.of(SubmitOrder)
        assert floor.engine.counts()["denied"]["RATE_NEW"] >= 1
        alert = floor.alerts(AlertCode.ORDER_DENIED)[0]
        assert (alert.detail, alert.severity) == ("RATE_NEW", Severity.INFO)
        view = floor.picture().orders[0]
        assert (view.state, view.reason) == (OrderState.DENIED, "RATE_NEW")

    def test_without_limits_cannot_go(self) -> None:
        floor = Floor(engine_params(limits={})).warm(0.9)
        floor.busy_ms(300)
        assert not floor.of(SubmitOrder)
        assert floor.picture().chain.stopped == "NO_LIMITS"

    def test_denials_of_all_symbols_add_up(self) -> None:
        params = engine_params(instruments=two_symbols(), limits={})
        floor = Floor(params)
        for symbol in ("BTCUSDT", "ETHUSDT"):
            desk = floor.state.desks[symbol]
            for _ in range(3):
                desk.funnel.stop(DenyReason.EDGE_BELOW_COST, floor.now_ns)
        assert floor.engine.counts()["denied"] == {"EDGE_BELOW_COST": 6}


class TestVenueAnswers:
    def order(self) -> tuple[Floor, SubmitOrder]:
        floor = Floor().warm()
        floor.pass_ms(100)
        (order,) = floor.of(SubmitOrder, floor.answer(0.9))
        floor.pass_ms(20)
        return floor, order

    def test_a_fill_makes_a_position_once(self) -> None:
        floor, order = self.order()
        floor.put(filled(floor, order, 100))
        effects = floor.put(filled(floor, order, 100))
        assert floor.position == 100
        assert floor.alerts(AlertCode.FILL_DUPLICATE, effects)

    def test_a_fill_of_an_order_not_ours_is_an_alarm_and_no_position(self) -> None:
        floor, order = self.order()
        effects = floor.put(filled(floor, order, 100, client_order_id="x-else"))
        (alert,) = floor.alerts(AlertCode.FILL_FOREIGN, effects)
        assert alert.severity is Severity.CRITICAL
        assert floor.position == 0

    def test_a_report_that_cannot_be_makes_the_order_unknown(self) -> None:
        floor, order = self.order()
        effects = floor.put(filled(floor, order, -5))
        (alert,) = floor.alerts(AlertCode.ORDER_UNKNOWN, effects)
        assert alert.detail.startswith("BAD_REPORT")
        assert floor.picture().counts.unknown == 1

    def test_a_rejection_is_said_and_the_next_try_waits(self) -> None:
        floor, order = self.order()
        report = filled(floor, order, 0, status=OrderState.REJECTED, reason="-2010 no", trade_id=-1)
        floor2 = Floor().warm()
        floor2.pass_ms(100)
        (order2,) = floor2.of(SubmitOrder, floor2.answer(0.9))
        effects = floor2.put(replace(report, client_order_id=order2.approved.client_order_id))
        (alert,) = floor2.alerts(AlertCode.ORDER_REJECTED, effects)
        assert (alert.detail, alert.severity) == ("-2010 no", Severity.WARN)
        assert not floor2.of(SubmitOrder, effects)

    def test_a_send_that_broke_leaves_the_order_unknown_and_the_symbol_frozen(self) -> None:
        floor = Floor().warm()
        floor.pass_ms(100)
        (order,) = floor.of(SubmitOrder, floor.answer(0.9))
        floor.put(SendFailed(order.approved.client_order_id, "timeout", floor.now_ns))
        found = floor.state.orders.order(order.approved.client_order_id)
        assert found.state is OrderState.UNKNOWN
        assert floor.engine.has_leftovers

    def test_a_send_that_broke_is_said_once(self) -> None:
        floor = Floor().warm()
        floor.pass_ms(100)
        (order,) = floor.of(SubmitOrder, floor.answer(0.9))
        lost = SendFailed(order.approved.client_order_id, "CONNECTION_LOST", floor.now_ns)
        (alert,) = floor.alerts(AlertCode.ORDER_UNKNOWN, floor.put(lost))
        assert alert.detail == f"CONNECTION_LOST {order.approved.client_order_id}"
        assert not floor.alerts(AlertCode.ORDER_UNKNOWN, floor.put(lost))

    def test_a_cancel_refused_by_the_venue_is_no_end(self) -> None:
        floor, order = self.order()
        floor.put(CancelRejected("BTCUSDT", order.approved.client_order_id, "-2011", floor.now_ns))
        assert floor.engine.open_orders == 1

    def test_silence_of_the_venue_is_unknown_after_five_seconds(self) -> None:
        floor = Floor(latency_ms=60_000).warm(0.9)
        floor.busy_ms(150)
        assert floor.engine.open_orders == 1
        floor.p_up = None
        effects = floor.busy_ms(5_500)
        (alert,) = floor.alerts(AlertCode.ORDER_UNKNOWN, effects)
        assert alert.detail.startswith("NO_ANSWER ")

    def test_a_cancel_over_the_rate_waits_for_the_next_beat(self) -> None:
        limits = replace(OPEN_LIMITS, cancels_per_second=0)
        floor = Floor(engine_params(limits={"BTCUSDT": limits})).warm(0.9)
        floor.busy_ms(200)
        floor.command(Command.CANCEL_ALL)
        assert not floor.of(CancelOrder)
        assert floor.engine.open_orders == 1


class TestOneShot:
    """One order of the card, at the first instant everything passes, at the card's price or better."""

    def permitted(self, p_up: float = 0.9) -> Floor:
        floor = Floor(APPROVE).warm(p_up)
        floor.busy_ms(700)
        floor.p_up = None
        floor.busy_ms(300)
        (card,) = floor.picture().proposals
        floor.command(Command.PERMIT_ONCE, target_id=card.idea_id, revision=card.revision)
        assert floor.engine.last_answer == ""
        return floor

    def test_goes_at_once_when_everything_passes_at_the_press(self) -> None:
        floor = Floor(APPROVE).warm(0.9)
        floor.busy_ms(700)
        (card,) = floor.picture().proposals
        effects = floor.command(Command.PERMIT_ONCE, target_id=card.idea_id, revision=card.revision)
        (order,) = floor.of(SubmitOrder, effects)
        intent = order.approved.intent
        assert intent.idea_id == card.idea_id
        assert intent.qty_lots <= card.qty_lots
        assert intent.price_ticks <= card.worst_ticks
        assert floor.alerts(AlertCode.PERMIT_USED, effects)
        assert floor.picture().counts.press_to_sent_p50_ms == 0
        assert floor.picture().why.sent == 1
        assert floor.picture().permits[0].state == "used"

    def test_is_used_up_by_one_order(self) -> None:
        floor = self.permitted()
        floor.p_up = 0.9
        floor.busy_ms(5_000)
        assert floor.engine.counts()["orders"] == 1

    def test_waits_while_the_price_is_worse_and_goes_with_the_first_row_that_is_not(self) -> None:
        floor = self.permitted()
        card_worst = floor.state.permits.open_permits()[0].permit.highest_ticks
        floor.p_up = 0.9
        floor.ticker(card_worst + 50, card_worst + 52)
        floor.pass_ms(130)
        assert not floor.of(SubmitOrder)
        assert floor.picture().permits[0].why == "PRICE_ABOVE"
        floor.ticker(BID, ASK)
        orders = floor.of(SubmitOrder, floor.pass_ms(30))
        assert [order.approved.intent.price_ticks for order in orders] == [BID]

    def test_lapses_with_what_it_waited_for(self) -> None:
        floor = self.permitted()
        floor.p_up = 0.5
        effects = floor.busy_ms(10_500)
        assert not floor.of(SubmitOrder)
        (alert,) = floor.alerts(AlertCode.PERMIT_ENDED, effects)
        assert alert.detail == "SCORE_BELOW_ENTRY"

    def test_that_lapses_is_no_card_that_lapsed(self) -> None:
        floor = self.permitted()
        floor.p_up = 0.5
        floor.busy_ms(10_500)
        assert floor.state.desks["BTCUSDT"].funnel.session().of(Stage.LAPSED) == 0
        assert floor.picture().why.lapsed == 0

    def test_order_is_withdrawn_when_only_watching(self) -> None:
        floor = self.permitted()
        floor.p_up = 0.9
        floor.busy_ms(200)
        assert floor.engine.open_orders == 1
        floor.command(Command.AUTHORITY_DOWN)
        floor.busy_ms(100)
        assert floor.engine.authority is Authority.OBSERVE
        assert floor.engine.open_orders == 0


def test_a_card_nobody_takes_lapses_and_is_counted() -> None:
    floor = Floor(APPROVE).warm(0.9)
    floor.busy_ms(700)
    assert floor.picture().proposals
    floor.p_up = 0.5
    floor.busy_ms(8_500)
    assert not floor.picture().proposals
    assert floor.picture().why.lapsed == 1


class TestExit:
    def held(self) -> Floor:
        floor = Floor(CROSS).warm(0.9)
        floor.busy_ms(300)
        assert floor.position > 0
        return floor

    def test_on_a_flipped_score_rests_first_and_takes_then(self) -> None:
        floor = self.held()
        floor.p_up = 0.1
        floor.busy_ms(300)
        exits = [o.approved.intent for o in floor.of(SubmitOrder) if o.approved.intent.origin is Origin.EXIT]
        assert (exits[0].order_type, exits[0].price_ticks) == (OrderType.POST_ONLY, ASK)
        assert exits[0].reduce_only
        floor.p_up = 0.5
        floor.busy_ms(5_500)
        assert floor.position == 0
        assert floor.engine.position_summary()["BTCUSDT"]["qty"] == "0.00000"

    def test_by_age_comes_without_a_model(self) -> None:
        floor = self.held()
        floor.p_up = None
        floor.busy_ms(36_000)
        assert floor.position == 0

    def test_needs_no_permit(self) -> None:
        floor = self.held()
        floor.command(Command.SET_AUTHORITY, authority=0)
        floor.busy_ms(36_000)
        assert floor.position == 0


def test_notional_of_an_entry_stays_inside_the_limits() -> None:
    limits = replace(OPEN_LIMITS, max_notional_quote_e8=100 * QUOTE_SCALE)
    floor = Floor(engine_params(limits={"BTCUSDT": limits})).warm(0.95)
    floor.busy_ms(300)
    order = floor.of(SubmitOrder)[0].approved.intent
    assert FREE.notional_quote_e8(order.price_ticks, order.qty_lots) <= 100 * QUOTE_SCALE


def test_an_order_gone_stale_is_withdrawn_at_the_horizon() -> None:
    floor = Floor().warm(0.9)
    floor.busy_ms(200)
    floor.p_up = None
    cancels = floor.of(CancelOrder, floor.busy_ms(1_200))
    assert cancels[0].reason == "HORIZON"
    assert cancels[0].ts_ns - floor.of(SubmitOrder)[0].ts_ns <= 1_010 * MS
