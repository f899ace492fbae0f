"""The tools of the fit: planted effects are found, scores are what they say, nothing looks ahead."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.params import MS, SECOND
from pipeline.research.logistic import fit_odd, fit_scaling, logistic_weights
from pipeline.research.scores import auc, block_interval, calibration_error, logloss, score
from pipeline.research.walk_forward import EMBARGO_NS, FOLDS, FoldPlan, folds, out_of_sample

FEATURES = ("qi_1", "micro_dev", "tfi_1s")


def planted(rows: int, weights: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(5)
    values = chance.uniform(-1, 1, size=(rows, len(weights)))
    up = chance.uniform(size=rows) < 1 / (1 + np.exp(-values @ np.array(weights)))
    return values, up


def test_planted_weights_are_found() -> None:
    values, up = planted(40_000, (2.0, -1.0, 0.0))
    found = fit_odd(FEATURES, values, up, np.full(3, 1e-6))
    assert found == pytest.approx([2.0, -1.0, 0.0], abs=0.08)


def test_a_row_and_its_mirror_pull_the_same_way() -> None:
    values, up = planted(500, (1.0, 0.5, -0.5))
    mirrored = fit_odd(
        FEATURES, np.vstack([values, -values]), np.concatenate([up, ~up]), np.array([2.0, 4.0, 6.0])
    )
    assert fit_odd(FEATURES, values, up, np.array([1.0, 2.0, 3.0])) == pytest.approx(mirrored, abs=1e-9)


def test_a_strong_pull_shrinks_one_weight_and_leaves_the_others_free() -> None:
    values, up = planted(5_000, (2.0, 1.0, 1.0))
    free = fit_odd(FEATURES, values, up, np.array([1.0, 1.0, 1.0]))
    held = fit_odd(FEATURES, values, up, np.array([1.0, 1e7, 1.0]))
    assert abs(held[1]) < 0.01 < abs(free[1])
    assert held[0] == pytest.approx(free[0], rel=0.15)


def test_even_features_and_no_rows_are_refused() -> None:
    with pytest.raises(ValueError, match=r"even features \['spread_t'\]"):
        fit_odd(("qi_1", "spread_t"), np.zeros((3, 2)), np.ones(3, bool), np.ones(2))
    with pytest.raises(ValueError, match="0 rows"):
        fit_odd(("qi_1",), np.zeros((0, 1)), np.zeros(0, bool), np.ones(1))


def test_ratios_pass_through_unscaled_and_odd_features_keep_their_zero() -> None:
    values = np.array([[0.5, 3.0, 1.0, 2.0], [0.1, 5.0, 3.0, 2.0]])
    scaling = fit_scaling(("qi_1", "micro_dev", "spread_t", "gap"), values)
    assert scaling.mean.tolist() == [0.0, 0.0, 2.0, 2.0]
    assert scaling.std.tolist() == pytest.approx([1.0, math.sqrt(17), 1.0, 1.0])
    assert scaling.apply(np.array([[9.0, 0.0, 3.0, 2.0]])).tolist() == [[5.0, 0.0, 1.0, 0.0]]
    weights = logistic_weights(np.array([1 / 3, 0.0, 0.0, 0.0]), scaling)
    assert weights.weights == ((0.33333, 0.0, 0.0, 0.0),)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40))
@settings(max_examples=80)
def test_area_under_the_curve_is_the_share_of_pairs_in_order(pairs: list[tuple[int, bool]]) -> None:
    p_up = np.array([value / 5 for value, _ in pairs])
    up = np.array([hit for _, hit in pairs])
    wins = [(a > b) + 0.5 * (a == b) for a in p_up[up] for b in p_up[~up]]
    assert auc(p_up, up) == pytest.approx(sum(wins) / len(wins) if wins else 0.5)


def test_scores_of_known_cases() -> None:
    up = np.array([True, False] * 50)
    even = np.full(100, 0.5)
    assert logloss(even, up) == pytest.approx(math.log(2))
    assert calibration_error(even, up) == pytest.approx(0.0)
    sure = np.where(up, 0.8, 0.2)
    assert calibration_error(sure, up) == pytest.approx(0.2)
    assert score(sure, up).brier == pytest.approx(0.04)
    assert score(sure, up).auc == 1.0
    assert logloss(np.zeros(2), np.array([True, True])) < 30


def test_the_interval_of_a_mean_holds_it_and_widens_with_fewer_blocks() -> None:
    values = np.random.default_rng(2).normal(1.0, 1.0, size=2_000)
    ts_ns = np.arange(2_000) * SECOND
    low, high = block_interval(ts_ns, lambda rows: float(values[rows].mean()))
    assert low < values.mean() < high
    wide = block_interval(ts_ns, lambda rows: float(values[rows // 400 * 400].mean()), block_s=400)
    assert wide[1] - wide[0] > 2 * (high - low)


@given(
    gaps=st.lists(st.integers(1, 5 * SECOND), min_size=60, max_size=200),
    label_ms=st.integers(1, 3_000),
)
@settings(max_examples=60)
def test_no_training_label_reaches_the_test_and_no_row_is_tested_twice(
    gaps: list[int], label_ms: int
) -> None:
    ts_ns = np.cumsum(np.array(gaps))
    tested = np.zeros(len(ts_ns), dtype=int)
    for train, test in folds(ts_ns, ts_ns + label_ms * MS):
        tested += test
        if train.any() and test.any():
            assert ts_ns[train].max() + label_ms * MS + EMBARGO_NS <= ts_ns[test].min()
    assert set(tested.tolist()) <= {0, 1}


def test_the_newest_rows_are_tested_and_the_oldest_are_not() -> None:
    ts_ns = np.arange(100) * SECOND
    tested = sum(test.astype(int) for _, test in folds(ts_ns, ts_ns + SECOND))
    assert np.asarray(tested)[-65:].tolist() == [1] * 65
    assert np.asarray(tested)[:34].tolist() == [0] * 34


@given(
    gaps=st.lists(st.integers(1, 90 * SECOND), min_size=20, max_size=120),
    spans=st.lists(st.integers(1, 5_000), min_size=120, max_size=120),
    count=st.integers(1, 6),
    share=st.floats(0.05, 0.9),
    embargo_ms=st.integers(0, 3_000),
)
@settings(max_examples=80)
def test_no_training_row_is_settled_after_a_test_row_begins_however_its_label_ends(
    gaps: list[int], spans: list[int], count: int, share: float, embargo_ms: int
) -> None:
    ts_ns = np.cumsum(np.array(gaps))
    end_ns = ts_ns + np.array(spans[: len(gaps)]) * MS
    plan = FoldPlan(count, share, embargo_ms * MS)
    tested = np.zeros(len(ts_ns), dtype=int)
    for train, test in folds(ts_ns, end_ns, plan):
        tested += test
        assert end_ns[train].max() + embargo_ms * MS <= ts_ns[test].min()
        assert np.flatnonzero(train).max() < np.flatnonzero(test).min()
    assert tested.max(initial=0) <= 1


def test_out_of_sample_answers_line_up_with_their_rows() -> None:
    ts_ns = np.arange(100) * SECOND
    seen: list[int] = []

    def answer(train: np.ndarray, test: np.ndarray) -> np.ndarray:
        seen.append(int(train.sum()))
        return np.flatnonzero(test).astype(float)

    tested, answers = out_of_sample(ts_ns, ts_ns + SECOND, answer)

    assert answers.tolist() == np.flatnonzero(tested).tolist()
    assert len(seen) == FOLDS
    assert seen == sorted(seen)
