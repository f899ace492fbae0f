"""Put a logistic model and the facts of its training into one ONNX file, and take such sources from JSON.

A source is what people read and version control keeps: weights and facts. What follows from them (schema,
its hash, golden rows) is computed here, so that the file and the features of this build cannot drift apart:
a changed feature gives another file, which the tests notice.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from pipeline.core.registry import schema_json
from pipeline.models.contract import (
    CLASS_ORDER,
    CONTRACT_VERSION,
    SCORE,
    Calibration,
    ClassMix,
    Label,
    Library,
    Metrics,
    ModelContract,
    Reference,
    Span,
    encode_metadata,
)
from pipeline.models.golden import golden_rows
from pipeline.models.graph import (
    INPUT_NAME,
    OUTPUT_NAME,
    LogisticWeights,
    logistic_model,
    logistic_probabilities,
)

_GOLDEN_DECIMALS = 7
"""Past the float32 of the graph, before the last bits in which processors differ."""


class ModelFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What is known of a model beside its graph; fields shared with `ModelContract` mean the same there."""

    name: str
    version: int
    """For humans; the identity is the hash of the file."""
    features: tuple[str, ...]
    window: int = 1
    """Rows the model reads at once; the schema says it."""
    symmetric: bool
    horizon_ms: int
    delay_ms: int
    label: Label
    cadence: str
    trigger: str
    grid_ms: int
    venue: str
    market: str
    symbols: tuple[str, ...]
    tick: str
    lot: str
    portable: bool
    train_span: Span
    calib_span: Span
    test_span: Span
    rows: int
    class_mix: ClassMix
    code_commit: str
    code_dirty: bool
    libraries: tuple[Library, ...]
    calibration: Calibration
    metrics: Metrics
    reference: tuple[Reference, ...]
    tolerance: float
    expires_at: str
    training_data_sha256: tuple[str, ...]
    sigma_train_e6: int
    mean_move_e6: int
    move_rate_e6: int


class ModelSource(ModelFacts, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A logistic model as people keep it."""

    logistic: LogisticWeights


def read_source(path: Path) -> ModelSource:
    """Read a model source.

    Raises:
        msgspec.ValidationError: naming the field that is missing or wrong.
    """
    return msgspec.json.decode(path.read_bytes(), type=ModelSource)


def source_json(source: ModelSource) -> bytes:
    """Give a source as indented JSON, the form that is committed."""
    return msgspec.json.format(msgspec.json.encode(source), indent=2) + b"\n"


def build_model(source: ModelSource) -> bytes:
    """Give the ONNX file of a source, the same bytes on every machine.

    Raises:
        ValueError: a feature the registry does not have.
    """
    metadata = encode_metadata(contract_of(source))
    return logistic_model(source.logistic, source.name, source.version, metadata)


def contract_of(source: ModelSource) -> ModelContract:
    """Give the contract a source leads to, with schema and golden rows computed by this build."""
    rows = golden_rows(source.features)
    return contract_for(source, source.logistic.binary, logistic_probabilities(source.logistic, rows))


def contract_for(facts: ModelFacts, binary: bool, answers: npt.ArrayLike) -> ModelContract:
    """Give the contract of any graph; `answers` are its own to the golden rows of its columns, [17, 3].

    Raises:
        ValueError: a feature the registry does not have.
    """
    schema = schema_json(facts.features, facts.cadence, facts.trigger, facts.window)
    rows = golden_rows(facts.features * facts.window)
    golden = np.round(np.asarray(answers, dtype=np.float64), _GOLDEN_DECIMALS)
    shared = {name: getattr(facts, name) for name in _SHARED}
    return ModelContract(
        contract_version=CONTRACT_VERSION,
        schema_hash=hashlib.sha256(schema.encode()).hexdigest(),
        schema_json=schema,
        input_name=INPUT_NAME,
        input_width=facts.window * len(facts.features),
        output_names=(OUTPUT_NAME,),
        class_order=CLASS_ORDER,
        binary=binary,
        score_definition=SCORE,
        golden_inputs=tuple(tuple(round(float(value), 6) for value in row) for row in rows),
        golden_outputs=tuple((down, flat, up) for down, flat, up in golden.tolist()),
        **shared,
    )


_SHARED = tuple(name for name in ModelFacts.__struct_fields__ if name in ModelContract.__struct_fields__)
