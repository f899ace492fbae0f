"""Write a network of dense layers as an ONNX file, byte for byte the same every time, without `onnx`.

Raw features in, calibrated probabilities out, as in `graph.py`: Sub mean, Mul 1/std, Clip, then the layers
with Relu between them, Mul 1/temperature, Sigmoid or Softmax. A symmetric network runs its layers twice, on
the row and on its mirror, and takes the mean of the first answer and the second one turned round: exchanging
bid and ask then exchanges the answer whatever the weights are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

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


@dataclass(frozen=True, slots=True)
class Layer:
    """Weights [in, out] and offsets [out]."""

    weights: Floats
    offsets: Floats


@dataclass(frozen=True, slots=True)
class DenseNet:
    """Layers over standardised features; the last gives one log-odds of up (binary) or three logits."""

    layers: tuple[Layer, ...]
    mean: Floats
    std: Floats
    signs: Floats | None
    """What a mirror multiplies each feature by, [features]; None for a network that is not symmetric."""
    temperature: float = 1.0

    def __post_init__(self) -> None:
        """Refuse layers that do not fit together and numbers that are not finite.

        Raises:
            ValueError: naming what does not fit.
        """
        widths = [len(self.mean), *(len(layer.offsets) for layer in self.layers)]
        shapes = [layer.weights.shape for layer in self.layers]
        if shapes != list(zip(widths[:-1], widths[1:], strict=True)) or widths[-1] not in (1, CLASSES):
            raise ValueError(f"layers {shapes} for {widths[0]} features; want 1 or 3 numbers at the end")
        parts = [self.mean, self.std, *(part for one in self.layers for part in (one.weights, one.offsets))]
        if not all(np.isfinite(part).all() for part in parts) or self.std.min() <= 0 or self.temperature <= 0:
            raise ValueError("a number is not finite, or std or temperature is not above 0")

    @property
    def binary(self) -> bool:
        """True when the network gives P(up | the mid moves)."""
        return len(self.layers[-1].offsets) == 1


def dense_probabilities(net: DenseNet, rows: npt.ArrayLike) -> Floats:
    """Compute in float64 what the graph computes in float32: rows [m, n] in, [m, 3] down, flat, up out."""
    raw = np.asarray(rows, dtype=np.float64)
    scaled = np.clip((raw - net.mean) / net.std, -CLIP, CLIP)
    layers = _three_wide(net)
    logits = _through(layers, scaled)
    if net.signs is not None:
        logits = (logits + _through(layers, scaled * net.signs)[:, ::-1]) / 2.0
    return logits_to_probabilities(logits / net.temperature, net.binary)


def dense_model(net: DenseNet, name: str, version: int, metadata: Mapping[str, str]) -> bytes:
    """Give the bytes of the ONNX file; `metadata` goes into `metadata_props` in its own order."""
    nodes = [*scaling_nodes(), *_logit_nodes(net), *answer_nodes(net.binary)]
    return onnx_model(nodes, _constants(net), len(net.mean), name, version, metadata)


def _through(layers: Sequence[Layer], rows: Floats) -> Floats:
    for layer in layers[:-1]:
        rows = np.maximum(rows @ layer.weights + layer.offsets, 0.0)
    return rows @ layers[-1].weights + layers[-1].offsets


def _three_wide(net: DenseNet) -> tuple[Layer, ...]:
    """Give the layers with one log-odds written as three logits: opposite for the sides, 0 for flat."""
    if not net.binary:
        return net.layers
    *inner, last = net.layers
    fan = np.array([[-1.0, 0.0, 1.0]])
    return (*inner, Layer(last.weights @ fan, last.offsets @ fan))


def _logit_nodes(net: DenseNet) -> list[MessageWriter]:
    if net.signs is None:
        return _path_nodes(net, "clipped", "", "last", "logits")
    return [
        onnx_node("Mul", ["clipped", "signs"], "mirrored"),
        *_path_nodes(net, "clipped", "a", "last", "logits_a"),
        *_path_nodes(net, "mirrored", "b", "turned", "logits_b"),
        onnx_node("Add", ["logits_a", "logits_b"], "logits"),
    ]


def _path_nodes(net: DenseNet, start: str, path: str, last: str, end: str) -> list[MessageWriter]:
    nodes, here = [], start
    for at in range(len(net.layers) - 1):
        nodes.append(onnx_node("Gemm", [here, f"weights_{at}", f"offsets_{at}"], f"sum_{at}{path}"))
        here = f"hidden_{at}{path}"
        nodes.append(onnx_node("Relu", [f"sum_{at}{path}"], here))
    nodes.append(onnx_node("Gemm", [here, f"weights_{last}", f"offsets_{last}"], end))
    return nodes


def _constants(net: DenseNet) -> dict[str, Constant]:
    *inner, last = _three_wide(net)
    share = 1.0 if net.signs is None else 0.5
    parts: dict[str, npt.ArrayLike] = {
        "mean": net.mean,
        "inv_std": 1.0 / net.std,
        "low": -CLIP,
        "high": CLIP,
        "inv_temperature": 1.0 / net.temperature,
    }
    for at, layer in enumerate(inner):
        parts |= {f"weights_{at}": layer.weights, f"offsets_{at}": layer.offsets}
    parts |= {"weights_last": last.weights * share, "offsets_last": last.offsets * share}
    if net.signs is not None:
        turned = {"weights_turned": last.weights[:, ::-1], "offsets_turned": last.offsets[::-1]}
        parts |= {"signs": net.signs, **{name: part * share for name, part in turned.items()}}
    if net.binary:
        parts["no_flat"] = [1.0, 0.0, 1.0]
    return {name: np.array(part, dtype=np.float32, order="C") for name, part in parts.items()}
