"""Any network over a window answers in a file as numpy does; a symmetric one turns with the sides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.models.dense_graph import Layer
from pipeline.models.golden import mirror_signs, probe_rows
from pipeline.models.inspection import ALLOWED_OPERATORS
from pipeline.models.onnx_file import parse_onnx
from pipeline.models.running import BoundModel, open_session
from pipeline.models.window_graph import WindowNet, window_model, window_probabilities

FEATURES = ("qi_1", "micro_dev", "spread_t", "tfi_1s")
MEAN, STD = np.array([0.0, 0.0, 0.7, 0.0]), np.array([1.0, 2.0, 0.5, 1.0])


@st.composite
def nets(draw: st.DrawFn) -> WindowNet:
    chance = np.random.default_rng(draw(st.integers(0, 10_000)))
    channels = draw(st.lists(st.integers(1, 7), min_size=1, max_size=4))
    ends = draw(st.sampled_from((1, 3)))
    widths = [len(FEATURES), *channels]
    joins = tuple(
        Layer(chance.normal(0, 0.5, (2 * a, b)), chance.normal(0, 0.5, b))
        for a, b in zip(widths[:-1], widths[1:], strict=True)
    )
    line = chance.normal(0, 0.2, (len(FEATURES) << len(channels), ends))
    head = Layer(chance.normal(0, 0.5, (channels[-1], ends)), chance.normal(0, 0.5, ends))
    signs = mirror_signs(FEATURES).astype(np.float64) if draw(st.booleans()) else None
    return WindowNet(joins, head, line, MEAN, STD, signs, draw(st.sampled_from((0.5, 1.0, 2.0))))


@given(nets())
@settings(max_examples=40, deadline=None)
def test_any_network_over_a_window_answers_as_numpy_does(net: WindowNet) -> None:
    data = window_model(net, "any", 1, {"key": "value"})
    rows = probe_rows(FEATURES * net.window)
    bound = BoundModel(open_session(data), rows.shape[1])

    np.testing.assert_allclose(bound.batch(rows), window_probabilities(net, rows), atol=1e-5)
    assert set(parse_onnx(data).operators) <= ALLOWED_OPERATORS
    assert window_model(net, "any", 1, {"key": "value"}) == data


@given(nets())
@settings(max_examples=40, deadline=None)
def test_a_symmetric_one_exchanges_its_answer_with_the_sides(net: WindowNet) -> None:
    columns = FEATURES * net.window
    rows = probe_rows(columns).astype(np.float64)
    turned = window_probabilities(net, rows * mirror_signs(columns))[:, ::-1]

    if net.signs is not None:
        assert np.abs(turned - window_probabilities(net, rows)).max() < 1e-9


def test_the_newest_row_stands_last() -> None:
    line = np.zeros((8, 1))
    line[4] = 3.0
    silent = Layer(np.zeros((8, 1)), np.zeros(1))
    net = WindowNet((silent,), Layer(np.zeros((1, 1)), np.zeros(1)), line, MEAN, STD, None)
    rows = np.zeros((2, 8))
    rows[0, 4] = rows[1, 0] = 1.0

    assert window_probabilities(net, rows)[:, 2] == pytest.approx([1 / (1 + np.exp(-3.0)), 0.5])


def test_parts_that_do_not_fit_are_named() -> None:
    head = Layer(np.zeros((1, 1)), np.zeros(1))
    with pytest.raises(ValueError, match="want"):
        WindowNet((Layer(np.zeros((4, 1)), np.zeros(1)),), head, np.zeros((8, 1)), MEAN, STD, None)
    with pytest.raises(ValueError, match="not finite"):
        WindowNet((Layer(np.full((8, 1), np.nan), np.zeros(1)),), head, np.zeros((8, 1)), MEAN, STD, None)
