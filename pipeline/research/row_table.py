"""Rows of a dataset, or windows of them, as a table: fetched when they are looked at, whatever they lie in.

Which rows a window holds follows from the rows' own times, triggers and epochs by the rule of
`core/row_window.py`, so a model learns from the very windows the engine asks with.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.core.row_window import window_span_ns
from pipeline.core.types import Trigger
from pipeline.research.tables import Floats, Places

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class RowTable:
    """Some columns of every row, each with the rows before it where a window is asked for."""

    values: npt.NDArray[np.float32]
    """Of all features, [n, features]; in memory or mapped from a file."""
    columns: Places
    window: int
    grid: Places
    """Which rows are of the grid."""
    before: Places
    """How many of those lie before each row, [n]."""
    whole: Flags
    """Rows whose window is whole; of the others the table gives nothing that means anything, [n]."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Give the number of rows, and of numbers in each."""
        return len(self.values), self.window * len(self.columns)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, at: slice | Places, /) -> Floats:
        if self.window == 1:
            return np.asarray(self.values[at][:, self.columns], dtype=np.float64)
        places = np.arange(*at.indices(len(self))) if isinstance(at, slice) else at
        past = self.before[places][:, None] + np.arange(1 - self.window, 0)
        rows = np.concatenate([self.grid[np.maximum(past, 0)], places[:, None]], axis=1)
        found = self.values[rows.ravel()][:, self.columns]
        return np.asarray(found.reshape(len(places), -1), dtype=np.float64)


def row_table(
    values: npt.NDArray[np.float32],
    columns: Places,
    window: int,
    times: tuple[npt.NDArray[np.int64], npt.NDArray[np.int8], npt.NDArray[np.int32]],
    grid_ns: int,
) -> RowTable:
    """Give the table of some columns; `times` are decision time in ns, trigger and epoch of each row.

    An epoch rises with every loss of the book and is of one source alone.
    """
    if window == 1:
        none = np.empty(0, dtype=np.intp)
        return RowTable(values, columns, 1, none, none, np.ones(len(values), dtype=bool))
    ts_ns, trigger, epoch = times
    of_grid = trigger == int(Trigger.GRID)
    grid = np.flatnonzero(of_grid) if of_grid.any() else np.zeros(1, dtype=np.intp)
    before = np.cumsum(of_grid) - of_grid
    oldest = before - (window - 1)
    enough = oldest >= 0
    first = grid[np.maximum(oldest, 0)]
    near = ts_ns - ts_ns[first] <= window_span_ns(window, grid_ns)
    return RowTable(values, columns, window, grid, before, enough & near & (epoch[first] == epoch))
