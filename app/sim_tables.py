"""The tables of docs/SIM.md: what imbalance says in real captures and in the simulated market, by one code.

`python -m app.sim_tables [FOLDER OF CAPTURES] > tables.md`; captures that are not there are
left out. The simulated market is played under a virtual clock and read from its own frames.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pipeline.core.types import SyncRule
from pipeline.research.bundled_recipes import SPOT
from pipeline.research.imbalance_curve import Horizon, Samples, bin_names, curve, samples
from pipeline.runtime.capture import open_capture
from pipeline.sim.pace import Pace, paced_flow
from pipeline.sim.recording import played

SYMBOL = "BTCUSDT"
SEED = 1
LENGTH_S = 3_000

USDM = replace(
    SPOT,
    venue="binance-usdm",
    price_decimals=1,
    size_decimals=3,
    lot_units=1,
    sync_rule=SyncRule.CHAINED,
    margin=True,
)

CAPTURES = (
    ("real: spot, 2024-08-08", SPOT, ("spot_btcusdt_20240808.gz", "spot_btcusdt_20240809.gz")),
    ("real: USD-M, 2024-07-18", USDM, ("usdm_btcusdt_20240718.gz", "usdm_btcusdt_20240719.gz")),
    (
        "real: USD-M, 2023-04-04",
        USDM,
        ("usdm_btcusdt_20230404.dat.gz", "usdm_btcusdt_20230405.dat.gz"),
    ),
)
SIMULATED = (
    ("sim, as it comes", Pace.USUAL, None),
    ("sim, --informed 0.5", Pace.USUAL, 0.5),
    ("sim, --informed 0", Pace.USUAL, 0.0),
    ("sim, --pace calm", Pace.CALM, None),
    ("sim, --pace calm --informed 0", Pace.CALM, 0.0),
)


def main(folder: Path) -> Iterator[str]:
    """Give the lines of the tables."""
    measured = [(name, curve(taken)) for name, taken in (*_real(folder), *_simulated())]
    yield from _by_horizon(measured)
    yield ""
    yield from _by_imbalance(measured)


def simulated_samples(pace: Pace, informed: float | None, seed: int = SEED) -> Samples:
    """Play the simulated market with a share of informed news and sample it."""
    frames = played(SYMBOL, paced_flow(pace, informed), seed, LENGTH_S, ("depth@100ms",))
    return samples(frames, SPOT)


def _real(folder: Path) -> Iterator[tuple[str, Samples]]:
    for name, instrument, files in CAPTURES:
        paths = [folder / file for file in files]
        if all(path.exists() for path in paths):
            frames = ((frame.ts_recv_ns, frame.payload) for frame in open_capture(paths, instrument.venue))
            yield name, samples(frames, instrument)


def _simulated() -> Iterator[tuple[str, Samples]]:
    for name, pace, informed in SIMULATED:
        yield name, simulated_samples(pace, informed)


def _by_horizon(measured: list[tuple[str, tuple[Horizon, ...]]]) -> Iterator[str]:
    horizons = [one.seconds for one in measured[0][1]]
    yield "| market | " + " | ".join(f"{seconds:g} s" for seconds in horizons) + " |"
    yield "|---|" + "---|" * len(horizons)
    for name, found in measured:
        cells = [f"**{one.auc:.2f}** · {one.moved:.0%} · {one.mean_move_bp:.2f} bp" for one in found]
        yield f"| {name} | " + " | ".join(cells) + " |"


def _by_imbalance(measured: list[tuple[str, tuple[Horizon, ...]]]) -> Iterator[str]:
    yield "| market | " + " | ".join(bin_names()) + " |"
    yield "|---|" + "---|" * len(bin_names())
    for name, found in measured:
        second = next(one for one in found if one.seconds == 1.0)
        pairs = zip(second.p_up, second.drift_bp, strict=True)
        yield f"| {name} | " + " | ".join(f"{p_up:.2f} · {drift:+.2f} bp" for p_up, drift in pairs) + " |"


if __name__ == "__main__":
    given = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("../shared/data/hftbacktest")
    sys.stdout.write("\n".join(main(given)) + "\n")
