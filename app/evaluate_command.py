"""`lobdeck evaluate`: a model's file on a dataset, beside the bundled queue imbalance and a constant."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

import pipeline.models.bundled
from pipeline.core.params import MS
from pipeline.models.contract import ModelContract
from pipeline.models.expectation import Expectation, Role
from pipeline.models.graph import CLASSES
from pipeline.models.loader import LoadedModel, load_model
from pipeline.research.dataset import DatasetError
from pipeline.research.evaluation import (
    QI_BUNDLED,
    Evaluation,
    EvaluationError,
    evaluation_of,
    write_evaluation,
)
from pipeline.research.evaluation_text import evaluation_lines
from pipeline.research.human import Press
from pipeline.research.labels import Window
from pipeline.research.rows import Rows, load_rows
from pipeline.research.tables import Picked, chunks

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

QI_LOGIT = Path(next(iter(pipeline.models.bundled.__path__))) / "qi-logit.onnx"


def evaluate_model(
    model: Path, folder: Path, output: Path | None, press_delay_s: float, permit_s: float
) -> str:
    """Evaluate; the lines to print. With `output` everything is also written as JSON.

    Raises:
        ModelRefused: the model cannot be loaded even as a shadow.
        DatasetError, EvaluationError: the dataset cannot be read, or has not what the model wants.
    """
    if not (0.0 <= press_delay_s <= 600.0 and 0.0 < permit_s <= 3_600.0):
        raise EvaluationError("--press-delay wants 0 to 600 s, --permit above 0 and at most 3600 s")
    loaded, rows = load_model(model, Expectation(role=Role.SHADOW)), load_rows(folder)
    found = evaluate_loaded(loaded, rows, Press(press_delay_s, permit_s))
    if output is not None:
        write_evaluation(output, found)
    return "\n".join(evaluation_lines(found))


def evaluate_loaded(loaded: LoadedModel, rows: Rows, press: Press) -> Evaluation:
    """Evaluate every row of a dataset; for a model that reads several, every row that has them.

    Raises:
        DatasetError: it is of another market, lacks a feature, or its features are not the model's.
        EvaluationError: hardly a row moved.
    """
    contract = loaded.contract
    if not contract.portable and contract.cadence != rows.recipe.cadence:
        raise DatasetError(_other_market(contract, rows))
    asked = np.flatnonzero(rows.table(loaded.features, loaded.window).whole)
    baseline = load_model(QI_LOGIT, Expectation(role=Role.SHADOW))
    answers = {
        "model": _answers(loaded, rows, asked),
        QI_BUNDLED: _answers(baseline, rows, asked),
        "constant": np.full((len(asked), CLASSES), (0.5, 0.0, 0.5)),
    }
    window = Window(contract.delay_ms * MS, contract.horizon_ms * MS)
    warning = _warning(contract, rows)
    return evaluation_of(rows, asked, answers, window, contract.name, loaded.model_id, warning, press)


def _answers(loaded: LoadedModel, rows: Rows, asked: Places) -> Floats:
    table = Picked(rows.table(loaded.features, loaded.window), asked)
    parts = [loaded.bound.batch(table[at]).astype(np.float64) for at in chunks(table)]
    return np.concatenate([np.empty((0, CLASSES)), *parts])


def _other_market(contract: ModelContract, rows: Rows) -> str:
    """Say that a model that is not portable met a market whose feed it was not made for."""
    instrument = rows.recipe.instrument
    learned = f"{contract.venue} {contract.market} {', '.join(contract.symbols)} ({contract.cadence})"
    asked = f"{instrument.venue} {instrument.symbol} ({rows.recipe.cadence})"
    return f"the market differs: the model is of {learned}, the rows are of {asked}"


def _warning(contract: ModelContract, rows: Rows) -> str:
    """Say whether the model may have learned from what it is asked."""
    seen = {digest for source in rows.page.sources for digest in source.sha256}
    if seen & set(contract.training_data_sha256):
        return "the model learned from these very files: these numbers flatter it; evaluate on others"
    return ""
