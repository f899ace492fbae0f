"""What is done to an answer before it decides: the temperature, the stand-in, the held-back decision."""

from __future__ import annotations

from math import exp

import pytest
from msgspec.structs import replace

from pipeline.core.desk import SymbolDesk
from pipeline.core.fallback import fallback_answer, tempered
from pipeline.core.inputs import PredictionReceived
from pipeline.core.logit_scale import LEAST_CALLS, QI_SLOPE, TEMPERATURES
from pipeline.core.params import WatchParams
from pipeline.core.symbol_watch import FALLBACK_ID, Source
from tests.fakes.engines import FREE, MODEL, engine_params


def desk(*, temper: bool = False, binary: bool = True) -> SymbolDesk:
    """Give a symbol whose newest row leaned to the bid."""
    model = replace(MODEL, binary=binary)
    one = SymbolDesk(engine_params(model=model, watch=WatchParams(temper=temper)), FREE)
    one.watch.asked(1, 0, 300, 100, (500_000,))
    return one


def answer(p_down: float, p_flat: float, p_up: float) -> PredictionReceived:
    """Give a model's answer."""
    return PredictionReceived(
        *("BTCUSDT", MODEL.model_id, 1, MODEL.schema_hash, 1),
        p_down=p_down,
        p_flat=p_flat,
        p_up=p_up,
        horizon_ms=1_000,
        started_ns=0,
        finished_ns=0,
        worker_id=0,
        epoch=0,
        ts_ns=0,
    )


def overconfident(one: SymbolDesk) -> None:
    """Let a model that says nine to one be right in six of ten."""
    assert one.watch.live is not None
    for step in range(2 * LEAST_CALLS):
        one.watch.live.temperature.note(2.2, step % 10 < 6)
    one.watch.live.temperature.choose()


def test_an_overconfident_model_gets_the_highest_temperature_there_is() -> None:
    one = desk(temper=True)
    overconfident(one)
    assert one.watch.live is not None
    assert one.watch.live.scale == pytest.approx(1 / max(TEMPERATURES))


def test_a_temperature_keeps_flat_and_side_and_has_no_offset() -> None:
    one = desk(temper=True)
    overconfident(one)
    up, down = tempered(answer(0.08, 0.2, 0.72), one.watch), tempered(answer(0.72, 0.2, 0.08), one.watch)
    assert up.p_flat == 0.2
    assert 0.4 < up.p_up < 0.72
    assert up.p_up + up.p_down == pytest.approx(0.8)
    assert (up.p_up, up.p_down) == pytest.approx((down.p_down, down.p_up))
    assert tempered(answer(0.4, 0.2, 0.4), one.watch).p_up == pytest.approx(0.4)
    assert tempered(answer(0.0, 1.0, 0.0), one.watch).p_flat == 1.0


def test_a_temperature_that_is_only_shown_changes_nothing() -> None:
    one = desk()
    overconfident(one)
    assert one.watch.live is not None
    assert one.watch.live.temperature.value < 1
    assert tempered(answer(0.1, 0.0, 0.9), one.watch) == answer(0.1, 0.0, 0.9)


@pytest.mark.parametrize("binary", [True, False])
def test_queue_imbalance_answers_only_where_it_decides(binary: bool) -> None:
    one = desk(binary=binary)
    assert fallback_answer(one, 7, 3) is None
    one.watch.source = Source.FALLBACK
    event = fallback_answer(one, 7, 3)
    assert event is not None
    share = 1 / (1 + exp(-QI_SLOPE * 0.5))
    moves = 1.0 if binary else MODEL.move_rate_e6 / 1e6
    assert (event.model_id, event.feature_seq, event.ts_ns) == (FALLBACK_ID, 7, 3)
    assert event.p_up == pytest.approx(moves * share)
    assert event.p_down + event.p_flat + event.p_up == pytest.approx(1.0)
