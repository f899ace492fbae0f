"""The interval of a skill: known values, coverage for calls that overlap, agreement with a bootstrap."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.core.skill import LEAST_BAD_CALLS, LN2_E6, NO_SKILL, Proof, proof_of, skill_of, student_95
from pipeline.core.skill_gate import OPEN_BLOCKS, SkillGate
from pipeline.research.scores import block_interval


@pytest.mark.parametrize(("freedom", "point"), [(7, 2.365), (9, 2.262), (29, 2.045), (99, 1.984)])
def test_points_of_students_t(freedom: int, point: float) -> None:
    assert student_95(freedom) == pytest.approx(point, abs=0.002)


def overlapping(seed: int, edge: float, rows: int = 3_000, overlap: int = 10) -> npt.NDArray[np.float64]:
    """Give the log-loss of calls of which ten neighbours share most of their outcome, in 1e-6 nat."""
    chance = np.random.default_rng(seed)
    shocks = chance.normal(size=rows + overlap)
    sums = np.convolve(shocks, np.ones(overlap), "valid")[:rows]
    right = sums + edge * np.sqrt(overlap) > 0
    losses: npt.NDArray[np.float64] = np.where(right, -np.log(0.6), -np.log(0.4)) * 1e6
    return losses


def pairs(losses: npt.NDArray[np.float64], block: int = 100) -> list[tuple[int, int]]:
    """Sum rows by block: (loss, loss of a constant)."""
    return [(int(part.sum()), len(part) * LN2_E6) for part in np.split(losses, len(losses) // block)]


def test_calls_that_overlap_are_covered_as_often_as_is_said() -> None:
    edge = 0.1
    truth = 1 - np.mean([overlapping(seed, edge).mean() for seed in range(1_000, 1_200)]) / LN2_E6
    held = [skill_of(pairs(overlapping(seed, edge))) for seed in range(200)]
    inside = sum(one.low_e6 <= truth * 1e6 <= one.high_e6 for one in held)
    assert 183 <= inside <= 199


def test_single_calls_would_be_far_too_certain() -> None:
    losses = overlapping(3, 0.1)
    blocks, alone = skill_of(pairs(losses)), skill_of(pairs(losses, block=1))
    assert blocks.high_e6 - blocks.low_e6 > 2 * (alone.high_e6 - alone.low_e6)


def test_the_interval_is_that_of_a_block_bootstrap() -> None:
    losses = overlapping(5, 0.1, rows=6_000)
    ts_ns = np.arange(len(losses)) * 100_000_000
    low, high = block_interval(ts_ns, lambda at: float(1 - losses[at].mean() / LN2_E6))
    skill = skill_of(pairs(losses))
    assert skill.low_e6 / 1e6 == pytest.approx(low, abs=0.15 * (high - low))
    assert skill.high_e6 / 1e6 == pytest.approx(high, abs=0.15 * (high - low))


def test_nothing_is_known_of_nothing() -> None:
    assert skill_of([]) == skill_of([(0, 0)]) == NO_SKILL
    assert not skill_of([(50, 100)] * 7).known
    assert proof_of(skill_of([(50, 100)] * 8), 199, 200) is Proof.GATHERING


def test_an_interval_that_holds_zero_proves_nothing() -> None:
    swings = [(40, 100), (150, 100)] * 10  # better on the whole, and worse as often
    assert proof_of(skill_of(swings), 500, 200) is Proof.NOT_PROVEN
    assert proof_of(skill_of([(50, 100), (52, 100)] * 10), 500, 200) is Proof.PROVEN
    assert proof_of(skill_of([(150, 100), (152, 100)] * 10), 500, 200) is Proof.WORSE


def test_what_is_worse_than_a_constant_is_told_before_what_is_better() -> None:
    bad, good, open_ = ([(150, 100), (152, 100)], [(50, 100), (52, 100)], [(40, 100), (170, 100)])
    early = LEAST_BAD_CALLS
    assert proof_of(skill_of(bad * 4), early - 1, 200, early) is Proof.GATHERING
    assert proof_of(skill_of(bad * 4), early, 200, early) is Proof.WORSE
    assert proof_of(skill_of(bad * 3), early, 200, early) is Proof.GATHERING  # six blocks have no interval
    assert proof_of(skill_of(good * 4), 199, 200, early) is Proof.GATHERING
    assert proof_of(skill_of(open_ * 4), 199, 200, early) is Proof.GATHERING
    assert proof_of(skill_of(bad * 4), 199, 200) is Proof.GATHERING


def coin(seed: int, hit: float) -> bool:
    """Tell whether a coin that says 0.6 is ever closed before 200 calls; five calls a block of time."""
    chance = np.random.default_rng(seed)
    losses = np.where(chance.random(200) < hit, -np.log(0.6), -np.log(0.4)) * 1e6
    blocks = [(int(part.sum()), len(part) * LN2_E6) for part in np.split(losses, 40)]
    looks = ((skill_of(blocks[:upto]), 5 * upto) for upto in range(1, 40))
    return any(proof_of(skill, calls, 200, LEAST_BAD_CALLS) is Proof.WORSE for skill, calls in looks)


def test_a_coin_without_skill_is_rarely_closed_early() -> None:
    worthless = (np.log(2) + np.log(0.4)) / (np.log(0.4) - np.log(0.6))  # hits at which the skill is zero
    closed = sum(coin(seed, abs(worthless)) for seed in range(500))
    assert 10 <= closed <= 75
    assert sum(coin(seed, 0.7) for seed in range(200)) == 0
    assert sum(coin(seed, 0.3) for seed in range(200)) >= 195


def test_the_gate_closes_at_once_and_opens_after_a_while() -> None:
    gate = SkillGate(open_unproven=True)
    assert not gate.judge(Proof.GATHERING)
    assert not gate.judge(Proof.PROVEN)
    assert gate.judge(Proof.NOT_PROVEN)
    for _ in range(OPEN_BLOCKS - 1):
        assert not gate.judge(Proof.PROVEN)
    assert not gate.judge(Proof.GATHERING)
    assert gate.judge(Proof.PROVEN)
    assert gate.is_open
    assert gate.judge(Proof.PROVEN, beaten=True)
    assert not gate.is_open


def test_a_gate_goes_on_from_what_was_decided() -> None:
    fresh = SkillGate(open_unproven=False)
    fresh.restore(True, False)
    assert not fresh.is_open
    fresh.restore(True, True)
    assert fresh.is_open
