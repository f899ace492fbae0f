"""What a feature declares of itself: identity, unit, parity, range, and when it may be believed.

The list of features is `registry.py`; how they are computed is in the `feature_*` modules beside this one.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

MS_NS: Final = 1_000_000

Reader = Callable[[int], float]
"""Gives a feature in its natural unit at a time in ns, before the signed logarithm and the cut."""


class Parity(enum.StrEnum):
    """What exchanging the two sides of the book does to a feature."""

    ODD = "odd"
    EVEN = "even"


class Needs(enum.StrEnum):
    """What a feature is computed from, and so what invalidates it."""

    TOUCH = "touch"
    """Best prices and sizes: the fresher of ticker and depth book."""
    DEPTH = "depth"
    """Levels of the depth book."""
    TRADES = "trades"
    """The tape alone: survives a resync of the book."""


class Missing(enum.StrEnum):
    """What a feature is when there is nothing to compute it from; a price is never made up."""

    NOT_READY = "not_ready"
    ZERO = "zero"
    """No event in the window is itself the observation."""


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """One feature. Everything but `summary` and the derived times is covered by the schema hash."""

    name: str
    formula: str
    version: int
    """Of the formula's implementation: other numbers need another version."""
    unit: str
    parity: Parity
    needs: Needs
    range_e6: tuple[int, int]
    """Least and greatest value a row may hold, in 1e-6; values beyond are cut to them."""
    summary: str
    """The formula in words, for the reference page."""
    missing: Missing = Missing.NOT_READY
    levels: int = 0
    """Book levels it sums on each side, or the one level it looks at; 0 where neither applies."""
    min_levels: int = 1
    """Levels each side must have; fewer than `levels` are summed as they are, never padded."""
    window_ms: int = 0
    tau_ms: int = 0
    """Time constant of its own decay."""
    norm_tau_ms: int = 0
    """Time constant of the mean it is divided by."""
    signed_log: bool = False
    """True: a row holds sign(x) * ln(1 + |x|) of the value in `unit`."""
    params: tuple[tuple[str, int], ...] = ()
    """Further numbers of the formula, by name."""

    def __post_init__(self) -> None:
        """Check what a mirrored row relies on.

        Raises: ValueError when an odd feature's range is not symmetric, or a range is empty.
        """
        low, high = self.range_e6
        if low >= high or (self.parity is Parity.ODD and low != -high):
            raise ValueError(f"{self.name}: range {low}..{high} does not fit parity {self.parity}")

    @property
    def ready_after_ns(self) -> int:
        """Give the uninterrupted time before a row may hold it: max(window, 3 * slowest tau)."""
        return max(self.window_ms, 3 * self.tau_ms, 3 * self.norm_tau_ms) * MS_NS

    @property
    def shown_after_ns(self) -> int:
        """Give the time before it may be shown: its window is full, though a slow mean may still settle."""
        return self.window_ms * MS_NS

    def schema(self) -> dict[str, object]:
        """Give what the schema hash covers, as text, integers, and lists and dicts of them."""
        params: dict[str, object] = dict(self.params)
        params |= {"levels": self.levels, "min_levels": self.min_levels, "window_ms": self.window_ms}
        params |= {"tau_ms": self.tau_ms, "norm_tau_ms": self.norm_tau_ms}
        params["transform"] = "signed_log" if self.signed_log else "none"
        return {
            "name": self.name,
            "formula": self.formula,
            "version": self.version,
            "params": params,
            "unit": self.unit,
            "dtype": "float32",
            "parity": self.parity.value,
            "needs": self.needs.value,
            "range_e6": list(self.range_e6),
            "missing": self.missing.value,
        }
