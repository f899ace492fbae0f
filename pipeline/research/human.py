"""What a person in the loop costs: an idea is seen, a key is pressed later, and what is left of the edge.

An idea is born when the score has stood past the entry for 200 ms and dies when it falls below the leaving
threshold or turns. Three ways of acting on it are compared: at once, sent blind when the key is pressed, and
by a permit that goes at the first row in its life at which the score passes the entry again, or lapses
unused. Thresholds are the console's defaults; the edge gate is left out, because at real fees nothing passes
it, and so is the permit's price limit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from pipeline.core.params import MS, DecisionParams
from pipeline.core.types import E6
from pipeline.research.labels import SECOND_NS, Window
from pipeline.research.rows import Rows

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

BIRTH_NS = 200 * MS
TOUCH_NS = 350 * MS
BPS = 1e4


@dataclass(frozen=True, slots=True)
class Press:
    """When the key is pressed after an idea is seen, and how long the permit lives, in seconds."""

    delay_s: float = 1.2
    permit_s: float = 10.0


class HumanRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One model with a person in front; edges are gross, in basis points, means over the orders sent."""

    model: str
    press_delay_s: float
    permit_s: float
    ideas: int
    ideas_per_minute: float
    life_s: float
    """Median from birth to death."""
    at_once_bps: float
    blind_bps: float
    permit_bps: float
    permits_lapsed: float
    """Share of the permits that were never used."""
    touch_moved: float
    """Share of the ideas whose touch is another 350 ms after their birth."""


@dataclass(frozen=True, slots=True)
class Idea:
    """One idea: places among the asked rows, and its side, 1 or -1."""

    born: int
    died_ns: int
    side: int


def human_row(rows: Rows, asked: Places, model: str, p_up: Floats, window: Window, press: Press) -> HumanRow:
    """Measure one model whose P(up | a move) at the rows `asked` is `p_up`, [m]."""
    ts_ns = rows.ts_ns[asked]
    lean = p_up - 0.5
    ideas = [idea for one in rows.stretches for idea in _ideas(ts_ns, lean, *_within(asked, one.rows))]
    born = np.array([idea.born for idea in ideas], dtype=np.intp)
    sides = np.array([idea.side for idea in ideas], dtype=np.float64)
    late_ns = round(press.delay_s * SECOND_NS)
    late = rows.returns(Window(window.delay_ns + late_ns, window.horizon_ns))[asked]
    moves = rows.returns(window)[asked]
    sent = [_permitted(ts_ns, lean, idea, late_ns, round(press.permit_s * SECOND_NS)) for idea in ideas]
    used = [(place, idea.side) for place, idea in zip(sent, ideas, strict=True) if place is not None]
    places = np.array([place for place, _ in used], dtype=np.intp)
    used_sides = np.array([side for _, side in used], dtype=np.float64)
    lives = [(idea.died_ns - int(ts_ns[idea.born])) / SECOND_NS for idea in ideas]
    watched_s = max(float(np.minimum(np.diff(ts_ns), SECOND_NS).sum()) / SECOND_NS, 1.0)
    touched = rows.touch_changed_within(TOUCH_NS)[asked]
    return HumanRow(
        model=model,
        press_delay_s=press.delay_s,
        permit_s=press.permit_s,
        ideas=len(ideas),
        ideas_per_minute=round(60.0 * len(ideas) / watched_s, 2),
        life_s=round(float(np.median(lives)), 2) if lives else 0.0,
        at_once_bps=_mean_bps(sides, moves[born]),
        blind_bps=_mean_bps(sides, late[born]),
        permit_bps=_mean_bps(used_sides, moves[places]),
        permits_lapsed=round(1.0 - len(used) / len(ideas), 3) if ideas else 0.0,
        touch_moved=round(float(touched[born].mean()), 3) if ideas else 0.0,
    )


def _within(asked: Places, rows: slice) -> tuple[int, int]:
    low, high = np.searchsorted(asked, (rows.start, rows.stop))
    return int(low), int(high)


def _ideas(ts_ns: npt.NDArray[np.int64], lean: Floats, low: int, high: int) -> Iterator[Idea]:
    """Walk the rows of one source and yield its ideas; one that lives at the end is not one."""
    defaults = DecisionParams()
    entry, leave = defaults.entry_e6 / E6, defaults.leave_e6 / E6
    since_ns, side, born = 0, 0, -1
    for at in range(low, high):
        value, now_ns = float(lean[at]), int(ts_ns[at])
        if side and value * side < leave:
            if born >= 0:
                yield Idea(born, now_ns, side)
            side, born = 0, -1
        if not side and abs(value) >= entry:
            side, since_ns = (1 if value > 0 else -1), now_ns
        if side and born < 0:
            if value * side < entry:
                side = 0
            elif now_ns - since_ns >= BIRTH_NS:
                born = at


def _permitted(
    ts_ns: npt.NDArray[np.int64], lean: Floats, idea: Idea, late_ns: int, permit_ns: int
) -> int | None:
    """Give the row at which a permit pressed for an idea is used; None where it lapses."""
    pressed_ns = int(ts_ns[idea.born]) + late_ns
    low, high = np.searchsorted(ts_ns, (pressed_ns, pressed_ns + permit_ns), side="left")
    passing = np.flatnonzero(lean[low:high] * idea.side >= DecisionParams().entry_e6 / E6)
    return int(low + passing[0]) if len(passing) else None


def _mean_bps(sides: Floats, moves: Floats) -> float:
    known = ~np.isnan(moves)
    return round(float((sides[known] * moves[known]).mean() * BPS), 4) if known.any() else 0.0
