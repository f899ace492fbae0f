"""A model of several rows runs in a worker process like any other; its session replays from the journal."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.models.contract import encode_metadata
from pipeline.models.dense_graph import Layer
from pipeline.models.golden import golden_rows, mirror_signs
from pipeline.models.packaging import contract_for
from pipeline.models.window_graph import WindowNet, window_model, window_probabilities
from tests.fakes.models import FEATURES, source
from tests.fakes.sessions import replayed, synthetic_lines, write_capture

WINDOW = 4


def write_window_model(path: Path) -> None:
    """Write a sound model whose line leans on queue imbalance now and on what it was."""
    chance = np.random.default_rng(3)
    width = len(FEATURES)
    joins = (
        Layer(chance.normal(0, 0.3, (2 * width, 4)), np.zeros(4)),
        Layer(chance.normal(0, 0.3, (8, 4)), np.zeros(4)),
    )
    line = np.zeros((WINDOW * width, 1))
    line[::width, 0] = (0.1, 0.2, 0.4, 1.5)
    head = Layer(chance.normal(0, 0.3, (4, 1)), np.zeros(1))
    signs = mirror_signs(FEATURES).astype(np.float64)
    net = WindowNet(joins, head, line, np.zeros(width), np.ones(width), signs)
    facts = source(name="window", window=WINDOW)
    answers = window_probabilities(net, golden_rows(FEATURES * WINDOW))
    path.write_bytes(window_model(net, "window", 1, encode_metadata(contract_for(facts, True, answers))))


def test_a_window_model_answers_every_row_it_is_asked_and_replays(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    capture = write_capture(tmp_path / "clip.txt", synthetic_lines(1_500))
    write_window_model(tmp_path / "window.onnx")
    model = ("--model", str(tmp_path / "window.onnx"))
    run = replayed(home, str(capture), *model, "--journal", "--name", "window", "--authority", "auto")
    again = replayed(home, str(home / "sessions" / "window" / "journal"))

    assert run["features"] > 100
    assert run["predictions"] >= run["features"] - 2
    assert run["decisions"] > 100
    assert (again["inputs_sha256"], again["effects_sha256"]) == (run["inputs_sha256"], run["effects_sha256"])
