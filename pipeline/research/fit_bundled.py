"""Fit the models that ship (`bundled_recipes.py`), and write them down with their facts.

`app/fit_bundled.py` is the command; it brings the rows by way of a dataset.

`qi-logit` is queue imbalance alone, the baseline every model is shown beside. `ob-logit` adds the micro-price
and, strongly shrunk, the deeper book and the trade flow; nothing in them looks back further than 3 s, so they
are ready soon after a resync. No temperature is fitted: on a slice of a minute it learned the minute
(walk-forward log-loss 0.553 with it, 0.541 without, for queue imbalance alone).
"""

from __future__ import annotations

import hashlib
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

import pipeline.models.bundled
from pipeline.core.params import MS, DecisionParams
from pipeline.core.types import E6, scaled_text
from pipeline.models.contract import Calibration, ClassMix, Label, Library, Metrics, Reference, Span
from pipeline.models.expectation import TRIGGER, Role
from pipeline.models.graph import LogisticWeights, logistic_probabilities
from pipeline.models.manifest import Manifest
from pipeline.models.packaging import ModelSource, build_model, contract_of, read_source
from pipeline.models.venue_offer import CADENCES, MARKETS
from pipeline.research.bundled_recipes import DELAY_MS, RECIPES, SPOT, Recipe, Training
from pipeline.research.logistic import fit_odd, fit_scaling, logistic_weights
from pipeline.research.scores import block_interval, logloss, score
from pipeline.research.walk_forward import out_of_sample

FOLDER = Path(next(iter(pipeline.models.bundled.__path__)))
TOLERANCE = 1e-5


@dataclass(frozen=True, slots=True)
class Moved:
    """The rows whose mid moved over the horizon."""

    ts_ns: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    """Of the recipe's features, [n, features]."""
    baseline: npt.NDArray[np.float64]
    """Queue imbalance at the touch, [n, 1]."""
    up: npt.NDArray[np.bool_]


def write_built(recipe: Recipe, folder: Path) -> None:
    """Build a model from its JSON in the bundled folder and write it, with its manifest, into `folder`."""
    source = read_source(FOLDER / f"{recipe.name}.json")
    data = build_model(source)
    manifest = Manifest(
        name=source.name,
        model_id=hashlib.sha256(data).hexdigest(),
        schema_hash=contract_of(source).schema_hash,
        author="lobdeck",
        notes=recipe.notes,
        approvals=(Role.SHADOW, Role.PAPER),
    )
    (folder / f"{recipe.name}.onnx").write_bytes(data)
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"
    (folder / f"{recipe.name}.manifest.json").write_bytes(text)


def fit(recipe: Recipe, rows: Training) -> tuple[ModelSource, str]:
    """Fit one recipe; gives the source and a line about its quality."""
    returns = rows.returns
    known = ~np.isnan(returns)
    chosen = known & (returns != 0.0)
    moved = Moved(rows.ts_ns[chosen], rows.values[chosen], rows.baseline[chosen], returns[chosen] > 0.0)
    metrics, report = measure(recipe, moved)
    source = ModelSource(
        name=recipe.name,
        version=1,
        features=recipe.features,
        logistic=fit_weights(recipe, moved.values, moved.up),
        symmetric=True,
        horizon_ms=recipe.horizon_ms,
        delay_ms=DELAY_MS,
        label=Label("direction_given_move", 0.0, "ticks", "mid"),
        cadence=CADENCES[SPOT.venue],
        trigger=TRIGGER,
        grid_ms=DecisionParams().grid_ns // MS,
        venue=SPOT.venue,
        market=MARKETS[SPOT.venue],
        symbols=(SPOT.symbol,),
        tick=scaled_text(SPOT.tick_units, SPOT.price_decimals),
        lot=scaled_text(SPOT.lot_units, SPOT.size_decimals),
        portable=recipe.portable,
        train_span=Span(_utc(rows.ts_ns[0]), _utc(rows.ts_ns[-1])),
        calib_span=Span("", ""),
        test_span=Span(_utc(moved.ts_ns[len(moved.ts_ns) - metrics.rows]), _utc(moved.ts_ns[-1])),
        rows=len(moved.up),
        class_mix=_mix(returns[known]),
        code_commit=_git("rev-parse", "HEAD"),
        code_dirty=bool(_git("status", "--porcelain", "--", "pipeline")),
        libraries=(Library("python", platform.python_version()), Library("numpy", np.__version__)),
        calibration=Calibration("none", 1.0, 0),
        metrics=metrics,
        reference=_reference(recipe.features, rows.values),
        tolerance=TOLERANCE,
        expires_at="",
        training_data_sha256=rows.digests,
        sigma_train_e6=round(float(returns[known].std()) * E6),
        mean_move_e6=round(float(np.abs(returns[chosen]).mean()) * E6),
        move_rate_e6=round(float(chosen.sum() / known.sum()) * E6),
    )
    return source, report


def measure(recipe: Recipe, moved: Moved) -> tuple[Metrics, str]:
    """Score model, queue imbalance alone and the training share of ups, walk-forward on the same rows."""
    label_ns = (DELAY_MS + recipe.horizon_ms) * MS
    alone = RECIPES[0]

    def model(train: npt.NDArray[np.bool_], test: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
        return _answer(fit_weights(recipe, moved.values[train], moved.up[train]), moved.values[test])

    def qi_only(train: npt.NDArray[np.bool_], test: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
        column = moved.baseline
        return _answer(fit_weights(alone, column[train], moved.up[train]), column[test])

    def constant(train: npt.NDArray[np.bool_], test: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
        return np.full(int(test.sum()), moved.up[train].mean())

    tested, p_model = out_of_sample(moved.ts_ns, moved.ts_ns + label_ns, model)
    _, p_qi = out_of_sample(moved.ts_ns, moved.ts_ns + label_ns, qi_only)
    _, p_constant = out_of_sample(moved.ts_ns, moved.ts_ns + label_ns, constant)
    up = moved.up[tested]
    metrics = Metrics(len(up), score(p_model, up), score(p_qi, up), score(p_constant, up))
    gain = block_interval(
        moved.ts_ns[tested], lambda rows: logloss(p_qi[rows], up[rows]) - logloss(p_model[rows], up[rows])
    )
    report = (
        f"{recipe.name}: {metrics}\n  log-loss gained over qi_1 alone, 95 %: {gain[0]:.4f} to {gain[1]:.4f}"
    )
    return metrics, report


def fit_weights(
    recipe: Recipe, values: npt.NDArray[np.float64], up: npt.NDArray[np.bool_]
) -> LogisticWeights:
    """Fit a recipe's weights on rows that moved, [n, features]; `up` says where to."""
    scaling = fit_scaling(recipe.features, values)
    weights = fit_odd(recipe.features, scaling.apply(values), up, np.array([*recipe.ridge.values()]))
    return logistic_weights(weights, scaling)


def _answer(weights: LogisticWeights, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return logistic_probabilities(weights, values)[:, 2]


def _mix(returns: npt.NDArray[np.float64]) -> ClassMix:
    down, up = float((returns < 0).mean()), float((returns > 0).mean())
    return ClassMix(round(down, 4), round(1.0 - round(down, 4) - round(up, 4), 4), round(up, 4))


def _reference(features: Sequence[str], values: npt.NDArray[np.float64]) -> tuple[Reference, ...]:
    deciles = np.quantile(values, np.arange(1, 10) / 10, axis=0).T
    return tuple(
        Reference(name, tuple(round(float(edge), 4) for edge in edges))
        for name, edges in zip(features, deciles, strict=True)
    )


def _utc(ts_ns: int) -> str:
    return datetime.fromtimestamp(int(ts_ns) / 1e9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=FOLDER, capture_output=True, text=True, check=True)
    return done.stdout.strip()
