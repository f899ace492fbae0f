"""Write a network over the rows before a decision as an ONNX file, byte for byte the same every time.

A window of 2^k rows goes through k strided convolutions: each joins two neighbours in time into one row of
channels, by the same weights wherever in the window they stand, until one is left. Beside them stands a line
over the whole window, which is what the network is when the convolutions find nothing. Rows lie one after
the other in memory, so a convolution is a Reshape and a Gemm. Scaling, symmetry and temperature are part of
the graph, as in `dense_graph.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.models.dense_graph import Layer
from pipeline.models.graph import (
    CLASSES,
    CLIP,
    Constant,
    answer_nodes,
    logits_to_probabilities,
    onnx_model,
    onnx_node,
    scaling_nodes,
)
from pipeline.models.protobuf import MessageWriter

Floats = npt.NDArray[np.float64]

_FAN = np.array([[-1.0, 0.0, 1.0]])
"""One log-odds as three logits: opposite for the sides, 0 for flat."""


@dataclass(frozen=True, slots=True)
class WindowNet:
    """A network over 2^k standardised rows; it ends in one log-odds of up (binary) or in three logits."""

    joins: tuple[Layer, ...]
    """The first takes two rows of features, each other one two rows of channels."""
    head: Layer
    """From the last channels."""
    line: Floats
    """Weights over the whole window, oldest row first, [window * features, 1 or 3]."""
    mean: Floats
    std: Floats
    signs: Floats | None
    """What a mirror multiplies each feature by, [features]; None for a network that is not symmetric."""
    temperature: float = 1.0

    def __post_init__(self) -> None:
        """Refuse parts that do not fit together and numbers that are not finite.

        Raises:
            ValueError: naming what does not fit.
        """
        width, ends = len(self.mean), len(self.head.offsets)
        wanted, here = [], width
        for join in self.joins:
            wanted.append((2 * here, len(join.offsets)))
            here = len(join.offsets)
        wanted += [(here, ends), (self.window * width, ends)]
        shapes = [
            part.shape for part in (*(join.weights for join in self.joins), self.head.weights, self.line)
        ]
        if not self.joins or shapes != wanted or ends not in (1, CLASSES):
            raise ValueError(f"parts {shapes}, want {wanted} for {width} features, at least one join")
        layers = (*self.joins, self.head)
        parts = [self.mean, self.std, self.line]
        parts += [part for one in layers for part in (one.weights, one.offsets)]
        if not all(np.isfinite(part).all() for part in parts) or self.std.min() <= 0 or self.temperature <= 0:
            raise ValueError("a number is not finite, or std or temperature is not above 0")

    @property
    def window(self) -> int:
        """Give how many rows it reads."""
        return 1 << len(self.joins)

    @property
    def binary(self) -> bool:
        """True when the network gives P(up | the mid moves)."""
        return len(self.head.offsets) == 1


def window_probabilities(net: WindowNet, rows: npt.ArrayLike) -> Floats:
    """Compute in float64 what the graph does in float32: [m, window * features] in, down, flat, up out."""
    raw = np.asarray(rows, dtype=np.float64)
    mean, std = np.tile(net.mean, net.window), np.tile(net.std, net.window)
    scaled = np.clip((raw - mean) / std, -CLIP, CLIP)
    head, line = _three_wide(net)
    logits = _through(net, head, line, scaled)
    if net.signs is not None:
        turned = _through(net, head, line, scaled * np.tile(net.signs, net.window))
        logits = (logits + turned[:, ::-1]) / 2.0
    return logits_to_probabilities(logits / net.temperature, net.binary)


def window_model(net: WindowNet, name: str, version: int, metadata: Mapping[str, str]) -> bytes:
    """Give the bytes of the ONNX file; `metadata` goes into `metadata_props` in its own order."""
    nodes = [*scaling_nodes(), *_logit_nodes(net), *answer_nodes(net.binary)]
    return onnx_model(nodes, _constants(net), net.window * len(net.mean), name, version, metadata)


def _through(net: WindowNet, head: Layer, line: Floats, rows: Floats) -> Floats:
    here = rows
    for join in net.joins:
        here = np.maximum(here.reshape(-1, len(join.weights)) @ join.weights + join.offsets, 0.0)
    return here @ head.weights + head.offsets + rows @ line


def _three_wide(net: WindowNet) -> tuple[Layer, Floats]:
    if not net.binary:
        return net.head, net.line
    return Layer(net.head.weights @ _FAN, net.head.offsets @ _FAN), net.line @ _FAN


def _logit_nodes(net: WindowNet) -> list[MessageWriter]:
    if net.signs is None:
        return _path_nodes(net, "clipped", "a", "last", "logits")
    return [
        onnx_node("Mul", ["clipped", "signs"], "mirrored"),
        *_path_nodes(net, "clipped", "a", "last", "logits_a"),
        *_path_nodes(net, "mirrored", "b", "turned", "logits_b"),
        onnx_node("Add", ["logits_a", "logits_b"], "logits"),
    ]


def _path_nodes(net: WindowNet, start: str, path: str, last: str, end: str) -> list[MessageWriter]:
    nodes, here = [], start
    for at in range(len(net.joins)):
        pairs, joined = f"pairs_{at}{path}", f"joined_{at}{path}"
        nodes.append(onnx_node("Reshape", [here, f"shape_{at}"], pairs))
        nodes.append(onnx_node("Gemm", [pairs, f"weights_{at}", f"offsets_{at}"], f"sum_{at}{path}"))
        nodes.append(onnx_node("Relu", [f"sum_{at}{path}"], joined))
        here = joined
    return [
        *nodes,
        onnx_node("Gemm", [here, f"weights_{last}", f"offsets_{last}"], f"shape{path}_said"),
        onnx_node("MatMul", [start, f"line_{last}"], f"line{path}_said"),
        onnx_node("Add", [f"shape{path}_said", f"line{path}_said"], end),
    ]


def _constants(net: WindowNet) -> dict[str, Constant]:
    head, line = _three_wide(net)
    share = 1.0 if net.signs is None else 0.5
    parts: dict[str, npt.ArrayLike] = {
        "mean": np.tile(net.mean, net.window),
        "inv_std": np.tile(1.0 / net.std, net.window),
        "low": -CLIP,
        "high": CLIP,
        "inv_temperature": 1.0 / net.temperature,
    }
    for at, join in enumerate(net.joins):
        parts |= {f"weights_{at}": join.weights, f"offsets_{at}": join.offsets}
    parts |= {"weights_last": head.weights * share, "offsets_last": head.offsets * share}
    parts["line_last"] = line * share
    if net.signs is not None:
        parts["signs"] = np.tile(net.signs, net.window)
        parts |= {
            "weights_turned": head.weights[:, ::-1] * share,
            "offsets_turned": head.offsets[::-1] * share,
        }
        parts["line_turned"] = line[:, ::-1] * share
    if net.binary:
        parts["no_flat"] = [1.0, 0.0, 1.0]
    numbers: dict[str, Constant] = {
        name: np.array(part, dtype=np.float32, order="C") for name, part in parts.items()
    }
    shapes = {
        f"shape_{at}": np.array([-1, len(join.weights)], dtype=np.int64) for at, join in enumerate(net.joins)
    }
    return numbers | shapes
