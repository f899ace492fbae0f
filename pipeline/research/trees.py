"""Gradient-boosted trees by scikit-learn, written by skl2onnx and let through only where both agree.

Exporters can be silently wrong, so the file is run over every training row and compared before it is given
away. Our calibration tail is put behind the trees; the library's own calibrators are not exported at all.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version as version_of
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pipeline.models.graph import CLASSES, INPUT_NAME, OUTPUT_NAME
from pipeline.models.running import open_session
from pipeline.research.parity import PARITY, MissingExtra, ParityError

if TYPE_CHECKING:
    from pipeline.research.learners import TreeOptions

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

MOST_FLIPS = 1e-3
"""Share of rows that may differ more: a value at a threshold may fall to its other side in float32."""
_FLOOR = 1e-6
_NEWEST_PROTOBUF = 6
"""Major version; with 7 skl2onnx ends in an error nobody can read."""
_TARGETS = {"": 17, "ai.onnx.ml": 3}


@dataclass(frozen=True, slots=True)
class LearnedTrees:
    """Gradient-boosted trees; `mirror` in training makes them only nearly symmetric."""

    trees: Any
    rows: npt.NDArray[np.float32]
    """Training rows, for the parity gate."""
    binary: bool
    temperature: float = 1.0
    symmetric: bool = False

    def probabilities(self, rows: npt.ArrayLike) -> Floats:
        """Answer raw rows."""
        with _one_thread():
            raw = self.trees.predict_proba(np.asarray(rows, dtype=np.float32))
        powers = np.clip(raw, _FLOOR, 1.0) ** (1.0 / self.temperature)
        shares = powers / powers.sum(axis=1, keepdims=True)
        if self.binary:
            return np.stack([shares[:, 0], np.zeros(len(shares)), shares[:, 1]], axis=1)
        return np.asarray(shares)

    def tempered(self, temperature: float) -> LearnedTrees:
        """Give them with their logits divided by a temperature."""
        return replace(self, temperature=temperature)

    def onnx(self, name: str, version: int, metadata: Mapping[str, str]) -> bytes:
        """Give the file, proved to answer the training rows as the trees do.

        Raises:
            ParityError: it does not.
            MissingExtra: skl2onnx is not installed.
        """
        data = _exported(self, name, version, metadata)
        self._prove(data)
        return data

    def _prove(self, data: bytes) -> None:
        answers = open_session(data).run([OUTPUT_NAME], {INPUT_NAME: self.rows})[0]
        off = np.abs(np.asarray(answers) - self.probabilities(self.rows)).max(axis=1)
        flips = float((off > PARITY).mean())
        if flips > MOST_FLIPS:
            raise ParityError(
                f"{flips:.1%} of {len(off)} rows differ by more than {PARITY} from the trained trees, "
                f"the worst by {off.max():.4f}: the exporter is wrong, the file is not written"
            )


def learn_trees(options: TreeOptions, seed: int, rows: Floats, place: Places, binary: bool) -> LearnedTrees:
    """Grow trees over raw rows [m, features].

    Raises:
        MissingExtra: scikit-learn is not installed.
    """
    try:
        from sklearn.ensemble import HistGradientBoostingClassifier
    except ImportError as problem:
        raise MissingExtra("trees need the extra: .venv/bin/pip install -e '.[train]'") from problem
    trees = HistGradientBoostingClassifier(
        max_iter=options.rounds,
        max_leaf_nodes=options.leaves,
        learning_rate=options.rate,
        l2_regularization=options.ridge,
        min_samples_leaf=options.least_rows,
        early_stopping=False,
        random_state=seed,
    )
    seen = rows.astype(np.float32)
    with _one_thread():
        trees.fit(seen, place // 2 if binary else place)
    return LearnedTrees(trees, seen, binary)


def _major(version: str) -> int:
    return int(version.partition(".")[0])


def _one_thread() -> Any:
    """Hold the library to one thread: its many wait for each other by spinning wherever cores are shared."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=1)


def _exported(learned: LearnedTrees, name: str, version: int, metadata: Mapping[str, str]) -> bytes:
    try:
        import onnx
        from onnx import helper
        from skl2onnx import convert_sklearn
        from skl2onnx.common.data_types import FloatTensorType
    except ImportError as problem:
        raise MissingExtra("writing trees needs the extra: .venv/bin/pip install -e '.[train]'") from problem
    protobuf_version = version_of("protobuf")
    if _major(protobuf_version) > _NEWEST_PROTOBUF:
        raise MissingExtra(
            f"protobuf {protobuf_version} cannot write trees, it wants below 7: "
            ".venv/bin/pip install -e '.[train]'"
        )
    trees = learned.trees
    with warnings.catch_warnings():
        # The protobuf we ask for still takes what skl2onnx writes, and says that a newer one will not.
        warnings.simplefilter("ignore", DeprecationWarning)
        model = convert_sklearn(
            trees,
            initial_types=[(INPUT_NAME, FloatTensorType([None, learned.rows.shape[1]]))],
            options={id(trees): {"zipmap": False}},
            target_opset=_TARGETS,
        )
    graph = model.graph
    _rename_output(graph)
    for node in _tail(helper):
        graph.node.append(node)
    fan = np.eye(CLASSES) if not learned.binary else np.array([[1, 0, 0], [0, 0, 1]])
    constants = {
        "tail_floor": np.float32(_FLOOR),
        "tail_one": np.float32(1.0),
        "tail_power": np.float32(1.0 / learned.temperature),
        "tail_axis": np.array([1], dtype=np.int64),
        "tail_fan": fan.astype(np.float32),
    }
    graph.initializer.extend(onnx.numpy_helper.from_array(np.asarray(v), n) for n, v in constants.items())
    graph.name = name
    shape: list[str | int | None] = ["batch", CLASSES]
    graph.output.append(helper.make_tensor_value_info(OUTPUT_NAME, onnx.TensorProto.FLOAT, shape))
    model.producer_name, model.producer_version, model.model_version = "lobdeck", "", version
    helper.set_model_props(model, dict(metadata))
    return bytes(model.SerializeToString(deterministic=True))


def _rename_output(graph: Any) -> None:
    """Let the trees' own probabilities be an inner value, and drop the label nobody asks for."""
    wanted = "probabilities"
    for node in graph.node:
        for at, name in enumerate(node.output):
            node.output[at] = "tree_shares" if name == wanted else name
        for at, name in enumerate(node.input):
            node.input[at] = "tree_shares" if name == wanted else name
    del graph.output[:]


def _tail(helper: Any) -> list[Any]:
    return [
        helper.make_node("Clip", ["tree_shares", "tail_floor", "tail_one"], ["tail_clipped"]),
        helper.make_node("Pow", ["tail_clipped", "tail_power"], ["tail_powers"]),
        helper.make_node("ReduceSum", ["tail_powers", "tail_axis"], ["tail_sum"], keepdims=1),
        helper.make_node("Div", ["tail_powers", "tail_sum"], ["tail_calibrated"]),
        helper.make_node("MatMul", ["tail_calibrated", "tail_fan"], [OUTPUT_NAME]),
    ]
