"""A dataset in memory: rows in order of time, and labels for any delay and horizon from the kept touches.

The labels in a dataset's parts are of its one delay. Studies that ask how a signal decays with delay, or what
a person's press costs, need others; they are computed here from the same path by the same functions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.research.dataset import (
    PAGE,
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
    """Features in the recipe's order, as a worker gets them, [n, features]."""
    half_spread: Floats
    """(ask - bid) over (ask + bid) at the decision, a fraction of the mid, [n]."""
    stretches: tuple[Stretch, ...]

    @property
    def recipe(self) -> Recipe:
        """Give what the dataset was built by."""
        return self.page.recipe

    def of(self, names: Sequence[str]) -> npt.NDArray[np.float32]:
        """Give the columns of some features, in that order, [n, names].

        Raises:
            DatasetError: the dataset lacks one.
        """
        lacking = [name for name in names if name not in self.recipe.features]
        if lacking:
            raise DatasetError(f"the dataset lacks {', '.join(lacking)}; build it with --features")
        return self.values[:, [self.recipe.features.index(name) for name in names]]

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


def load_rows(folder: Path) -> Rows:
    """Read a whole dataset, every file proved by its digest; sources are put in order of time.

    Raises:
        DatasetError: it is incomplete or damaged, empty, or two of its sources overlap in time.
    """
    page = read_page(folder)
    if not page.complete or not page.parts:
        raise DatasetError(f"{folder / PAGE}: not whole; run the build again")
    order = sorted(page.done, key=lambda source: _first_ns(page, source))
    sources = [_source_columns(folder, page, source) for source in order]
    columns = {name: np.concatenate([rows[name] for rows, _ in sources]) for name in sources[0][0]}
    ts_ns = columns["ts_ns"]
    if (np.diff(ts_ns) < 0).any():
        raise DatasetError(f"{folder / PAGE}: two sources overlap in time; build them into one capture each")
    edges = np.cumsum([0, *(len(rows["ts_ns"]) for rows, _ in sources)])
    ask, bid = columns["ask_ticks"].astype(float), columns["bid_ticks"].astype(float)
    return Rows(
        page=page,
        digest=hashlib.sha256((folder / PAGE).read_bytes()).hexdigest(),
        ts_ns=ts_ns,
        values=np.stack([columns[name] for name in page.recipe.features], axis=1),
        half_spread=(ask - bid) / (ask + bid),
        stretches=tuple(
            Stretch(slice(int(low), int(high)), path)
            for low, high, (_, path) in zip(edges[:-1], edges[1:], sources, strict=True)
        ),
    )


def _first_ns(page: DatasetPage, source: int) -> int:
    return min(part.first_ts_ns for part in page.parts if part.source == source)


def _source_columns(
    folder: Path, page: DatasetPage, source: int
) -> tuple[dict[str, npt.NDArray[np.generic]], TouchPath]:
    wanted = ("ts_ns", "bid_ticks", "ask_ticks", *page.recipe.features)
    parts = [read_part(folder, part) for part in page.parts if part.source == source]
    rows = {name: np.concatenate([part[name] for part in parts]) for name in wanted}
    touches = [read_part(folder, part) for part in page.touches if part.source == source]
    ts_ns, bid, ask = (
        np.concatenate([one[n] for one in touches]) for n in ("ts_ns", "bid_ticks", "ask_ticks")
    )
    return rows, TouchPath(ts_ns, bid, ask, int(ts_ns[-1]) - 1)


def _changed(path: TouchPath, ts_ns: Times, ns: int) -> Floats:
    now, later = path.at(ts_ns), path.at(ts_ns + ns)
    other = (path.bid_ticks[now] != path.bid_ticks[later]) | (path.ask_ticks[now] != path.ask_ticks[later])
    return np.where(other, 1.0, 0.0)
