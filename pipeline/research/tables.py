"""Rows that are fetched when they are looked at, so that training needs no memory for all of them.

A table answers `rows[at]`, for a slice or an array of places, with float64 numbers [m, width]; an array of
numpy is one. What learns from a table walks over it in `chunks`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

CHUNK = 1 << 20
"""Numbers looked at together, 8 MB of them."""


class Table(Protocol):
    """Rows in an order."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Give the number of rows, and of columns."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, at: slice | Places, /) -> Floats: ...


def chunks(rows: Table) -> Iterator[slice]:
    """Cut a table into slices of some 8 MB each."""
    step, count = max(CHUNK // rows.shape[1], 1), len(rows)
    return (slice(low, min(low + step, count)) for low in range(0, count, step))


@dataclass(frozen=True, slots=True)
class Picked:
    """Some rows of a table, in an order of their own."""

    rows: Table
    places: Places

    @property
    def shape(self) -> tuple[int, ...]:
        """Give rows and columns."""
        return len(self.places), self.rows.shape[1]

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, at: slice | Places, /) -> Floats:
        return self.rows[self.places[at]]


@dataclass(frozen=True, slots=True)
class Changed:
    """Rows as a function makes them when they are looked at."""

    rows: Table
    width: int
    change: Callable[[Floats], Floats]

    @property
    def shape(self) -> tuple[int, ...]:
        """Give rows and columns."""
        return len(self.rows), self.width

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, at: slice | Places, /) -> Floats:
        return self.change(self.rows[at])


@dataclass(frozen=True, slots=True)
class Mirrored:
    """Every row, and after them the mirror of every row."""

    rows: Table
    signs: Floats
    """What a mirror multiplies each column by."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Give rows and columns."""
        return 2 * len(self.rows), self.rows.shape[1]

    def __len__(self) -> int:
        return 2 * len(self.rows)

    def __getitem__(self, at: slice | Places, /) -> Floats:
        places = np.arange(*at.indices(len(self))) if isinstance(at, slice) else at
        turned = places >= len(self.rows)
        found = self.rows[np.where(turned, places - len(self.rows), places)]
        found[turned] *= self.signs
        return found
