"""What the imbalance of the simulated market says, and that it says nothing when nobody knows anything."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.research.imbalance_curve import curve, samples
from pipeline.sim.exchange.listing import spot_listings
from pipeline.sim.order_flow import FlowParams
from tests.fakes.sim_market import SimMarket, flow, hectic

INSTRUMENT = spot_listings()[0].instrument


def pooled_aucs(how: FlowParams, seconds: float, horizons: tuple[int, ...], seeds: int) -> list[float]:
    """Mean over the seeds by horizon, so that a seed that happens to trend does not decide."""
    found = []
    for seed in range(1, seeds + 1):
        market = SimMarket(seed, how, ("btcusdt@depth@100ms",)).run(seconds)
        found.append([one.auc for one in curve(samples(market.frames(), INSTRUMENT), horizons)])
    return [float(mean) for mean in np.mean(found, axis=0)]


def test_without_informed_traders_imbalance_says_nothing() -> None:
    assert pooled_aucs(hectic(0.0), 300, (1, 2, 5), seeds=8) == pytest.approx([0.5] * 3, abs=0.02)


def test_the_more_is_known_the_more_imbalance_says() -> None:
    (half,), (nearly_all,) = (pooled_aucs(flow(informed), 90, (5,), seeds=4) for informed in (0.4, 0.9))
    assert 0.58 < half < nearly_all - 0.08
    assert 0.78 < nearly_all < 0.92
