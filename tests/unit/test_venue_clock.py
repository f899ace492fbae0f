"""The venue's clock from the quickest of the newest answers."""

from __future__ import annotations

from pipeline.runtime.venue_clock import VenueClock

MS = 1_000_000
NOW = 1_700_000_000_000 * MS


def test_before_any_answer_our_clock_is_taken() -> None:
    clock = VenueClock()
    assert (clock.offset_ns, clock.round_trip_ns, clock.timestamp_ms(NOW)) == (0, -1, 1_700_000_000_000)


def test_the_quickest_answer_is_believed() -> None:
    clock = VenueClock()
    clock.answered(1_700_000_005_000, NOW, NOW + 400 * MS)
    clock.answered(1_700_000_005_010, NOW, NOW + 10 * MS)
    clock.answered(1_700_000_009_000, NOW, NOW + 900 * MS)
    assert clock.round_trip_ns == 10 * MS
    assert clock.venue_ns(NOW) // MS == 1_700_000_005_005
    assert clock.timestamp_ms(NOW) == 1_700_000_005_000


def test_a_clock_called_wrong_is_measured_anew() -> None:
    clock = VenueClock()
    clock.answered(1_700_000_005_000, NOW, NOW + 2 * MS)
    clock.forget()
    clock.answered(1_700_000_001_000, NOW, NOW + 50 * MS)
    assert clock.offset_ns // MS == 975


def test_old_answers_are_forgotten() -> None:
    clock = VenueClock()
    clock.answered(1_700_000_005_000, NOW, NOW + MS)
    for _ in range(8):
        clock.answered(1_700_000_000_020, NOW, NOW + 40 * MS)
    assert clock.round_trip_ns == 40 * MS
