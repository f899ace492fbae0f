"""`lobdeck train`: a dataset and a few settings into a model in the registry, with what it is worth."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.train_config import package_options, plan_of, read_train_settings
from pipeline.models.contract import Metrics, Score
from pipeline.research.evaluation import evaluation_of, write_evaluation
from pipeline.research.package import packed, store
from pipeline.research.rows import load_rows
from pipeline.research.training import train
from pipeline.runtime.places import models_dir

EVALUATION = "evaluation.json"


def train_model(config: Path, output: Path | None, say: Callable[[str], None]) -> str:
    """Train as a file says; the model goes to `output`, or to its place in the registry.

    Raises:
        ConfigError, DatasetError, TrainingError, MissingExtra, ParityError, PackageError: as they say.
    """
    settings = read_train_settings(config)
    say("reading the dataset")
    rows = load_rows(config.parent / settings.dataset)
    plan = plan_of(settings, rows.recipe.features)
    trained = train(rows, plan, say)
    data, manifest = packed(rows, plan, trained, package_options(settings))
    folder = output or models_dir() / settings.name / str(settings.version)
    path = store(folder, data, manifest)
    say("intervals")
    answers = trained.answers
    named = {"model": answers.model, "qi_only": answers.qi_only, "constant": answers.constant}
    found = evaluation_of(rows, answers.rows, named, trained.window, settings.name, manifest.model_id, "")
    write_evaluation(folder / EVALUATION, found)
    return "\n".join([str(path), manifest.model_id, *_lines(trained.metrics), _verdict(trained.metrics)])


def _lines(metrics: Metrics) -> list[str]:
    scores = (("model", metrics.model), ("qi only", metrics.qi_only), ("constant", metrics.constant))
    return [f"{metrics.rows:,} rows tested, none of them learned from"] + [
        _score(name, one) for name, one in scores if one is not None
    ]


def _score(name: str, score: Score) -> str:
    losses = f"log-loss {score.logloss:.4f}  brier {score.brier:.4f}  ece {score.ece:.3f}"
    return f"  {name:<9} auc {score.auc:.3f}  {losses}"


def _verdict(metrics: Metrics) -> str:
    base = metrics.qi_only
    if base is not None and metrics.model.logloss < base.logloss:
        return (
            "better than queue imbalance alone here; for more than a shadow: lobdeck model approve FILE paper"
        )
    return "not better than queue imbalance alone: may run as a shadow only"
