"""The session's clock: never back, never twice, deaf to steps of the wall clock."""

from __future__ import annotations

from pipeline.runtime.clock import SessionClock


class Times:
    """A wall clock and a steady one the test moves."""

    def __init__(self) -> None:
        self.wall_ns = 1_700_000_000_000_000_000
        self.steady_ns = 5_000

    def pass_ns(self, span_ns: int) -> None:
        self.wall_ns += span_ns
        self.steady_ns += span_ns

    def clock(self) -> SessionClock:
        return SessionClock(lambda: self.wall_ns, lambda: self.steady_ns)


def test_it_starts_at_the_wall_clock_and_goes_on_with_the_steady_one() -> None:
    times = Times()
    clock = times.clock()
    assert clock.now_ns() == times.wall_ns
    times.pass_ns(1_000)
    assert clock.now_ns() == times.wall_ns


def test_a_step_of_the_wall_clock_is_not_followed_but_shows_as_drift() -> None:
    times = Times()
    clock = times.clock()
    before_ns = clock.now_ns()
    times.wall_ns -= 3_600_000_000_000
    times.pass_ns(500)
    assert clock.now_ns() == before_ns + 500
    assert clock.drift_ns() == -3_600_000_000_000


def test_no_two_stamps_are_equal_and_a_row_fits_between() -> None:
    times = Times()
    clock = times.clock()
    stamps = [clock.now_ns() for _ in range(5)]
    assert all(later - earlier >= 2 for earlier, later in zip(stamps, stamps[1:], strict=False))


def test_stamps_set_aside_for_a_read_come_before_all_later_ones() -> None:
    times = Times()
    clock = times.clock()
    first_ns = clock.reserve(3)
    assert clock.now_ns() >= first_ns + 2 * 3 + 2
