"""The rows before a row, for a model that reads several: which they are is decided here and nowhere else.

A window of n rows is the n - 1 newest rows of the grid and the row of the decision itself, oldest first. It
is whole only if no loss of the book lies inside it and its oldest row is not older than twice what n steps
of the grid take: where rows are missing a window reaches back further, but not for ever.
"""

from __future__ import annotations

from collections import deque
from itertools import chain

from pipeline.core.types import Trigger


def window_span_ns(rows: int, grid_ns: int) -> int:
    """Give how old the oldest row of a whole window may be when the decision is made."""
    return 2 * rows * grid_ns


class RowWindow:
    """The newest rows of the grid of one symbol and one model; the engine is its only writer."""

    __slots__ = ("_past", "_span_ns")

    def __init__(self, rows: int, grid_ns: int) -> None:
        """Start empty; `rows` counts the decision's own row and is at least 2."""
        self._past: deque[tuple[int, tuple[int, ...]]] = deque(maxlen=rows - 1)
        self._span_ns = window_span_ns(rows, grid_ns)

    def joined(self, trigger: Trigger, row: tuple[int, ...], ts_ns: int) -> tuple[int, ...]:
        """Take a row and give its window as one row, oldest first; empty while it is not whole."""
        past = self._past
        found: tuple[int, ...] = ()
        if self.whole(ts_ns):
            found = (*chain.from_iterable([values for _, values in past]), *row)
        if trigger is Trigger.GRID:
            past.append((ts_ns, row))
        return found

    def whole(self, ts_ns: int) -> bool:
        """Say whether a row decided at `ts_ns` would have its window."""
        past = self._past
        return len(past) == past.maxlen and ts_ns - past[0][0] <= self._span_ns

    def clear(self) -> None:
        """Forget every row: the book was lost, or the model is another."""
        self._past.clear()
