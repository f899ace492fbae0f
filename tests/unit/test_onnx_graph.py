"""The hand-written ONNX file against the reference parser, ONNX Runtime and numpy."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from pipeline.models.graph import IR_VERSION, OPSET, LogisticWeights, logistic_model, logistic_probabilities
from pipeline.models.onnx_file import DYNAMIC, FLOAT32, TensorInfo, parse_onnx
from pipeline.models.protobuf import MessageWriter, ProtobufError
from pipeline.models.running import open_session
from tests.fakes.models import logistic

METADATA = {"zebra": "last name first", "alpha": "ünïcode", "empty": ""}


def file_of(classes: int) -> bytes:
    return logistic_model(logistic(5, classes=classes), "test", 3, METADATA)


@pytest.mark.parametrize("classes", [1, 3])
def test_the_reference_checker_accepts_the_file_and_writes_it_the_same(classes: int) -> None:
    model = onnx.load_from_string(file_of(classes))

    onnx.checker.check_model(model, full_check=True)

    assert model.SerializeToString() == file_of(classes)
    assert (model.ir_version, model.opset_import[0].version, model.model_version) == (IR_VERSION, OPSET, 3)
    assert {entry.key: entry.value for entry in model.metadata_props} == METADATA


@pytest.mark.parametrize("classes", [1, 3])
@pytest.mark.parametrize("rows", [1, 7, 64])
def test_graph_and_numpy_agree_for_any_batch(classes: int, rows: int) -> None:
    weights = logistic(5, classes=classes)
    values = (np.random.default_rng(7).normal(size=(rows, 5)) * 6).astype(np.float32)

    answers = open_session(file_of(classes)).run(["probabilities"], {"row": values})[0]

    assert answers.shape == (rows, 3)
    assert np.abs(answers - logistic_probabilities(weights, values)).max() < 1e-6


def test_a_binary_graph_gives_no_flat_and_is_even_at_the_zero_row() -> None:
    answers = open_session(file_of(1)).run(["probabilities"], {"row": np.zeros((1, 5), np.float32)})[0]

    assert answers.tolist() == [[0.5, 0.0, 0.5]]


def test_scaling_and_clipping_happen_inside_the_graph() -> None:
    weights = LogisticWeights(((1.0,),), (0.0,), mean=(100.0,), std=(10.0,))
    session = open_session(logistic_model(weights, "scaled", 1, {}))

    answers = session.run(["probabilities"], {"row": np.array([[100], [110], [150], [9e9]], np.float32)})[0]

    up = 1 / (1 + np.exp(-np.array([0.0, 1.0, 5.0, 5.0])))
    assert np.abs(answers[:, 2] - up).max() < 1e-6


def test_our_own_reader_sees_what_the_writer_wrote() -> None:
    file = parse_onnx(file_of(3))

    assert file.inputs == [TensorInfo("row", FLOAT32, (DYNAMIC, 5))]
    assert file.outputs == [TensorInfo("probabilities", FLOAT32, (DYNAMIC, 3))]
    assert file.operators == [("", name) for name in ("Sub", "Mul", "Clip", "Gemm", "Mul", "Softmax")]
    assert file.opsets == [("", OPSET)]
    assert file.metadata == METADATA
    assert file.oddities == []


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"mean": ()}, "mean"),
        ({"std": (1.0,)}, "std"),
        ({"weights": ((1.0, 1.0),) * 2, "intercepts": (0.0,) * 2}, "weight rows"),
        ({"weights": ((1.0,),)}, "weight row"),
        ({"weights": ((1.0, float("nan")),)}, "not finite"),
        ({"std": (1.0, 0.0)}, "above 0"),
        ({"temperature": 0.0}, "above 0"),
    ],
)
def test_weights_that_do_not_fit_are_refused(changes: dict[str, object], part: str) -> None:
    sound: dict[str, object] = {
        "weights": ((1.0, 2.0),),
        "intercepts": (0.0,),
        "mean": (0.0, 0.0),
        "std": (1.0, 1.0),
    }
    with pytest.raises(ValueError, match=part):
        LogisticWeights(**{**sound, **changes})  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        b"not a model at all",
        b"\x3a\xff\xff\xff\xff\x0f",
        b"\xff" * 11,
        b"\x3a\x00\x3a\x00",
        b"\x0b",
    ],
    ids=["empty", "field 0", "text", "too long", "endless number", "two graphs", "group"],
)
def test_bytes_that_are_no_model_are_refused(data: bytes) -> None:
    with pytest.raises(ProtobufError):
        parse_onnx(data)


def test_a_name_that_is_no_text_is_refused() -> None:
    entry = MessageWriter().data(1, b"\xff").text(2, "value")

    with pytest.raises(ProtobufError, match="UTF-8"):
        parse_onnx(file_of(1) + MessageWriter().message(14, entry).finish())
