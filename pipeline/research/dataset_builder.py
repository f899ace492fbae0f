"""Rows and touches of a running engine in, labelled parts out; memory holds one part and its future.

The caller drives the engine and tells the builder of each row the engine asks for and of each change of the
touch, in order. A row is written once its furthest label is known, or its source has ended.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.core.effects import RequestInference
from pipeline.core.params import MS
from pipeline.core.types import E6
from pipeline.research.dataset import (
    TOUCH_COLUMNS,
    Column,
    HorizonMix,
    Part,
    Recipe,
    label_columns,
    write_part,
    write_touches,
)
from pipeline.research.labels import (
    SECOND_NS,
    SIGMA_SAMPLES,
    TouchPath,
    Window,
    executable_returns,
    mid_returns,
    three_classes,
    trailing_sigma,
    triple_barrier,
)

_PAST_NS = (SIGMA_SAMPLES + 1) * SECOND_NS
"""How much of the path before a row its trailing volatility reads."""

_Row = tuple[int, int, int, int, int, int, tuple[int, ...]]
"""Time, trigger, segment, epoch, best prices, features in 1e-6."""


class PathBuffer:
    """The touch since a little before the oldest row that still waits for its labels."""

    def __init__(self) -> None:
        self._ts_ns = array("q")
        self._bid = array("q")
        self._ask = array("q")

    def note(self, ts_ns: int, bid_ticks: int, ask_ticks: int) -> None:
        """Add a state; (0, 0) says that no book can be believed from here on."""
        if self._bid and self._bid[-1] == bid_ticks and self._ask[-1] == ask_ticks:
            return
        self._ts_ns.append(ts_ns)
        self._bid.append(bid_ticks)
        self._ask.append(ask_ticks)

    def path(self, end_ns: int) -> TouchPath:
        """Give the path as it is known up to `end_ns`; at least one state must have been noted."""
        ts_ns, bid, ask = (np.array(part, dtype=np.int64) for part in (self._ts_ns, self._bid, self._ask))
        return TouchPath(ts_ns, bid, ask, end_ns)

    def take_before(self, ts_ns: int) -> dict[str, Column]:
        """Give and drop the states that ended before a time; the one that held at it stays."""
        held = np.searchsorted(np.frombuffer(self._ts_ns, dtype=np.int64), ts_ns, side="right")
        return self._take(max(int(held) - 1, 0))

    def take_all(self, end_ns: int) -> dict[str, Column]:
        """Give and drop every state, and after them the end: no book is known from then on."""
        self.note(end_ns + 1, 0, 0)
        return self._take(len(self._ts_ns))

    def _take(self, count: int) -> dict[str, Column]:
        parts = self._ts_ns, self._bid, self._ask
        taken = (np.array(part[:count], dtype=np.int64) for part in parts)
        self._ts_ns, self._bid, self._ask = (part[count:] for part in parts)
        return dict(zip(TOUCH_COLUMNS, taken, strict=True))


class DatasetBuilder:
    """Builds the parts of one source."""

    def __init__(self, folder: Path, recipe: Recipe, source: int) -> None:
        """Write into `folder`; `source` is the number of the source in the dataset's page."""
        self._folder = folder
        self._recipe = recipe
        self._source = source
        self._windows = [Window(recipe.delay_ms * MS, ms * MS) for ms in recipe.horizons_ms]
        self._future_ns = (recipe.delay_ms + max(recipe.horizons_ms)) * MS
        self._path = PathBuffer()
        self._rows: list[_Row] = []
        self._segment = 0
        self._touch = (0, 0)
        self._counts = np.zeros((len(recipe.horizons_ms), 4), dtype=np.int64)
        self.parts: list[Part] = []
        self.touches: list[Part] = []
        """The path of the touch, file by file."""
        self.rows = 0
        """Rows written so far."""

    @property
    def gaps(self) -> int:
        """Give how many stretches of book came before the one that holds now."""
        return self._segment

    @property
    def mix(self) -> tuple[HorizonMix, ...]:
        """Give how the labels of the written rows are mixed."""
        return tuple(
            HorizonMix(ms, *(int(count) for count in counts))
            for ms, counts in zip(self._recipe.horizons_ms, self._counts, strict=True)
        )

    def touch(self, ts_ns: int, bid_ticks: int, ask_ticks: int) -> None:
        """Take the best prices after an event; (0, 0) while no book can be believed."""
        if (bid_ticks, ask_ticks) == self._touch:
            return
        if not bid_ticks and self._touch[0]:
            self._segment += 1
        self._touch = (bid_ticks, ask_ticks)
        self._path.note(ts_ns, bid_ticks, ask_ticks)

    def row(self, row: RequestInference) -> None:
        """Take a row the engine asked for."""
        bid, ask = self._touch
        self._rows.append((row.ts_ns, int(row.trigger), self._segment, row.epoch, bid, ask, row.row_e6))

    def time(self, ts_ns: int) -> None:
        """Let time pass: writes a part when enough rows have all their future behind them."""
        if len(self._rows) >= self._recipe.part_rows:
            ready = self._recipe.part_rows
            if self._rows[ready - 1][0] + self._future_ns < ts_ns:
                self._write(ready, ts_ns)

    def end(self, ts_ns: int) -> None:
        """Write what is left; labels that reach past `ts_ns` stay unknown."""
        while self._rows:
            self._write(min(len(self._rows), self._recipe.part_rows), ts_ns)
        self._keep_touches(self._path.take_all(ts_ns))

    def _write(self, count: int, now_ns: int) -> None:
        rows, self._rows = self._rows[:count], self._rows[count:]
        columns = self._row_columns(rows)
        columns |= self._labels(columns["ts_ns"], self._path.path(now_ns))
        number = len(self.parts)
        self.parts.append(write_part(self._folder, number, self._source, columns, self._recipe.format))
        self.rows += count
        oldest_ns = self._rows[0][0] if self._rows else now_ns
        self._keep_touches(self._path.take_before(oldest_ns - _PAST_NS))

    def _keep_touches(self, columns: dict[str, Column]) -> None:
        if len(columns["ts_ns"]):
            number, kind = len(self.touches), self._recipe.format
            self.touches.append(write_touches(self._folder, number, self._source, columns, kind))

    def _row_columns(self, rows: Sequence[_Row]) -> dict[str, Column]:
        ts_ns, trigger, segment, epoch, bid, ask, values = zip(*rows, strict=True)
        table = (np.array(values, dtype=np.int64) / E6).astype(np.float32)
        features = {name: table[:, at].copy() for at, name in enumerate(self._recipe.features)}
        return {
            "ts_ns": np.array(ts_ns, dtype=np.int64),
            "trigger": np.array(trigger, dtype=np.int8),
            "segment": np.array(segment, dtype=np.int32),
            "epoch": np.array(epoch, dtype=np.int32),
            "bid_ticks": np.array(bid, dtype=np.int64),
            "ask_ticks": np.array(ask, dtype=np.int64),
            **features,
        }

    def _labels(self, ts_ns: npt.NDArray[np.int64], path: TouchPath) -> dict[str, Column]:
        columns: dict[str, Column] = {}
        sigma = trailing_sigma(path, ts_ns)
        for at, (ms, window) in enumerate(zip(self._recipe.horizons_ms, self._windows, strict=True)):
            moves = mid_returns(path, ts_ns, window)
            long, short = executable_returns(path, ts_ns, window)
            width = sigma * self._recipe.barrier_sigmas * np.sqrt(ms / 1_000)
            barriers = triple_barrier(path, ts_ns, window, width)
            values = (moves, long, short, barriers.outcome, barriers.end_ns)
            columns |= dict(zip(label_columns(ms), values, strict=True))
            self._count(at, moves)
        return columns

    def _count(self, at: int, moves: npt.NDArray[np.float64]) -> None:
        known = ~np.isnan(moves)
        signs = three_classes(moves[known], 0.0)
        counts = [(signs == sign).sum() for sign in (-1, 0, 1)]
        self._counts[at] += [*counts, (~known).sum()]
