"""The law recvWindow rests on: how far a stamp may be ahead of the venue's clock, and how far behind."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.runtime.venue_clock import VenueClock

MS = 1_000_000
NOW = 1_700_000_000_000 * MS
ways_ns = st.integers(0, 400 * MS)


@given(
    st.lists(st.tuples(ways_ns, ways_ns), min_size=1, max_size=12),
    st.integers(-10_000 * MS, 10_000 * MS),
    st.integers(0, 60_000 * MS),
)
def test_a_stamp_is_never_ahead_where_a_round_trip_takes_less_than_half_a_second(
    asked: list[tuple[int, int]], ahead_ns: int, later_ns: int
) -> None:
    clock, now_ns = VenueClock(), NOW
    for there_ns, back_ns in asked:
        server_ms = (now_ns + there_ns + ahead_ns) // MS
        clock.answered(server_ms, now_ns, now_ns + there_ns + back_ns)
        now_ns += there_ns + back_ns + MS
    now_ns += later_ns
    ahead_by_ns = clock.timestamp_ms(now_ns) * MS - (now_ns + ahead_ns)
    assert ahead_by_ns <= max(0, clock.round_trip_ns // 2 - 249 * MS)
    assert ahead_by_ns >= -clock.round_trip_ns - 3 * MS
