"""Any weights give a valid file whose answers are numpy's; any bytes are parsed or refused, nothing else."""

from __future__ import annotations

import numpy as np
import onnx
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.models.graph import LogisticWeights, logistic_model, logistic_probabilities
from pipeline.models.onnx_file import parse_onnx
from pipeline.models.protobuf import MessageWriter, ProtobufError, read_fields
from pipeline.models.running import open_session
from tests.fakes.models import logistic

NUMBER = st.floats(-3, 3, width=32)


@st.composite
def weights(draw: st.DrawFn) -> LogisticWeights:
    width = draw(st.integers(1, 12))
    classes = draw(st.sampled_from([1, 3]))
    row = st.tuples(*[NUMBER] * width)
    return LogisticWeights(
        weights=draw(st.tuples(*[row] * classes)),
        intercepts=draw(st.tuples(*[NUMBER] * classes)),
        mean=draw(row),
        std=draw(st.tuples(*[st.floats(0.125, 8, width=32)] * width)),
        temperature=draw(st.floats(0.25, 4, width=32)),
    )


@given(
    weights=weights(), seed=st.integers(0, 2**32 - 1), text=st.dictionaries(st.text(max_size=9), st.text())
)
@settings(max_examples=60, deadline=None)
def test_any_logistic_model_is_valid_and_answers_as_numpy_does(
    weights: LogisticWeights, seed: int, text: dict[str, str]
) -> None:
    data = logistic_model(weights, "any", 1, text)
    rows = (np.random.default_rng(seed).normal(size=(9, len(weights.mean))) * 5).astype(np.float32)

    model = onnx.load_from_string(data)
    onnx.checker.check_model(model)
    assert model.SerializeToString() == data
    assert parse_onnx(data).metadata == text

    answers = open_session(data).run(["probabilities"], {"row": rows})[0]
    # float32 rounds a logit of up to 180 before it is squashed; 1e-6 holds for logits of ordinary size.
    assert np.abs(answers - logistic_probabilities(weights, rows)).max() < 1e-5


@given(
    numbers=st.lists(st.tuples(st.integers(1, 2**28), st.integers(-(2**63), 2**64 - 1))),
    texts=st.lists(st.tuples(st.integers(1, 2**28), st.binary(max_size=300))),
)
def test_what_the_writer_writes_the_reader_reads(
    numbers: list[tuple[int, int]], texts: list[tuple[int, bytes]]
) -> None:
    writer = MessageWriter()
    for number, value in numbers:
        writer.integer(number, value)
    for number, data in texts:
        writer.data(number, data)

    fields = [(n, v if isinstance(v, int) else bytes(v)) for n, v in read_fields(memoryview(writer.finish()))]

    assert fields == [(number, value % 2**64) for number, value in numbers] + texts


@given(data=st.binary(max_size=400))
def test_random_bytes_are_parsed_or_refused(data: bytes) -> None:
    try:
        parse_onnx(data)
    except ProtobufError:
        return


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_a_damaged_model_is_parsed_or_refused(data: st.DataObject) -> None:
    sound = bytearray(logistic_model(logistic(), "damaged", 1, {"key": "value"}))
    at = data.draw(st.integers(0, len(sound) - 1))
    sound[at] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.integers(0, len(sound)))
    try:
        parse_onnx(bytes(sound[:cut]))
    except ProtobufError:
        return
