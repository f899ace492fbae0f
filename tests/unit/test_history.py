"""Chart paths keep exactly one minute."""

from __future__ import annotations

from pipeline.core.history import POINTS, MidRange, PathRing


def test_a_path_is_oldest_first_and_keeps_its_length() -> None:
    path = PathRing(missing=-7)
    for value in range(POINTS + 3):
        path.push(value)
    values = path.oldest_first()
    assert len(values) == POINTS
    assert values[0] == 3
    assert values[-1] == POINTS + 2


def test_a_new_path_is_all_missing() -> None:
    path = PathRing(missing=-7)
    path.push_missing()
    assert set(path.oldest_first()) == {-7}


def test_range_ignores_what_is_missing_and_forgets_after_ten_seconds() -> None:
    mid = MidRange()
    for half_ticks in (1_000, 0, 1_030):
        mid.push(half_ticks)
    assert mid.range_ticks == 15
    for _ in range(40):
        mid.push(1_030)
    assert mid.range_ticks == 0
