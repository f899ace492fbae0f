"""What the demo promises a person: ideas soon, long enough to read, and permits that are filled.

In virtual time, on the default seed and on others; one run in real processes is in tests/process.
"""

from __future__ import annotations

import functools
import statistics
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.demo_command import DemoOptions
from tests.fakes.scripted_trader import ScriptedTrader
from tests.fakes.virtual_demo import SECOND, VirtualDemo

DEFAULT_SEED = DemoOptions().seed
SEEDS = (DEFAULT_SEED, 1, 2, 3, 4)
LENGTH_S = 75


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path))


@dataclass
class Watched:
    demo: VirtualDemo
    trader: ScriptedTrader


@functools.cache
def watched(seed: int) -> Watched:
    trader = ScriptedTrader()
    return Watched(VirtualDemo(seed).play(LENGTH_S, trader), trader)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_idea_is_on_offer_within_ten_seconds_of_the_first_frame(seed: int) -> None:
    one = watched(seed)
    assert min(one.trader.appeared_ns.values()) - one.demo.first_frame_ns <= 10 * SECOND


@pytest.mark.parametrize("seed", SEEDS)
def test_at_least_half_of_the_permits_given_a_reaction_later_are_filled(seed: int) -> None:
    trader = watched(seed).trader
    assert len(trader.permits) >= 4
    assert len(trader.pressed) == len(trader.permits)
    assert len(trader.filled) * 2 >= len(trader.permits), (trader.filled, trader.permits)


@pytest.mark.parametrize("seed", SEEDS)
def test_orders_fills_and_position_are_those_of_the_exchange_s_ledger(seed: int) -> None:
    demo = watched(seed).demo
    counts, ledger = demo.engine.counts(), demo.ledger()
    assert counts["gaps"] == counts["resyncs"] == 0
    assert counts["orders"] == ledger["orders"] + ledger["refused"] > 0
    assert counts["fills"] == ledger["fills"] > 0
    assert demo.engine.state.portfolio.position("BTCUSDT").lots == ledger["position_lots"]


def test_the_middle_idea_lasts_long_enough_to_be_read() -> None:
    lives_ns = [life for seed in SEEDS for life in watched(seed).demo.lives_ns]
    assert len(lives_ns) > 30
    assert statistics.median(lives_ns) >= 3 * SECOND


def test_a_seed_is_a_session() -> None:
    first, again, other = (VirtualDemo(seed).play(10, ScriptedTrader()) for seed in (1, 1, 2))
    assert first.run.pump.effects_sha256 == again.run.pump.effects_sha256
    assert first.run.pump.effects_sha256 != other.run.pump.effects_sha256
