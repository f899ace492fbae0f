"""Each health agent acts before an order goes wrong: pushed over its threshold, no new order leaves."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.core.effects import AlertCode, SubmitOrder
from pipeline.core.health import STAGES
from pipeline.core.inputs import Command, DepthUpdate, HealthRead, TimerBeat
from pipeline.core.params import EntryStyle, ExecutionParams, HealthParams
from pipeline.core.types import Authority, DenyReason, Severity, TradingState
from tests.fakes.engines import MS, Floor, engine_params

CROSS = ExecutionParams(entry=EntryStyle.CROSS)
LASTING = (AlertCode.MEMORY_HIGH, AlertCode.DISK_LOW, AlertCode.FILES_HIGH)
QUIET = HealthParams(frozen_rows=1_000_000)


def trading(**changes: Any) -> Floor:
    """AUTO with every wish granted at once; nothing sent yet."""
    return Floor(engine_params(execution=CROSS, **changes)).warm()


def read(floor: Floor, **changes: Any) -> list[Any]:
    """Hand the agents one second's readings, all well but the changes."""
    well = {
        "clock_ahead_ns": 0,
        "rss_mb": 80,
        "disk_free_percent": 40,
        "files_percent": 3,
        "journal_ok": True,
        "stages_ns": (MS,) * len(STAGES),
    }
    return floor.put(HealthRead(**{**well, **changes}, ts_ns=floor.now_ns))


def sends(floor: Floor, up: float = 0.9) -> int:
    """Let the model ask for an entry and count what leaves."""
    before = len(floor.of(SubmitOrder))
    floor.p_up = up
    floor.busy_ms(400)
    return len(floor.of(SubmitOrder)) - before


def test_while_all_is_well_orders_leave() -> None:
    floor = trading()
    read(floor)
    assert sends(floor) > 0


@pytest.mark.parametrize("step_ns", [600 * MS, -600 * MS, 5_000 * MS, -3_600_000 * MS])
def test_a_stepped_clock_holds_new_orders_back_until_it_is_right_again(step_ns: int) -> None:
    floor = trading()
    read(floor, clock_ahead_ns=step_ns)
    assert floor.alerts(AlertCode.CLOCK_SKEW)
    assert sends(floor) == 0
    assert floor.state.orders.recent(1)[0].reason == DenyReason.CLOCK
    read(floor)
    assert sends(floor) > 0


def test_a_clock_that_drifts_warns_first() -> None:
    floor = trading()
    read(floor, clock_ahead_ns=60 * MS)
    assert floor.alerts(AlertCode.CLOCK_SKEW)
    assert sends(floor) > 0


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        (AlertCode.MEMORY_HIGH, {"rss_mb": 5_000}),
        (AlertCode.DISK_LOW, {"disk_free_percent": 1}),
        (AlertCode.FILES_HIGH, {"files_percent": 96}),
        (AlertCode.JOURNAL_FAILED, {"journal_ok": False}),
    ],
)
def test_memory_disk_files_and_journal_halt(code: AlertCode, changes: dict[str, Any]) -> None:
    floor = trading()
    for _ in range(3):
        read(floor, **changes)
    assert floor.alerts(code)
    assert floor.is_in(TradingState.HALTED)
    assert sends(floor) == 0


@pytest.mark.parametrize("changes", [{"rss_mb": 5_000}, {"disk_free_percent": 1}, {"files_percent": 96}])
def test_a_resume_while_it_is_still_so_halts_again_and_says_it_once(changes: dict[str, Any]) -> None:
    floor = trading()
    for _ in range(3):
        read(floor, **changes)
    said = [len(floor.alerts(code)) for code in LASTING]
    floor.command(Command.RESUME)
    read(floor, **changes)
    assert floor.is_in(TradingState.HALTED)
    assert sends(floor) == 0
    assert [len(floor.alerts(code)) for code in LASTING] == said
    for _ in range(3):
        read(floor)
    floor.command(Command.RESUME)
    read(floor)
    assert floor.is_in(TradingState.ACTIVE)


def test_a_failed_journal_lets_nothing_go_even_after_a_resume() -> None:
    floor = trading()
    read(floor, journal_ok=False)
    floor.command(Command.RESUME)
    assert floor.is_in(TradingState.ACTIVE)
    assert sends(floor) == 0
    read(floor)
    assert sends(floor) > 0


@pytest.mark.parametrize("stage", range(len(STAGES)))
def test_a_slow_stage_takes_auto_away(stage: int) -> None:
    floor = trading()
    delays = tuple(250 * MS if number == stage else MS for number in range(len(STAGES)))
    for _ in range(3):
        read(floor, stages_ns=delays)
    assert [alert.detail for alert in floor.alerts(AlertCode.LATENCY_HIGH)][-1] == STAGES[stage]
    assert floor.engine.authority is Authority.APPROVE
    assert sends(floor) == 0


def test_one_slow_reading_takes_nothing_away() -> None:
    floor = trading()
    read(floor, stages_ns=(250 * MS,) * len(STAGES))
    read(floor)
    assert floor.engine.authority is Authority.AUTO


def test_a_late_loop_halts() -> None:
    floor = trading()
    floor.put(TimerBeat(floor.now_ns + 10 * MS, loop_lag_ns=600 * MS))
    assert floor.is_in(TradingState.HALTED)
    assert sends(floor) == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"clock_ahead_ns": 80 * MS}, "CLOCK_SKEW"),
        ({"rss_mb": 2_000}, "MEMORY_HIGH"),
        ({"disk_free_percent": 4}, "DISK_LOW"),
        ({"files_percent": 85}, "FILES_HIGH"),
        ({"stages_ns": (MS, 50 * MS, MS, MS)}, "LATENCY_HIGH model"),
        ({"journal_ok": False}, "JOURNAL_FAILED"),
    ],
)
def test_what_is_well_again_is_said_once(changes: dict[str, Any], said: str) -> None:
    floor = trading()
    read(floor)
    read(floor, **changes)
    read(floor, **changes)
    assert floor.alerts(AlertCode.HEALTH_OK) == []
    for _ in range(3):
        read(floor)
    [alert] = floor.alerts(AlertCode.HEALTH_OK)
    assert (alert.detail, alert.severity) == (said, Severity.INFO)


def test_a_loop_and_a_feed_that_are_well_again_are_said_too() -> None:
    floor = trading()
    floor.put(TimerBeat(floor.now_ns, loop_lag_ns=200 * MS))
    floor.put(TimerBeat(floor.now_ns, loop_lag_ns=MS))
    news(floor, 30)
    news(floor, 400)
    news(floor, 30)
    assert [one.detail for one in floor.alerts(AlertCode.HEALTH_OK)] == ["LOOP_LAG", "FEED_SLOW BTCUSDT"]


def news(floor: Floor, late_ms: int) -> None:
    """Deliver updates whose event time is `late_ms` before their receipt."""
    for _ in range(6):
        floor.pass_ms(10)
        first = floor._depth_id + 1
        floor._depth_id = floor._update_id = max(floor._update_id + 1, first)
        event_ns = floor.now_ns - late_ms * MS
        floor.put(DepthUpdate("BTCUSDT", first, floor._depth_id, -1, (), (), event_ns, floor.now_ns))
    floor.pass_ms(10)


def test_a_feed_that_grows_slow_holds_the_symbols_orders_back() -> None:
    floor = trading()
    news(floor, 30)
    assert not floor.state.desks["BTCUSDT"].feed_slow
    news(floor, 400)
    assert floor.alerts(AlertCode.FEED_SLOW)
    assert sends(floor) == 0
    assert floor.state.orders.recent(1)[0].reason == DenyReason.FEED_SLOW
    news(floor, 30)
    assert sends(floor) > 0


def test_answers_that_are_none_stop_the_model_until_a_person_resumes() -> None:
    floor = trading()
    for _ in range(3):
        floor.busy_ms(150)
        floor.answer(0.9, p_down=float("nan"))
    assert [alert.detail for alert in floor.alerts(AlertCode.MODEL_STOPPED)] == ["BAD_ANSWERS"]
    assert sends(floor) == 0
    floor.command(Command.RESUME)
    assert sends(floor) > 0


def test_a_model_that_always_says_the_same_is_stopped_once_the_market_moved_enough() -> None:
    floor = trading(health=HealthParams(frozen_rows=5))
    floor.p_up = 0.5
    floor.busy_ms(2_000)
    assert not floor.alerts(AlertCode.MODEL_STOPPED)  # the market stood, too
    for number in range(16):
        floor.ticker(bid_units=400_000_000 + number)
        floor.pass_ms(100)
        floor.update()
    assert [alert.detail for alert in floor.alerts(AlertCode.MODEL_STOPPED)] == ["SAME_ANSWER"]
    assert sends(floor) == 0


def test_a_model_worse_than_a_coin_loses_auto() -> None:
    floor = trading(health=QUIET)
    outcomes = floor.state.desks["BTCUSDT"].outcomes
    for number in range(50):
        outcomes._hits.append(number % 5 == 0)
    for _ in range(3):
        floor.busy_ms(1_000)
    assert floor.alerts(AlertCode.MODEL_SKILL)
    assert floor.engine.authority is Authority.APPROVE


def test_a_critical_alert_nobody_notes_is_said_again_and_then_halts() -> None:
    floor = trading()
    floor.state.out.alert(AlertCode.ORDER_UNKNOWN, Severity.CRITICAL, floor.now_ns)
    floor.busy_ms(31_500)
    assert len(floor.alerts(AlertCode.ALERT_UNNOTED)) == 1
    assert floor.is_in(TradingState.ACTIVE)
    floor.busy_ms(92_000)
    assert floor.is_in(TradingState.HALTED)


def test_a_critical_alert_that_was_noted_waits_for_nobody() -> None:
    floor = trading()
    floor.state.out.alert(AlertCode.ORDER_UNKNOWN, Severity.CRITICAL, floor.now_ns)
    floor.command(Command.NOTE_ALERT)
    floor.busy_ms(125_000)
    assert not floor.alerts(AlertCode.ALERT_UNNOTED)
    assert floor.is_in(TradingState.ACTIVE)
