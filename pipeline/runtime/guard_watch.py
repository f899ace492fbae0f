"""When the guard must act on its engine: late, dead, or deaf to a kill. Pure; time as the guard was awake."""

from __future__ import annotations

import enum

from pipeline.runtime.guard_params import GuardSettings
from pipeline.runtime.heart import Life, Pulse

MS = 1_000_000


class Verdict(enum.Enum):
    """What is to be done about the engine."""

    NOTHING = ""
    HALT = "engine late"
    """Close the gate."""
    FENCE_LATE = "engine hung"
    FENCE_DEAF = "kill not acknowledged"
    DEAD = "engine-crash"


class EngineWatch:
    """Watches one engine; `look` at each turn of the guard's loop."""

    def __init__(self, settings: GuardSettings, pause_ns: int) -> None:
        """Expect a look every `pause_ns`; the guard's own delays are nobody's lateness."""
        self._settings = settings
        self._beat = Pulse(pause_ns)
        self._kill = Pulse(pause_ns)

    @property
    def late_ns(self) -> int:
        """Give how late the engine's beat is."""
        return self._beat.late_ns

    def look(self, beat: int, life: Life, *, dead: bool, deaf_to: int, now_ns: int) -> Verdict:
        """Judge the engine.

        `deaf_to` names the kill that is not acknowledged yet, by any positive number; 0 for none. An engine
        that starts has sent nothing, one that said goodbye will not; only its death then matters.
        """
        late_ns = self._beat.look(beat, now_ns)
        deaf_ns = self._kill.look(deaf_to, now_ns)
        settings = self._settings
        if dead:
            return Verdict.DEAD
        if life is not Life.RUNS:
            return Verdict.NOTHING
        if deaf_to and deaf_ns >= settings.ack_ms * MS:
            return Verdict.FENCE_DEAF
        if late_ns >= settings.late_ms * MS:
            return Verdict.FENCE_LATE
        return Verdict.HALT if late_ns >= settings.halt_ms * MS else Verdict.NOTHING
