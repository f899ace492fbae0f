"""The picture a console gets: whole on any engine, and saying what is so."""

from __future__ import annotations

from dataclasses import replace as changed

import msgspec
import pytest
from msgspec.structs import replace

from pipeline.core.facts import RuntimeFacts
from pipeline.core.inputs import Command, FeedStatusChanged, WindowTerms
from pipeline.core.params import EntryStyle, ExecutionParams
from pipeline.core.snapshot import NONE_E6, AlertView, ConsoleSnapshot, StageView, WorkerView
from pipeline.core.types import (
    QUOTE_SCALE,
    Authority,
    BookState,
    OrderState,
    Severity,
    Side,
    TradingState,
    WorkerState,
)
from pipeline.core.view import build_snapshot
from tests.fakes.engines import FREE, MODEL, OPEN_LIMITS, SECOND, UNITS, Floor, engine_params, two_symbols
from tests.fakes.trading import ASK, BID, SPOT

FACTS = RuntimeFacts(session="demo-1", operator="ada", consoles=2)
CROSS = engine_params(execution=ExecutionParams(entry=EntryStyle.CROSS))
APPROVE = engine_params(authority=Authority.APPROVE)


def picture(floor: Floor, facts: RuntimeFacts = FACTS, symbol: str = "") -> ConsoleSnapshot:
    return build_snapshot(floor.engine, symbol, 7, floor.now_ns, facts)


def killed() -> Floor:
    floor = Floor(CROSS).warm(0.9)
    floor.busy_ms(300)
    floor.close_gate(latch=True)
    floor.busy_ms(100)
    return floor


FLOORS = {
    "empty": Floor,
    "without model": lambda: Floor(engine_params(model=None)).warm(),
    "without limits": lambda: Floor(engine_params(limits={})).warm(0.9),
    "one-sided": lambda: one_sided(),
    "warm": lambda: Floor(APPROVE).warm(0.9),
    "killed": killed,
}


def one_sided() -> Floor:
    floor = Floor().warm()
    floor.update(asks=tuple((ASK + n, 0) for n in range(4)))
    return floor


@pytest.mark.parametrize("name", FLOORS)
def test_every_engine_has_a_whole_picture_that_survives_the_link(name: str) -> None:
    shown = picture(FLOORS[name]())
    packed = msgspec.msgpack.encode(shown)
    assert msgspec.msgpack.encode(msgspec.msgpack.decode(packed, type=ConsoleSnapshot)) == packed
    assert (shown.seq, shown.header.session, shown.header.operator) == (7, "demo-1", "ada")
    assert shown.header.controllers == 2


def test_an_empty_engine_shows_nothing_it_does_not_know() -> None:
    shown = picture(Floor())
    assert shown.ladder.state is BookState.EMPTY
    assert (shown.ladder.age_ms, shown.ladder.last_gap_age_ms, shown.score.age_ms) == (-1, -1, -1)
    assert (shown.imbalance.age_ms, shown.imbalance.qi_1_e6) == (-1, NONE_E6)
    assert (shown.ladder.bids, shown.ladder.asks, shown.tape.prints) == ((), (), ())
    assert (shown.why.p_star_maker_e6, shown.why.p_star_taker_e6) == (2_000_000, 2_000_000)
    assert shown.counts.press_to_sent_p50_ms == -1
    assert shown.position.after_1s_e6 == NONE_E6
    assert shown.chain.stages[0].now_us == -1
    assert shown.kill is None


def test_an_unknown_symbol_shows_the_first_of_the_session() -> None:
    floor = Floor(engine_params(instruments=two_symbols())).warm()
    assert picture(floor, symbol="XYZ").instrument.symbol == "BTCUSDT"
    assert picture(floor, symbol="ETHUSDT").instrument.symbol == "ETHUSDT"
    assert picture(floor).symbols == ("BTCUSDT", "ETHUSDT")


def test_the_ladder_shows_our_orders_and_the_last_print() -> None:
    floor = Floor().warm(0.9)
    floor.busy_ms(200)
    floor.trade(ASK, UNITS, Side.BUY)
    shown = picture(floor)
    (mine,) = shown.ladder.mine
    order = floor.state.orders.live("BTCUSDT")[0]
    assert mine == (BID, order.intent.qty_lots, "ACCEPTED", order.client_order_id)
    assert (shown.ladder.last_price_ticks, shown.ladder.last_side) == (ASK, 1)
    assert shown.ladder.mid_half_ticks == BID + ASK
    assert shown.tape.prints[0][1:] == (1, ASK, UNITS)
    assert shown.chart.spread_ticks == ASK - BID


def test_a_card_says_what_a_press_would_allow() -> None:
    floor = Floor(APPROVE).warm(0.9)
    floor.busy_ms(700)
    shown = picture(floor)
    (card,) = shown.proposals
    assert (card.side, card.symbol, card.passive) == (Side.BUY, "BTCUSDT", True)
    assert card.edge_e6 - card.cost_e6 == card.net_e6 > 0
    assert card.after_lots == card.worst_case_lots == card.qty_lots
    assert card.notional_quote_e8 == FREE.notional_quote_e8(card.worst_ticks, card.qty_lots)
    assert card.life_ms == 10_000
    assert card.armed
    assert card.live
    assert 0 < card.worst_share_e6 < 1_000_000
    assert card.model == "qi-logit@m1m1m1m1"
    assert card.offer_left_ms > 7_000


def test_a_card_whose_score_left_is_not_live() -> None:
    floor = Floor(APPROVE).warm(0.9)
    floor.busy_ms(700)
    floor.p_up = 0.5
    floor.busy_ms(1_000)
    (card,) = picture(floor).proposals
    assert not card.live
    assert card.waits_for == "SCORE_BELOW_ENTRY"
    assert card.offer_left_ms < 8_000


def test_a_card_whose_score_has_flipped_shows_the_edge_of_its_own_side() -> None:
    floor = Floor(APPROVE).warm(0.9)
    floor.busy_ms(700)
    floor.p_up = 0.2
    floor.busy_ms(50)
    shown = picture(floor)
    (card,) = shown.proposals
    assert card.side is Side.BUY
    assert shown.why.gross_edge_e6 > 0 > card.score_e6
    assert card.edge_e6 == -shown.why.gross_edge_e6
    assert card.net_e6 == card.edge_e6 - card.cost_e6 < 0
    assert card.net_quote_e8 < 0
    assert (card.live, card.waits_for) == (False, "OTHER_SIDE")


@pytest.mark.parametrize(
    ("sides", "words", "side"),
    [
        ((Side.BUY,), "long", 1),
        ((Side.SELL,), "short", -1),
        ((Side.SELL, Side.BUY), "both", 0),
    ],
)
def test_a_window_is_named_by_its_sides(sides: tuple[Side, ...], words: str, side: int) -> None:
    floor = Floor(APPROVE).warm()
    terms = WindowTerms(sides, 500, 800, 20, 5 * QUOTE_SCALE, 0, BID - 100, ASK + 100, 221 * SECOND)
    floor.command(Command.PERMIT_WINDOW, terms=terms)
    floor.pass_ms(10)
    shown = picture(floor)
    assert shown.header.window == f"{words} 3:40 0/20"
    (permit,) = shown.permits
    assert (permit.side, permit.kind, permit.left_ms) == (side, "window", 220_990)
    assert permit.worst_ticks == {1: ASK + 100, -1: BID - 100, 0: 0}[side]


def test_position_and_profit_are_marked_where_one_could_leave() -> None:
    floor = Floor(CROSS).warm(0.9)
    floor.busy_ms(300)
    shown = picture(floor)
    lots = floor.position
    assert shown.header.position_lots == shown.position.lots == lots > 0
    assert shown.position.open_quote_e8 == -FREE.notional_quote_e8(ASK - BID, lots)
    assert shown.position.avg_price_e8 == ASK * 1_000_000
    assert 0 < shown.position.limit_share_e6 < 1_000_000
    assert shown.header.loss_used_e6 == shown.position.loss_used_e6 > 0
    assert shown.header.gross_quote_e8 == shown.position.notional_quote_e8
    assert shown.chart.marks == ((shown.chart.marks[0][0], lots, ASK),)
    assert shown.chart.marks[0][0] >= 237


def test_a_fill_wanders_off_the_chart_after_a_minute() -> None:
    floor = Floor(CROSS).warm(0.9)
    floor.busy_ms(300)
    floor.p_up = None
    floor.pass_ms(70_000)
    assert picture(floor).chart.marks == ()


def test_without_limits_no_share_is_given() -> None:
    shown = picture(Floor(engine_params(limits={})).warm(0.9))
    assert (shown.header.loss_used_e6, shown.header.limits_profile) == (-1, "none")
    assert shown.position.limit_share_e6 == -1
    assert [row.name for row in shown.limits] == ["no limits written"]


def test_limits_show_how_much_is_used() -> None:
    floor = Floor(CROSS).warm(0.9)
    floor.busy_ms(300)
    rows = {row.name: row for row in picture(floor).limits}
    assert rows["position"].limit_text == "6000.00 USDT"
    assert rows["position"].used_e6 > 0
    assert rows["open orders"].limit_text == "4"


def test_why_counts_the_minute_and_names_what_stopped_the_rest() -> None:
    floor = Floor(engine_params(instruments=(SPOT,))).warm(0.9)
    floor.busy_ms(1_000)
    why = picture(floor).why
    assert why.decisions == why.past_entry > 0
    assert why.pays == why.offered == why.sent == 0
    assert why.stopped == (("EDGE_BELOW_COST", why.decisions),)
    assert why.gross_edge_e6 - why.cost_e6 == why.net_edge_e6 < 0
    assert (why.maker_e6, why.taker_e6, why.fee_source) == (1_000, 1_000, "assumed")
    assert why.p_star_maker_e6 > 1_000_000


def test_a_planted_flow_is_said() -> None:
    assert picture(Floor(), changed(FACTS, planted=True)).why.planted


class TestChain:
    def worker(self, state: WorkerState) -> WorkerView:
        return WorkerView(0, 1, state, 5, 0, 0, 0, 40.0, 90.0, 60.0, 3)

    def test_names_its_slowest_stage_without_the_feed(self) -> None:
        stages = (
            StageView("features", 5, 9, 400, True),
            StageView("model", 50, 90, 900, True),
            StageView("order", -1, -1, -1, True),
        )
        chain = picture(Floor().warm(), changed(FACTS, stages=stages)).chain
        assert chain.slowest == "model"
        assert [stage.name for stage in chain.stages] == ["feed", "features", "model", "order"]
        assert chain.stages[0].ok

    def test_without_measurements_has_no_slowest(self) -> None:
        assert picture(Floor()).chain.slowest == ""

    def test_counts_the_workers_that_run(self) -> None:
        states = (WorkerState.READY, WorkerState.BUSY, WorkerState.DEAD, WorkerState.STARTING)
        workers = tuple(self.worker(state) for state in states)
        assert picture(Floor().warm(), changed(FACTS, workers=workers)).chain.workers_ready == 2

    def test_is_stopped_by_nothing_when_all_is_well(self) -> None:
        facts = changed(FACTS, workers=(self.worker(WorkerState.READY),))
        assert picture(Floor().warm(0.9), facts).chain.stopped == ""

    def test_names_the_first_thing_that_stops_it(self) -> None:
        dead = changed(FACTS, workers=(self.worker(WorkerState.DEAD),))
        floor = Floor().warm(0.9)
        assert picture(floor, dead).chain.stopped == "NO_WORKER"
        floor.put(FeedStatusChanged("depth", False, 1, "closed", floor.now_ns))
        assert picture(floor, dead).chain.stopped == "BOOK_NOT_OK"
        floor.command(Command.REDUCE)
        assert picture(floor, dead).chain.stopped == "REDUCING"
        floor.close_gate()
        assert picture(floor, dead).chain.stopped == "GATE_CLOSED"
        floor.close_gate(latch=True)
        assert picture(floor, dead).chain.stopped == "KILLED"

    def test_says_that_there_is_no_model(self) -> None:
        assert picture(Floor(engine_params(model=None)).warm()).chain.stopped == "NO_MODEL"

    def test_says_that_features_still_warm_up(self) -> None:
        model = replace(MODEL, features=("qi_1", "rv"))
        floor = Floor(engine_params(model=model)).warm()
        shown = picture(floor)
        assert shown.chain.stopped == "NOT_READY"
        assert (shown.score.ready, shown.score.not_ready) == (False, ("rv",))
        assert shown.model is not None
        assert [row.ready for row in shown.model.features] == [True, False]

    def test_says_that_the_throttle_stopped_the_model(self) -> None:
        limits = replace(OPEN_LIMITS, throttle_orders=1)
        floor = Floor(engine_params(limits={"BTCUSDT": limits})).warm(0.9)
        floor.busy_ms(3_000)
        assert picture(floor).chain.stopped == "REPEATED_EXECUTION"
        floor.command(Command.RESUME)
        assert picture(floor).chain.stopped == ""


def test_a_sold_position_rests_its_exit_on_the_bid() -> None:
    floor = Floor(CROSS).warm(0.1)
    floor.busy_ms(300)
    assert floor.position < 0
    floor.p_up = 0.9
    floor.busy_ms(300)
    shown = picture(floor)
    assert shown.position.exit_resting
    assert shown.orders[0].side is Side.BUY
    assert shown.orders[0].state is OrderState.ACCEPTED
    assert shown.header.trading_state is TradingState.ACTIVE


def test_queues_come_from_the_venue_and_are_unknown_otherwise() -> None:
    floor = Floor().warm(0.9)
    floor.busy_ms(200)
    order_id = floor.state.orders.live("BTCUSDT")[0].client_order_id
    assert picture(floor).orders[0].queue_ahead_units == -1
    queues = {order_id: 5_000}
    assert picture(floor, changed(FACTS, queue_ahead_units=queues)).orders[0].queue_ahead_units == 5_000
    assert picture(floor).orders[0].ack_us == 12_000


def test_what_the_session_says_stands_among_the_alerts_by_its_time() -> None:
    floor = Floor(APPROVE).warm(0.9)
    plain = picture(floor)
    said = AlertView(-1, floor.now_ns, "WORKER_DEAD", Severity.WARN, "", "", (1, 2), "", 0)
    early = replace(said, alert_id=-2, ts_ns=plain.alerts[-1].ts_ns - 1, severity=Severity.INFO)
    shown = picture(floor, changed(FACTS, notices=(said, early), notices_unnoted=1))
    assert shown.alerts[0] is said
    assert [alert.ts_ns for alert in shown.alerts] == sorted((a.ts_ns for a in shown.alerts), reverse=True)
    assert shown.header.alerts_unnoted == plain.header.alerts_unnoted + 1
