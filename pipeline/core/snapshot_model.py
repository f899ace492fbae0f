"""The slices of the model screen: what models are worth, how far they can be believed, what ideas came to.

Units and rules are those of `snapshot.py`, from which everybody takes them.
"""

from __future__ import annotations

import msgspec

DRIFT_WAITS = -2
"""Instead of a stability index before enough rows."""


class SkillView(msgspec.Struct, frozen=True, eq=False):
    """One skill over a baseline, in 1e-6; NONE_E6 where there are too few blocks for an interval."""

    over: str
    """`constant` or `imbalance`."""
    proof: str
    """Code of `skill.Proof`."""
    skill_e6: int
    low_e6: int
    high_e6: int
    recent_e6: int
    """The same over the newest ten minutes or so."""
    recent_low_e6: int
    recent_high_e6: int


class RecordView(msgspec.Struct, frozen=True, eq=False):
    """What one model was worth on the symbol shown."""

    name: str
    model_id: str
    generation: int
    role: str
    """`live`, `shadow` or `before`."""
    file: str
    """Version and approvals of its file; empty where the session knows none."""
    gate_open: bool
    rows: int
    """Outcomes in the window."""
    moved_e6: int
    """Share of them that moved; NONE_E6 without any."""
    said_e6: int
    """Mean P(move) of a three-class model; NONE_E6 for one that says nothing of it."""
    calls: int
    least_calls: int
    skills: tuple[SkillView, ...]
    brier_e6: int
    ece_e6: int
    bias_e6: int
    """Mean probability less the share that went up; all three NONE_E6 before any call."""
    temperature_e6: int
    unanswered: int
    void: int
    restored: int
    """Outcomes that an earlier session saw."""


class DecileView(msgspec.Struct, frozen=True, eq=False):
    """One bin of equal count of the live model's newest calls, the lowest probability first."""

    calls: int
    p_up_e6: int
    up_e6: int
    hit_e6: int
    move_e6: int
    """Mean move to where the probability pointed, in 1e-6 of the price."""


class DriftView(msgspec.Struct, frozen=True, eq=False):
    """How far one feature has drifted from its training."""

    feature: str
    index_e6: int
    """Population stability index; -1 where the model declares no bins, `DRIFT_WAITS` before enough rows."""


class FateView(msgspec.Struct, frozen=True, eq=False):
    """All ideas with one fate."""

    fate: str
    ideas: int
    hit_e6: int
    move_e6: int
    """Mean move in the ideas' favour over the horizon, in 1e-6 of the price."""


class WatchView(msgspec.Struct, frozen=True, eq=False):
    """What watches the models of the symbol shown."""

    source: str
    """Code of who decides: `symbol_watch.Source`."""
    records: tuple[RecordView, ...]
    """The live model first."""
    deciles: tuple[DecileView, ...]
    drift: tuple[DriftView, ...]
    """In the row's order."""
    fates: tuple[FateView, ...]
    cost_e6: int
    """Cost of a round trip in the newest decision; NONE_E6 without one."""
    tempered: bool
    """The temperature is applied, not only shown."""
