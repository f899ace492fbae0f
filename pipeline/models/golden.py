"""Rows a model is tried on: the golden rows it carries, and the probe rows every load uses.

Both fill the ranges the registry declares, the same way every time and on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pipeline.core.registry import mirror_row, spec_of
from pipeline.core.types import E6

PROBE_ROWS = 64
_GOLDEN_PAIRS = 8
_GOLDEN = (math.sqrt(5) - 1) / 2

FloatArray = npt.NDArray[np.float32]


def mirror_signs(features: Sequence[str]) -> FloatArray:
    """Give -1 for each odd feature and 1 for each even one: what exchanging bid and ask multiplies by."""
    return np.array(mirror_row(features, [1] * len(features)), dtype=np.float32)


def probe_rows(features: Sequence[str]) -> FloatArray:
    """Give 64 rows, float32 [64, n]: zero, the lowest and the highest, and rows spread over the ranges.

    Each column steps through its range by an irrational stride of its own, so no two columns go together.
    """
    ranges = np.array([spec_of(name).range_e6 for name in features], dtype=np.float64) / E6
    low, high = ranges[:, 0], ranges[:, 1]
    columns = np.arange(1, len(features) + 1)
    steps = np.outer(np.arange(1, PROBE_ROWS - 2), np.sqrt(2.0) * columns + _GOLDEN**columns)
    inside = low + (high - low) * np.mod(steps, 1.0)
    return np.vstack([np.zeros_like(low), low, high, inside]).astype(np.float32)


def golden_rows(features: Sequence[str]) -> FloatArray:
    """Give the inputs a model is shipped with, float32 [17, n]: the zero row, then 8 rows and their mirrors.

    Both extremes are among the 8. Values are multiples of 1e-6, as every row of the engine is.
    """
    rows = np.round(probe_rows(features)[1 : _GOLDEN_PAIRS + 1].astype(np.float64), 6)
    pairs = np.stack([rows, rows * mirror_signs(features)], axis=1).reshape(2 * _GOLDEN_PAIRS, -1)
    return np.vstack([np.zeros(len(features)), pairs]).astype(np.float32)
