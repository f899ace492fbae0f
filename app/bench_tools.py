"""What every measurement shares: the plan, taking turns, percentiles, and a profile of one line."""

from __future__ import annotations

import cProfile
import math
import pstats
import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SHUFFLE_SEED = 1
PROFILED = 3
"""Functions a profile names."""
_NO_WORK = ("poll", "select", "sleep", "acquire", "importlib", "builtins.compile", "marshal.loads")


class BenchError(Exception):
    """Something cannot be measured here; the message says why and becomes the row's note."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run measures on."""

    captures: tuple[Path, ...]
    """Stamped lines of Binance spot, in order of time."""
    source: str
    """What the captures are, for the notes."""
    synthetic: bool
    """True where no real capture was there; budgets that name one do not apply."""
    quick: bool
    home: Path
    """A directory of this run, removed at its end; sessions live in it."""

    def of(self, full: int, quick: int) -> int:
        """Choose a number of rounds."""
        return quick if self.quick else full


def interleaved(cases: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Give the median of what each case returns; every round takes them in another order.

    So whatever else the machine does meets all cases alike.
    """
    took: dict[str, list[float]] = {name: [] for name in cases}
    order = random.Random(SHUFFLE_SEED)
    for _ in range(rounds):
        names = list(cases)
        order.shuffle(names)
        for name in names:
            took[name].append(cases[name]())
    return {name: statistics.median(values) for name, values in took.items()}


def percentile(values: Sequence[float], share: float) -> float:
    """Give the value a share (0 to 1) of all is not above (nearest rank); the sequence is not empty."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def top_functions(run: Callable[[], object]) -> str:
    """Run once under the profiler and name the functions most time was spent in themselves, with shares."""
    profiler = cProfile.Profile()
    profiler.runcall(run)
    return profile_line(pstats.Stats(profiler))


def profile_line(stats: pstats.Stats) -> str:
    """Name the functions most time was spent in themselves: `file:function share`, most first.

    Waiting and importing are left out: neither is work that a faster line would save.
    """
    times: dict[tuple[str, int, str], float] = {
        function: numbers[2]
        for function, numbers in stats.stats.items()  # type: ignore[attr-defined]  # not in the stubs
        if not any(word in part for word in _NO_WORK for part in (function[0], function[2]))
    }
    whole = sum(times.values()) or 1.0
    most = sorted(times, key=lambda function: -times[function])[:PROFILED]
    return ", ".join(f"{_name(function)} {100 * times[function] / whole:.0f} %" for function in most)


def _name(function: tuple[str, int, str]) -> str:
    path, _, name = function
    return name if path == "~" else f"{Path(path).name}:{name}"
