"""What the bundled models are fitted from: features, horizon, pull towards 0, and the market.

`qi-logit` and `ob-logit` come from recorded spot data. `calm-logit` comes from the simulated exchange at its
calm pace, for the demo that runs on it: what it knows is planted, and worth nothing anywhere else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.core.params import MS
from pipeline.core.types import Fees, Instrument, SyncRule
from pipeline.research.labels import Floats, Window
from pipeline.research.rows import Rows
from pipeline.sim.pace import Pace, paced_flow
from pipeline.sim.recording import START_NS, played

CAPTURE = ("spot_btcusdt_20240808.gz", "spot_btcusdt_20240809.gz")
SPOT = Instrument(
    venue="binance",
    symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    price_decimals=2,
    tick_units=1,
    size_decimals=8,
    lot_units=1_000,
    min_notional_quote_e8=5 * 10**8,
    max_qty_lots=900_000_000,
    sync_rule=SyncRule.CONTIGUOUS,
    fees=Fees(0, 0, "assumed"),
)
STREAMS = ("depth@100ms", "bookTicker", "trade")
DELAY_MS = 100
SIM_SEED = 20_260_101
"""No demo and no test of one runs on it."""
SIM_LENGTH_S = 300
SIM_PARTS = 12
"""Markets of another seed each, an hour together: what counts is how many pieces of news there are."""

BASELINE = "qi_1"
FREE = 1.0
SHRUNK = 1_000.0
"""Rows that say nothing, as a pull towards 0: a thousand against some nine thousand that moved."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a model is fitted from; `ridge` is one number a feature."""

    name: str
    ridge: dict[str, float]
    portable: bool
    notes: str
    horizon_ms: int = 1_000
    pace: Pace | None = None
    """Pace of the simulated market it is fitted on; None for the recorded one."""

    @property
    def features(self) -> tuple[str, ...]:
        """Give the features in the order of the row."""
        return tuple(self.ridge)


RECIPES = (
    Recipe(
        name="qi-logit",
        ridge={BASELINE: FREE},
        portable=True,
        notes="Queue imbalance alone: baseline, fallback, fixture. Fitted on eleven minutes of one market.",
    ),
    Recipe(
        name="ob-logit",
        ridge={
            **dict.fromkeys((BASELINE, "micro_dev"), FREE),
            **dict.fromkeys(("qi_5", "qi_10", "dwi", "qi_band_5bps", "slope", "tfi_1s"), SHRUNK),
        },
        portable=False,
        notes="Eleven minutes of one market; its gain over queue imbalance alone is within their noise.",
    ),
    Recipe(
        name="calm-logit",
        ridge={"qi_1_ewma": FREE},
        portable=False,
        notes="For the demo: an hour of the simulated market at its calm pace, whose flow is planted.",
        horizon_ms=5_000,
        pace=Pace.CALM,
    ),
)


@dataclass(frozen=True, slots=True)
class Training:
    """Rows in order of time, and what the mid did after each."""

    ts_ns: npt.NDArray[np.int64]
    values: Floats
    """Of the recipe's features, [n, features]."""
    baseline: Floats
    """Queue imbalance at the touch, [n, 1]."""
    returns: Floats
    """Over the recipe's horizon, from the delay on; NaN past the end of a market, [n]."""
    digests: tuple[str, ...]
    """sha256 of each file, or of each market's frames."""


def training_of(recipe: Recipe, parts: Sequence[Rows], digests: tuple[str, ...]) -> Training:
    """Give a recipe's rows out of datasets in order of time, each of a market of its own."""
    window = Window(DELAY_MS * MS, recipe.horizon_ms * MS)
    return Training(
        ts_ns=np.concatenate([rows.ts_ns for rows in parts]),
        values=np.concatenate([rows.table(recipe.features)[:] for rows in parts]),
        baseline=np.concatenate([rows.table((BASELINE,))[:] for rows in parts]),
        returns=np.concatenate([rows.returns(window) for rows in parts]),
        digests=digests,
    )


def market_frames(recipe: Recipe, part: int) -> Iterator[tuple[int, bytes]]:
    """Play one of the simulated markets of a recipe that has a pace: receive time in ns, frame."""
    assert recipe.pace is not None
    start_ns = START_NS + part * SIM_LENGTH_S * 1_000_000_000
    return played(SPOT.symbol, paced_flow(recipe.pace), SIM_SEED + part, SIM_LENGTH_S, STREAMS, start_ns)
