"""The pulse of engine and guard."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.runtime.heart import HEART_NAME, SIZE, GuardState, Heart, Life, Pulse

PAUSE = 20


def test_words_of_engine_and_guard_are_seen_through_another_mapping(tmp_path: Path) -> None:
    engine, guard = Heart.create(tmp_path), Heart.join(tmp_path)
    assert (guard.life, guard.engine_beat, guard.healthy) == (Life.STARTING, 0, False)
    engine.beat_engine(7, healthy=True)
    engine.set_life(Life.RUNS)
    assert (guard.life, guard.engine_beat, guard.healthy) == (Life.RUNS, 7, True)
    guard.beat_guard(3, 42, GuardState.NO_VENUE)
    assert (engine.guard_beat, engine.guard_state(42)) == (3, GuardState.NO_VENUE)
    assert engine.guard_state(43) is GuardState.STARTING, "another guard's words"
    engine.detach()
    guard.detach()


def test_page_is_private_and_anything_else_is_refused(tmp_path: Path) -> None:
    Heart.create(tmp_path).detach()
    assert (tmp_path / HEART_NAME).stat().st_mode & 0o777 == 0o600
    (tmp_path / HEART_NAME).write_bytes(bytes(SIZE))
    with pytest.raises(ValueError, match="LOBHEART"):
        Heart.join(tmp_path)


def test_word_of_a_later_version_is_no_goodbye(tmp_path: Path) -> None:
    heart = Heart.create(tmp_path)
    heart._engine[1] = 99
    assert heart.life is Life.RUNS
    heart._guard[1:3] = memoryview(bytes(8) + (99).to_bytes(8, "little")).cast("Q")
    assert heart.guard_state(0) is GuardState.NONE
    heart.detach()


def test_beat_that_changes_is_never_late() -> None:
    pulse = Pulse(PAUSE)
    assert [pulse.look(beat, beat * PAUSE) for beat in range(5)] == [0] * 5


def test_lateness_grows_by_the_lookers_own_turns() -> None:
    pulse = Pulse(PAUSE)
    assert [pulse.look(1, turn * PAUSE) for turn in range(4)] == [0, PAUSE, 2 * PAUSE, 3 * PAUSE]
    assert pulse.look(2, 4 * PAUSE) == 0


def test_machine_that_stood_still_makes_nobody_late() -> None:
    pulse = Pulse(PAUSE)
    pulse.look(1, 0)
    assert pulse.look(1, 10_000 * PAUSE) == 3 * PAUSE
