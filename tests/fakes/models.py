"""Small models for tests: a sound source, and ways to spoil the file it becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from pipeline.core.effects import RequestInference
from pipeline.core.params import ModelSpec
from pipeline.core.types import Trigger
from pipeline.models.contract import (
    Calibration,
    ClassMix,
    Label,
    Library,
    Metrics,
    Score,
    Span,
    encode_metadata,
)
from pipeline.models.expectation import TRIGGER, Expectation, Role
from pipeline.models.graph import LogisticWeights, logistic_model
from pipeline.models.inspection import inspect_model, model_spec
from pipeline.models.manifest import Manifest, read_manifest, write_manifest
from pipeline.models.packaging import ModelSource, contract_of
from pipeline.models.venue_offer import CADENCES
from pipeline.research.fit_bundled import FOLDER

FEATURES = ("qi_1", "micro_dev", "tfi_1s")


def logistic(width: int = 3, *, classes: int = 1) -> LogisticWeights:
    """Build weights of moderate size; odd and without intercept when binary."""
    rows = tuple(tuple(0.9 - 0.3 * at - 0.7 * row for at in range(width)) for row in range(classes))
    offsets = (0.0,) if classes == 1 else (0.1, 0.5, 0.0)
    return LogisticWeights(rows, offsets, (0.0,) * width, (1.0,) * width, 1.1)


def score(logloss: float) -> Score:
    """Build a score of which only the log-loss matters."""
    return Score(auc=0.7, logloss=logloss, brier=0.2, ece=0.02)


def source(**changes: object) -> ModelSource:
    """Build a sound source; keyword arguments replace fields."""
    span = Span("2024-08-08T23:54:00Z", "2024-08-09T00:05:00Z")
    sound = ModelSource(
        name="test-logit",
        version=1,
        features=FEATURES,
        logistic=logistic(),
        symmetric=True,
        horizon_ms=1000,
        delay_ms=100,
        label=Label("direction_given_move", 0.0, "ticks", "mid"),
        cadence=CADENCES["binance"],
        trigger=TRIGGER,
        grid_ms=100,
        venue="binance",
        market="spot",
        symbols=("BTCUSDT",),
        tick="0.01",
        lot="0.00001",
        portable=False,
        train_span=span,
        calib_span=span,
        test_span=span,
        rows=1000,
        class_mix=ClassMix(0.3, 0.4, 0.3),
        code_commit="0" * 40,
        code_dirty=False,
        libraries=(Library("numpy", "2.4.6"),),
        calibration=Calibration("temperature", 1.1, 100),
        metrics=Metrics(1000, score(0.55), score(0.58), score(0.693)),
        reference=(),
        tolerance=1e-5,
        expires_at="2027-12-31",
        training_data_sha256=("0" * 64,),
        sigma_train_e6=60,
        mean_move_e6=60,
        move_rate_e6=500_000,
    )
    return msgspec.structs.replace(sound, **changes)


def expectation(**changes: object) -> Expectation:
    """Build what a session on the fake model's own market expects, with a latency budget nobody misses."""
    sound = Expectation(
        venue="binance",
        market="spot",
        symbols=("BTCUSDT",),
        tick="0.01",
        lot="0.00001000",
        cadence=CADENCES["binance"],
        today="2026-01-01",
        max_p99_us=5_000_000,
    )
    return msgspec.structs.replace(sound, **changes)


def model_bytes(
    made_from: ModelSource | None = None,
    *,
    contract: Mapping[str, object] | None = None,
    graph: LogisticWeights | None = None,
    metadata: Callable[[dict[str, str]], object] | None = None,
) -> bytes:
    """Build a file whose contract, graph weights or metadata text may differ from its source."""
    made_from = made_from or source()
    declared = msgspec.structs.replace(contract_of(made_from), **(contract or {}))
    texts = encode_metadata(declared)
    if metadata is not None:
        metadata(texts)
    return logistic_model(graph or made_from.logistic, made_from.name, made_from.version, texts)


def write_model(folder: Path, data: bytes | None = None) -> Path:
    """Store a model file and give its path."""
    path = folder / "test-logit.onnx"
    path.write_bytes(model_bytes() if data is None else data)
    return path


def spec_for(path: Path) -> ModelSpec:
    """Give the engine's view of a stored model."""
    inspected = inspect_model(path, Expectation())
    return model_spec(inspected.contract, inspected.model_id)


def request(spec: ModelSpec, seq: int, symbol: str = "BTCUSDT", ts_ns: int = 0) -> RequestInference:
    """Build a row for a model, different for each sequence number."""
    row = tuple((seq * 7919 + at * 104_729) % 2_000_001 - 1_000_000 for at in range(spec.width))
    return RequestInference(
        symbol=symbol,
        feature_seq=seq,
        epoch=1,
        trigger=Trigger.GRID,
        row_e6=row,
        model_id=spec.model_id,
        generation=spec.generation,
        schema_hash=spec.schema_hash,
        ts_ns=ts_ns,
        newest_recv_ns=ts_ns,
    )


def registered(
    folder: Path, name: str, version: int, *approvals: Role, off_golden: bool = False, **changes: object
) -> Path:
    """Put a model of one feature into a registry folder, approved for these roles; give its file.

    `off_golden` gives it golden answers that are not its own: only running it shows that.
    """
    path = folder / name / str(version) / f"{name}.onnx"
    path.parent.mkdir(parents=True)
    fields = {"name": name, "version": version, "features": ("qi_1",), "logistic": logistic(1), **changes}
    made = source(**fields)
    golden = ((1.0, 0.0, 0.0),) * len(contract_of(made).golden_outputs)
    lies = {"golden_outputs": golden} if off_golden else {}
    path.write_bytes(model_bytes(made, contract=lies))
    inspected = inspect_model(path, Expectation(role=Role.SHADOW))
    schema_hash = inspected.contract.schema_hash
    write_manifest(path, Manifest(name, inspected.model_id, schema_hash, "", "", approvals))
    return path


def approved_for_live(folder: Path) -> Path:
    """Give a copy of the bundled reference model that somebody approved for real money."""
    original = FOLDER / "qi-logit.onnx"
    path = folder / original.name
    path.write_bytes(original.read_bytes())
    manifest = read_manifest(original)
    assert manifest is not None
    write_manifest(path, msgspec.structs.replace(manifest, approvals=tuple(Role)))
    return path
