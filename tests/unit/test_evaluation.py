"""Evaluations against plain recomputation; ideas and permits on lines a person can check; the page alone."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli import run
from pipeline.core.params import MS
from pipeline.core.types import Trigger
from pipeline.research.evaluation import (
    Evaluation,
    EvaluationError,
    cost_bps,
    evaluation_of,
    read_evaluation,
    up_given_move,
    write_evaluation,
)
from pipeline.research.human import Press, human_row
from pipeline.research.labels import TouchPath, Window
from pipeline.research.report_html import report_page
from pipeline.research.rows import Rows, Stretch, load_rows
from tests.fakes.planted import write_planted

WINDOW = Window(100 * MS, 1_000 * MS)
ROWS = 2_000


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Rows, np.ndarray]:
    folder = tmp_path_factory.mktemp("data") / "rows"
    odds = write_planted(folder, ROWS, 7)
    return load_rows(folder), odds


@pytest.fixture(scope="module")
def found(planted: tuple[Rows, np.ndarray]) -> Evaluation:
    rows, odds = planted
    answers = {
        "model": np.stack([1 - odds, np.zeros(ROWS), odds], axis=1),
        "constant": np.full((ROWS, 3), (0.5, 0.0, 0.5)),
    }
    return evaluation_of(rows, np.arange(ROWS), answers, WINDOW, "planted", "0" * 64, "")


def test_deciles_add_up_to_a_plain_recomputation(planted: tuple[Rows, np.ndarray], found: Evaluation) -> None:
    rows, odds = planted
    moves = rows.returns(WINDOW)
    known = ~np.isnan(moves)
    deciles = [row for row in found.deciles if row.model == "model"]

    assert sum(row.rows for row in deciles) == known.sum()
    gross = sum(row.rows * row.gross_bps for row in deciles) / known.sum()
    wanted = (np.sign(odds - 0.5) * moves)[known].mean() * 1e4
    assert gross == pytest.approx(wanted, abs=1e-3)
    assert deciles[-1].hit_rate > deciles[0].hit_rate + 0.2
    for row in deciles:
        assert row.break_even == pytest.approx(0.5 + row.cost_bps / (2 * row.moved_bps), rel=0.05)


def test_a_round_trip_costs_two_fees_and_one_spread(planted: tuple[Rows, np.ndarray]) -> None:
    rows, _ = planted
    assert cost_bps(rows)[0] == pytest.approx(2 * 10.0 + 1e4 / 1_000_000.5, rel=1e-9)


def test_scores_tell_horizons_delays_and_regimes_apart(found: Evaluation) -> None:
    model = {(row.cut, row.value): row for row in found.scores if row.model == "model"}

    assert model["horizon", "1000 ms"].auc == pytest.approx(0.77, abs=0.04)
    assert model["horizon", "1000 ms"].auc_low < model["horizon", "1000 ms"].auc
    assert ("delay", "2000 ms") not in model or abs(model["delay", "2000 ms"].auc - 0.5) < 0.1
    constants = [row for row in found.scores if row.model == "constant"]
    assert all(row.auc == 0.5 for row in constants)
    assert all(row.ece < 0.05 for row in constants if row.cut == "horizon")


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=20))
def test_the_share_of_up_ignores_how_much_is_flat(pairs: list[tuple[float, float]]) -> None:
    sides = np.array(pairs)
    p = np.stack([sides[:, 0], 2.0 - sides.sum(axis=1), sides[:, 1]], axis=1) / 2.0
    up = up_given_move(p)
    assert ((up >= 0) & (up <= 1)).all()
    np.testing.assert_allclose(up + up_given_move(p[:, ::-1]), 1.0)


def rows_at(planted: Rows, count: int) -> Rows:
    """Rows every 100 ms of a mid that rises a tick a second."""
    ts_ns = np.arange(count, dtype=np.int64) * 100 * MS
    path_ns = np.arange(0, count + 200, 10, dtype=np.int64) * 100 * MS
    bids = 1_000_000 + np.arange(len(path_ns), dtype=np.int64)
    path = TouchPath(path_ns, bids, bids + 1, int(path_ns[-1]))
    values = np.zeros((count, 4), dtype=np.float32)
    stretches = (Stretch(slice(0, count), path),)
    grid, epoch = np.full(count, int(Trigger.GRID), dtype=np.int8), np.zeros(count, dtype=np.int32)
    return Rows(planted.page, "", ts_ns, values, grid, epoch, np.zeros(count), stretches)


def test_an_idea_a_late_press_and_a_permit_are_told_apart(planted: tuple[Rows, np.ndarray]) -> None:
    rows = rows_at(planted[0], 100)
    p_up = np.full(100, 0.5)
    p_up[10:20] = 0.7
    p_up[40:45] = 0.7
    one = human_row(rows, np.arange(100), "model", p_up, WINDOW, Press(1.2, 3.0))

    assert one.ideas == 2
    assert one.life_s == pytest.approx((0.8 + 0.3) / 2)
    assert one.permits_lapsed == 0.5
    assert one.permit_bps == pytest.approx(0.01, abs=1e-4)
    assert one.at_once_bps == pytest.approx(0.01, abs=1e-4)


def test_a_flicker_is_no_idea(planted: tuple[Rows, np.ndarray]) -> None:
    rows = rows_at(planted[0], 40)
    p_up = np.full(40, 0.5)
    p_up[10:12] = 0.9
    assert human_row(rows, np.arange(40), "model", p_up, WINDOW, Press()).ideas == 0


def test_the_page_needs_nothing_but_itself(found: Evaluation) -> None:
    page = report_page([found])

    assert not re.search(r"<script|<link|<img|https?:|url\(|@import", page)
    drawings = re.findall(r"<svg.*?</svg>", page)
    assert len(drawings) == 3
    for drawing in drawings:
        assert len(ElementTree.fromstring(drawing).findall(".//polyline")) >= 1
    assert "never" in page
    assert "planted" in page


def test_names_from_outside_are_written_as_text(found: Evaluation) -> None:
    import msgspec

    page = report_page([msgspec.structs.replace(found, name="<script>x</script>", symbol='"><b>')])
    assert "<script" not in page
    assert "<b>'" not in page
    assert '"><b>' not in page.replace("figcaption><b>", "")


def test_report_and_pictures_are_written(
    found: Evaluation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_evaluation(tmp_path / "one.json", found)
    assert read_evaluation(tmp_path / "one.json") == found

    arguments = ["report", str(tmp_path / "one.json"), "-o", str(tmp_path / "page.html")]
    assert run(arguments) == 0
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")
    pytest.importorskip("matplotlib", reason="the report extra is not installed")
    assert run([*arguments, "--png", str(tmp_path / "png")]) == 0
    assert "3 pictures" in capsys.readouterr().out
    assert len(list((tmp_path / "png").glob("*.png"))) == 3


@given(st.binary(max_size=100))
def test_garbage_is_no_evaluation(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("garbage") / "one.json"
    path.write_bytes(data)
    with pytest.raises(EvaluationError):
        read_evaluation(path)
