"""Fit a logistic model of two or three classes with intercept and ridge by Newton's steps; numpy only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.research.tables import Changed, Table, chunks

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

MAX_STEPS = 60
INTERCEPT_RIDGE = 1e-3
"""Rows that say nothing; only there so that adding a constant to all classes is no free direction."""


def softmax(logits: Floats) -> Floats:
    """Give probabilities [m, k] of logits [m, k]."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def fit_softmax(rows: Table, place: Places, classes: int, ridge: Floats) -> tuple[Floats, Floats]:
    """Give weights [features, classes] and intercepts [classes] for scaled rows [m, features].

    `ridge` pulls each feature towards 0 like so many rows that say nothing.

    Raises:
        ValueError: no row, or no convergence.
    """
    if not len(rows):
        raise ValueError("0 rows; want at least one")
    wide = Changed(rows, rows.shape[1] + 1, _with_ones)
    pull = np.append(ridge, INTERCEPT_RIDGE)[:, None] / len(rows)
    weights = np.zeros((wide.width, classes))
    loss = _loss(wide, place, weights, pull)
    for _ in range(MAX_STEPS):
        step = _newton_step(wide, place, weights, pull)
        share = 1.0
        while (after := _loss(wide, place, weights - share * step, pull)) > loss and share > 1e-6:
            share /= 2.0
        weights, gained, loss = weights - share * step, loss - after, after
        if gained < 1e-13:
            return weights[:-1], weights[-1]
    raise ValueError(f"no convergence in {MAX_STEPS} steps")


def _with_ones(rows: Floats) -> Floats:
    return np.hstack([rows, np.ones((len(rows), 1))])


def _loss(wide: Table, place: Places, weights: Floats, pull: Floats) -> float:
    total = 0.0
    for at in chunks(wide):
        logits = wide[at] @ weights
        top = logits.max(axis=1)
        norm = np.log(np.exp(logits - top[:, None]).sum(axis=1)) + top
        total += float((norm - logits[np.arange(len(logits)), place[at]]).sum())
    return total / len(wide) + float(0.5 * (pull * weights**2).sum())


def _newton_step(wide: Table, place: Places, weights: Floats, pull: Floats) -> Floats:
    width, classes = weights.shape
    slope, curvature = np.zeros((width, classes)), np.zeros((classes * width, classes * width))
    for at in chunks(wide):
        part = wide[at]
        p = softmax(part @ weights)
        slope += part.T @ (p - np.eye(classes)[place[at]])
        curvature += _curvature(part, p)
    slope, curvature = slope / len(wide) + pull * weights, curvature / len(wide)
    curvature += np.diag(np.tile(pull[:, 0], classes))
    step = np.linalg.solve(curvature, slope.T.ravel())
    return np.asarray(step.reshape(classes, width).T)


def _curvature(part: Floats, p: Floats) -> Floats:
    width, classes = part.shape[1], p.shape[1]
    found = np.zeros((classes * width, classes * width))
    for one in range(classes):
        for other in range(classes):
            mixed = p[:, one] * ((one == other) - p[:, other])
            at, to = slice(one * width, (one + 1) * width), slice(other * width, (other + 1) * width)
            found[at, to] = (part * mixed[:, None]).T @ part
    return found
