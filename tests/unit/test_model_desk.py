"""Swap, way back and shadows, as the engine sees them: two phases and one switch."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from pipeline.core.effects import (
    AlertCode,
    CancelOrder,
    HoldModels,
    PrepareModel,
    RequestInference,
    SubmitOrder,
)
from pipeline.core.inputs import Command, ModelAct, ModelPrepared, ModelWanted
from pipeline.core.model_book import MAX_SHADOWS
from pipeline.core.model_desk import GIVEN_UP_NS
from pipeline.core.params import EntryStyle, ExecutionParams, ModelSpec
from pipeline.core.types import Authority
from tests.fakes.engines import MODEL, Floor, engine_params
from tests.fakes.pictures import panel_text
from tests.fakes.trading import BID

NEXT = replace(MODEL, model_id="ab" * 16, name="next-logit")
OTHER = replace(NEXT, model_id="cd" * 16, schema_hash="77aa", features=("qi_1", "tfi_1s"))
FAR = replace(NEXT, model_id="ef" * 16, schema_hash="88bb", features=("qi_1", "cancel_ratio"))
APPROVE = engine_params(authority=Authority.APPROVE)


def want(floor: Floor, act: ModelAct, model: ModelSpec | None = None) -> str:
    floor.put(ModelWanted(act, "ada", "/dev/pts/1", model, floor.now_ns))
    return floor.engine.last_answer


def prepared(floor: Floor, *, ok: bool = True, why: str = "", generation: int = 0) -> str:
    asked: list[Any] = floor.of(PrepareModel)
    number = generation or asked[-1].model.generation
    floor.put(ModelPrepared(number, ok, why, floor.now_ns))
    return floor.engine.last_answer


def swapped(floor: Floor, model: ModelSpec = NEXT) -> Floor:
    want(floor, ModelAct.USE, model)
    prepared(floor)
    return floor


def rows_of(floor: Floor, since: int) -> list[tuple[int, str]]:
    return [(row.generation, row.model_id) for row in floor.of(RequestInference)[since:]]


class TestSwap:
    def test_asks_the_workers_first_and_changes_nothing_yet(self) -> None:
        floor = Floor().warm(0.9)
        assert want(floor, ModelAct.USE, NEXT) == "loading next-logit@abababab as generation 2"
        (asked,) = floor.of(PrepareModel)
        assert (asked.model.model_id, asked.model.generation) == (NEXT.model_id, 2)
        since = len(floor.of(RequestInference))
        floor.busy_ms(300)
        assert set(rows_of(floor, since)) == {(1, MODEL.model_id)}

    def test_switches_with_one_input_once_all_agree(self) -> None:
        floor = Floor().warm(0.9)
        since = len(floor.of(RequestInference))
        swapped(floor)
        floor.busy_ms(300)
        assert set(rows_of(floor, since)) == {(2, NEXT.model_id)}
        assert floor.of(HoldModels)[-1].generations == (1, 2)
        assert floor.engine.counts()["model"]["generation"] == 2
        assert len(floor.alerts(AlertCode.MODEL_SWAPPED)) == 1

    def test_leaves_answers_of_the_old_generation_unused_and_counted(self) -> None:
        floor = Floor().warm()
        floor.pass_ms(100)
        old_row = floor.of(RequestInference)[-1]
        before = floor.engine.counts()
        swapped(floor)
        assert not floor.of(SubmitOrder, floor.answer(0.99, old_row))
        counts = floor.engine.counts()
        assert counts["wrong_generation"] == before["wrong_generation"] + 1
        assert counts["decisions"] == before["decisions"]

    @pytest.mark.parametrize("wrong", [{"generation": 1}, {"schema_hash": "other"}, {"model_id": "m"}])
    def test_uses_no_answer_to_a_new_row_that_names_another_model(self, wrong: dict[str, Any]) -> None:
        floor = swapped(Floor().warm())
        floor.pass_ms(100)
        decisions = floor.engine.counts()["decisions"]
        floor.answer(0.99, **wrong)
        assert floor.engine.counts()["decisions"] == decisions
        assert floor.engine.counts()["wrong_generation"] == 1

    def test_uses_no_answer_to_an_old_row_that_names_the_new_model(self) -> None:
        floor = Floor().warm()
        floor.pass_ms(100)
        row = floor.of(RequestInference)[-1]
        swapped(floor)
        decisions = floor.engine.counts()["decisions"]
        floor.answer(0.99, row, generation=2, model_id=NEXT.model_id)
        assert floor.engine.counts()["decisions"] == decisions
        assert floor.engine.counts()["wrong_generation"] == 1

    def test_ends_permits_cards_and_the_entries_they_let_out(self) -> None:
        floor = Floor().warm(0.9)
        floor.busy_ms(200)
        assert floor.engine.open_orders == 1
        floor.p_up = None
        swapped(floor)
        assert not floor.state.permits.open_permits()
        assert floor.of(CancelOrder)
        floor.busy_ms(500)
        assert floor.engine.open_orders == 0
        floor.p_up = 0.9
        floor.busy_ms(1_000)
        assert floor.engine.open_orders == 0, "AUTO went on with a model nobody asked it to trade"
        floor.command(Command.SET_AUTHORITY, authority=int(Authority.AUTO))
        floor.busy_ms(1_000)
        assert {order.approved.intent.generation for order in floor.of(SubmitOrder)} == {1, 2}

    def test_takes_the_card_away(self) -> None:
        floor = Floor(APPROVE).warm(0.9)
        floor.busy_ms(700)
        assert floor.picture().proposals
        floor.p_up = None
        swapped(floor)
        assert not floor.picture().proposals

    def test_is_abandoned_with_words_when_a_worker_cannot_load_it(self) -> None:
        floor = Floor().warm(0.9)
        want(floor, ModelAct.USE, NEXT)
        words = prepared(floor, ok=False, why="worker 1: E_GOLDEN: 3 of 17 golden rows off by > 1e-05")
        assert words.startswith("next-logit@abababab was not taken: worker 1: E_GOLDEN")
        since = len(floor.of(RequestInference))
        floor.busy_ms(300)
        assert set(rows_of(floor, since)) == {(1, MODEL.model_id)}
        assert floor.of(HoldModels)[-1].generations == (1,)
        assert len(floor.state.permits.open_permits()) == 1

    def test_takes_no_second_one_meanwhile_and_no_answer_for_another_generation(self) -> None:
        floor = Floor().warm()
        want(floor, ModelAct.USE, NEXT)
        assert "is being loaded" in want(floor, ModelAct.USE, OTHER)
        prepared(floor, generation=7)
        assert floor.engine.counts()["model"]["generation"] == 1

    def test_nobody_answers_for_is_given_up(self) -> None:
        floor = Floor().warm()
        want(floor, ModelAct.USE, NEXT)
        floor.pass_ms(GIVEN_UP_NS // 1_000_000 + 20)
        assert floor.engine.counts()["model"]["abandoned"] == 1
        assert want(floor, ModelAct.USE, NEXT).startswith("loading")

    def test_to_the_live_model_is_refused(self) -> None:
        assert "is the live model already" in want(Floor().warm(), ModelAct.USE, MODEL)

    def test_without_any_model_is_refused(self) -> None:
        assert want(Floor(engine_params(model=None)), ModelAct.USE, NEXT) == "this session runs no model"


class TestOnScreen:
    def test_the_header_says_what_is_loading_and_what_stands_beside_the_live_model(self) -> None:
        floor = Floor().warm()
        assert floor.picture().header.model_note == ""
        want(floor, ModelAct.SHADOW, NEXT)
        header = floor.picture().header
        assert (header.model_note, header.model_loading) == ("loading shadow next-logit@abababab", True)
        prepared(floor)
        header = floor.picture().header
        assert (header.model_note, header.model_loading) == ("1 shadow", False)
        swapped(floor, replace(NEXT, model_id="0" * 32))
        assert floor.picture().header.model_note == "g3, 1 shadow"
        drawn = panel_text("status", floor.picture(), 160, 3)
        assert "model next-logit@00000000   g3, 1 shadow" in drawn


class TestOtherFeatures:
    CROSS = engine_params(execution=ExecutionParams(entry=EntryStyle.CROSS))

    def test_are_refused_while_a_position_is_open(self) -> None:
        floor = Floor(self.CROSS).warm(0.9)
        floor.busy_ms(300)
        assert floor.position > 0
        words = want(floor, ModelAct.USE, OTHER)
        assert words.startswith("E_SCHEMA_HASH: next-logit@cdcdcdcd has other features than qi-logit@")
        assert "not while BTCUSDT has a position" in words
        assert not floor.of(PrepareModel)

    def test_are_refused_too_when_the_position_came_while_the_workers_loaded(self) -> None:
        floor = Floor(self.CROSS).warm()
        want(floor, ModelAct.USE, OTHER)
        floor.p_up = 0.9
        floor.busy_ms(300)
        assert floor.position > 0
        assert "was not taken: E_SCHEMA_HASH" in prepared(floor)
        assert floor.engine.counts()["model"]["generation"] == 1

    def test_nobody_kept_up_start_cold_and_bring_rows_once_warm(self) -> None:
        floor = Floor().warm()
        since = len(floor.of(RequestInference))
        swapped(floor, FAR)
        floor.busy_ms(200)
        assert rows_of(floor, since) == []
        for _ in range(20):
            floor.trade()
            floor.busy_ms(1_000)
        assert set(rows_of(floor, since)) == {(2, FAR.model_id)}

    def test_are_still_warm_for_the_way_back(self) -> None:
        floor = swapped(Floor().warm(), FAR)
        for _ in range(20):
            floor.trade()
            floor.busy_ms(1_000)
        since = len(floor.of(RequestInference))
        want(floor, ModelAct.BACK)
        prepared(floor)
        floor.busy_ms(200)
        assert set(rows_of(floor, since)) == {(3, MODEL.model_id)}


class TestBack:
    def test_is_the_model_before_under_a_new_generation(self) -> None:
        floor = swapped(Floor().warm())
        assert want(floor, ModelAct.BACK) == f"loading qi-logit@{MODEL.model_id[:8]} as generation 3"
        prepared(floor)
        since = len(floor.of(RequestInference))
        floor.busy_ms(300)
        assert set(rows_of(floor, since)) == {(3, MODEL.model_id)}
        assert floor.of(HoldModels)[-1].generations == (2, 3)

    def test_is_refused_where_nothing_was_before(self) -> None:
        assert want(Floor().warm(), ModelAct.BACK) == "there is no model to go back to"

    def test_uses_no_late_answer_of_the_first_stretch_of_that_model(self) -> None:
        floor = Floor().warm()
        floor.pass_ms(100)
        row = floor.of(RequestInference)[-1]
        swapped(floor)
        want(floor, ModelAct.BACK)
        prepared(floor)
        decisions = floor.engine.counts()["decisions"]
        floor.answer(0.99, row)
        assert floor.engine.counts()["decisions"] == decisions


class TestShadow:
    SHADOW = replace(NEXT, generation=2)

    def test_is_asked_for_the_same_moments_right_after_the_live_model(self) -> None:
        floor = Floor(engine_params(shadows=(self.SHADOW,))).warm()
        floor.busy_ms(300)
        rows = floor.of(RequestInference)
        assert len(rows) >= 6
        for live, shadow in zip(rows[::2], rows[1::2], strict=True):
            assert (live.generation, shadow.generation) == (1, 2)
            assert shadow.shadow_of == live.feature_seq
            assert (shadow.ts_ns, shadow.row_e6) == (live.ts_ns, live.row_e6)

    def test_never_decides_anything(self) -> None:
        floor = Floor(engine_params(shadows=(self.SHADOW,))).warm()
        floor.pass_ms(100)
        live, shadow = floor.of(RequestInference)[-2:]
        assert not floor.answer(0.99, shadow)
        counts = floor.engine.counts()
        assert (counts["decisions"], counts["predictions"]) == (0, 0)
        assert counts["model"]["shadow_predictions"] == 1
        assert floor.of(SubmitOrder, floor.answer(0.9, live))

    def test_changes_nothing_of_what_trades(self) -> None:
        sent = []
        for shadows in ((), (self.SHADOW, replace(OTHER, generation=3))):
            floor = Floor(engine_params(shadows=shadows)).warm(0.9)
            for price in (BID + 3, BID - 2, BID + 1):
                floor.busy_ms(700)
                floor.ticker(price, price + 1)
                floor.trade(price)
            intents = [order.approved.intent for order in floor.of(SubmitOrder)]
            sent.append([(one.side, one.price_ticks, one.qty_lots, one.model_id) for one in intents])
            assert floor.engine.counts()["model"]["shadow_rows"] > 0 or not shadows
        assert sent[0] == sent[1]
        assert len(sent[0]) > 1

    def test_with_the_name_of_another_model_is_counted_and_is_no_fact(self) -> None:
        floor = Floor(engine_params(shadows=(self.SHADOW,))).warm()
        floor.pass_ms(100)
        shadow = floor.of(RequestInference)[-1]
        floor.answer(0.9, shadow, generation=1)
        assert floor.engine.counts()["model"]["shadow_wrong"] == 1
        assert floor.engine.counts()["decisions"] == 0

    def test_comes_and_goes_while_the_session_runs(self) -> None:
        floor = Floor().warm()
        want(floor, ModelAct.SHADOW, NEXT)
        prepared(floor)
        since = len(floor.of(RequestInference))
        floor.busy_ms(200)
        assert {generation for generation, _ in rows_of(floor, since)} == {1, 2}
        assert want(floor, ModelAct.DROP, NEXT) == "next-logit@abababab is no shadow any more"
        since = len(floor.of(RequestInference))
        floor.busy_ms(200)
        assert {generation for generation, _ in rows_of(floor, since)} == {1}
        assert floor.of(HoldModels)[-1].generations == (1,)

    def test_that_becomes_the_live_model_is_no_shadow_any_more(self) -> None:
        floor = swapped(Floor(engine_params(shadows=(self.SHADOW,))).warm())
        assert floor.engine.counts()["model"]["shadows"] == []
        assert floor.engine.counts()["model"]["generation"] == 3

    def test_that_needs_what_nobody_computes_is_refused(self) -> None:
        floor = Floor().warm()
        words = "does not compute cancel_ratio; start it with --shadow"
        assert words in want(floor, ModelAct.SHADOW, FAR)
        (alert,) = floor.alerts(AlertCode.SHADOW_NOT_TAKEN)
        assert words in alert.detail
        assert not floor.alerts(AlertCode.MODEL_KEPT)

    def test_that_a_worker_refuses_is_told_as_a_shadow_not_taken(self) -> None:
        floor = Floor().warm()
        want(floor, ModelAct.SHADOW, NEXT)
        assert prepared(floor, ok=False, why="E_GOLDEN: off") == (
            "next-logit@abababab was not taken: E_GOLDEN: off"
        )
        (alert,) = floor.alerts(AlertCode.SHADOW_NOT_TAKEN)
        assert alert.detail == "next-logit@abababab: E_GOLDEN: off"
        assert not floor.alerts(AlertCode.MODEL_KEPT)

    def test_beyond_the_most_is_refused(self) -> None:
        floor = Floor().warm()
        for number in range(MAX_SHADOWS):
            want(floor, ModelAct.SHADOW, replace(NEXT, model_id=f"{number:032d}"))
            prepared(floor)
        assert want(floor, ModelAct.SHADOW, NEXT) == f"{MAX_SHADOWS} shadows run already: drop one first"
