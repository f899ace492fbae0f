"""Frame bytes -> book -> 10 imbalance features, against the plain float way, on the real spot capture.

The two ways and the rounds are those of `lobdeck bench`: what is measured there is held to its budget here.
"""

from __future__ import annotations

import statistics

import pytest

from app.bench_book import REFERENCE_BUDGET, OurWay, PlainWay, check_same, one_round
from app.bench_capture import DepthFrames, depth_frames
from tests.fakes.market_builders import CAPTURES

FILES = (CAPTURES / "spot_btcusdt_20240808.gz", CAPTURES / "spot_btcusdt_20240809.gz")
ROUNDS = 7

pytestmark = pytest.mark.skipif(not FILES[0].exists(), reason="../shared/data/hftbacktest is not here")


@pytest.fixture(scope="module")
def depth() -> DepthFrames:
    return depth_frames(FILES)


def test_both_ways_give_the_same_features(depth: DepthFrames) -> None:
    check_same(depth)
    plain, exact = PlainWay(depth).run(depth.frames[:2_000]), OurWay(depth).run(depth.frames[:2_000])
    tick = depth.instrument.tick_units / 10**depth.instrument.price_decimals
    unit = 10.0**-depth.instrument.size_decimals
    scale = [tick] * 5 + [1.0] * 3 + [unit] * 2
    for row, counts in zip(plain, exact, strict=True):
        assert row == pytest.approx(
            [count * one for count, one in zip(counts, scale, strict=True)], rel=1e-9, abs=1e-6
        )


def test_depth_path_stays_within_its_budget(depth: DepthFrames, capsys: pytest.CaptureFixture[str]) -> None:
    rounds = [one_round(depth) for _ in range(ROUNDS)]
    ratio = statistics.median(ours / plain for plain, ours in rounds)
    plain_us = statistics.median(plain for plain, _ in rounds)
    with capsys.disabled():
        print(f"\ndepth frame -> 10 features: {ratio:.2f} x the plain way ({plain_us:.1f} us)")  # noqa: T201
    assert ratio <= REFERENCE_BUDGET.limit
