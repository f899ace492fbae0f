"""When a connection may be tried again: jitter, doubling, the budget, what a stable connection forgives."""

from __future__ import annotations

import random

import pytest

from pipeline.core.params import MS, SECOND
from pipeline.runtime.feed_backoff import Backoff
from tests.fakes.feeds import feed_params

MINUTE = 60 * SECOND


def waits_after_failures(chance: float, failures: int) -> list[float]:
    backoff = Backoff(feed_params(), lambda: chance)
    waits = []
    for _ in range(failures):
        backoff.failed(0)
        waits.append(backoff.due_ns / SECOND)
    return waits


def test_the_first_attempt_is_due_at_once() -> None:
    assert Backoff(feed_params(), lambda: 0.9).is_due(0)


def test_the_longest_wait_doubles_from_half_a_second_to_half_a_minute() -> None:
    waits = waits_after_failures(0.999999, 8)
    assert waits == pytest.approx([0.5, 1, 2, 4, 8, 16, 30, 30], rel=1e-5)


def test_the_wait_is_drawn_evenly_from_nothing_to_the_longest() -> None:
    assert waits_after_failures(0.0, 3) == [0, 0, 0]
    assert waits_after_failures(0.5, 3) == [0.25, 0.5, 1]


def test_a_connection_that_stood_a_minute_forgives_the_failures_before() -> None:
    backoff = Backoff(feed_params(), lambda: 0.5)
    for _ in range(6):
        backoff.failed(0)
    backoff.lost(100 * SECOND, 0)
    assert backoff.due_ns == 100 * SECOND + 250 * MS


def test_one_that_fell_after_59_seconds_forgives_nothing() -> None:
    backoff = Backoff(feed_params(), lambda: 0.5)
    for _ in range(6):
        backoff.failed(0)
    backoff.lost(59 * SECOND, 0)
    assert backoff.due_ns == 59 * SECOND + 15 * SECOND


def test_the_budget_holds_for_any_run_of_failures() -> None:
    chance = random.Random(3).random
    backoff = Backoff(feed_params(attempts=10), chance)
    attempts: list[int] = []
    now_ns = 0
    while now_ns < 60 * MINUTE:
        if backoff.is_due(now_ns):
            backoff.tried(now_ns)
            backoff.failed(now_ns)
            attempts.append(now_ns)
        now_ns += 100 * MS
    busiest = max(sum(1 for at in attempts if begin <= at < begin + 10 * MINUTE) for begin in attempts)
    assert busiest == 10
    assert len(attempts) >= 50, "the budget is used, not only kept"


def test_a_venue_that_hangs_up_at_once_is_not_stormed() -> None:
    backoff = Backoff(feed_params(), lambda: 0.9)
    for attempt in range(7):
        backoff.tried(attempt)
        backoff.lost(attempt, attempt)
    assert backoff.due_ns > 20 * SECOND


def test_a_venue_that_wants_to_be_left_alone_is() -> None:
    backoff = Backoff(feed_params(), lambda: 0.5)
    backoff.failed(0, 90)
    assert backoff.due_ns == 90 * SECOND
    backoff.failed(90 * SECOND)
    assert backoff.due_ns < 92 * SECOND
