"""Fit a logistic model by iterated least squares, with ridge and mirrored rows; numpy only.

The model is P(up | the mid moves). Each row is used twice, as it is and mirrored (odd features with the other
sign, the other label), and there is no intercept: so exchanging bid and ask exchanges the answer exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.core.feature_spec import Parity
from pipeline.core.registry import spec_of
from pipeline.models.graph import CLIP, LogisticWeights
from pipeline.research.tables import Table, chunks

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

MAX_STEPS = 100


@dataclass(frozen=True, slots=True)
class Scaling:
    """What the graph subtracts and divides by; (0, 1) for ratios, mean 0 for every odd feature."""

    mean: Floats
    std: Floats

    def apply(self, rows: Floats) -> Floats:
        """Standardise and clip rows [n, features] as the graph does."""
        return np.clip((rows - self.mean) / self.std, -CLIP, CLIP)


def fit_scaling(features: Sequence[str], rows: Table) -> Scaling:
    """Learn mean and deviation from training rows; ratios pass through."""
    specs = [spec_of(name) for name in features]
    ratio = np.array([spec.unit == "ratio" for spec in specs])
    odd = np.array([spec.parity is Parity.ODD for spec in specs])
    count = len(rows)
    mean = np.where(ratio | odd, 0.0, sum(rows[at].sum(axis=0) for at in chunks(rows)) / count)
    std = np.sqrt(sum(((rows[at] - mean) ** 2).sum(axis=0) for at in chunks(rows)) / count)
    return Scaling(mean, np.where(ratio | (std == 0.0), 1.0, std))


def fit_odd(features: Sequence[str], rows: Table, up: Flags, ridge: Floats) -> Floats:
    """Give weights [features] for scaled rows of odd features, each shrunk towards 0 by its own `ridge`.

    A ridge of r pulls like r rows that say nothing. Without intercept and with odd features only, a row and
    its mirror pull the same way, so the mirrored rows need not be written out.

    Raises:
        ValueError: no row, a feature that is even, or no convergence.
    """
    even = [name for name in features if spec_of(name).parity is not Parity.ODD]
    if len(rows) == 0 or even:
        raise ValueError(f"{len(rows)} rows, even features {even}; want rows of odd features")
    weights = np.zeros(rows.shape[1])
    pull = ridge / len(rows)
    for _ in range(MAX_STEPS):
        slope, curvature = np.zeros(len(weights)), np.zeros((len(weights), len(weights)))
        for at in chunks(rows):
            part = rows[at]
            p_up = 1.0 / (1.0 + np.exp(-part @ weights))
            slope += part.T @ (p_up - up[at])
            curvature += (part * (p_up * (1.0 - p_up))[:, None]).T @ part
        slope, curvature = slope / len(rows) + pull * weights, curvature / len(rows)
        step = np.linalg.solve(curvature + np.diag(pull), slope)
        weights = weights - step
        if np.abs(step).max() < 1e-10:
            return weights
    raise ValueError(f"no convergence in {MAX_STEPS} steps")


def logistic_weights(weights: Floats, scaling: Scaling, decimals: int = 5) -> LogisticWeights:
    """Round a fit to what is committed; the temperature is 1, see `fit_bundled.py`."""
    return LogisticWeights(
        weights=(tuple(round(float(value), decimals) for value in weights),),
        intercepts=(0.0,),
        mean=tuple(round(float(value), decimals) for value in scaling.mean),
        std=tuple(round(float(value), decimals) for value in scaling.std),
    )
