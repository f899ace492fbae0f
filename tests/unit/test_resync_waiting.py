"""What is kept while a snapshot is awaited, and when it is asked for again."""

from pipeline.core.resync import MAX_LEVELS, MAX_UPDATES, RetryClock, UpdateBuffer
from tests.fakes.market_builders import depth_update

MS = 1_000_000
SECOND = 1_000 * MS


def test_updates_come_back_in_order_once() -> None:
    buffer = UpdateBuffer()
    updates = tuple(depth_update(n, n) for n in range(5))
    for update in updates:
        buffer.keep(update)
    assert len(buffer) == 5
    assert buffer.take_all() == updates
    assert buffer.take_all() == ()


def test_oldest_update_goes_when_there_are_too_many() -> None:
    buffer = UpdateBuffer()
    for n in range(MAX_UPDATES + 3):
        buffer.keep(depth_update(n, n))
    assert buffer.overflowed == 3
    assert buffer.take_all()[0].first_update_id == 3


def test_levels_bound_the_buffer_too_but_the_newest_stays() -> None:
    buffer = UpdateBuffer()
    wide = [(n + 1, 1) for n in range(MAX_LEVELS)]
    buffer.keep(depth_update(1, 1, bids=wide))
    buffer.keep(depth_update(2, 2, asks=wide))
    assert [update.first_update_id for update in buffer.take_all()] == [2]
    for n in (3, 4):
        buffer.keep(depth_update(n, n, bids=wide[: MAX_LEVELS * 2 // 3]))
    buffer.keep(depth_update(5, 5, bids=wide[: MAX_LEVELS // 4]))
    assert [update.first_update_id for update in buffer.take_all()] == [4, 5]
    buffer.keep(depth_update(6, 6, bids=wide[:-1]))
    buffer.keep(depth_update(7, 7, bids=[(1, 1)]))
    assert len(buffer) == 2


def first_due(clock: RetryClock, from_ns: int) -> int:
    step = 50 * MS
    return next(t for t in range(from_ns, from_ns + 100 * SECOND, step) if clock.is_due(t)) - from_ns


def test_unanswered_requests_wait_twice_as_long_each_time_up_to_a_minute() -> None:
    clock = RetryClock()
    waits = []
    for _ in range(6):
        clock.requested(0)
        waits.append(first_due(clock, 0) // SECOND)
    assert waits == [5, 10, 20, 40, 60, 60]


def test_snapshots_too_old_are_asked_for_soon_then_less_often() -> None:
    clock = RetryClock()
    waits = []
    for _ in range(4):
        clock.was_too_old(0)
        waits.append(first_due(clock, 0) // MS)
    assert waits == [100, 200, 400, 800]
    clock.reset()
    clock.was_too_old(0)
    assert first_due(clock, 0) == 100 * MS
