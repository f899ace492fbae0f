"""Where the features lie now against where they lay in training: the population stability index. Pure.

For explanation only: volatility leaves its training range within minutes on any market, and skill is what an
alarm goes by. Bins are the deciles a model's file declares; deciles that coincide are one bin of their share.
Counts halve when they are full, so that the newest rows count most and memory stays as it is.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from pipeline.core.snapshot_model import DRIFT_WAITS

ROWS_FULL = 4_000
"""Rows at which all counts halve; some minutes of rows 100 ms apart."""

LEAST_ROWS = 2_000
"""Fewer rows have no index: half a minute of a feature is one mood of it, and its index says six."""
TOO_FEW: Final = DRIFT_WAITS
NO_BINS = -1
"""Instead of an index where the model's file declares none."""

FLOOR = 1e-4
"""Share an empty bin counts with."""


class FeatureDrift:
    """Counts of one model's features by the bins of its training."""

    __slots__ = ("_counts", "_edges", "_shares", "rows")

    def __init__(self, edges_e6: Sequence[Sequence[int]]) -> None:
        """Take the inner decile edges of each feature in the row's order; empty where none are declared."""
        self._edges = [sorted(set(one)) for one in edges_e6]
        self._shares = [_shares(one, distinct) for one, distinct in zip(edges_e6, self._edges, strict=True)]
        self._counts = [[0] * len(one) for one in self._shares]
        self.rows = 0

    def note(self, row_e6: Sequence[int]) -> None:
        """Count one row; one of another width is none of this model's."""
        if len(row_e6) != len(self._edges):
            return
        for value, edges, counts in zip(row_e6, self._edges, self._counts, strict=True):
            if edges:
                counts[bisect_right(edges, value)] += 1
        self.rows += 1
        if self.rows >= ROWS_FULL:
            self._counts = [[count // 2 for count in counts] for counts in self._counts]
            self.rows //= 2

    def index_e6(self) -> tuple[int, ...]:
        """Give each feature's index in 1e-6; `NO_BINS` or `TOO_FEW` where it has none."""
        enough = self.rows >= LEAST_ROWS
        return tuple(
            (_index_e6(shares, counts) if enough else TOO_FEW) if counts else NO_BINS
            for shares, counts in zip(self._shares, self._counts, strict=True)
        )

    def state(self) -> tuple[int, tuple[tuple[int, ...], ...]]:
        """Give what `restore` takes."""
        return self.rows, tuple(tuple(one) for one in self._counts)

    def restore(self, rows: int, counts: Sequence[Sequence[int]]) -> None:
        """Go on from counts of before; counts of other bins are left out."""
        if [len(one) for one in counts] == [len(one) for one in self._counts]:
            self.rows, self._counts = rows, [list(one) for one in counts]


def _shares(edges: Sequence[int], distinct: Sequence[int]) -> tuple[float, ...]:
    """Give the training share of each bin: a decile for each edge passed, one more for the last bin."""
    if not edges:
        return ()
    whole = len(edges) + 1
    return (*(list(edges).count(edge) / whole for edge in distinct), 1 / whole)


def _index_e6(shares: Sequence[float], counts: Sequence[int]) -> int:
    total = max(sum(counts), 1)
    terms = []
    for share, count in zip(shares, counts, strict=True):
        live, reference = max(count / total, FLOOR), max(share, FLOOR)
        terms.append((live - reference) * math.log(live / reference))
    return round(math.fsum(terms) * 1e6)
