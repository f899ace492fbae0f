"""Rows in flight: exact accounting, and every answer that must not count does not."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.inference import MAX_IN_FLIGHT, Answer, InferenceDesk, are_probabilities
from pipeline.core.inputs import PredictionReceived, PredictionVoid
from pipeline.core.params import ModelSpec
from pipeline.core.types import Trigger

MODEL = ModelSpec(
    model_id="m1",
    name="qi-logit",
    generation=1,
    schema_hash="s1",
    features=("qi_1",),
    horizon_ms=1000,
    binary=True,
    sigma_train_e6=60,
    mean_move_e6=60,
    move_rate_e6=500_000,
)
AGE = 200_000_000


@dataclass
class Odd:
    """What is odd about an answer."""

    model_id: str = "m1"
    generation: int = 1
    schema_hash: str = "s1"
    epoch: int = 0
    symbol: str = "BTCUSDT"
    p_up: float = 0.7
    ts_ns: int = 1_000


def answer(seq: int, odd: Odd | None = None) -> PredictionReceived:
    odd = odd or Odd()
    return PredictionReceived(
        symbol=odd.symbol,
        model_id=odd.model_id,
        generation=odd.generation,
        schema_hash=odd.schema_hash,
        feature_seq=seq,
        p_down=1.0 - odd.p_up,
        p_flat=0.0,
        p_up=odd.p_up,
        horizon_ms=1000,
        started_ns=0,
        finished_ns=0,
        worker_id=0,
        epoch=odd.epoch,
        ts_ns=odd.ts_ns,
    )


def desk_with_row() -> tuple[InferenceDesk, int]:
    desk = InferenceDesk(MODEL, AGE)
    return desk, desk.ask("BTCUSDT", 0, Trigger.GRID, 500, 400)


def test_a_good_answer_counts_once() -> None:
    desk, seq = desk_with_row()
    verdict, row = desk.answer(answer(seq), 0)
    assert verdict is Answer.ACCEPTED
    assert row is not None
    assert row.newest_recv_ns == 400
    assert desk.answer(answer(seq), 0)[0] is Answer.UNKNOWN_ROW
    assert desk.answered == 1


@pytest.mark.parametrize(
    ("odd", "verdict"),
    [
        (Odd(model_id="m2"), Answer.WRONG_MODEL),
        (Odd(generation=2), Answer.WRONG_GENERATION),
        (Odd(schema_hash="s2"), Answer.WRONG_MODEL),
        (Odd(symbol="ETHUSDT"), Answer.WRONG_EPOCH),
        (Odd(p_up=math.nan), Answer.NOT_PROBABILITIES),
        (Odd(p_up=1.5), Answer.NOT_PROBABILITIES),
        (Odd(ts_ns=501 + AGE), Answer.STALE),
    ],
)
def test_an_answer_that_must_not_count_decides_nothing(odd: Odd, verdict: Answer) -> None:
    desk, seq = desk_with_row()
    assert desk.answer(answer(seq, odd), 0) == (verdict, None)
    assert desk.in_flight == 0


def test_an_answer_from_before_a_reconnect_decides_nothing() -> None:
    desk, seq = desk_with_row()
    assert desk.answer(answer(seq), 1)[0] is Answer.WRONG_EPOCH


@given(st.lists(st.sampled_from(["ask", "answer", "late", "worker", "conflated"]), max_size=80))
def test_asked_is_answered_plus_void_plus_in_flight(steps: list[str]) -> None:
    desk = InferenceDesk(MODEL, AGE)
    opened: list[int] = []
    for step in steps:
        if step == "ask":
            opened.append(desk.ask("BTCUSDT", 0, Trigger.GRID, 500, 400))
        elif opened and step == "answer":
            desk.answer(answer(opened.pop(0)), 0)
        elif opened:
            desk.close_void(PredictionVoid("BTCUSDT", opened.pop(0), step, 600))
        assert desk.asked == desk.answered + desk.void + desk.in_flight


def test_rows_nobody_answers_stay_bounded() -> None:
    desk = InferenceDesk(MODEL, AGE)
    for _ in range(MAX_IN_FLIGHT + 10):
        desk.ask("BTCUSDT", 0, Trigger.GRID, 500, 400)
    assert desk.in_flight == MAX_IN_FLIGHT
    assert desk.void == 10


@given(st.floats(), st.floats(), st.floats())
def test_only_distributions_are_probabilities(p_down: float, p_flat: float, p_up: float) -> None:
    if are_probabilities(p_down, p_flat, p_up):
        assert all(0.0 <= p <= 1.0 for p in (p_down, p_flat, p_up))
        assert math.isclose(p_down + p_flat + p_up, 1.0, abs_tol=1.1e-3)
