"""The figures of the checks an order passed are those the engine denies with once a limit is below them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pipeline.core.effects import SubmitOrder
from pipeline.core.engine import Engine
from pipeline.core.fact_collector import FactCollector
from pipeline.core.params import EntryStyle, ExecutionParams
from pipeline.core.session_facts import CheckFact, SessionFacts
from pipeline.core.types import DenyReason, Side
from tests.fakes.engines import OPEN_LIMITS
from tests.fakes.recorded import RecordedFloor
from tests.fakes.trading import ASK, BID

FIELDS = {
    DenyReason.MAX_QTY: "max_qty_lots",
    DenyReason.MAX_NOTIONAL: "max_notional_quote_e8",
    DenyReason.COLLAR_MID: "collar_mid_e6",
    DenyReason.COLLAR_LAST: "collar_last_e6",
    DenyReason.SPREAD: "max_spread_e6",
    DenyReason.MAX_POSITION: "max_position_quote_e8",
}
CROSS = ExecutionParams(entry=EntryStyle.CROSS)


def asked(**limits: Any) -> tuple[RecordedFloor, SessionFacts]:
    """Let the model ask across a spread of 40 ticks and away from the last print.

    Other limits are the checks' alone: the decision would cut its size to them before.
    """
    floor = RecordedFloor(execution=CROSS, limits={"BTCUSDT": OPEN_LIMITS})
    floor.warm()
    floor.trade(BID - 300, side=Side.SELL)
    floor.update(asks=((ASK, 0), (ASK + 1, 0), (ASK + 2, 0), (ASK + 3, 0), (ASK + 40, 400_000_000)))
    floor.p_up = 0.9
    floor.busy_ms(150)
    engine = Engine(floor.params)
    guards = engine.state.risk._guards["BTCUSDT"]
    guards.limits = msgspec.structs.replace(OPEN_LIMITS, **limits)
    collector = FactCollector(engine)
    for event in floor.inputs:
        effects = engine.handle(event)
        collector.observe(event)
        for effect in effects:
            collector.effect(effect)
    return floor, collector.facts()


def passed() -> tuple[CheckFact, ...]:
    floor, facts = asked()
    assert len(floor.of(SubmitOrder)) >= 1
    return facts.orders[0].checks


@pytest.mark.parametrize("code", FIELDS)
def test_a_limit_just_below_denies_with_the_same_value(code: DenyReason) -> None:
    [check] = [one for one in passed() if one.code is code]
    assert check.value > 0
    assert check.limit == getattr(OPEN_LIMITS, FIELDS[code])
    _, facts = asked(**{FIELDS[code]: check.value - 1})
    [denial] = [one for one in facts.denials if one.reason is code]
    assert (denial.value, denial.limit) == (check.value, check.value - 1)


def test_open_orders_and_the_days_loss_stand_there_too() -> None:
    checks = {one.code: (one.value, one.limit) for one in passed()}
    assert checks[DenyReason.MAX_OPEN_ORDERS] == (1, OPEN_LIMITS.max_open_orders)
    assert checks[DenyReason.DAILY_LOSS] == (0, OPEN_LIMITS.max_daily_loss_quote_e8)
