"""The checks of a model file that need no ONNX Runtime: identity, make-up, contract, schema, fit.

The session runs these at its start, so that a wrong model is refused in the terminal before a worker is
started; a worker runs them again on the bytes it really loads.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from pipeline.core.params import ModelSpec
from pipeline.core.registry import schema_json
from pipeline.core.types import E6
from pipeline.models.contract import ContractError, ModelContract, decode_metadata
from pipeline.models.expectation import Expectation, Role
from pipeline.models.graph import CLASSES, INPUT_NAME, OUTPUT_NAME
from pipeline.models.manifest import check_manifest
from pipeline.models.onnx_file import DYNAMIC, FLOAT32, OnnxFile, TensorInfo, parse_onnx
from pipeline.models.protobuf import ProtobufError
from pipeline.models.refusal import ModelRefused, RefusalCode

_STANDARD = (
    *("Abs", "Add", "Cast", "Clip", "Concat", "Constant", "Div", "Exp", "Flatten", "Gather", "Gemm"),
    *("Identity", "LeakyRelu", "Log", "MatMul", "Max", "Min", "Mul", "Neg", "Pow", "ReduceSum", "Relu"),
    *("Reshape", "Sigmoid", "Slice", "Softmax", "Split", "Sqrt", "Squeeze", "Sub", "Tanh", "Transpose"),
    *("Unsqueeze", "Where"),
)
_CLASSICAL = (
    *("LinearClassifier", "LinearRegressor", "Normalizer", "Scaler"),
    *("TreeEnsembleClassifier", "TreeEnsembleRegressor"),
)
ALLOWED_OPERATORS = frozenset(("", name) for name in _STANDARD) | frozenset(
    ("ai.onnx.ml", name) for name in _CLASSICAL
)
"""(domain, operator) a model may be made of: arithmetic, dense layers, trees. No loops, no files, no text."""


@dataclass(frozen=True, slots=True)
class InspectedModel:
    """A file that passed every check short of running it."""

    model_id: str
    """sha256 of the file, in hex."""
    contract: ModelContract
    features: tuple[str, ...]
    window: int
    """Rows it reads at once."""
    data: bytes


def inspect_model(path: Path, expect: Expectation) -> InspectedModel:
    """Read and check a model file without running it.

    Raises:
        ModelRefused: with the code of the first check it failed.
    """
    data = _read(path, expect)
    model_id = hashlib.sha256(data).hexdigest()
    if expect.sha256 and model_id != expect.sha256:
        raise ModelRefused(RefusalCode.E_SHA, f"{path.name} is {model_id}, pinned is {expect.sha256}")
    file = _check_parts(data)
    try:
        contract = decode_metadata(file.metadata)
    except ContractError as error:
        raise ModelRefused(RefusalCode.E_CONTRACT, str(error)) from error
    check_manifest(path, model_id, contract, expect.role)
    _check_io(file, contract)
    features = _check_schema(contract)
    _check_span(contract, expect)
    _check_units(contract, expect)
    _check_metrics(contract, features, expect.role)
    return InspectedModel(model_id, contract, features, window_rows(contract), data)


def model_spec(contract: ModelContract, model_id: str, generation: int = 1) -> ModelSpec:
    """Give what the engine must know of a model; `generation` rises with each swap."""
    return ModelSpec(
        model_id=model_id,
        name=contract.name,
        generation=generation,
        schema_hash=contract.schema_hash,
        features=feature_names(contract),
        horizon_ms=contract.horizon_ms,
        binary=contract.binary,
        sigma_train_e6=contract.sigma_train_e6,
        mean_move_e6=contract.mean_move_e6,
        move_rate_e6=contract.move_rate_e6,
        window=window_rows(contract),
        delay_ms=contract.delay_ms,
        reference_e6=_reference_e6(contract),
    )


def _reference_e6(contract: ModelContract) -> tuple[tuple[int, ...], ...]:
    """Give the training deciles of each feature of the row; empty for one that declares none."""
    edges = {one.feature: tuple(round(edge * E6) for edge in one.edges) for one in contract.reference}
    return tuple(edges.get(name, ()) for name in feature_names(contract))


def feature_names(contract: ModelContract) -> tuple[str, ...]:
    """Give the features of the model's rows, in order.

    Raises:
        ModelRefused: E_SCHEMA_HASH, the schema is not JSON of the registry's form.
    """
    try:
        return tuple(str(feature["name"]) for feature in json.loads(contract.schema_json)["features"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelRefused(RefusalCode.E_SCHEMA_HASH, f"schema_json cannot be read: {error!r}") from error


def window_rows(contract: ModelContract) -> int:
    """Give how many rows the model reads at once.

    Raises:
        ModelRefused: E_SCHEMA_HASH, the schema says no whole number from 1 on.
    """
    window = json.loads(contract.schema_json).get("window", 1)
    if type(window) is not int or window < 1:
        raise ModelRefused(RefusalCode.E_SCHEMA_HASH, f"window is {window!r}, want a whole number from 1 on")
    return window


def schema_differences(model: str, here: str) -> Iterator[str]:
    """Compare two schemas (JSON texts) and yield one line for each field that differs."""
    return _differences(json.loads(model), json.loads(here), "")


def _differences(model: Any, here: Any, at: str) -> Iterator[str]:
    if isinstance(model, dict) and isinstance(here, dict):
        for key in sorted({*model, *here}):
            yield from _differences(model.get(key), here.get(key), f"{at}.{key}" if at else key)
    elif isinstance(model, list) and isinstance(here, list) and len(model) == len(here):
        for index, (left, right) in enumerate(zip(model, here, strict=True)):
            named = left.get("name", index) if isinstance(left, dict) else index
            yield from _differences(left, right, f"{at}[{named}]")
    elif model != here:
        yield f"{at}: model {repr(model)[:120]}, here {repr(here)[:120]}"


def _read(path: Path, expect: Expectation) -> bytes:
    try:
        size = path.stat().st_size
        if size > expect.max_bytes:
            raise ModelRefused(
                RefusalCode.E_SIZE, f"{path.name} has {size} bytes, at most {expect.max_bytes}"
            )
        return path.read_bytes()
    except OSError as error:
        raise ModelRefused(RefusalCode.E_SHA, f"{path} cannot be read: {error.strerror}") from error


def _check_parts(data: bytes) -> OnnxFile:
    try:
        file = parse_onnx(data)
    except ProtobufError as error:
        raise ModelRefused(RefusalCode.E_OPS, f"not an ONNX model: {error}") from error
    domains = ["ai.onnx.ml", "ai.onnx", ""]
    wrong = [f"domain {domain!r}" for domain, _ in file.opsets if domain not in domains]
    wrong += [
        f"operator {d or 'ai.onnx'}:{op}" for d, op in file.operators if (d, op) not in ALLOWED_OPERATORS
    ]
    wrong += file.oddities
    if wrong:
        unique = tuple(dict.fromkeys(wrong))
        raise ModelRefused(RefusalCode.E_OPS, f"{len(unique)} parts are not allowed in a model", unique[:20])
    return file


def _check_io(file: OnnxFile, contract: ModelContract) -> None:
    wrong = []
    if [tensor.name for tensor in file.inputs] != [INPUT_NAME] or contract.input_name != INPUT_NAME:
        wrong.append(f"inputs {[tensor.name for tensor in file.inputs]}, want [{INPUT_NAME!r}] alone")
    outputs = {tensor.name: tensor for tensor in file.outputs}
    if OUTPUT_NAME not in outputs or OUTPUT_NAME not in contract.output_names:
        wrong.append(f"outputs {list(outputs)}, want {OUTPUT_NAME!r} among them")
    for tensor in file.inputs:
        wrong += _shape_problems(tensor, contract.input_width)
    if OUTPUT_NAME in outputs:
        wrong += _shape_problems(outputs[OUTPUT_NAME], CLASSES)
    if wrong:
        raise ModelRefused(RefusalCode.E_IO, "input or output does not fit", tuple(wrong))


def _shape_problems(tensor: TensorInfo, width: int) -> list[str]:
    wrong = []
    if tensor.elem_type != FLOAT32:
        wrong.append(f"{tensor.name} has element type {tensor.elem_type}, want {FLOAT32} (float32)")
    if len(tensor.shape) != 2:
        wrong.append(f"{tensor.name} has rank {len(tensor.shape)}, want 2")
        return wrong
    if tensor.shape[0] != DYNAMIC:
        wrong.append(f"{tensor.name} has a fixed batch of {tensor.shape[0]}, want it open")
    if tensor.shape[1] != width:
        wrong.append(f"{tensor.name} is {tensor.shape[1]} wide, want {width}")
    return wrong


def _check_schema(contract: ModelContract) -> tuple[str, ...]:
    names = feature_names(contract)
    if hashlib.sha256(contract.schema_json.encode()).hexdigest() != contract.schema_hash:
        raise ModelRefused(RefusalCode.E_SCHEMA_HASH, "schema_hash is not the hash of schema_json")
    window = window_rows(contract)
    if len(names) * window != contract.input_width:
        of_rows = f" in {window} rows" if window > 1 else ""
        wide = f"{len(names)} features{of_rows} for an input {contract.input_width} wide"
        raise ModelRefused(RefusalCode.E_SCHEMA_HASH, wide)
    try:
        here = schema_json(names, contract.cadence, contract.trigger, window)
    except ValueError as error:
        raise ModelRefused(RefusalCode.E_SCHEMA_HASH, "trained on other features", (str(error),)) from error
    if here != contract.schema_json:
        lines = tuple(schema_differences(contract.schema_json, here))
        raise ModelRefused(RefusalCode.E_SCHEMA_HASH, f"{len(lines)} fields of the features differ", lines)
    return names


def _check_span(contract: ModelContract, expect: Expectation) -> None:
    wrong = []
    if expect.today and contract.expires_at and contract.expires_at < expect.today:
        wrong.append(f"expires_at: {contract.expires_at}, today is {expect.today}")
    if not contract.portable:
        pairs = (
            ("venue", contract.venue, expect.venue),
            ("market", contract.market, expect.market),
            ("cadence", contract.cadence, expect.cadence),
        )
        wrong += [
            f"{name}: model {model!r}, here {here!r}"
            for name, model, here in pairs
            if here not in ("", model)
        ]
        strange = [symbol for symbol in expect.symbols if symbol not in contract.symbols]
        wrong += [f"symbols: model {list(contract.symbols)}, here {symbol!r}" for symbol in strange]
    if wrong:
        raise ModelRefused(RefusalCode.E_SPAN, "expired, or trained on something else", tuple(wrong))


def _check_units(contract: ModelContract, expect: Expectation) -> None:
    if contract.portable:
        return
    pairs = (("tick", contract.tick, expect.tick), ("lot", contract.lot, expect.lot))
    wrong = tuple(
        f"{name}: model {model}, venue {here}" for name, model, here in pairs if _differ(model, here)
    )
    if wrong:
        raise ModelRefused(RefusalCode.E_UNITS, "the venue's units changed since training", wrong)


def _differ(model: str, here: str) -> bool:
    try:
        return bool(here) and Decimal(model) != Decimal(here)
    except InvalidOperation:
        return True


def _check_metrics(contract: ModelContract, features: tuple[str, ...], role: Role | None) -> None:
    if role in (None, Role.SHADOW):
        return
    model, base = contract.metrics.model, contract.metrics.qi_only
    if base is None:
        raise ModelRefused(RefusalCode.E_METRICS, "no queue-imbalance baseline recorded: only as a shadow")
    if features == ("qi_1",):
        base = contract.metrics.constant
    if not model.logloss < base.logloss:
        raise ModelRefused(
            RefusalCode.E_METRICS,
            "not better than its baseline: only as a shadow",
            (f"logloss: model {model.logloss}, baseline {base.logloss}",),
        )
