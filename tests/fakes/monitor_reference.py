"""What a monitor must say, computed by numpy from the whole sample at once."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np
import numpy.typing as npt

from pipeline.core.logit_scale import HALF_LIFE_CALLS, LEAST_CALLS, PULL, QI_SLOPE, SLOPES, TEMPERATURES
from pipeline.core.model_monitor import BLOCK_HORIZONS, BLOCK_NS
from pipeline.core.params import MS
from pipeline.core.types import E6
from pipeline.research.labels import TouchPath, Window, mid_returns

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Times = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Calls:
    """The rows that moved, and which block of time each is in."""

    ts_ns: Times
    raw: Floats
    """Log-odds of up as the model said."""
    imbalance: Floats
    up: Flags
    numbers: Times
    finished: list[int]
    """Blocks that another one has followed."""
    rows: dict[int, int]
    """Outcomes by block, flat ones included."""


def followed(path: TouchPath, ts_ns: Times, window: Window) -> npt.NDArray[np.intp]:
    """Give the rows a monitor follows: asked while there is a book, 100 ms apart."""
    kept, next_ns = [], 0
    step_ns = max(100 * MS, (window.delay_ns + window.horizon_ns) // 1_023 + 1)
    at = path.at(ts_ns)
    for row, asked_ns in enumerate(ts_ns.tolist()):
        if at[row] >= 0 and path.bid_ticks[at[row]] > 0 and asked_ns >= next_ns:
            kept.append(row)
            next_ns = asked_ns + step_ns
    return np.array(kept, dtype=np.intp)


def known(path: TouchPath, ts_ns: Times, window: Window) -> Flags:
    """Say of each row whether a book could be believed from its decision to its end.

    A book lost before the first price voids a row too: the engine takes no answer to it any more.
    """
    whole = path.known(ts_ns, ts_ns + window.delay_ns + window.horizon_ns)
    return np.asarray(whole & ~np.isnan(mid_returns(path, ts_ns, window)))


def calls_of(path: TouchPath, ts_ns: Times, raw: Floats, imbalance: Floats, window: Window) -> Calls:
    """Give the calls among answered rows whose outcome is known."""
    block_ns = max(BLOCK_NS, BLOCK_HORIZONS * (window.delay_ns + window.horizon_ns))
    moves = mid_returns(path, ts_ns, window)
    moved, numbers = moves != 0.0, ts_ns // block_ns
    return Calls(
        ts_ns=ts_ns[moved],
        raw=raw[moved],
        imbalance=imbalance[moved],
        up=moves[moved] > 0,
        numbers=numbers[moved],
        finished=sorted(set(numbers.tolist()))[:-1],
        rows={int(n): int((numbers == n).sum()) for n in set(numbers.tolist())},
    )


def blocks(calls: Calls, horizon_ns: int) -> list[tuple[int, int, int, int, int, int, int]]:
    """Give the values of every finished block, as `Block.values` does, of a binary model."""
    apart, next_ns = dict.fromkeys(calls.finished, 0), 0
    for ts_ns, number in zip(calls.ts_ns.tolist(), calls.numbers.tolist(), strict=True):
        if ts_ns >= next_ns:
            next_ns = ts_ns + horizon_ns
            apart[number] = apart.get(number, 0) + 1
    found, all_losses = [], losses(calls.raw, calls.up)
    for number in calls.finished:
        here, before = calls.numbers == number, calls.numbers < number
        slope = best_scale(calls.imbalance[before], calls.up[before], np.array(SLOPES), QI_SLOPE)
        loss = int(np.round(all_losses[here] * E6).sum())
        alone = int(np.round(losses(slope * calls.imbalance[here], calls.up[here]) * E6).sum())
        rows = calls.rows[number]
        found.append((number, rows, int(here.sum()), apart[number], loss, alone, rows * E6))
    return found


def multiplier(calls: Calls) -> float:
    """Give 1 / temperature as it was chosen at the last finished block's end."""
    done = np.isin(calls.numbers, calls.finished)
    return best_scale(calls.raw[done], calls.up[done], 1.0 / np.array(TEMPERATURES), 1.0)


def losses(logits: Floats, up: Flags) -> Floats:
    """Give the log-loss of each logit in nats."""
    return np.asarray(np.logaddexp(0.0, np.where(up, -logits, logits)))


def best_scale(logits: Floats, up: Flags, grid: Floats, anchor: float) -> float:
    """Give the multiplier with the least decayed loss plus pull, over all calls at once."""
    if len(logits) < LEAST_CALLS:
        return anchor
    weights = 0.5 ** (np.arange(len(logits))[::-1] / HALF_LIFE_CALLS)
    totals = [(losses(g * logits, up) * weights).sum() + PULL * log(g / anchor) ** 2 for g in grid]
    return float(grid[int(np.argmin(totals))])
