"""A trained model as a file: contract, golden rows of its own, manifest, and its place in the registry.

    ~/.local/state/lobdeck/models/NAME/VERSION/NAME.onnx, NAME.manifest.json, evaluation.json

Facts come from the dataset and the plan alone, so the same of both give the same bytes.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.core.types import E6, scaled_text
from pipeline.models.contract import Calibration, ClassMix, Library, Reference, Span, encode_metadata
from pipeline.models.expectation import Role
from pipeline.models.golden import golden_rows
from pipeline.models.manifest import Manifest, write_manifest
from pipeline.models.packaging import ModelFacts, contract_for
from pipeline.models.venue_offer import MARKETS
from pipeline.research.rows import Rows
from pipeline.research.tables import Table
from pipeline.research.targets import label_of
from pipeline.research.training import Trained, TrainingPlan

TOLERANCE = 1e-5
LIBRARIES = {"trees": ("scikit-learn", "skl2onnx", "onnx", "protobuf"), "window": ("torch",)}
"""What a learner needs beside numpy, by its kind; the contract names their versions."""
REFERENCE_ROWS = 200_000
"""Most rows, spread over all, whose deciles the contract keeps."""


class PackageError(Exception):
    """A model cannot be written where it was asked for; the text names the folder."""


@dataclass(frozen=True, slots=True)
class PackageOptions:
    """What people decide about the file."""

    version: int = 1
    expires_at: str = ""
    author: str = ""
    notes: str = ""
    parent_model_id: str = ""
    config_sha256: str = ""


def facts_of(rows: Rows, plan: TrainingPlan, trained: Trained, options: PackageOptions) -> ModelFacts:
    """Give everything the contract says of a trained model."""
    recipe, target, asked = rows.recipe, trained.target, trained.answers.rows
    instrument, returns = recipe.instrument, rows.returns(trained.window)
    known = ~np.isnan(returns)
    moved = known & (returns != 0.0)
    tested = _span(rows.ts_ns[asked])
    return ModelFacts(
        name=plan.name,
        version=options.version,
        features=plan.features,
        window=plan.window,
        symmetric=trained.learned.symmetric,
        horizon_ms=plan.horizon_ms,
        delay_ms=recipe.delay_ms,
        label=label_of(plan.kind, recipe.barrier_sigmas),
        cadence=recipe.cadence,
        trigger=recipe.trigger,
        grid_ms=recipe.grid_ms,
        venue=instrument.venue,
        market=MARKETS[instrument.venue],
        symbols=(instrument.symbol,),
        tick=scaled_text(instrument.tick_units, instrument.price_decimals),
        lot=scaled_text(instrument.lot_units, instrument.size_decimals),
        portable=False,
        train_span=_span(rows.ts_ns),
        calib_span=tested if plan.calibrate else Span("", ""),
        test_span=tested,
        rows=int(target.usable.sum()),
        class_mix=_mix(returns[known]),
        code_commit=f"lobdeck {recipe.code_version}",
        code_dirty=False,
        libraries=_libraries(plan),
        calibration=_calibration(plan, trained),
        metrics=trained.metrics,
        reference=_reference(plan.features, rows.table(plan.features)),
        tolerance=TOLERANCE,
        expires_at=options.expires_at,
        training_data_sha256=(*(digest for one in rows.page.sources for digest in one.sha256),),
        sigma_train_e6=max(round(float(returns[known].std()) * E6), 1),
        mean_move_e6=max(round(float(np.abs(returns[moved]).mean()) * E6), 1),
        move_rate_e6=round(float(moved.sum() / known.sum()) * E6),
    )


def packed(
    rows: Rows, plan: TrainingPlan, trained: Trained, options: PackageOptions
) -> tuple[bytes, Manifest]:
    """Give the bytes of the model and its manifest; a new model is approved for the shadow alone.

    Raises:
        ParityError: the exporter wrote something else than was trained.
    """
    facts = facts_of(rows, plan, trained, options)
    answers = trained.learned.probabilities(golden_rows(plan.features * plan.window))
    contract = contract_for(facts, trained.learned.binary, answers)
    data = trained.learned.onnx(plan.name, options.version, encode_metadata(contract))
    origin = f"configuration {options.config_sha256[:16]}, dataset {rows.digest[:16]}"
    manifest = Manifest(
        name=plan.name,
        model_id=hashlib.sha256(data).hexdigest(),
        schema_hash=contract.schema_hash,
        author=options.author,
        notes=f"{options.notes} ({origin})" if options.notes else origin,
        approvals=(Role.SHADOW,),
        parent_model_id=options.parent_model_id,
    )
    return data, manifest


def store(folder: Path, data: bytes, manifest: Manifest) -> Path:
    """Write model and manifest into a folder of their own; give the model's path.

    Raises:
        PackageError: another model is there already, or it cannot be written.
    """
    path = folder / f"{manifest.name}.onnx"
    if path.exists() and path.read_bytes() != data:
        raise PackageError(f"{path}: holds another model; raise `version` in the configuration")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            path.write_bytes(data)
            write_manifest(path, manifest)
    except OSError as problem:
        raise PackageError(f"{path}: cannot be written: {problem.strerror}") from problem
    return path


def _libraries(plan: TrainingPlan) -> tuple[Library, ...]:
    used = ("numpy", *LIBRARIES.get(plan.learner.kind, ()))
    return Library("python", platform.python_version()), *(Library(name, version(name)) for name in used)


def _calibration(plan: TrainingPlan, trained: Trained) -> Calibration:
    if not plan.calibrate:
        return Calibration("none", 1.0, 0)
    return Calibration("temperature", trained.temperature, trained.metrics.rows)


def _mix(returns: npt.NDArray[np.float64]) -> ClassMix:
    down, up = float((returns < 0).mean()), float((returns > 0).mean())
    return ClassMix(round(down, 4), round(1.0 - round(down, 4) - round(up, 4), 4), round(up, 4))


def _reference(features: Sequence[str], rows: Table) -> tuple[Reference, ...]:
    some = np.unique(np.linspace(0, len(rows) - 1, REFERENCE_ROWS).astype(np.intp))
    deciles = np.quantile(rows[some].astype(np.float32), np.arange(1, 10) / 10, axis=0).T
    return tuple(
        Reference(name, tuple(round(float(edge), 4) for edge in edges))
        for name, edges in zip(features, deciles, strict=True)
    )


def _span(ts_ns: npt.NDArray[np.int64]) -> Span:
    return Span(_utc(ts_ns[0]), _utc(ts_ns[-1]))


def _utc(ts_ns: np.int64) -> str:
    return datetime.fromtimestamp(int(ts_ns) / 1e9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
