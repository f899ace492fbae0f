"""Each rolling structure equals the same number computed afresh from all events."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.windows import DecayedSum, EwmaLevel, EwmaMoments, WindowSum

MS = 1_000_000
WINDOWS = (100 * MS, 1_000 * MS, 5_000 * MS)
STEPS = st.integers(0, 3_000 * MS) | st.sampled_from([0, 1, 100 * MS, 1_000 * MS, 5_000 * MS])
EVENTS = st.lists(st.tuples(STEPS, st.integers(-(10**15), 10**15), st.booleans()), max_size=60)
TAUS = st.sampled_from([1_000 * MS, 5_000 * MS, 30_000 * MS])


def timed(events: list[tuple[int, int, bool]]) -> list[tuple[int, int, bool]]:
    now, out = 0, []
    for step, x, read in events:
        now += step
        out.append((now, x, read))
    return out


def close(a: float, b: float, scale: float) -> bool:
    return abs(a - b) <= 1e-9 * scale


@settings(max_examples=150, deadline=None)
@given(EVENTS, STEPS, st.integers(1, 70))
def test_window_sum_equals_recomputed(events: list[tuple[int, int, bool]], tail: int, capacity: int) -> None:
    window = WindowSum(WINDOWS, capacity)
    seen: list[tuple[int, int]] = []

    def check(now: int) -> None:
        for k, width in enumerate(WINDOWS):
            assert window.total(k, now) == sum(x for t, x in seen[-capacity:] if t > now - width)

    for now, x, read in timed(events):
        window.add(now, x)
        seen.append((now, x))
        if read:
            check(now)
    check((seen[-1][0] if seen else 0) + tail)
    lost = any(seen[k][0] > seen[k + capacity][0] - WINDOWS[-1] for k in range(len(seen) - capacity))
    assert (window.overflows > 0) == lost


@settings(max_examples=100, deadline=None)
@given(EVENTS, STEPS, TAUS)
def test_decayed_sum_equals_recomputed(events: list[tuple[int, int, bool]], tail: int, tau: int) -> None:
    decayed, seen = DecayedSum(tau), timed(events)
    for now, x, _ in seen:
        decayed.add(now, x)
    end = (seen[-1][0] if seen else 0) + tail
    terms = [x * math.exp((t - end) / tau) for t, x, _ in seen]
    assert close(decayed.at(end), math.fsum(terms), math.fsum(map(abs, terms)))


@settings(max_examples=100, deadline=None)
@given(EVENTS.filter(bool), STEPS, TAUS)
def test_ewma_level_equals_the_weighted_time_integral(
    events: list[tuple[int, int, bool]], tail: int, tau: int
) -> None:
    ewma, seen = EwmaLevel(tau), timed(events)
    for now, x, _ in seen:
        ewma.update(now, x)
    end = seen[-1][0] + tail
    ends = [t for t, _, _ in seen[1:]] + [end]
    terms = [seen[0][1] * math.exp((seen[0][0] - end) / tau)]
    for (start, x, _), stop in zip(seen, ends, strict=True):
        terms.append(x * (math.exp((stop - end) / tau) - math.exp((start - end) / tau)))
    assert close(ewma.at(end), math.fsum(terms), max(abs(x) for _, x, _ in seen))


@settings(max_examples=100, deadline=None)
@given(EVENTS.filter(bool), TAUS)
def test_moments_equal_weighted_mean_and_variance(events: list[tuple[int, int, bool]], tau: int) -> None:
    moments, seen = EwmaMoments(tau), timed(events)
    for now, x, _ in seen:
        moments.add(now, x)
    weights, left = [], 1.0
    for (t, _, _), (before, _, _) in zip(seen[:0:-1], seen[-2::-1], strict=True):
        keep = math.exp((before - t) / tau)
        weights.append(left * (1.0 - keep))
        left *= keep
    weights.append(left)
    xs = [x for _, x, _ in reversed(seen)]
    scale = max(map(abs, xs))
    mean = math.fsum(w * x for w, x in zip(weights, xs, strict=True))
    variance = math.fsum(w * (x - mean) ** 2 for w, x in zip(weights, xs, strict=True))
    assert close(moments.mean, mean, scale)
    assert close(moments.variance, variance, scale**2)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(STEPS, st.integers(1, 2**63 - 1)), min_size=1, max_size=30), STEPS, TAUS)
def test_a_mean_never_leaves_the_span_of_its_levels(
    levels: list[tuple[int, int]], tail: int, tau: int
) -> None:
    ewma, now = EwmaLevel(tau), 0
    for step, x in levels:
        now += step
        ewma.update(now, x)

    sizes = [float(x) for _, x in levels]
    assert min(sizes) <= ewma.at(now + tail) <= max(sizes)


def test_a_level_beyond_all_measure_does_not_wipe_out_the_mean() -> None:
    ewma = EwmaLevel(30_000 * MS)
    ewma.update(0, 2)
    ewma.update(0, 2**63 - 1)
    assert ewma.at(0) == 2.0
