"""The latency histogram: exact where it is small, three percent where it is large, never too low."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.latency import LatencyHistogram, bucket_of, upper_edge_ns

VALUES = st.integers(min_value=0, max_value=(1 << 40) - 1)


@given(VALUES)
def test_a_value_is_within_its_bucket(value_ns: int) -> None:
    bucket = bucket_of(value_ns)
    assert upper_edge_ns(bucket) >= value_ns
    assert bucket == 0 or upper_edge_ns(bucket - 1) < value_ns


@given(VALUES)
def test_a_bucket_is_at_most_four_percent_wide(value_ns: int) -> None:
    assert upper_edge_ns(bucket_of(value_ns)) <= value_ns + max(1, value_ns // 25)


@given(st.lists(VALUES, min_size=1, max_size=60), st.sampled_from([0.5, 0.9, 0.99]))
def test_percentile_is_never_below_the_exact_one(values: list[int], share: float) -> None:
    histogram = LatencyHistogram()
    for value in values:
        histogram.record(value)
    exact = sorted(values)[max(0, int(share * len(values) + 0.999999) - 1)]
    given_ns = histogram.percentile_ns(share)
    assert exact <= given_ns <= min(max(values), exact + max(1, exact // 25))


def test_an_empty_histogram_says_so() -> None:
    assert LatencyHistogram().percentile_ns(0.5) == -1
    assert LatencyHistogram().summary_us()["n"] == 0


def test_absurd_and_negative_values_are_counted_at_the_ends() -> None:
    histogram = LatencyHistogram()
    histogram.record(-5)
    histogram.record(1 << 60)
    assert histogram.count == 2
    assert histogram.percentile_ns(0.5) == 0
    assert histogram.summary_us()["max"] == round((1 << 60) / 1000, 1)
