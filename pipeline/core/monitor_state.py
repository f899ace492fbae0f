"""What a monitor has learned, as it goes to a file and enters the next session as an input."""

from __future__ import annotations

import msgspec

from pipeline.core.params import ModelSpec

BlockValues = tuple[int, int, int, int, int, int, int]
"""The fields of `model_monitor.Block`."""


class MonitorState(msgspec.Struct, frozen=True):
    """One model's record on one symbol; some 60 kB encoded when full."""

    model_id: str
    schema_hash: str
    window_ms: tuple[int, int]
    """Delay and horizon of its outcomes."""
    blocks: tuple[BlockValues, ...]
    """The fields of `model_monitor.Block`, oldest first."""
    recent: tuple[tuple[int, bool, int], ...]
    temperature: tuple[int, tuple[float, ...]]
    slope: tuple[int, tuple[float, ...]]
    drift: tuple[int, tuple[tuple[int, ...], ...]]
    gate: tuple[bool, bool]
    """(open, decided), as `skill_gate.SkillGate` gives it."""
    imbalance_gate: tuple[bool, bool]
    ts_ns: int
    """When it was taken, in the session's time."""

    def fits(self, spec: ModelSpec) -> bool:
        """Tell whether it is of this very file, row and outcome."""
        mine = (spec.model_id, spec.schema_hash, (spec.delay_ms, spec.horizon_ms))
        return (self.model_id, self.schema_hash, self.window_ms) == mine
