"""The generator of the synthetic session."""

from __future__ import annotations

import math

import numpy as np

from pipeline.sim.chance import Chance


def test_stream_is_splitmix64() -> None:
    chance = Chance(1234567)
    assert [chance.bits() for _ in range(3)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ]


def test_exponential_is_the_negative_logarithm_of_a_uniform_number() -> None:
    drawn, bits = Chance(5), Chance(5)
    for _ in range(2_000):
        uniform = ((bits.bits() >> 11) + 1) / (1 << 53)
        assert abs(drawn.exponential(1.0) + math.log(uniform)) < 2e-6


def test_exponential_has_its_mean() -> None:
    chance = Chance(9)
    assert abs(np.mean([chance.exponential(3.0) for _ in range(20_000)]) - 3.0) < 0.1


def test_bounds_are_kept_and_reached() -> None:
    chance = Chance(7)
    assert {chance.between(-2, 2) for _ in range(500)} == {-2, -1, 0, 1, 2}
    assert {chance.below(3) for _ in range(500)} == {0, 1, 2}
    assert all(0.0 <= chance.unit() < 1.0 for _ in range(500))
