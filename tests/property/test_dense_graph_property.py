"""Any dense network in a file answers as numpy does; a symmetric one exchanges its answer with the sides."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.models.dense_graph import DenseNet, Layer, dense_model, dense_probabilities
from pipeline.models.golden import mirror_signs, probe_rows
from pipeline.models.inspection import ALLOWED_OPERATORS
from pipeline.models.onnx_file import parse_onnx
from pipeline.models.running import BoundModel, open_session

FEATURES = ("qi_1", "micro_dev", "spread_t", "tfi_1s")


@st.composite
def nets(draw: st.DrawFn) -> DenseNet:
    chance = np.random.default_rng(draw(st.integers(0, 10_000)))
    hidden = draw(st.lists(st.integers(1, 9), max_size=3))
    widths = [len(FEATURES), *hidden, draw(st.sampled_from((1, 3)))]
    layers = tuple(
        Layer(chance.normal(0, 1, (a, b)), chance.normal(0, 1, b))
        for a, b in zip(widths[:-1], widths[1:], strict=True)
    )
    signs = mirror_signs(FEATURES).astype(np.float64) if draw(st.booleans()) else None
    mean = np.array([0.0, 0.0, 0.7, 0.0])
    return DenseNet(
        layers, mean, np.array([1.0, 2.0, 0.5, 1.0]), signs, draw(st.sampled_from((0.5, 1.0, 2.0)))
    )


@given(nets())
@settings(max_examples=40, deadline=None)
def test_any_network_answers_as_numpy_does(net: DenseNet) -> None:
    data = dense_model(net, "any", 1, {"key": "value"})
    rows = probe_rows(FEATURES)
    bound = BoundModel(open_session(data), len(FEATURES))

    np.testing.assert_allclose(bound.batch(rows), dense_probabilities(net, rows), atol=1e-5)
    assert set(parse_onnx(data).operators) <= ALLOWED_OPERATORS
    assert dense_model(net, "any", 1, {"key": "value"}) == data


@given(nets())
@settings(max_examples=40, deadline=None)
def test_a_symmetric_network_exchanges_its_answer_with_the_sides(net: DenseNet) -> None:
    rows = probe_rows(FEATURES).astype(np.float64)
    turned = dense_probabilities(net, rows * mirror_signs(FEATURES))[:, ::-1]
    off = np.abs(turned - dense_probabilities(net, rows)).max()

    if net.signs is not None:
        assert off < 1e-9
