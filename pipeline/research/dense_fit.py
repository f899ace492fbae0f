"""Train a small network of dense layers by Adam over shuffled batches; numpy only, the same for a seed.

The order of the batches is shuffled within the training rows; what is tested is never among them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.models.dense_graph import Layer
from pipeline.models.graph import CLASSES
from pipeline.research.softmax_fit import softmax
from pipeline.research.tables import Table

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

DECIMALS = 6
FIRST_DECAY, SECOND_DECAY = 0.9, 0.999


@dataclass(frozen=True, slots=True)
class NetOptions:
    """Shape and pace of the training."""

    hidden: tuple[int, ...] = (16,)
    epochs: int = 20
    batch: int = 256
    rate: float = 0.003
    decay: float = 0.001
    """Pull of every weight towards 0, a share of it a step of the loss."""


def fit_layers(options: NetOptions, seed: int, rows: Table, place: Places, binary: bool) -> tuple[Layer, ...]:
    """Give the layers for scaled rows [m, features]; `place` is 0 or 1 for binary, else 0, 1 or 2.

    Raises:
        ValueError: no row, or the training ran away.
    """
    if not len(rows):
        raise ValueError("0 rows; want at least one")
    chance = np.random.default_rng(seed)
    parts = _first_parts(chance, (rows.shape[1], *options.hidden, 1 if binary else CLASSES))
    slow, fast, step = [np.zeros_like(part) for part in parts], [np.zeros_like(part) for part in parts], 0
    for _ in range(options.epochs):
        order = chance.permutation(len(rows))
        for chosen in np.array_split(order, max(len(rows) // options.batch, 1)):
            step += 1
            classes = place[chosen]
            wanted = classes[:, None].astype(np.float64) if binary else np.eye(CLASSES)[classes]
            slopes = _slopes(parts, rows[chosen], wanted, options.decay)
            for part, slope, mean, square in zip(parts, slopes, slow, fast, strict=True):
                mean += (1 - FIRST_DECAY) * (slope - mean)
                square += (1 - SECOND_DECAY) * (slope**2 - square)
                high = mean / (1 - FIRST_DECAY**step)
                part -= options.rate * high / (np.sqrt(square / (1 - SECOND_DECAY**step)) + 1e-8)
    if not all(np.isfinite(part).all() for part in parts):
        raise ValueError(f"the network ran away at rate {options.rate}; want a lower one")
    rounded = [np.round(part, DECIMALS) for part in parts]
    return tuple(Layer(*pair) for pair in zip(rounded[::2], rounded[1::2], strict=True))


def _first_parts(chance: np.random.Generator, widths: tuple[int, ...]) -> list[Floats]:
    parts: list[Floats] = []
    for inside, outside in zip(widths[:-1], widths[1:], strict=True):
        parts += [chance.normal(0.0, np.sqrt(2.0 / inside), (inside, outside)), np.zeros(outside)]
    return parts


def _slopes(parts: list[Floats], rows: Floats, wanted: Floats, decay: float) -> list[Floats]:
    """Give the slope of the loss over every part, by passing the error back through the layers."""
    kept = [rows]
    for weights, offsets in zip(parts[:-2:2], parts[1:-2:2], strict=True):
        kept.append(np.maximum(kept[-1] @ weights + offsets, 0.0))
    logits = kept[-1] @ parts[-2] + parts[-1]
    p = softmax(logits) if wanted.shape[1] > 1 else 1.0 / (1.0 + np.exp(-logits))
    error = (p - wanted) / len(rows)
    slopes: list[Floats] = []
    for at in range(len(kept) - 1, -1, -1):
        slopes = [kept[at].T @ error + decay * parts[2 * at], error.sum(axis=0), *slopes]
        if at:
            error = (error @ parts[2 * at].T) * (kept[at] > 0.0)
    return slopes
