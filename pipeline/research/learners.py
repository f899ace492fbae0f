"""The learners: each takes raw rows and their classes and gives a `Learned`. Seeds are arguments.

With `mirror` a row counts twice, as it is and with its sides exchanged; logistic and network are then also
symmetric by construction, trees only as far as they learned it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pipeline.core.feature_spec import Parity
from pipeline.core.registry import spec_of
from pipeline.models.dense_graph import DenseNet
from pipeline.models.golden import mirror_signs
from pipeline.models.graph import CLASSES, LogisticWeights
from pipeline.research.dense_fit import NetOptions, fit_layers
from pipeline.research.learned import Learned, LearnedLogistic, LearnedNet
from pipeline.research.logistic import Scaling, fit_odd, fit_scaling
from pipeline.research.softmax_fit import fit_softmax
from pipeline.research.tables import Changed, Mirrored, Table
from pipeline.research.window_fit import WindowOptions, learn_window

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

DECIMALS = 6
"""Of weights in a file: past what matters, before the last bits in which processors differ."""
LEARNERS = ("logistic", "mlp", "trees", "window")


@dataclass(frozen=True, slots=True)
class TreeOptions:
    """How gradient boosting grows."""

    rounds: int = 120
    leaves: int = 15
    rate: float = 0.05
    ridge: float = 20.0
    least_rows: int = 100
    """Rows a leaf must hold."""


@dataclass(frozen=True, slots=True)
class LearnerOptions:
    """Which learner, and how it learns."""

    kind: str = "logistic"
    mirror: bool = True
    seed: int = 1
    ridge: float = 100.0
    """Pull towards 0 of each weight of the logistic, in rows that say nothing."""
    ridges: Mapping[str, float] = field(default_factory=dict)
    """The same for single features."""
    net: NetOptions = field(default_factory=NetOptions)
    trees: TreeOptions = field(default_factory=TreeOptions)
    window: WindowOptions = field(default_factory=WindowOptions)

    @property
    def rows_read(self) -> int:
        """Give how many rows the learner reads at once."""
        return self.window.rows if self.kind == "window" else 1


def learn(
    options: LearnerOptions, features: Sequence[str], rows: Table, place: Places, binary: bool
) -> Learned:
    """Fit one learner to raw rows [m, rows_read * features]; `place` is 0, 1 or 2 for down, flat, up.

    All but the trees take a chunk or a batch of the rows at a time.

    Raises:
        ValueError: too little to learn from, or no convergence.
        MissingExtra: trees without the `train` extra, a window without `torch`.
    """
    match options.kind:
        case "logistic":
            return _logistic(options, features, rows, place, binary)
        case "mlp":
            return _network(options, features, rows, place, binary)
        case "trees":
            from pipeline.research.trees import learn_trees

            both, places = with_mirrors(features, rows, place) if options.mirror else (rows, place)
            return learn_trees(options.trees, options.seed, both[:], places, binary)
        case "window":
            return learn_window(
                options.window, options.seed, features, rows, place, binary, mirror=options.mirror
            )
        case _:
            raise ValueError(f"learner {options.kind!r}, want one of {', '.join(LEARNERS)}")


def with_mirrors(features: Sequence[str], rows: Table, place: Places) -> tuple[Table, Places]:
    """Give each row and its mirror, whose class is the opposite one."""
    signs = mirror_signs(features).astype(np.float64)
    return Mirrored(rows, signs), np.concatenate([place, CLASSES - 1 - place])


def _logistic(
    options: LearnerOptions, features: Sequence[str], raw: Table, place: Places, binary: bool
) -> Learned:
    scaling = fit_scaling(features, raw)
    ridge = np.array([options.ridges.get(name, options.ridge) for name in features])
    rows = Changed(raw, len(features), scaling.apply)
    if binary and options.mirror:
        weights, offsets = _odd_weights(features, rows, place, ridge)
    else:
        weights, offsets = _class_weights(options, features, rows, place, ridge, binary)
    return LearnedLogistic(_rounded(weights, offsets, scaling), options.mirror)


def _odd_weights(features: Sequence[str], rows: Table, place: Places, ridge: Floats) -> tuple[Floats, Floats]:
    """Fit the odd features; an even one says nothing of a direction that is as often up as down."""
    odd = [at for at, name in enumerate(features) if spec_of(name).parity is Parity.ODD]
    weights = np.zeros((len(features), 1))
    columns = Changed(rows, len(odd), lambda part: part[:, odd])
    weights[odd, 0] = fit_odd([features[at] for at in odd], columns, place == CLASSES - 1, ridge[odd])
    return weights, np.zeros(1)


def _class_weights(
    options: LearnerOptions, features: Sequence[str], rows: Table, place: Places, ridge: Floats, binary: bool
) -> tuple[Floats, Floats]:
    if options.mirror:
        rows, place = with_mirrors(features, rows, place)
    if binary:
        weights, offsets = fit_softmax(rows, place // 2, 2, ridge)
        return weights[:, 1:] - weights[:, :1], offsets[1:] - offsets[:1]
    weights, offsets = fit_softmax(rows, place, CLASSES, ridge)
    if options.mirror:
        signs = mirror_signs(features).astype(np.float64)[:, None]
        weights, offsets = (weights + signs * weights[:, ::-1]) / 2, (offsets + offsets[::-1]) / 2
    return weights, offsets


def _rounded(weights: Floats, offsets: Floats, scaling: Scaling) -> LogisticWeights:
    return LogisticWeights(
        weights=tuple(_tuple(column) for column in weights.T),
        intercepts=_tuple(offsets),
        mean=_tuple(scaling.mean),
        std=_tuple(np.maximum(scaling.std, 10.0**-DECIMALS)),
    )


def _tuple(values: Floats) -> tuple[float, ...]:
    return tuple(round(float(value), DECIMALS) for value in values)


def _network(
    options: LearnerOptions, features: Sequence[str], raw: Table, place: Places, binary: bool
) -> Learned:
    scaling = fit_scaling(features, raw)
    rows: Table = Changed(raw, len(features), scaling.apply)
    places = place
    if options.mirror:
        rows, places = with_mirrors(features, rows, place)
    layers = fit_layers(options.net, options.seed, rows, places // 2 if binary else places, binary)
    return LearnedNet(
        DenseNet(
            layers=layers,
            mean=np.array(_tuple(scaling.mean)),
            std=np.array(_tuple(np.maximum(scaling.std, 10.0**-DECIMALS))),
            signs=mirror_signs(features).astype(np.float64) if options.mirror else None,
        )
    )
