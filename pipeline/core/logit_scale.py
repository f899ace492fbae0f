"""One number that a stream of logits is multiplied by, learned from what came true. Pure; no offset ever.

An offset fitted on minutes learns the trend of these minutes. A multiplier only makes answers less sure or
more: 1 / multiplier is the temperature. Each value of a grid keeps its decayed log-loss; the best of them
wins, pulled to where the grid is anchored, so that a few hundred calls move nothing far.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

HALF_LIFE_CALLS = 2_000
"""Calls after which a loss counts half; some four minutes of a market that moves every second time."""

PULL = 20.0
"""Loss, in nats of calls, that a multiplier e times the anchor would have to save."""

LEAST_CALLS = 500
"""Fewer outcomes teach nothing but the minute they come from."""

_KEEP = 0.5 ** (1 / HALF_LIFE_CALLS)

TEMPERATURES = (0.3, 0.36, 0.43, 0.52, 0.62, 0.75, 0.87, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5)
"""Temperatures a live model may get (MODELS 4.6): 0.3 to 1.5, 1 among them."""

SLOPES = (0.25, 0.5, 0.75, 1.0, 1.3, 1.66, 2.0, 2.5, 3.2, 4.0, 5.0, 6.5, 8.0)
"""Slopes that queue imbalance may get; 1.66 is that of the bundled qi-logit."""

QI_SLOPE = 1.66


def log_loss(logit: float, up: bool) -> float:
    """Give the loss of a logit in nats, exact also far from zero."""
    z = -logit if up else logit
    return max(z, 0.0) + math.log1p(math.exp(-abs(z)))


class LogitScale:
    """The best multiplier so far; O(grid) a call."""

    __slots__ = ("_grid", "_losses", "_pulls", "anchor", "calls", "value")

    def __init__(self, grid: Sequence[float], anchor: float) -> None:
        """Start at `anchor`, which is one of the grid."""
        self._grid = tuple(grid)
        self._losses = [0.0] * len(self._grid)
        self._pulls = [PULL * math.log(one / anchor) ** 2 for one in self._grid]
        self.anchor = self.value = anchor
        self.calls = 0

    def note(self, logit: float, up: bool) -> None:
        """Learn from one call that moved."""
        signed = -logit if up else logit
        exp, log1p = math.exp, math.log1p
        losses = self._losses
        for place, scale in enumerate(self._grid):
            z = signed * scale
            loss = (z if z > 0.0 else 0.0) + log1p(exp(-z if z > 0.0 else z))
            losses[place] = losses[place] * _KEEP + loss
        self.calls += 1

    def choose(self) -> float:
        """Give the best multiplier of now and keep it as `value`; the anchor before enough calls."""
        if self.calls >= LEAST_CALLS:
            total = [loss + pull for loss, pull in zip(self._losses, self._pulls, strict=True)]
            self.value = self._grid[total.index(min(total))]
        return self.value

    def state(self) -> tuple[int, tuple[float, ...]]:
        """Give what `restore` takes."""
        return self.calls, tuple(self._losses)

    def restore(self, calls: int, losses: Sequence[float]) -> None:
        """Go on from where another one stood; one of another grid is left out."""
        if len(losses) == len(self._losses):
            self.calls, self._losses = calls, list(losses)
            self.choose()


def temperature_scale() -> LogitScale:
    """Give the online temperature: multipliers 1 / T, anchored at 1."""
    return LogitScale([1.0 / one for one in TEMPERATURES], 1.0)


def imbalance_scale() -> LogitScale:
    """Give the baseline's slope: the log-odds of up are slope x queue imbalance."""
    return LogitScale(SLOPES, QI_SLOPE)
