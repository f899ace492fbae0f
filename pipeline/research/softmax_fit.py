"""Fit a logistic model of two or three classes with intercept and ridge by Newton's steps; numpy only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

MAX_STEPS = 60
INTERCEPT_RIDGE = 1e-3
"""Rows that say nothing; only there so that adding a constant to all classes is no free direction."""


def softmax(logits: Floats) -> Floats:
    """Give probabilities [m, k] of logits [m, k]."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def fit_softmax(rows: Floats, place: Places, classes: int, ridge: Floats) -> tuple[Floats, Floats]:
    """Give weights [features, classes] and intercepts [classes] for scaled rows [m, features].

    `ridge` pulls each feature towards 0 like so many rows that say nothing.

    Raises:
        ValueError: no row, or no convergence.
    """
    if not len(rows):
        raise ValueError("0 rows; want at least one")
    wide = np.hstack([rows, np.ones((len(rows), 1))])
    wanted = np.eye(classes)[place]
    pull = np.append(ridge, INTERCEPT_RIDGE)[:, None] / len(rows)
    weights = np.zeros((wide.shape[1], classes))
    loss = _loss(wide, wanted, weights, pull)
    for _ in range(MAX_STEPS):
        step = _newton_step(wide, wanted, weights, pull)
        share = 1.0
        while (after := _loss(wide, wanted, weights - share * step, pull)) > loss and share > 1e-6:
            share /= 2.0
        weights, gained, loss = weights - share * step, loss - after, after
        if gained < 1e-13:
            return weights[:-1], weights[-1]
    raise ValueError(f"no convergence in {MAX_STEPS} steps")


def _loss(wide: Floats, wanted: Floats, weights: Floats, pull: Floats) -> float:
    logits = wide @ weights
    top = logits.max(axis=1)
    norm = np.log(np.exp(logits - top[:, None]).sum(axis=1)) + top
    fit = (norm - (logits * wanted).sum(axis=1)).mean()
    return float(fit + 0.5 * (pull * weights**2).sum())


def _newton_step(wide: Floats, wanted: Floats, weights: Floats, pull: Floats) -> Floats:
    width, classes = weights.shape
    p = softmax(wide @ weights)
    slope = wide.T @ (p - wanted) / len(wide) + pull * weights
    curvature = np.zeros((classes * width, classes * width))
    for one in range(classes):
        for other in range(classes):
            mixed = p[:, one] * ((one == other) - p[:, other])
            block = (wide * mixed[:, None]).T @ wide / len(wide)
            at, to = slice(one * width, (one + 1) * width), slice(other * width, (other + 1) * width)
            curvature[at, to] = block + (one == other) * np.diag(pull[:, 0])
    step = np.linalg.solve(curvature, slope.T.ravel())
    return np.asarray(step.reshape(classes, width).T)
