"""Settings of a simulated exchange that a session starts for itself; a part of the session's spec."""

from __future__ import annotations

import msgspec


class SimParams(msgspec.Struct, frozen=True):
    """What the exchange's process is started with; its own defaults stand for what is left out."""

    seed: int = 7
    pace: str = "calm"
    fees: str = "0/0"
    """MAKER/TAKER in basis points."""
    faults: tuple[str, ...] = ()
    ready_ms: int = 10_000
    """Time to say where it is."""
    end_ms: int = 2_000
    """Time to say goodbye in."""
