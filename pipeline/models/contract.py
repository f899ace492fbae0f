"""What a model file says of itself, and the checks that need nothing but its words.

Stored in the file's `metadata_props`, one key a field: text fields as they are, all others as JSON. The
file is the truth; the side-car manifest must agree with it. Probabilities are always three: down, flat, up;
a binary model means P(up | the mid moves) and says 0 for flat.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import get_type_hints

import msgspec

from pipeline.models.graph import CLASSES

CONTRACT_VERSION = 1
CLASS_ORDER = ("down", "flat", "up")
SCORE = "p_up - p_down"
MIN_GOLDEN_ROWS = 16


class ContractError(ValueError):
    """Metadata that is missing, not of its type, or contradicts itself; the text names the fields."""


class Label(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was predicted: the sign of a move of `price` larger than `theta` `unit`s."""

    kind: str
    """`direction_given_move` (binary) or `three_class`."""
    theta: float
    unit: str
    price: str


class Span(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stretch of data, both ends in UTC, ISO 8601; empty texts where there is none."""

    start: str
    end: str


class ClassMix(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Shares of the labels in the training rows; they sum to 1."""

    down: float
    flat: float
    up: float


class Library(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A library the training used."""

    name: str
    version: str


class Calibration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the probabilities were calibrated inside the graph, on how many rows."""

    kind: str
    """`none` or `temperature`."""
    temperature: float
    rows: int


class Score(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Out-of-sample quality; log-loss in nats."""

    auc: float
    logloss: float
    brier: float
    ece: float
    """Expected calibration error, 10 equal-count bins."""


class Metrics(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The model beside the two it must be compared with, on the same test rows."""

    rows: int
    model: Score
    qi_only: Score | None
    constant: Score


class Reference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the training values of one feature lay: 9 inner decile edges."""

    feature: str
    edges: tuple[float, ...]


class ModelContract(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything a model declares; docs/reference/model-refusals.md has the refusals it leads to."""

    contract_version: int
    name: str
    schema_hash: str
    schema_json: str
    """Canonical JSON of the ordered features, from the registry."""
    input_name: str
    input_width: int
    output_names: tuple[str, ...]
    class_order: tuple[str, ...]
    binary: bool
    score_definition: str
    symmetric: bool
    """True: exchanging bid and ask exchanges p_down and p_up."""
    horizon_ms: int
    delay_ms: int
    """Latency assumed between decision and the label's first price."""
    label: Label
    trigger: str
    """What asked for the training rows, as the registry names it, e.g. `grid_100ms+l1_20ms`."""
    grid_ms: int
    venue: str
    market: str
    symbols: tuple[str, ...]
    tick: str
    lot: str
    cadence: str
    """Channels the features were computed from and their pace, as the registry names it."""
    portable: bool
    """True: declared for any market, symbol, tick, lot and cadence; its features have no such unit."""
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
    golden_inputs: tuple[tuple[float, ...], ...]
    golden_outputs: tuple[tuple[float, float, float], ...]
    tolerance: float
    expires_at: str
    """UTC date `YYYY-MM-DD`, last day of use; empty never."""
    training_data_sha256: tuple[str, ...]
    sigma_train_e6: int
    mean_move_e6: int
    """E|r| given a move over the horizon, in 1e-6 of the price."""
    move_rate_e6: int


_FIELDS = get_type_hints(ModelContract)


def encode_metadata(contract: ModelContract) -> dict[str, str]:
    """Give the `metadata_props` of a contract, in field order."""
    encoded = {}
    for name, kind in _FIELDS.items():
        value = getattr(contract, name)
        encoded[name] = value if kind is str else msgspec.json.encode(value).decode()
    return encoded


def decode_metadata(metadata: Mapping[str, str]) -> ModelContract:
    """Read a contract; keys that are no field of it are left to whoever wrote them.

    Raises:
        ContractError: a field is missing or not of its type, or the fields contradict each other.
    """
    missing = [name for name in _FIELDS if name not in metadata]
    if missing:
        raise ContractError(f"metadata lacks {', '.join(missing)}")
    values = {}
    for name, kind in _FIELDS.items():
        try:
            values[name] = msgspec.convert(
                metadata[name] if kind is str else msgspec.json.decode(metadata[name]), type=kind
            )
        except (ValueError, RecursionError) as error:
            raise ContractError(f"metadata field {name}: {str(error)[:200]}") from error
    contract = ModelContract(**values)
    problems = contract_problems(contract)
    if problems:
        raise ContractError("; ".join(problems))
    return contract


def contract_problems(contract: ModelContract) -> list[str]:
    """Name what contradicts itself in a contract whose fields all have their types; empty when sound."""
    wrong = []
    if contract.contract_version != CONTRACT_VERSION:
        wrong.append(f"contract_version is {contract.contract_version}, want {CONTRACT_VERSION}")
    if contract.class_order != CLASS_ORDER:
        wrong.append(f"class_order is {list(contract.class_order)}, want {list(CLASS_ORDER)}")
    if contract.score_definition != SCORE:
        wrong.append(f"score_definition is {contract.score_definition!r}, want {SCORE!r}")
    if contract.binary != (contract.label.kind == "direction_given_move"):
        wrong.append(f"binary is {contract.binary} and label.kind {contract.label.kind!r}")
    if min(contract.horizon_ms, contract.grid_ms, contract.input_width) <= 0 or contract.delay_ms < 0:
        wrong.append("horizon_ms, grid_ms and input_width must be above 0, delay_ms not below")
    if min(contract.sigma_train_e6, contract.mean_move_e6, contract.move_rate_e6) <= 0:
        wrong.append("sigma_train_e6, mean_move_e6 and move_rate_e6 must be above 0")
    if not 0 < contract.tolerance <= 1e-3:
        wrong.append(f"tolerance is {contract.tolerance}, want above 0 and at most 0.001")
    return wrong + _golden_problems(contract)


def _golden_problems(contract: ModelContract) -> list[str]:
    inputs, outputs = contract.golden_inputs, contract.golden_outputs
    wrong = []
    if len(inputs) < MIN_GOLDEN_ROWS or len(inputs) != len(outputs):
        got = f"{len(inputs)} golden inputs and {len(outputs)} outputs"
        wrong.append(f"{got}, want {MIN_GOLDEN_ROWS} or more of each")
    if any(len(row) != contract.input_width for row in inputs):
        wrong.append(f"a golden input is not {contract.input_width} wide")
    if not any(not any(row) for row in inputs):
        wrong.append("no golden input is the zero row")
    if not all(math.isfinite(value) for row in inputs for value in row):
        wrong.append("a golden input is not finite")
    if not all(_is_distribution(row) for row in outputs):
        wrong.append(f"a golden output is no distribution over {CLASSES} classes")
    return wrong


def _is_distribution(row: tuple[float, float, float]) -> bool:
    return all(0.0 <= value <= 1.0 for value in row) and abs(sum(row) - 1.0) <= 1e-3
