"""What every learner gives: probabilities of rows, a temperature, and the bytes of an ONNX file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from pipeline.models.dense_graph import DenseNet, dense_model, dense_probabilities
from pipeline.models.graph import LogisticWeights, logistic_model, logistic_probabilities

Floats = npt.NDArray[np.float64]


class Learned(Protocol):
    """A fitted model."""

    @property
    def binary(self) -> bool:
        """True when it gives P(up | the mid moves)."""
        ...

    @property
    def symmetric(self) -> bool:
        """True when exchanging the sides exchanges its answer, whatever was learned."""
        ...

    def probabilities(self, rows: npt.ArrayLike) -> Floats:
        """Answer raw rows [m, features]: down, flat, up, [m, 3]."""
        ...

    def tempered(self, temperature: float) -> Learned:
        """Give the same model with its logits divided by a temperature."""
        ...

    def onnx(self, name: str, version: int, metadata: Mapping[str, str]) -> bytes:
        """Give the file of the model."""
        ...


@dataclass(frozen=True, slots=True)
class LearnedLogistic:
    """Logistic regression."""

    weights: LogisticWeights
    symmetric: bool

    @property
    def binary(self) -> bool:
        """True when it gives P(up | the mid moves)."""
        return self.weights.binary

    def probabilities(self, rows: npt.ArrayLike) -> Floats:
        """Answer raw rows."""
        return logistic_probabilities(self.weights, rows)

    def tempered(self, temperature: float) -> Learned:
        """Give it with its logits divided by a temperature."""
        return replace(self, weights=replace(self.weights, temperature=temperature))

    def onnx(self, name: str, version: int, metadata: Mapping[str, str]) -> bytes:
        """Give its file."""
        return logistic_model(self.weights, name, version, metadata)


@dataclass(frozen=True, slots=True)
class LearnedNet:
    """A network of dense layers."""

    net: DenseNet

    @property
    def binary(self) -> bool:
        """True when it gives P(up | the mid moves)."""
        return self.net.binary

    @property
    def symmetric(self) -> bool:
        """True when it answers a row and its mirror together."""
        return self.net.signs is not None

    def probabilities(self, rows: npt.ArrayLike) -> Floats:
        """Answer raw rows."""
        return dense_probabilities(self.net, rows)

    def tempered(self, temperature: float) -> Learned:
        """Give it with its logits divided by a temperature."""
        return replace(self, net=replace(self.net, temperature=temperature))

    def onnx(self, name: str, version: int, metadata: Mapping[str, str]) -> bytes:
        """Give its file."""
        return dense_model(self.net, name, version, metadata)
