"""A dataset in memory: rows in order of time, and labels for any delay and horizon from the kept touches.

The labels in a dataset's parts are of its one delay. Studies that ask how a signal decays with delay, or what
a person's press costs, need others; they are computed here from the same path by the same functions.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.core.params import MS
from pipeline.research.dataset import (
    PAGE,
    TOUCH_COLUMNS,
    DatasetError,
    DatasetPage,
    Recipe,
    read_page,
    read_part,
)
from pipeline.research.labels import (
    Barriers,
    Floats,
    Times,
    TouchPath,
    Window,
    executable_returns,
    mid_returns,
    trailing_sigma,
    triple_barrier,
)
from pipeline.research.row_table import RowTable, row_table

IN_MEMORY_BYTES = 256 << 20
"""Features of a dataset up to here are kept in memory."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Rows of one source and the path of the touch over it."""

    rows: slice
    path: TouchPath


@dataclass(frozen=True, slots=True)
class Rows:
    """Every row of a dataset, in order of time."""

    page: DatasetPage
    digest: str
    """sha256 of the dataset's page, which names every part by its own."""
    ts_ns: Times
    """Decision times, [n]."""
    values: npt.NDArray[np.float32]
    """Features in the recipe's order, as a worker gets them, [n, features]; mapped from a file when large."""
    trigger: npt.NDArray[np.int8]
    """What asked for each row, [n]."""
    epoch: npt.NDArray[np.int32]
    """Rises with every loss of the book and with every source, [n]."""
    half_spread: Floats
    """(ask - bid) over (ask + bid) at the decision, a fraction of the mid, [n]."""
    stretches: tuple[Stretch, ...]

    @property
    def recipe(self) -> Recipe:
        """Give what the dataset was built by."""
        return self.page.recipe

    def table(self, names: Sequence[str], window: int = 1) -> RowTable:
        """Give the columns of some features, in that order, each row with the `window` - 1 before it.

        Raises:
            DatasetError: the dataset lacks one.
        """
        lacking = [name for name in names if name not in self.recipe.features]
        if lacking:
            raise DatasetError(f"the dataset lacks {', '.join(lacking)}; build it with --features")
        columns = np.array([self.recipe.features.index(name) for name in names], dtype=np.intp)
        times = (self.ts_ns, self.trigger, self.epoch)
        return row_table(self.values, columns, window, times, self.recipe.grid_ms * MS)

    def returns(self, window: Window) -> Floats:
        """Give mid(end) / mid(start) - 1 of each row, [n]; NaN where it is unknown."""
        return self._joined(lambda path, ts_ns: mid_returns(path, ts_ns, window))

    def executable(self, window: Window) -> tuple[Floats, Floats]:
        """Give what a taker gets long and short before fees, [n] each; NaN where it is unknown."""
        long = self._joined(lambda path, ts_ns: executable_returns(path, ts_ns, window)[0])
        return long, self._joined(lambda path, ts_ns: executable_returns(path, ts_ns, window)[1])

    def sigma(self) -> Floats:
        """Give the trailing volatility of a second before each row, [n]; NaN while it is not known."""
        return self._joined(trailing_sigma)

    def barriers(self, window: Window, sigmas: float) -> Barriers:
        """Give the triple barrier of `sigmas` trailing volatilities over the horizon."""
        root = sigmas * np.sqrt(window.horizon_ns / 1e9)

        def found(path: TouchPath, ts_ns: Times) -> Barriers:
            return triple_barrier(path, ts_ns, window, trailing_sigma(path, ts_ns) * root)

        parts = [found(one.path, self.ts_ns[one.rows]) for one in self.stretches]
        outcome = np.concatenate([part.outcome for part in parts])
        return Barriers(outcome, np.concatenate([part.end_ns for part in parts]))

    def touch_changed_within(self, ns: int) -> npt.NDArray[np.bool_]:
        """Say for each row whether the best bid or ask is another some time after it."""
        return self._joined(lambda path, ts_ns: _changed(path, ts_ns, ns)) > 0.0

    def _joined(self, label: Callable[[TouchPath, Times], Floats]) -> Floats:
        return np.concatenate([label(one.path, self.ts_ns[one.rows]) for one in self.stretches])


def load_rows(folder: Path, in_memory_bytes: int = IN_MEMORY_BYTES) -> Rows:
    """Read a whole dataset, every file proved by its digest; sources are put in order of time.

    Where the features take more than `in_memory_bytes`, all columns go to nameless files beside the dataset
    and are mapped from them: the system keeps in memory what is looked at and there is room for.

    Raises:
        DatasetError: it is incomplete or damaged, empty, or two of its sources overlap in time.
    """
    page = read_page(folder)
    if not page.complete or not page.parts:
        raise DatasetError(f"{folder / PAGE}: not whole; run the build again")
    room = _Room(folder, mapped=4 * page.rows * len(page.recipe.features) > in_memory_bytes)
    values = room.array((page.rows, len(page.recipe.features)), np.float32)
    ts_ns, half_spread = room.array((page.rows,), np.int64), room.array((page.rows,), np.float64)
    trigger, epochs = room.array((page.rows,), np.int8), room.array((page.rows,), np.int32)
    stretches: list[Stretch] = []
    row = epoch = 0
    for source in sorted(page.done, key=lambda source: _first_ns(page, source)):
        first = row
        for part in [part for part in page.parts if part.source == source]:
            columns, here = read_part(folder, part), slice(row, row + part.rows)
            for at, name in enumerate(page.recipe.features):
                values[here, at] = columns[name]
            ask, bid = columns["ask_ticks"].astype(float), columns["bid_ticks"].astype(float)
            half_spread[here] = (ask - bid) / (ask + bid)
            ts_ns[here], trigger[here], epochs[here] = (columns[n] for n in ("ts_ns", "trigger", "epoch"))
            epochs[here] += epoch
            row += part.rows
        epoch = int(epochs[row - 1]) + 1
        stretches.append(Stretch(slice(first, row), _path(folder, page, source, room)))
    if (np.diff(ts_ns) < 0).any():
        raise DatasetError(f"{folder / PAGE}: two sources overlap in time; build them into one capture each")
    return Rows(
        page=page,
        digest=hashlib.sha256((folder / PAGE).read_bytes()).hexdigest(),
        ts_ns=ts_ns,
        values=values,
        trigger=trigger,
        epoch=epochs,
        half_spread=half_spread,
        stretches=tuple(stretches),
    )


class _Room:
    """Where columns are put together: in memory, or in files without a name."""

    def __init__(self, folder: Path, *, mapped: bool) -> None:
        self._folder = folder
        self._mapped = mapped

    def array(self, shape: tuple[int, ...], kind: type[np.generic]) -> npt.NDArray[Any]:
        """Give an array to be filled.

        Raises:
            DatasetError: the folder has no room for it.
        """
        if not self._mapped:
            return np.empty(shape, dtype=kind)
        try:
            with tempfile.TemporaryFile(dir=self._folder) as file:
                return np.memmap(file, dtype=kind, mode="w+", shape=shape)
        except OSError as problem:
            raise DatasetError(
                f"{self._folder}: no room for {shape[0]:,} rows: {problem.strerror}"
            ) from problem


def _first_ns(page: DatasetPage, source: int) -> int:
    return min(part.first_ts_ns for part in page.parts if part.source == source)


def _path(folder: Path, page: DatasetPage, source: int, room: _Room) -> TouchPath:
    parts = [part for part in page.touches if part.source == source]
    ts_ns, bid, ask = (room.array((sum(part.rows for part in parts),), np.int64) for _ in TOUCH_COLUMNS)
    at = 0
    for part in parts:
        columns, here = read_part(folder, part), slice(at, at + part.rows)
        ts_ns[here], bid[here], ask[here] = (columns[name] for name in TOUCH_COLUMNS)
        at += part.rows
    return TouchPath(ts_ns, bid, ask, int(ts_ns[-1]) - 1)


def _changed(path: TouchPath, ts_ns: Times, ns: int) -> Floats:
    now, later = path.at(ts_ns), path.at(ts_ns + ns)
    other = (path.bid_ticks[now] != path.bid_ticks[later]) | (path.ask_ticks[now] != path.ask_ticks[later])
    return np.where(other, 1.0, 0.0)
