"""A model that is wrong loses its entries, one that is right keeps them, and queue imbalance stands in."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pipeline.core.effects import AlertCode, PrepareModel, SubmitOrder
from pipeline.core.inputs import Command, ModelAct, ModelPrepared, ModelRecord, ModelWanted, WindowTerms
from pipeline.core.model_monitor import Block
from pipeline.core.permit import PermitEnd
from pipeline.core.skill import LN2_E6
from pipeline.core.symbol_watch import FALLBACK_ID, Source
from pipeline.core.trader_view import risk_context
from pipeline.core.types import QUOTE_SCALE, Authority, DenyReason, Origin, Side
from tests.fakes.engines import Floor
from tests.fakes.planted_models import FAST, PlantedMarket, watched_floor
from tests.fakes.trading import ASK, BID, SECOND, exit_intent, intent

pytestmark = pytest.mark.timeout(60)

TERMS = WindowTerms(
    (Side.BUY, Side.SELL), 500, 800, 500, 30 * QUOTE_SCALE, 0, BID - 100, ASK + 100, 221 * SECOND
)


def source_of(floor: Floor) -> Source:
    """Say who decides."""
    source: Source = floor.state.desks["BTCUSDT"].watch.source
    return source


def entries(floor: Floor) -> list[SubmitOrder]:
    """Give the orders the model wanted."""
    return [e for e in floor.of(SubmitOrder) if e.approved.intent.origin is Origin.MODEL]


@pytest.fixture(scope="module")
def wrong() -> Floor:
    """A floor whose model is right for two minutes, then says the opposite of what comes."""
    floor = watched_floor(fallback=False)
    market = PlantedMarket(floor).play(120, knows=0.9)
    assert floor.alerts(AlertCode.MODEL_PROVEN)
    assert source_of(floor) is Source.MODEL
    market.play(180, knows=0.1)
    return floor


def test_a_good_model_is_proven_once_and_goes_on_trading(wrong: Floor) -> None:
    (proven,) = wrong.alerts(AlertCode.MODEL_PROVEN)
    skill, low, high, calls = proven.values
    assert 0 < low <= skill <= high
    assert calls >= 200
    assert entries(wrong)


def test_a_model_that_turns_wrong_may_only_reduce(wrong: Floor) -> None:
    (closed,) = wrong.alerts(AlertCode.MODEL_GATE_CLOSED)
    assert closed.values[1] <= 0
    assert source_of(wrong) is Source.NONE
    assert not [e for e in entries(wrong) if e.ts_ns > closed.ts_ns]
    assert wrong.state.desks["BTCUSDT"].decision.reason is not None
    assert wrong.picture().chain.stopped == "MODEL_UNPROVEN"


def test_the_last_check_denies_what_a_closed_gate_let_through(wrong: Floor) -> None:
    desk = wrong.state.desks["BTCUSDT"]
    context = risk_context(wrong.state, desk, intent(), wrong.now_ns)
    assert context.blocked is DenyReason.MODEL_UNPROVEN
    assert risk_context(wrong.state, desk, exit_intent(), wrong.now_ns).blocked is None


def test_a_model_that_is_right_again_opens_after_three_blocks() -> None:
    floor = watched_floor(trade_unproven=False, fallback=False)
    assert source_of(floor) is Source.NONE
    market = PlantedMarket(floor).play(90, knows=0.9)
    assert not entries(floor)
    assert not floor.alerts(AlertCode.MODEL_GATE_OPENED)
    market.play(30, knows=0.9)
    (opened,) = floor.alerts(AlertCode.MODEL_GATE_OPENED)
    assert source_of(floor) is Source.MODEL
    assert [e for e in entries(floor) if e.ts_ns > opened.ts_ns]


def test_nothing_is_closed_before_enough_calls() -> None:
    floor = watched_floor()
    PlantedMarket(floor).play(15, knows=0.1)
    assert source_of(floor) is Source.MODEL
    assert not floor.alerts(AlertCode.MODEL_GATE_CLOSED)
    assert entries(floor)


def test_a_model_far_worse_than_a_coin_is_stopped_long_before_200_calls() -> None:
    floor = watched_floor(fallback=False)
    market = PlantedMarket(floor).play(1, knows=0.1)
    live = floor.state.desks["BTCUSDT"].watch.live
    for number in range(12):
        live.blocks.append(Block(number, 9, 9, 4, 9 * (2 * LN2_E6 + number), 9 * LN2_E6, 0))
    market.play(10, knows=0.1)
    (closed,) = floor.alerts(AlertCode.MODEL_GATE_CLOSED)
    assert closed.detail == "WORSE"
    assert closed.values[2] < 0
    assert closed.values[3] < 200
    assert source_of(floor) is Source.NONE
    assert floor.picture().chain.stopped == "MODEL_UNPROVEN"
    assert live.summary().over_constant_proof.value == "WORSE"


def test_a_closed_gate_ends_a_window_but_not_what_only_limits_bound() -> None:
    floor = watched_floor(fallback=False)
    PlantedMarket(floor).play(120, knows=0.45)
    auto = [r for r in floor.state.permits.open_permits() if r.permit.symbol == "BTCUSDT"]
    assert [r.permit.kind.value for r in auto] == ["auto"]
    window = watched_floor(Authority.APPROVE, fallback=False)
    market = PlantedMarket(window).play(60, knows=0.45)
    window.command(Command.PERMIT_WINDOW, terms=TERMS)
    assert window.state.permits.open_permits()
    market.play(50, knows=0.45)
    assert window.state.permits.ended_permits()[0].end is PermitEnd.SKILL


def test_queue_imbalance_decides_while_a_wrong_model_may_not() -> None:
    floor = watched_floor()
    PlantedMarket(floor).play(130, knows=0.45, leans=True)
    assert source_of(floor) is Source.FALLBACK
    (alert,) = floor.alerts(AlertCode.MODEL_FALLBACK)
    assert alert.detail == "UNPROVEN"
    mine = [e for e in entries(floor) if e.ts_ns > alert.ts_ns]
    assert mine
    assert {e.approved.intent.model_id for e in mine} == {FALLBACK_ID}
    assert floor.picture().header.model == FALLBACK_ID


def test_a_good_model_that_queue_imbalance_beats_is_stood_in_for() -> None:
    floor = watched_floor()
    PlantedMarket(floor).play(200, knows=0.9, leans=True)
    (closed,) = floor.alerts(AlertCode.MODEL_GATE_CLOSED)
    assert closed.detail == "BEATEN"
    assert closed.values[1] > 0
    assert source_of(floor) is Source.FALLBACK


def test_a_silent_model_is_stood_in_for_and_comes_back() -> None:
    floor = watched_floor()
    market = PlantedMarket(floor).play(120, knows=0.9, leans=True)
    floor.p_up = None
    floor.busy_ms(11_000)
    assert source_of(floor) is Source.FALLBACK
    assert floor.alerts(AlertCode.MODEL_FALLBACK)[-1].detail == "STOPPED"
    market.play(1, knows=0.9, leans=True)
    assert source_of(floor) is Source.MODEL


def test_silence_without_a_stand_in_ends_no_permit() -> None:
    floor = watched_floor(Authority.APPROVE, fallback=False)
    market = PlantedMarket(floor).play(5, knows=0.9)
    floor.command(Command.PERMIT_WINDOW, terms=TERMS)
    floor.p_up = None
    floor.busy_ms(11_000)
    assert source_of(floor) is Source.NONE
    assert floor.picture().chain.stopped == "MODEL_DISABLED"
    assert floor.state.permits.open_permits()
    sent = len(entries(floor))
    market.play(3, knows=0.9)
    assert source_of(floor) is Source.MODEL
    assert len(entries(floor)) > sent


def test_a_record_of_the_same_model_goes_on_where_it_stood() -> None:
    before = watched_floor(fallback=False)
    PlantedMarket(before).play(120, knows=0.9)
    live = before.state.desks["BTCUSDT"].watch.live
    state = live.state(before.now_ns)
    after = watched_floor(trade_unproven=False, fallback=False)
    after.put(ModelRecord("BTCUSDT", state, after.now_ns))
    assert source_of(after) is Source.MODEL
    assert after.state.desks["BTCUSDT"].watch.live.over_constant() == live.over_constant()
    assert after.alerts(AlertCode.MODEL_RECORD)


def test_a_record_of_another_model_is_said_and_not_used() -> None:
    floor = watched_floor(trade_unproven=False)
    live = floor.state.desks["BTCUSDT"].watch.live
    floor.put(ModelRecord("BTCUSDT", replace(live.state(0), model_id="other"), floor.now_ns))
    floor.put(ModelRecord("OTHER", live.state(0), floor.now_ns))
    assert len(floor.alerts(AlertCode.MODEL_RECORD_REFUSED)) == 2
    assert source_of(floor) is Source.NONE


def test_a_shadow_gets_the_same_numbers_and_keeps_them_when_it_becomes_live() -> None:
    shadow = replace(FAST, model_id="shadow", generation=2)
    floor = watched_floor(shadows=(shadow,), fallback=False)
    market = PlantedMarket(floor).play(120, knows=0.9)
    watch = floor.state.desks["BTCUSDT"].watch
    beside = watch.others["shadow"]
    assert beside.blocks == watch.live.blocks
    assert beside.over_constant() == watch.live.over_constant()
    floor.put(ModelWanted(ModelAct.USE, "ada", "", shadow, floor.now_ns))
    (prepare,) = floor.of(PrepareModel)
    floor.put(ModelPrepared(prepare.model.generation, True, "", floor.now_ns))
    assert watch.live is beside
    assert set(watch.others) == {FAST.model_id}
    market.play(5, knows=0.9)
    assert len(beside.blocks) >= 11
