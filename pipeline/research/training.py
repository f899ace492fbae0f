"""Train one model on a dataset so that its numbers can be believed.

Walk-forward over all rows: each fold learns from rows whose labels were settled an embargo before the test
begins, and answers what comes after. Constant and queue imbalance alone go through the same folds. A fold's
temperature comes from the out-of-sample answers of the folds before it; the final model learns from all rows
and takes its temperature from all of those answers. Nothing here reads a clock or draws without a seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pipeline.core.params import MS
from pipeline.models.contract import Metrics
from pipeline.models.graph import CLASSES
from pipeline.research.calibration import best_temperature, tempered
from pipeline.research.labels import Window
from pipeline.research.learned import Learned
from pipeline.research.learners import LearnerOptions, learn
from pipeline.research.rows import Rows
from pipeline.research.scores import class_score
from pipeline.research.softmax_fit import fit_softmax, softmax
from pipeline.research.tables import Changed, Mirrored, Picked, Table, chunks
from pipeline.research.targets import Target, TargetKind, target_of
from pipeline.research.walk_forward import FoldPlan, folds

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

BASELINE = "qi_1"
LEAST_ROWS = 200
"""Fewer rows with a class in a fold's training teach nothing."""


class TrainingError(ValueError):
    """The dataset cannot be learned from as asked; the text says why."""


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """What is learned, and how it is tested."""

    name: str
    features: tuple[str, ...]
    horizon_ms: int
    kind: TargetKind = TargetKind.DIRECTION
    learner: LearnerOptions = LearnerOptions()
    folds: FoldPlan = FoldPlan()
    calibrate: bool = True

    @property
    def window(self) -> int:
        """Give how many rows the model reads at once."""
        return self.learner.rows_read


@dataclass(frozen=True, slots=True)
class Answers:
    """Out-of-sample answers to the same rows, [m, 3] each: down, flat, up."""

    rows: npt.NDArray[np.intp]
    """Which rows of the dataset, in order of time, [m]."""
    model: Floats
    qi_only: Floats
    constant: Floats


@dataclass(frozen=True, slots=True)
class Trained:
    """A model, and what it was worth on rows it had not seen."""

    learned: Learned
    temperature: float
    target: Target
    window: Window
    answers: Answers
    metrics: Metrics


def train(rows: Rows, plan: TrainingPlan, say: Callable[[str], None] = lambda _: None) -> Trained:
    """Train and test.

    Raises:
        TrainingError: too few rows, or a class that never comes.
        DatasetError: the dataset lacks a feature.
        MissingExtra: the learner's libraries are not installed.
    """
    window = Window(rows.recipe.delay_ms * MS, plan.horizon_ms * MS)
    values, baseline = rows.table(plan.features, plan.window), rows.table((BASELINE,))
    target = target_of(rows, plan.kind, window)
    target = replace(target, usable=target.usable & values.whole)
    parts: list[tuple[npt.NDArray[np.intp], Floats, Floats, Floats, Floats]] = []
    for number, (train_rows, test_rows) in enumerate(folds(rows.ts_ns, target.end_ns, plan.folds), 1):
        taught, asked = np.flatnonzero(train_rows & target.usable), np.flatnonzero(test_rows & values.whole)
        _check_taught(target, taught, number)
        say(f"fold {number}: {len(taught):,} rows to learn from, {len(asked):,} to answer")
        learned = _learn(plan, values, target, taught)
        raw = answered(learned, Picked(values, asked))
        warmth = _temperature(plan, target, parts, int(rows.ts_ns[asked[0]])) if plan.calibrate else 1.0
        shares = np.bincount(target.place[taught], minlength=CLASSES) / len(taught)
        known = Picked(baseline, taught)
        alone = qi_answers(known, target.place[taught], Picked(baseline, asked), target.binary)
        parts.append((asked, raw, tempered(raw, warmth), alone, np.tile(shares, (len(asked), 1))))
    if not parts:
        raise TrainingError(f"{len(rows.ts_ns)} rows leave no fold to test; build a longer dataset")
    answers = Answers(*(np.concatenate([part[at] for part in parts]) for at in (0, 2, 3, 4)))
    say("the final model, on all rows")
    everything = np.flatnonzero(target.usable)
    learned = _learn(plan, values, target, everything)
    warmth = _temperature(plan, target, parts, None) if plan.calibrate else 1.0
    metrics = _metrics(target, answers)
    return Trained(learned.tempered(warmth), warmth, target, window, answers, metrics)


def answered(learned: Learned, rows: Table) -> Floats:
    """Answer raw rows a chunk at a time: down, flat, up, [m, 3]."""
    return np.concatenate([learned.probabilities(rows[at]) for at in chunks(rows)])


def qi_answers(taught: Table, place: npt.NDArray[np.intp], asked: Table, binary: bool) -> Floats:
    """Answer by queue imbalance alone (and its size, for three classes), symmetric, [m, 3].

    The baseline every model is reported beside; fitted on the same rows as the model.
    """
    both, places = Mirrored(taught, -np.ones(1)), np.concatenate([place, CLASSES - 1 - place])
    wanted = asked[:]
    if binary:
        weights, offsets = fit_softmax(both, places // 2, 2, np.ones(1))
        sides = softmax(wanted @ weights + offsets)
        return np.stack([sides[:, 0], np.zeros(len(sides)), sides[:, 1]], axis=1)
    weights, offsets = fit_softmax(Changed(both, 2, _with_sizes), places, CLASSES, np.ones(2))
    return softmax(_with_sizes(wanted) @ weights + offsets)


def _with_sizes(rows: Floats) -> Floats:
    return np.hstack([rows, np.abs(rows)])


def _learn(plan: TrainingPlan, values: Table, target: Target, taught: npt.NDArray[np.intp]) -> Learned:
    rows, place = Picked(values, taught), target.place[taught]
    try:
        return learn(plan.learner, plan.features, rows, place, target.binary)
    except (ValueError, np.linalg.LinAlgError) as problem:
        raise TrainingError(f"{plan.name}: {problem}") from problem


def _temperature(
    plan: TrainingPlan,
    target: Target,
    parts: Sequence[tuple[npt.NDArray[np.intp], Floats, Floats, Floats, Floats]],
    before_ns: int | None,
) -> float:
    """Give the temperature of the answers so far whose outcome was known an embargo before a time."""
    if not parts:
        return 1.0
    asked, raw = np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
    known = target.usable[asked]
    if before_ns is not None:
        known &= target.end_ns[asked] + plan.folds.embargo_ns <= before_ns
    return best_temperature(raw[known], target.place[asked][known])


def _check_taught(target: Target, taught: npt.NDArray[np.intp], number: int) -> None:
    counts = np.bincount(target.place[taught], minlength=CLASSES)
    wanted = counts[[0, 2]] if target.binary else counts
    if len(taught) < LEAST_ROWS or not wanted.all():
        down, flat, up = counts
        raise TrainingError(
            f"fold {number} would learn from {down} down, {flat} flat, {up} up; want {LEAST_ROWS} rows and "
            "each class: build a longer dataset, or ask for fewer folds"
        )


def _metrics(target: Target, answers: Answers) -> Metrics:
    scored = target.usable[answers.rows]
    place = target.place[answers.rows][scored]
    each = (answers.model, answers.qi_only, answers.constant)
    return Metrics(len(place), *(class_score(p[scored], place, target.binary) for p in each))
