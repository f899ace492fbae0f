"""How a book's imbalance goes with the next move of the mid, by horizon: one measure for every market.

The same code reads the real captures and the simulated exchange, so that the two can be laid side by side
(docs/SIM.md). Samples are taken each 200 ms of receive time from the depth book alone: the imbalance of the
best five levels, (bids - asks) / (bids + asks) in size, and the mid. Overlapping horizons share moves: the
numbers describe, they do not test.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from pipeline.core.feature_shape import imbalance
from pipeline.core.inputs import DepthSnapshot, DepthUpdate
from pipeline.core.sync import SyncedBook
from pipeline.core.types import Instrument
from pipeline.research.scores import auc
from pipeline.wire.venues import codec_for

GRID_NS = 200_000_000
LEVELS = 5
HORIZONS = (1, 5, 10, 25)
"""In samples: 0.2, 1, 2 and 5 s."""
EDGES = (-1.0, -0.6, -0.2, 0.2, 0.6, 1.0)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Samples:
    """Imbalance in [-1, 1] and mid in ticks, [n] each, one sample each 200 ms."""

    imbalance: Floats
    mid_ticks: Floats


@dataclass(frozen=True, slots=True)
class Horizon:
    """What the imbalance says of the move over one horizon."""

    seconds: float
    auc: float
    """Chance that a rise had a higher imbalance before it than a fall; .5 says nothing."""
    moved: float
    """Share of samples after which the mid was elsewhere."""
    mean_move_bp: float
    """Mean size of those moves."""
    p_up: tuple[float, ...]
    """Share of rises among the moves, by bin of imbalance; NaN for an empty bin."""
    drift_bp: tuple[float, ...]
    """Mean signed move by bin of imbalance, standing still included; NaN for an empty bin."""


def samples(frames: Iterable[tuple[int, bytes]], instrument: Instrument) -> Samples:
    """Play (receive time in ns, frame) through codec and book and sample it while it is synced."""
    found = list(_sampled(frames, instrument))
    return Samples(np.array([one for one, _ in found]), np.array([mid for _, mid in found]))


def curve(taken: Samples, horizons: Sequence[int] = HORIZONS) -> tuple[Horizon, ...]:
    """Give what the imbalance says of the mid's move over each horizon, given in samples."""
    return tuple(_horizon(taken, ahead) for ahead in horizons)


def _horizon(taken: Samples, ahead: int) -> Horizon:
    lean, mid = taken.imbalance[:-ahead], taken.mid_ticks[:-ahead]
    move_bp = (taken.mid_ticks[ahead:] - mid) / mid * 10_000
    moved = move_bp != 0
    bins = np.digitize(lean, EDGES[1:-1])
    p_up, drift_bp = [], []
    for one in range(len(EDGES) - 1):
        inside = bins == one
        rises = move_bp[inside & moved] > 0
        p_up.append(float(rises.mean()) if len(rises) else float("nan"))
        drift_bp.append(float(move_bp[inside].mean()) if inside.any() else float("nan"))
    return Horizon(
        seconds=ahead * GRID_NS / 1e9,
        auc=auc(lean[moved], move_bp[moved] > 0),
        moved=float(moved.mean()),
        mean_move_bp=float(np.abs(move_bp[moved]).mean()) if moved.any() else 0.0,
        p_up=tuple(p_up),
        drift_bp=tuple(drift_bp),
    )


def _sampled(frames: Iterable[tuple[int, bytes]], instrument: Instrument) -> Iterator[tuple[float, float]]:
    codec = codec_for(instrument.venue, {instrument.symbol: instrument})
    book = SyncedBook(instrument)
    grid_ns = 0
    for ts_ns, frame in frames:
        if b"depthUpdate" not in frame and b"lastUpdateId" not in frame:
            continue
        grid_ns = grid_ns or ts_ns
        while ts_ns > grid_ns:
            if book.is_synced:
                yield _sample(book)
            grid_ns += GRID_NS
        for one in codec.decode(frame, ts_ns, 0):
            match one:
                case DepthSnapshot():
                    book.on_snapshot(one)
                case DepthUpdate():
                    book.on_update(one)


def _sample(book: SyncedBook) -> tuple[float, float]:
    bid, _, ask, _ = book.book.l1
    return imbalance(book.book, LEVELS), (bid + ask) / 2


def bin_names() -> tuple[str, ...]:
    """Give the bins of imbalance as the tables head them."""
    return tuple(f"{low:+.1f} to {high:+.1f}" for low, high in pairwise(EDGES))
