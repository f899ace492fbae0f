"""Labels against a naive reading of the path, row by row; and the laws they obey."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.research.labels import (
    SECOND_NS,
    SIGMA_SAMPLES,
    Barriers,
    TouchPath,
    Window,
    executable_returns,
    mid_returns,
    three_classes,
    trailing_sigma,
    triple_barrier,
)

STEP_NS = 50_000_000


@st.composite
def paths(draw: st.DrawFn) -> TouchPath:
    """A path of touches on a coarse clock, lost now and then."""
    count = draw(st.integers(1, 30))
    gaps = draw(st.lists(st.integers(0, 40), min_size=count, max_size=count))
    bids = draw(st.lists(st.one_of(st.just(0), st.integers(9_990, 10_010)), min_size=count, max_size=count))
    spreads = draw(st.lists(st.integers(1, 3), min_size=count, max_size=count))
    ts_ns = np.cumsum(np.array(gaps, dtype=np.int64) * STEP_NS)
    bid = np.array(bids, dtype=np.int64)
    ask = np.where(bid > 0, bid + np.array(spreads), 0)
    return TouchPath(ts_ns, bid, ask, int(ts_ns[-1]) + draw(st.integers(0, 40)) * STEP_NS)


WINDOWS = st.builds(
    Window,
    delay_ns=st.integers(0, 10).map(lambda steps: steps * STEP_NS),
    horizon_ns=st.integers(1, 40).map(lambda steps: steps * STEP_NS),
)
ROWS = st.lists(st.integers(-5, 1_300), min_size=1, max_size=12).map(
    lambda steps: np.sort(np.array(steps, dtype=np.int64)) * STEP_NS
)


def naive_states(path: TouchPath, start_ns: int, end_ns: int) -> list[tuple[int, int, int]] | None:
    """Give (time, bid, ask) from start to end; None where any instant of it is unknown."""
    before = [at for at in range(len(path.ts_ns)) if path.ts_ns[at] <= start_ns]
    if not before or end_ns > path.end_ns:
        return None
    within = [at for at in range(len(path.ts_ns)) if start_ns < path.ts_ns[at] <= end_ns]
    states = [
        (int(path.ts_ns[at]), int(path.bid_ticks[at]), int(path.ask_ticks[at]))
        for at in [before[-1], *within]
    ]
    return None if any(bid == 0 for _, bid, _ in states) else states


@given(paths(), ROWS, WINDOWS)
def test_returns_are_what_a_naive_reading_gives(path: TouchPath, rows: np.ndarray, window: Window) -> None:
    moves = mid_returns(path, rows, window)
    long, short = executable_returns(path, rows, window)

    for at, ts_ns in enumerate(rows):
        start_ns = int(ts_ns) + window.delay_ns
        states = naive_states(path, start_ns, start_ns + window.horizon_ns)
        if states is None:
            assert math.isnan(moves[at])
            assert math.isnan(long[at])
            assert math.isnan(short[at])
            continue
        (_, bid, ask), (_, last_bid, last_ask) = states[0], states[-1]
        assert moves[at] == (last_bid + last_ask) / (bid + ask) - 1.0
        assert long[at] == last_bid / ask - 1.0
        assert short[at] == 1.0 - last_ask / bid


@given(paths(), ROWS, WINDOWS, st.floats(1e-5, 1e-3))
def test_barriers_are_what_a_naive_reading_gives(
    path: TouchPath, rows: np.ndarray, window: Window, width: float
) -> None:
    found = triple_barrier(path, rows, window, np.full(len(rows), width))

    for at, ts_ns in enumerate(rows):
        start_ns = int(ts_ns) + window.delay_ns
        states = naive_states(path, start_ns, start_ns + window.horizon_ns)
        wanted = (0, 0)
        if states is not None:
            _, bid, ask = states[0]
            wanted = (0, start_ns + window.horizon_ns)
            for when, now_bid, now_ask in states:
                move = (now_bid + now_ask) / (bid + ask) - 1.0
                if abs(move) >= width:
                    wanted = (1 if move > 0 else -1, when)
                    break
        assert (found.outcome[at], found.end_ns[at]) == wanted


@given(paths(), ROWS, WINDOWS, st.integers(0, 2_000))
def test_what_comes_after_a_label_never_changes_it(
    path: TouchPath, rows: np.ndarray, window: Window, cut_steps: int
) -> None:
    cut_ns = cut_steps * STEP_NS
    kept = path.ts_ns <= cut_ns
    if not kept.any():
        return
    short = TouchPath(path.ts_ns[kept], path.bid_ticks[kept], path.ask_ticks[kept], min(cut_ns, path.end_ns))
    ended = rows + window.delay_ns + window.horizon_ns <= short.end_ns

    np.testing.assert_array_equal(
        mid_returns(short, rows, window)[ended], mid_returns(path, rows, window)[ended]
    )
    np.testing.assert_array_equal(trailing_sigma(short, rows)[ended], trailing_sigma(path, rows)[ended])


@given(paths(), ROWS, WINDOWS)
def test_a_mirrored_market_gives_mirrored_classes(path: TouchPath, rows: np.ndarray, window: Window) -> None:
    whole = path.bid_ticks > 0
    mirrored = TouchPath(
        path.ts_ns,
        np.where(whole, 20_000 - path.ask_ticks, 0),
        np.where(whole, 20_000 - path.bid_ticks, 0),
        path.end_ns,
    )

    classes = three_classes(mid_returns(path, rows, window), 0.0)
    opposite = three_classes(mid_returns(mirrored, rows, window), 0.0)

    np.testing.assert_array_equal(classes, -opposite)


def test_a_width_that_is_not_known_gives_no_barrier() -> None:
    path = TouchPath(np.array([0, 10]), np.array([100, 120]), np.array([101, 121]), 100)

    found = triple_barrier(path, np.array([0, 0]), Window(0, 50), np.array([np.nan, 0.0]))

    assert isinstance(found, Barriers)
    assert found.end_ns.tolist() == [0, 0]


def test_trailing_volatility_of_a_steady_climb_is_its_step() -> None:
    seconds = np.arange(40, dtype=np.int64)
    bid = np.round(1_000_000 * 1.0001**seconds).astype(np.int64)
    path = TouchPath(seconds * SECOND_NS, bid, bid + 2, 39 * SECOND_NS)

    sigma = trailing_sigma(path, np.array([29, SIGMA_SAMPLES, 39], dtype=np.int64) * SECOND_NS)

    assert math.isnan(sigma[0])
    assert sigma[1:] == pytest.approx([1e-4, 1e-4], rel=1e-2)


@pytest.mark.parametrize(("delay_ns", "horizon_ns"), [(0, 0), (-1, 5)])
def test_a_window_that_looks_at_nothing_is_refused(delay_ns: int, horizon_ns: int) -> None:
    with pytest.raises(ValueError, match="horizon"):
        Window(delay_ns, horizon_ns)
