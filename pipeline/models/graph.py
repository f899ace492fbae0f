"""Write a logistic model as an ONNX file, byte for byte the same every time, without the `onnx` package.

The graph takes raw features and gives calibrated probabilities, so that a worker has no scaler file which
might disagree with the model: Sub mean, Mul 1/std, Clip to +-5, Gemm, Mul 1/temperature, then Sigmoid
(binary) or Softmax (three classes). A ratio already in [-1, 1] passes through with mean 0 and std 1:
scaling it would move its zero and break the parity that the mirror check relies on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.models.protobuf import MessageWriter

OPSET = 17
IR_VERSION = 8
INPUT_NAME = "row"
OUTPUT_NAME = "probabilities"
CLASSES = 3
CLIP = 5.0
"""Standardised features beyond this say no more; it also bounds what an absurd input can do."""

_FLOAT = 1
_INT64 = 7
_ATTRIBUTE_FLOAT = 1
_ATTRIBUTE_INT = 2

FloatArray = npt.NDArray[np.float32]
Constant = FloatArray | npt.NDArray[np.int64]
"""Numbers of a graph; whole ones are shapes."""


@dataclass(frozen=True, slots=True)
class LogisticWeights:
    """Weights of a binary or three-class logistic model over `n` features.

    `weights` is one row of n numbers (binary: the log-odds of up given a move) or three rows (down, flat,
    up); `intercepts` has one number a row. `mean` and `std` are of the training rows, (0, 1) for a feature
    that passes through. `temperature` divides the logits: above 1 it draws probabilities towards even.
    """

    weights: tuple[tuple[float, ...], ...]
    intercepts: tuple[float, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    temperature: float = 1.0

    def __post_init__(self) -> None:
        """Refuse shapes that do not fit together and numbers that are not finite.

        Raises:
            ValueError: naming the part that does not fit.
        """
        width = len(self.mean)
        if width == 0 or len(self.std) != width:
            raise ValueError(f"mean has {width} numbers and std {len(self.std)}; want the same, at least 1")
        if len(self.weights) not in (1, CLASSES) or len(self.intercepts) != len(self.weights):
            got = f"{len(self.weights)} weight rows and {len(self.intercepts)} intercepts"
            raise ValueError(f"{got}; want 1 or 3 of each")
        if any(len(row) != width for row in self.weights):
            raise ValueError(f"a weight row is not {width} numbers long")
        if not np.isfinite([*self.mean, *self.std, *self.intercepts, *sum(self.weights, ())]).all():
            raise ValueError("a weight, intercept, mean or std is not finite")
        if min(self.std) <= 0 or not self.temperature > 0:
            raise ValueError("std and temperature must be above 0")

    @property
    def binary(self) -> bool:
        """True when the model gives P(up | the mid moves)."""
        return len(self.weights) == 1


def logistic_probabilities(weights: LogisticWeights, rows: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Compute in float64 what the graph computes in float32: rows [m, n] in, [m, 3] down, flat, up out."""
    raw = np.asarray(rows, dtype=np.float64)
    scaled = np.clip((raw - np.array(weights.mean)) / np.array(weights.std), -CLIP, CLIP)
    logits = (scaled @ np.array(weights.weights).T + np.array(weights.intercepts)) / weights.temperature
    return logits_to_probabilities(_fanned(logits) if weights.binary else logits, weights.binary)


def logits_to_probabilities(logits: npt.NDArray[np.float64], binary: bool) -> npt.NDArray[np.float64]:
    """Give [m, 3] probabilities of three logits each; binary ones are opposite for the sides, 0 for flat."""
    if binary:
        up = 1.0 / (1.0 + np.exp(-logits[:, 2]))
        return np.stack([1.0 - up, np.zeros_like(up), up], axis=1)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _fanned(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(logits * np.array([-1.0, 0.0, 1.0]))


def logistic_model(weights: LogisticWeights, name: str, version: int, metadata: Mapping[str, str]) -> bytes:
    """Give the bytes of the ONNX file; `metadata` goes into `metadata_props` in its own order."""
    nodes, constants = _nodes(weights.binary), _constants(weights)
    return onnx_model(nodes, constants, len(weights.mean), name, version, metadata)


def onnx_model(
    nodes: Sequence[MessageWriter],
    constants: Mapping[str, Constant],
    width: int,
    name: str,
    version: int,
    metadata: Mapping[str, str],
) -> bytes:
    """Give the bytes of a file whose graph turns `row` [batch, width] into `probabilities` [batch, 3]."""
    model = (
        MessageWriter()
        .integer(1, IR_VERSION)
        .text(2, "lobdeck")
        .integer(5, version)
        .message(7, _graph(nodes, constants, width, name))
        .message(8, MessageWriter().text(1, "").integer(2, OPSET))
    )
    for key, value in metadata.items():
        model.message(14, MessageWriter().text(1, key).text(2, value))
    return model.finish()


def _graph(
    nodes: Sequence[MessageWriter], constants: Mapping[str, Constant], width: int, name: str
) -> MessageWriter:
    graph = MessageWriter()
    for node in nodes:
        graph.message(1, node)
    graph.text(2, name)
    for tensor_name, values in constants.items():
        graph.message(5, _tensor(tensor_name, values))
    graph.message(11, _value_info(INPUT_NAME, width))
    graph.message(12, _value_info(OUTPUT_NAME, CLASSES))
    return graph


def _nodes(binary: bool) -> list[MessageWriter]:
    logits = onnx_node("Gemm", ["clipped", "weights", "intercepts"], "logits")
    return [*scaling_nodes(), logits, *answer_nodes(binary)]


def scaling_nodes() -> list[MessageWriter]:
    """Give the nodes from the raw row to `clipped`; they read `mean`, `inv_std`, `low` and `high`."""
    return [
        onnx_node("Sub", [INPUT_NAME, "mean"], "centred"),
        onnx_node("Mul", ["centred", "inv_std"], "scaled"),
        onnx_node("Clip", ["scaled", "low", "high"], "clipped"),
    ]


def answer_nodes(binary: bool) -> list[MessageWriter]:
    """Give the nodes from three `logits` to the answer; they read `inv_temperature`, and `no_flat` if binary.

    Both directions of a binary model are sigmoids of opposite logits, so exchanging the sides is exact in
    float32 too.
    """
    calibrated = onnx_node("Mul", ["logits", "inv_temperature"], "calibrated")
    if binary:
        sides = onnx_node("Sigmoid", ["calibrated"], "sides")
        return [calibrated, sides, onnx_node("Mul", ["sides", "no_flat"], OUTPUT_NAME)]
    return [calibrated, _softmax_node("calibrated")]


def _constants(weights: LogisticWeights) -> dict[str, Constant]:
    rows = np.array(weights.weights, dtype=np.float32)
    offsets = np.array(weights.intercepts, dtype=np.float32)
    constants: dict[str, Constant] = {
        "mean": np.array(weights.mean, dtype=np.float32),
        "inv_std": (1.0 / np.array(weights.std)).astype(np.float32),
        "low": np.array(-CLIP, dtype=np.float32),
        "high": np.array(CLIP, dtype=np.float32),
        "inv_temperature": np.array(1.0 / weights.temperature, dtype=np.float32),
    }
    if weights.binary:
        rows = np.concatenate([-rows, np.zeros_like(rows), rows])
        offsets = np.array([-offsets[0], 0.0, offsets[0]], dtype=np.float32)
        constants["no_flat"] = np.array([1.0, 0.0, 1.0], dtype=np.float32)
    return constants | {"weights": np.ascontiguousarray(rows.T), "intercepts": offsets}


def _softmax_node(logits: str) -> MessageWriter:
    softmax = onnx_node("Softmax", [logits], OUTPUT_NAME)
    return softmax.message(5, MessageWriter().text(1, "axis").integer(3, 1).integer(20, _ATTRIBUTE_INT))


def onnx_node(op_type: str, inputs: Sequence[str], output: str) -> MessageWriter:
    """Give a node of the standard domain, named like its output."""
    node = MessageWriter()
    for name in inputs:
        node.text(1, name)
    return node.text(2, output).text(3, output).text(4, op_type)


def _tensor(name: str, values: Constant) -> MessageWriter:
    tensor = MessageWriter()
    for size in values.shape:
        tensor.integer(1, size)
    kind, layout = (_INT64, "<i8") if values.dtype == np.int64 else (_FLOAT, "<f4")
    return tensor.integer(2, kind).text(8, name).data(9, values.astype(layout).tobytes())


def _value_info(name: str, width: int) -> MessageWriter:
    shape = (
        MessageWriter()
        .message(1, MessageWriter().text(2, "batch"))
        .message(1, MessageWriter().integer(1, width))
    )
    tensor_type = MessageWriter().integer(1, _FLOAT).message(2, shape)
    return MessageWriter().text(1, name).message(2, MessageWriter().message(1, tensor_type))
