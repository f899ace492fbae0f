"""What answers are worth, cut every way that matters; each model beside the same rows' baselines.

Every score is of the direction given a move: a three-class answer is read as p_up over p_up + p_down. Edges
are gross, of the mid, in basis points; costs are what a taker pays twice in fees, and the spread once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from pipeline.core.params import MS
from pipeline.core.types import E6
from pipeline.research.human import HumanRow, Press, human_row
from pipeline.research.labels import Window
from pipeline.research.rows import Rows
from pipeline.research.scores import auc, block_interval, calibration_error, logloss

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]

QI_BUNDLED = "qi_bundled"
"""Name of the queue imbalance that ships with the program; `qi_only` is one fitted beside the model."""
QI_BUNDLED_MEANS = (
    "qi_bundled is the qi-logit that ships with lobdeck, not fitted on the model's rows: a lead over it may "
    "overstate the model; the qi_only of lobdeck train is fitted on the same folds"
)
DELAYS_MS = (0, 50, 100, 200, 500, 1_000, 2_000)
REGIMES = ("quiet", "normal", "busy")
DECILES = 10
DRAWS = 200
BPS = 1e4
_LEAST = 20
"""Fewer rows that moved give no score."""


class EvaluationError(Exception):
    """An evaluation cannot be made, read or written; the text says why."""


class ScoreRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One model on one cut of the rows that moved."""

    model: str
    cut: str
    """`horizon`, `delay` or `regime`."""
    value: str
    rows: int
    auc: float
    auc_low: float
    auc_high: float
    logloss: float
    brier: float
    ece: float


class DecileRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tenth of the rows by confidence, 1 the least; flat rows count for the edge, not for the hits."""

    model: str
    decile: int
    rows: int
    mean_p: float
    """Mean probability of the side it leans to."""
    hit_rate: float
    gross_bps: float
    """Mean of the move in the direction leant to, flat rows included."""
    moved_bps: float
    """Mean size of a move that came."""
    cost_bps: float
    break_even: float
    """Probability at which such moves pay the cost; above 1 never."""


class DecayRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is left of the signal when the first price is taken later."""

    model: str
    delay_ms: int
    auc: float
    gross_bps: float


class BinRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tenth of the rows that moved by P(up): what was said, and what came."""

    model: str
    rows: int
    mean_p: float
    up_rate: float


class Evaluation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of it; what `lobdeck report` draws."""

    name: str
    model_id: str
    dataset_sha256: str
    symbol: str
    venue: str
    horizon_ms: int
    delay_ms: int
    rows: int
    warning: str
    """Why the numbers are too good to be believed, or empty."""
    scores: tuple[ScoreRow, ...]
    deciles: tuple[DecileRow, ...]
    decay: tuple[DecayRow, ...]
    reliability: tuple[BinRow, ...]
    human: tuple[HumanRow, ...]


def evaluation_of(
    rows: Rows,
    asked: Places,
    answers: Mapping[str, Floats],
    window: Window,
    name: str,
    model_id: str,
    warning: str,
    press: Press | None = None,
) -> Evaluation:
    """Evaluate answers [m, 3] by name to the same rows `asked` of a dataset, [m], in order of time.

    Raises:
        EvaluationError: fewer than 20 of the rows moved.
    """
    up = {key: up_given_move(p) for key, p in answers.items()}
    moves = rows.returns(window)[asked]
    if int((np.nan_to_num(moves) != 0.0).sum()) < _LEAST:
        raise EvaluationError(f"fewer than {_LEAST} of {len(asked)} rows moved; build a longer dataset")
    costs = cost_bps(rows)[asked]
    press = press or Press()
    leaning = [(key, p) for key, p in up.items() if key != "constant"]
    return Evaluation(
        name=name,
        model_id=model_id,
        dataset_sha256=rows.digest,
        symbol=rows.recipe.instrument.symbol,
        venue=rows.recipe.instrument.venue,
        horizon_ms=window.horizon_ns // MS,
        delay_ms=window.delay_ns // MS,
        rows=len(asked),
        warning=warning,
        scores=tuple(_scores(rows, asked, up, window)),
        deciles=tuple(
            row for key, p in up.items() if key != "constant" for row in _deciles(key, p, moves, costs)
        ),
        decay=tuple(
            row for key, p in up.items() if key != "constant" for row in _decay(rows, asked, key, p, window)
        ),
        reliability=tuple(row for key, p in leaning for row in _bins(key, p, moves)),
        human=tuple(human_row(rows, asked, key, p, window, press) for key, p in leaning),
    )


def up_given_move(p: Floats) -> Floats:
    """Give P(up | a move) of answers [n, 3]; one half where no side is possible."""
    sides = p[:, 0] + p[:, 2]
    return np.where(sides > 0.0, p[:, 2] / np.where(sides > 0.0, sides, 1.0), 0.5)


def cost_bps(rows: Rows) -> Floats:
    """Give what a round trip of a taker costs at each row: fees twice and the spread once, [n]."""
    fees = 2.0 * rows.recipe.instrument.fees.taker_e6 / E6
    return np.asarray((fees + 2.0 * rows.half_spread) * BPS)


def _scores(rows: Rows, asked: Places, up: Mapping[str, Floats], window: Window) -> list[ScoreRow]:
    found: list[ScoreRow] = []
    everything = np.ones(len(asked), dtype=bool)
    horizons = sorted({window.horizon_ns // MS, *rows.recipe.horizons_ms})
    cuts = [("horizon", f"{ms} ms", Window(window.delay_ns, ms * MS), everything) for ms in horizons]
    cuts += [("delay", f"{ms} ms", Window(ms * MS, window.horizon_ns), everything) for ms in DELAYS_MS]
    cuts += [("regime", name, window, part) for name, part in _regimes(rows.sigma()[asked])]
    for cut, value, looked, part in cuts:
        moves = np.nan_to_num(rows.returns(looked)[asked])
        chosen = np.flatnonzero(part & (moves != 0.0))
        if len(chosen) >= _LEAST:
            rises, ts_ns = moves[chosen] > 0.0, rows.ts_ns[asked][chosen]
            with_interval = cut != "delay"
            found += [
                _score(key, cut, value, p[chosen], rises, ts_ns, with_interval) for key, p in up.items()
            ]
    return found


def _score(
    model: str, cut: str, value: str, p: Floats, rises: Flags, ts_ns: npt.NDArray[np.int64], wide: bool
) -> ScoreRow:
    area = auc(p, rises)
    low = high = area
    if wide and model != "constant":
        low, high = block_interval(ts_ns, lambda at: auc(p[at], rises[at]), draws=DRAWS)
    brier, error = float(((p - rises) ** 2).mean()), calibration_error(p, rises)
    values = (area, low, high, logloss(p, rises), brier, error)
    return ScoreRow(model, cut, value, len(p), *(round(one, 4) for one in values))


def _regimes(sigma: Floats) -> list[tuple[str, Flags]]:
    """Cut rows by terciles of the trailing volatility; rows without one are in none."""
    known = ~np.isnan(sigma)
    if not known.any():
        return []
    low, high = np.quantile(sigma[known], (1 / 3, 2 / 3))
    parts = (sigma <= low, (sigma > low) & (sigma <= high), sigma > high)
    return [(name, part & known) for name, part in zip(REGIMES, parts, strict=True)]


def _deciles(model: str, p: Floats, moves: Floats, costs: Floats) -> list[DecileRow]:
    known = np.flatnonzero(~np.isnan(moves))
    order = known[np.argsort(np.abs(p[known] - 0.5), kind="stable")]
    return [
        _decile(model, number, p[part], moves[part], costs[part])
        for number, part in enumerate(np.array_split(order, DECILES), 1)
        if len(part)
    ]


def _decile(model: str, number: int, p: Floats, moves: Floats, costs: Floats) -> DecileRow:
    side = np.sign(p - 0.5)
    moved = moves != 0.0
    size = float(np.abs(moves[moved]).mean() * BPS) if moved.any() else 0.0
    hits = float((side[moved] == np.sign(moves[moved])).mean()) if moved.any() else 0.0
    cost = float(costs.mean())
    even = 0.5 + cost / (2.0 * size) if size else 99.0
    lean = float(np.maximum(p, 1.0 - p).mean())
    gross = float((side * moves).mean() * BPS)
    values = (lean, hits, gross, size, cost, even)
    return DecileRow(model, number, len(p), *(round(one, 4) for one in values))


def _decay(rows: Rows, asked: Places, model: str, p: Floats, window: Window) -> list[DecayRow]:
    found = []
    for ms in DELAYS_MS:
        moves = rows.returns(Window(ms * MS, window.horizon_ns))[asked]
        known = ~np.isnan(moves)
        moved = known & (moves != 0.0)
        gross = float((np.sign(p[known] - 0.5) * moves[known]).mean() * BPS)
        found.append(DecayRow(model, ms, round(auc(p[moved], moves[moved] > 0.0), 4), round(gross, 4)))
    return found


def _bins(model: str, p: Floats, moves: Floats) -> list[BinRow]:
    moved = np.flatnonzero(np.nan_to_num(moves) != 0.0)
    parts: Sequence[Places] = np.array_split(moved[np.argsort(p[moved], kind="stable")], DECILES)
    return [
        BinRow(model, len(part), round(float(p[part].mean()), 4), round(float((moves[part] > 0).mean()), 4))
        for part in parts
        if len(part)
    ]


def write_evaluation(path: Path, found: Evaluation) -> None:
    """Write an evaluation as JSON.

    Raises:
        EvaluationError: it cannot be written.
    """
    try:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
    except OSError as problem:
        raise EvaluationError(f"{path}: cannot be written: {problem.strerror}") from problem


def read_evaluation(path: Path) -> Evaluation:
    """Read an evaluation.

    Raises:
        EvaluationError: it cannot be read or is none.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Evaluation)
    except OSError as problem:
        raise EvaluationError(f"{path}: cannot be read: {problem.strerror}") from problem
    except (ValueError, RecursionError) as problem:
        raise EvaluationError(f"{path}: no evaluation: {str(problem)[:200]}") from problem
