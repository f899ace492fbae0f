"""Train a network over windows of rows with PyTorch; what comes out is numbers, and PyTorch is gone.

The window's network is `models/window_graph.py`. With `mirror` it answers a window and its mirror together
while it learns, as it will in its file. The trained module's own answers are kept, and the file is let
through only where it gives the same: graph and module are written apart, and either may be wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.models.dense_graph import Layer
from pipeline.models.golden import golden_rows, mirror_signs
from pipeline.models.graph import CLASSES, CLIP, INPUT_NAME, OUTPUT_NAME, logits_to_probabilities
from pipeline.models.running import open_session
from pipeline.models.window_graph import WindowNet, window_model, window_probabilities
from pipeline.research.logistic import fit_scaling
from pipeline.research.parity import PARITY, MissingExtra, ParityError
from pipeline.research.tables import Changed, Floats, Places, Table

DECIMALS = 6
PROVED_ROWS = 512
"""Training windows, spread over all, that the file must answer as PyTorch does, beside the golden ones."""


@dataclass(frozen=True, slots=True)
class WindowOptions:
    """Shape and pace of the training."""

    rows: int = 8
    """Read at once: 2, 4, 8, 16, 32 or 64."""
    channels: int = 8
    epochs: int = 4
    batch: int = 256
    rate: float = 0.002
    decay: float = 0.02
    """Pull of every weight towards 0, a share of it a step of size 1."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What PyTorch said."""

    rows: npt.NDArray[np.float32]
    """Raw windows, [m, window * features]."""
    logits: Floats
    """Three of each, [m, 3]."""


@dataclass(frozen=True, slots=True)
class LearnedWindow:
    """A network over windows."""

    net: WindowNet
    proof: Proof

    @property
    def binary(self) -> bool:
        """True when it gives P(up | the mid moves)."""
        return self.net.binary

    @property
    def symmetric(self) -> bool:
        """True when it answers a window and its mirror together."""
        return self.net.signs is not None

    def probabilities(self, rows: npt.ArrayLike) -> Floats:
        """Answer raw windows."""
        return window_probabilities(self.net, rows)

    def tempered(self, temperature: float) -> LearnedWindow:
        """Give it with its logits divided by a temperature."""
        return replace(self, net=replace(self.net, temperature=temperature))

    def onnx(self, name: str, version: int, metadata: Mapping[str, str]) -> bytes:
        """Give its file, proved to answer as the trained module did.

        Raises:
            ParityError: it does not.
        """
        data = window_model(self.net, name, version, metadata)
        answers = np.asarray(open_session(data).run([OUTPUT_NAME], {INPUT_NAME: self.proof.rows})[0])
        wanted = logits_to_probabilities(self.proof.logits / self.net.temperature, self.binary)
        off = np.abs(answers - wanted).max(axis=1)
        if not (off <= PARITY).all():
            raise ParityError(
                f"{int((off > PARITY).sum())} of {len(off)} windows differ by more than {PARITY} from what "
                f"PyTorch said, the worst by {off.max():.6f}: the file is not written"
            )
        return data


def learn_window(
    options: WindowOptions,
    seed: int,
    features: Sequence[str],
    windows: Table,
    place: Places,
    binary: bool,
    *,
    mirror: bool,
) -> LearnedWindow:
    """Fit the network to raw windows [m, rows * features]; `place` is 0, 1 or 2 for down, flat, up.

    Raises:
        ValueError: a window of no power of two, or the training ran away.
        MissingExtra: PyTorch is not installed.
    """
    torch = _torch()
    if options.rows < 2 or options.rows & (options.rows - 1):
        raise ValueError(f"a window of {options.rows} rows; want 2, 4, 8, 16, 32 or 64")
    newest = Changed(windows, len(features), lambda part: part[:, -len(features) :])
    scaling = fit_scaling(features, newest)
    mean, std = np.round(scaling.mean, DECIMALS), np.maximum(np.round(scaling.std, DECIMALS), 10.0**-DECIMALS)
    signs = mirror_signs(features).astype(np.float64) if mirror else None
    module = _Module(torch, options, seed, len(features), 1 if binary else CLASSES, signs)
    scaled = Changed(windows, windows.shape[1], _scaler(mean, std, options.rows))
    module.fit(scaled, place // 2 if binary else place)
    net = module.net(mean, std, signs)
    columns = tuple(features) * options.rows
    some = np.linspace(0, len(windows) - 1, min(PROVED_ROWS, len(windows))).astype(np.intp)
    rows = np.vstack([golden_rows(columns), windows[some].astype(np.float32)])
    return LearnedWindow(net, Proof(rows, module.logits(scaled.change(rows.astype(np.float64)))))


def _scaler(mean: Floats, std: Floats, rows: int) -> Any:
    wide_mean, wide_std = np.tile(mean, rows), np.tile(std, rows)
    return lambda part: np.clip((part - wide_mean) / wide_std, -CLIP, CLIP)


def _torch() -> Any:
    try:
        import torch
    except ImportError as problem:
        raise MissingExtra("a window needs the extra: .venv/bin/pip install -e '.[torch]'") from problem
    return torch


class _Module:
    """The network while PyTorch has it: parameters, and what they make of a window."""

    def __init__(
        self, torch: Any, options: WindowOptions, seed: int, features: int, ends: int, signs: Floats | None
    ) -> None:
        self._torch = torch
        self._options = options
        self._chance = np.random.default_rng(seed)
        self._binary = ends == 1
        self._signs = None if signs is None else self._tensor(np.tile(signs, options.rows))
        self._joins: list[tuple[Any, Any]] = []
        here = features
        for _ in range(options.rows.bit_length() - 1):
            self._joins.append((self._weights(2 * here, options.channels), self._zeros(options.channels)))
            here = options.channels
        self._head = (self._weights(here, ends), self._zeros(ends))
        self._line = self._zeros(options.rows * features, ends)

    @property
    def _parts(self) -> list[Any]:
        return [part for layer in (*self._joins, self._head) for part in layer] + [self._line]

    def fit(self, windows: Table, place: Places) -> None:
        """Learn from scaled windows; `place` is 0 or 1 for binary, else 0, 1 or 2."""
        torch, options = self._torch, self._options
        threads = torch.get_num_threads()
        # Small products: a second thread costs more than it gives, and another order of sums other bits.
        torch.set_num_threads(1)
        step = torch.optim.AdamW(self._parts, lr=options.rate, weight_decay=options.decay)
        for _ in range(options.epochs):
            order = self._chance.permutation(len(windows))
            for chosen in np.array_split(order, max(len(windows) // options.batch, 1)):
                step.zero_grad()
                said = self._said(self._tensor(windows[chosen]))
                self._loss(said, place[chosen]).backward()
                step.step()
        torch.set_num_threads(threads)
        with torch.no_grad():
            for part in self._parts:
                part.copy_(torch.round(part, decimals=DECIMALS))
        if not all(bool(torch.isfinite(part).all()) for part in self._parts):
            raise ValueError(f"the network ran away at rate {options.rate}; want a lower one")

    def logits(self, windows: Floats) -> Floats:
        """Give three logits of each scaled window, as the file must."""
        with self._torch.no_grad():
            said = np.asarray(self._said(self._tensor(windows)).numpy(), dtype=np.float64)
        return said * np.array([-1.0, 0.0, 1.0]) if self._binary else said

    def net(self, mean: Floats, std: Floats, signs: Floats | None) -> WindowNet:
        """Give the numbers of the trained network."""
        joins = tuple(Layer(_numbers(weights), _numbers(offsets)) for weights, offsets in self._joins)
        head = Layer(_numbers(self._head[0]), _numbers(self._head[1]))
        return WindowNet(joins, head, _numbers(self._line), mean, std, signs)

    def _said(self, windows: Any) -> Any:
        straight = self._one_way(windows)
        if self._signs is None:
            return straight
        turned = self._one_way(windows * self._signs)
        return (straight - turned) / 2.0 if self._binary else (straight + turned.flip(1)) / 2.0

    def _one_way(self, windows: Any) -> Any:
        torch = self._torch
        # Channels first, as PyTorch's convolution wants them: [m, features, rows].
        here = windows.reshape(len(windows), self._options.rows, -1).transpose(1, 2)
        for weights, offsets in self._joins:
            kernel = weights.reshape(2, -1, weights.shape[1]).permute(2, 1, 0)
            here = torch.relu(torch.nn.functional.conv1d(here, kernel, offsets, stride=2))
        return here[:, :, 0] @ self._head[0] + self._head[1] + windows @ self._line

    def _loss(self, said: Any, place: Places) -> Any:
        functional = self._torch.nn.functional
        if self._binary:
            wanted = self._tensor(place.astype(np.float64))
            return functional.binary_cross_entropy_with_logits(said[:, 0], wanted)
        return functional.cross_entropy(said, self._torch.from_numpy(place.astype(np.int64)))

    def _weights(self, inside: int, outside: int) -> Any:
        return self._tensor(self._chance.normal(0.0, np.sqrt(2.0 / inside), (inside, outside)), learn=True)

    def _zeros(self, *shape: int) -> Any:
        return self._tensor(np.zeros(shape), learn=True)

    def _tensor(self, values: Floats, *, learn: bool = False) -> Any:
        tensor = self._torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))
        return tensor.requires_grad_() if learn else tensor


def _numbers(part: Any) -> Floats:
    return np.asarray(np.round(part.detach().numpy().astype(np.float64), DECIMALS))
