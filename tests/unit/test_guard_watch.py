"""When the guard acts on its engine."""

from __future__ import annotations

from pipeline.runtime.guard_params import GuardSettings
from pipeline.runtime.guard_watch import MS, EngineWatch, Verdict
from pipeline.runtime.heart import Life

PAUSE = 20 * MS


def verdicts(turns: int, *, beats: bool = False, life: Life = Life.RUNS, deaf_to: int = 0) -> list[Verdict]:
    watch = EngineWatch(GuardSettings(), PAUSE)
    return [
        watch.look(turn if beats else 1, life, dead=False, deaf_to=deaf_to, now_ns=turn * PAUSE)
        for turn in range(turns)
    ]


def test_engine_that_beats_is_left_alone() -> None:
    assert set(verdicts(500, beats=True)) == {Verdict.NOTHING}


def test_late_engine_is_halted_after_a_second_and_fenced_after_five() -> None:
    found = verdicts(260)
    assert found.index(Verdict.HALT) == 50
    assert found.index(Verdict.FENCE_LATE) == 250


def test_deaf_engine_is_fenced_after_300_ms_though_it_beats() -> None:
    assert verdicts(20, beats=True, deaf_to=5).index(Verdict.FENCE_DEAF) == 15


def test_each_kill_has_its_own_300_ms() -> None:
    watch = EngineWatch(GuardSettings(), PAUSE)
    for turn in range(100):
        deaf_to = 1 + turn // 10
        verdict = watch.look(turn, Life.RUNS, dead=False, deaf_to=deaf_to, now_ns=turn * PAUSE)
        assert verdict is Verdict.NOTHING


def test_engine_that_starts_or_said_goodbye_is_neither_late_nor_deaf() -> None:
    for life in (Life.STARTING, Life.ENDED, Life.LEFT):
        assert set(verdicts(400, life=life, deaf_to=3)) == {Verdict.NOTHING}


def test_dead_engine_is_dead_whatever_it_said() -> None:
    watch = EngineWatch(GuardSettings(), PAUSE)
    for life in Life:
        assert watch.look(1, life, dead=True, deaf_to=0, now_ns=0) is Verdict.DEAD
