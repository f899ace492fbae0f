"""Steering a replay; in a session that is none, every one of these only says so."""

from __future__ import annotations

from app.acts.base import ActsBase
from pipeline.core.snapshot import ReplayView

SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 0.0)
"""What `<` and `>` go through; 0 is as fast as it goes."""


class ReplayActs(ActsBase):
    """Pause, step, pace, seek."""

    def act_space(self) -> None:
        """Pause a replay or go on; recentre the ladder elsewhere."""
        if self._drawn is not None and self._drawn.header.replay is not None:
            self._console.link.replay("toggle", 0.0)
        else:
            self._view.ladder.recentre()

    def act_step_ahead(self) -> None:
        """Go one frame ahead and stand still."""
        if self._replay() is not None:
            self._console.link.replay("step", 1)

    def act_step_back(self) -> None:
        """Go one frame back and stand still."""
        if self._replay() is not None:
            self._console.link.replay("step", -1)

    def act_faster(self) -> None:
        """Take the next faster pace."""
        self._turn_speed(+1)

    def act_slower(self) -> None:
        """Take the next slower pace."""
        self._turn_speed(-1)

    def act_seek(self) -> None:
        """Type where to go."""
        self._console.acts.open_command_line("seek ")

    def act_speed(self) -> None:
        """Type a pace."""
        self._console.acts.open_command_line("speed ")

    def typed_seek(self, value: str) -> None:
        """Go to a second from the start, or by seconds from here with a sign."""
        replay, seconds = self._replay(), number_of(value)
        if replay is None:
            return
        if seconds is None:
            self._say(f":seek {value}: wanted seconds from the start, or +30 or -30 from here", "warn")
            return
        from_ms = replay.position_ms if value[:1] in ("+", "-") else 0
        self._console.link.replay("seek", max(0.0, from_ms + seconds * 1000))

    def typed_speed(self, value: str) -> None:
        """Take a pace: times the capture's own, or `max`."""
        speed = 0.0 if value == "max" else number_of(value)
        if self._replay() is None:
            return
        if speed is None or (speed <= 0 and value != "max"):
            self._say(f":speed {value}: wanted a number above 0, or max", "warn")
            return
        self._console.link.replay("speed", speed)

    def _turn_speed(self, step: int) -> None:
        replay = self._replay()
        if replay is not None:
            self._console.link.replay("speed", next_speed(replay.speed, step))

    def _replay(self) -> ReplayView | None:
        replay = self._drawn.header.replay if self._drawn is not None else None
        if replay is None:
            self._say("this session is no replay: its time is the venue's")
        return replay


def next_speed(speed: float, step: int) -> float:
    """Give the next faster (+1) or slower (-1) pace; the fastest is 0, as fast as it goes."""
    ladder = [value or float("inf") for value in SPEEDS]
    here = speed or float("inf")
    if step > 0:
        higher = [value for value in ladder if value > here]
        chosen = min(higher, default=ladder[-1])
    else:
        lower = [value for value in ladder if value < here]
        chosen = max(lower, default=ladder[0])
    return 0.0 if chosen == float("inf") else chosen


def number_of(text: str) -> float | None:
    """Read a plain decimal number with or without sign; None where it is none."""
    digits = text.lstrip("+-").replace(".", "", 1)
    if not digits.isascii() or not digits.isdigit() or len(text) > 12 or text[1:].lstrip("+-") != text[1:]:
        return None
    return float(text)
