"""Where a replay stands and where it should stand: pace, pause, step, seek, loop.

Virtual time runs at `speed` times real time from an anchor; every change of pace, pause or position sets
a new anchor. Pure: real time is given by the caller in seconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from pipeline.core.snapshot import ReplayView

SLOWEST = 0.01
FASTEST = 1000.0


@dataclass(frozen=True, slots=True)
class Target:
    """What the run should do next."""

    until_ns: int | None
    """Virtual time to reach; None = to the end as fast as it goes."""
    frame_limit: int
    """> 0: that many frames and no more (a step)."""
    rebuild: bool
    """True: start again from the first frame first (a seek or step back)."""
    in_hurry: bool
    """True while seeking: no pacing."""


class ReplayClock:
    """Turns the operator's wishes into targets; one writer, the session's loop."""

    def __init__(self, source: str, speed: float, *, loop: bool) -> None:
        self.source = source
        self.speed = speed
        self.loop = loop
        self.paused = False
        self.ended = False
        self.loops = 0
        self.length_ns = -1
        self.start_ns = 0
        self._anchor_real_s = 0.0
        self._anchor_virtual_ns = 0
        self._step_to: int | None = None
        self._seek_ns: int | None = None
        self._rebuild = False

    def anchor(self, real_s: float, virtual_ns: int) -> None:
        """Say that virtual time `virtual_ns` is now."""
        self._anchor_real_s = real_s
        self._anchor_virtual_ns = virtual_ns

    def restarted(self, real_s: float, start_ns: int) -> None:
        """Say that the run stands at its first frame again."""
        self._rebuild = False
        self.ended = False
        self.start_ns = start_ns
        self.anchor(real_s, start_ns)

    def request(self, action: str, value: float, real_s: float, virtual_ns: int, frames_done: int) -> str:
        """Take one wish of the operator; give one line of answer, or raise ValueError with the mend."""
        if not math.isfinite(value):
            raise ValueError(f"{action} {value:g}: wanted a number")
        match action:
            case "pause" | "resume" | "toggle":
                self.paused = action == "pause" or (action == "toggle" and not self.paused)
                self.anchor(real_s, virtual_ns)
                return "paused" if self.paused else "running"
            case "speed":
                if not (value == 0 or SLOWEST <= value <= FASTEST):
                    raise ValueError(f"speed {value:g}: wanted 0 (max) or {SLOWEST:g} to {FASTEST:g}")
                self.speed = value
                self.anchor(real_s, virtual_ns)
                return "speed max" if value == 0 else f"speed {value:g}x"
            case "step":
                return self._step(int(value), frames_done)
            case "seek":
                return self._seek(value, virtual_ns)
            case _:
                raise ValueError(f"{action!r}: wanted pause, resume, toggle, step, speed or seek")

    def target(self, real_s: float, virtual_ns: int, frames_done: int) -> Target | None:
        """Give what to do now, or None while there is nothing to do (paused, ended).

        A seek and a step stay until they have arrived: the run may come back halfway, out of time or
        waiting for an answer.
        """
        if self._seek_ns is not None:
            if not self._rebuild and (virtual_ns >= self._seek_ns or self.ended):
                self._seek_ns = None
                self.anchor(real_s, virtual_ns)
                return self.target(real_s, virtual_ns, frames_done)
            return Target(self._seek_ns, 0, self._rebuild, in_hurry=True)
        if self._step_to is not None:
            left = self._step_to - (0 if self._rebuild else frames_done)
            if left > 0:
                return Target(None, left, self._rebuild, in_hurry=True)
            self._step_to = None
            self.anchor(real_s, virtual_ns)
        if self.paused or self.ended:
            return None
        if self.speed == 0:
            return Target(None, 0, rebuild=False, in_hurry=True)
        passed_ns = int((real_s - self._anchor_real_s) * self.speed * 1e9)
        return Target(self._anchor_virtual_ns + passed_ns, 0, rebuild=False, in_hurry=False)

    def reached_end(self) -> bool:
        """Note the end of the capture; True when the run is to start again."""
        self._seek_ns = self._step_to = None
        if self.loop and not self.paused:
            self.loops += 1
            self._rebuild = True
            return True
        self.ended = True
        return False

    def real_seconds_until(self, virtual_ns: int, real_s: float) -> float:
        """Give the real seconds until a virtual time comes, at the current pace; 0 if it has come."""
        if self.speed == 0:
            return 0.0
        due_s = self._anchor_real_s + (virtual_ns - self._anchor_virtual_ns) / 1e9 / self.speed
        return max(0.0, due_s - real_s)

    def view(self, virtual_ns: int) -> ReplayView:
        """Give the replay's line of the screen."""
        return ReplayView(
            source=self.source,
            speed=self.speed,
            paused=self.paused,
            ended=self.ended,
            position_ms=(virtual_ns - self.start_ns) // 1_000_000,
            length_ms=-1 if self.length_ns < 0 else self.length_ns // 1_000_000,
            seeking_to_ms=-1 if self._seek_ns is None else (self._seek_ns - self.start_ns) // 1_000_000,
            lap=self.loops + 1,
        )

    def _step(self, frames: int, frames_done: int) -> str:
        self.paused = True
        from_frame = frames_done if self._step_to is None else self._step_to
        self._step_to = max(from_frame + frames, 1)
        self._rebuild = self._step_to < frames_done
        self._seek_ns = None
        return f"stepped {frames}" if frames >= 0 else f"stepped back {-frames}"

    def _seek(self, milliseconds: float, virtual_ns: int) -> str:
        if not milliseconds >= 0:
            raise ValueError(f"seek {milliseconds:g}: wanted a time from the start, not before it")
        wanted_ns = int(milliseconds * 1_000_000)
        self._seek_ns = self.start_ns + (min(wanted_ns, self.length_ns) if self.length_ns > 0 else wanted_ns)
        self._step_to = None
        self._rebuild = self._seek_ns < virtual_ns
        self.ended = False
        return f"seeking to {milliseconds / 1000:g} s"
