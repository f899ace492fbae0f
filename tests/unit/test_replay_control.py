"""The replay's clock: pace, pause, step, seek, loop."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pipeline.runtime.replay_control import ReplayClock
from tests.fakes import snapshots
from widgets.lines import line_text
from widgets.status import context_line

S = 1_000_000_000
START = 1_700_000_000 * S


def running(speed: float = 1.0, *, loop: bool = False) -> ReplayClock:
    clock = ReplayClock("capture.gz", speed, loop=loop)
    clock.restarted(100.0, START)
    return clock


def until(clock: ReplayClock, real_s: float, virtual_ns: int) -> int | None:
    target = clock.target(real_s, virtual_ns, 0)
    assert target is not None
    return target.until_ns


def test_virtual_time_runs_at_speed_times_real_time() -> None:
    assert until(running(2.0), 103.0, START) == START + 6 * S


def test_speed_change_does_not_jump() -> None:
    clock = running(1.0)
    clock.request("speed", 10, 105.0, START + 5 * S, 50)
    assert until(clock, 105.0, START + 5 * S) == START + 5 * S
    assert until(clock, 106.0, START + 5 * S) == START + 15 * S


def test_pause_does_nothing_and_resume_goes_on_from_there() -> None:
    clock = running()
    clock.request("pause", 0, 101.0, START + S, 10)
    assert clock.target(200.0, START + S, 10) is None
    clock.request("toggle", 0, 300.0, START + S, 10)
    assert until(clock, 301.0, START + S) == START + 2 * S


def test_seek_back_rebuilds_and_seek_ahead_does_not() -> None:
    clock = running()
    clock.request("seek", 2_000, 110.0, START + 10 * S, 10)
    target = clock.target(110.0, START + 10 * S, 10)
    assert target is not None
    assert target.rebuild
    clock.restarted(110.0, START)
    target = clock.target(110.0, START, 0)
    assert target is not None
    assert (target.rebuild, target.until_ns, target.in_hurry) == (False, START + 2 * S, True)
    assert clock.view(START).seeking_to_ms == 2_000
    assert until(clock, 110.0, START + 2 * S) == START + 2 * S
    assert clock.view(START + 2 * S).seeking_to_ms == -1


def test_seek_past_the_end_stops_at_the_end() -> None:
    clock = running()
    clock.length_ns = 60 * S
    clock.request("seek", 99_999_000, 101.0, START + S, 10)
    assert until(clock, 101.0, START + S) == START + 60 * S


def test_step_pauses_and_asks_for_that_many_frames_once() -> None:
    clock = running()
    clock.request("step", 3, 101.0, START + S, 10)
    target = clock.target(101.0, START + S, 10)
    assert target is not None
    assert target.frame_limit == 3
    assert clock.target(101.0, START + S, 13) is None


def test_step_back_starts_again_and_stops_one_frame_earlier() -> None:
    clock = running()
    clock.request("step", -1, 101.0, START + S, 10)
    target = clock.target(101.0, START + S, 10)
    assert target is not None
    assert (target.rebuild, target.frame_limit) == (True, 9)


def test_a_step_that_came_back_halfway_goes_on_to_its_frame() -> None:
    clock = running()
    clock.request("step", -1, 101.0, START + S, 10)
    clock.restarted(101.0, START)
    for frames_done in (0, 4, 8):
        target = clock.target(101.0, START, frames_done)
        assert target is not None
        assert (target.rebuild, target.frame_limit) == (False, 9 - frames_done)
    assert clock.target(101.0, START + S, 9) is None
    assert clock.paused


def test_steps_asked_for_before_the_last_has_arrived_add_up() -> None:
    clock = running()
    for _ in range(3):
        clock.request("step", -1, 101.0, START + S, 10)
    clock.request("step", 1, 101.0, START + S, 10)
    target = clock.target(101.0, START + S, 10)
    assert target is not None
    assert (target.rebuild, target.frame_limit) == (True, 8)


def test_the_newer_of_a_step_and_a_seek_wins() -> None:
    clock = running()
    clock.request("seek", 0, 101.0, START + S, 10)
    clock.request("step", 1, 101.0, START + S, 10)
    target = clock.target(101.0, START + S, 10)
    assert target is not None
    assert (target.until_ns, target.rebuild, target.frame_limit) == (None, False, 1)
    clock.request("seek", 500, 101.0, START + S, 10)
    clock.restarted(101.0, START)
    assert until(clock, 101.0, START) == START + S // 2
    assert clock.target(101.0, START + S // 2, 5) is None


def test_a_step_past_the_last_frame_ends_there() -> None:
    clock = running()
    clock.request("step", 5, 101.0, START + S, 10)
    assert clock.target(101.0, START + S, 10) is not None
    assert not clock.reached_end()
    assert clock.target(101.0, START + S, 12) is None


def test_end_ends_or_loops() -> None:
    once = running()
    assert not once.reached_end()
    assert once.target(500.0, START, 10) is None
    round_and_round = running(loop=True)
    assert round_and_round.reached_end()
    assert round_and_round.loops == 1


@pytest.mark.parametrize(
    ("action", "value"), [("speed", -1.0), ("speed", float("nan")), ("seek", -5.0), ("jump", 0.0)]
)
def test_nonsense_is_refused_with_what_was_wanted(action: str, value: float) -> None:
    with pytest.raises(ValueError, match="wanted"):
        running().request(action, value, 101.0, START, 0)


def test_a_lap_is_counted_and_drawn_from_the_second_on() -> None:
    clock = running(loop=True)
    assert clock.view(START).lap == 1
    assert clock.reached_end()
    view = clock.view(START)
    assert view.lap == 2
    shown = snapshots.replay_snapshot()
    for replay, words in ((view, " lap 2"), (replace(view, lap=1), "")):
        drawn = replace(shown, header=replace(shown.header, replay=replay))
        for width in (160, 120):
            assert (" lap " in line_text(context_line(drawn, width))) is bool(words)
