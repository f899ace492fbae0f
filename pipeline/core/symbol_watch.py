"""Everything that watches models on one symbol: the live one, its shadows, and the ideas that came of it.

`market.py` tells of rows and of the touch, `trader.py` of answers; `skill_desk.py` does what follows.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

from pipeline.core.idea_outcomes import IdeaOutcomes
from pipeline.core.model_monitor import NEVER_NS, ModelMonitor
from pipeline.core.params import MS, SECOND, ModelSpec, WatchParams
from pipeline.core.types import E6

FALLBACK_ID = "queue-imbalance"
"""Model id of what the fallback decides: permits for the model are none for it."""

SILENT_NS = 10 * SECOND
"""A model whose rows get no answer that counts for so long is silent; a worker is replaced sooner."""

OTHERS_MOST = 8
"""Shadows and earlier models whose records are kept beside the live one's; the oldest makes room."""


class Source(enum.StrEnum):
    """Who decides on a symbol."""

    MODEL = "MODEL"
    FALLBACK = "FALLBACK"
    """Queue imbalance alone."""
    NONE = "NONE"
    """Nobody: reductions only."""


class SymbolWatch:
    """Monitors of one symbol; one writer, the engine."""

    def __init__(self, spec: ModelSpec | None, params: WatchParams) -> None:
        self.live = ModelMonitor(spec, params) if spec is not None else None
        self.others: dict[str, ModelMonitor] = {}
        """By model id, shadows and what was live before: a record goes on where the model comes back."""
        self.ideas = IdeaOutcomes(spec.horizon_ms * MS if spec is not None else NEVER_NS)
        self.source = Source.MODEL if self.live is None or self.live.gate.is_open else Source.NONE
        self.block_ended = False
        """The live model can be judged anew; `skill_desk` looks at the next beat."""
        self.stopped = False
        """The model gives no answers one may use."""
        self.imbalance_e6 = 0
        """Queue imbalance of the newest row."""
        self._waits_since_ns = 0
        self._params = params

    @property
    def monitors(self) -> tuple[ModelMonitor, ...]:
        """Give the live model's monitor first, then the others."""
        return (*(() if self.live is None else (self.live,)), *self.others.values())

    def monitor_of(self, model_id: str, specs: Iterable[ModelSpec]) -> ModelMonitor | None:
        """Give the monitor of the live model or of one of `specs`, begun where there is none yet."""
        if self.live is not None and self.live.spec.model_id == model_id:
            return self.live
        spec = next((one for one in specs if one.model_id == model_id), None)
        found = self.others.get(model_id)
        return found if found is not None or spec is None else self._beside(ModelMonitor(spec, self._params))

    def asked(self, seq: int, ts_ns: int, bid_units: int, ask_units: int, row_e6: tuple[int, ...]) -> None:
        """Follow a row of the live model."""
        total = bid_units + ask_units
        self.imbalance_e6 = (bid_units - ask_units) * E6 // total if total > 0 else 0
        self._waits_since_ns = self._waits_since_ns or ts_ns
        if self.live is not None:
            self.live.asked(seq, ts_ns, self.imbalance_e6, row_e6)

    def asked_beside(self, spec: ModelSpec, seq: int, ts_ns: int, row_e6: tuple[int, ...]) -> None:
        """Follow a shadow's row of the same moment as the live row `seq`."""
        monitor = self.others.get(spec.model_id)
        if monitor is None:
            monitor = self._beside(ModelMonitor(spec, self._params))
        monitor.spec = spec
        monitor.asked(seq, ts_ns, self.imbalance_e6, row_e6)

    def answered(self, seq: int, p_down: float, p_flat: float, p_up: float) -> None:
        """Join an answer of the live model that counts."""
        self._waits_since_ns = 0
        if self.live is not None:
            self.live.answered(seq, p_down, p_flat, p_up)

    def answered_beside(self, model_id: str, seq: int, p_down: float, p_flat: float, p_up: float) -> None:
        """Join a shadow's answer to the live row `seq`."""
        monitor = self.others.get(model_id)
        if monitor is not None:
            monitor.answered(seq, p_down, p_flat, p_up)

    def take_model(self, spec: ModelSpec) -> None:
        """Let another model be the live one; what it showed as a shadow, or before, stays its record."""
        before, after = self.live, self.others.pop(spec.model_id, None)
        if before is not None:
            before.forget()
            self._beside(before)
        self.live = ModelMonitor(spec, self._params) if after is None else after
        self.live.spec = spec
        self.ideas.set_horizon(spec.horizon_ms * MS)
        self.source = Source.MODEL if self.live.gate.is_open else Source.NONE
        self.block_ended = self.stopped = False
        self._waits_since_ns = 0

    def _beside(self, monitor: ModelMonitor) -> ModelMonitor:
        if len(self.others) == OTHERS_MOST:
            del self.others[next(iter(self.others))]
        self.others[monitor.spec.model_id] = monitor
        return monitor

    def silent(self, now_ns: int) -> bool:
        """Tell whether rows have waited too long for any answer that counts."""
        return bool(self._waits_since_ns) and now_ns - self._waits_since_ns > SILENT_NS

    @property
    def identity(self) -> tuple[str, int]:
        """Give id and generation of what decides, or would."""
        if self.live is None:
            return "", 0
        spec = self.live.spec
        return (FALLBACK_ID if self.source is Source.FALLBACK else spec.model_id), spec.generation

    def advance(self, now_ns: int, mid_half_ticks: int) -> None:
        """Let time pass up to but not at `now_ns` with the mid that has stood since the last call."""
        live = self.live
        if live is not None and now_ns > live.next_due_ns:
            self.block_ended |= live.advance(now_ns, mid_half_ticks)
        if self.others:
            for monitor in self.others.values():
                if monitor.advance(now_ns, mid_half_ticks):
                    monitor.judge()
        if mid_half_ticks > 0:
            self.ideas.advance(now_ns, mid_half_ticks)

    def forget(self) -> None:
        """Give up what waits: the book was lost."""
        self._waits_since_ns = 0
        if self.live is not None:
            self.live.forget()
        for monitor in self.others.values():
            monitor.forget()
        self.ideas.forget()

    def source_now(self) -> Source:
        """Say who may decide."""
        live = self.live
        if live is None or (live.gate.is_open and not self.stopped):
            return Source.MODEL
        if not self._params.fallback:
            return Source.NONE
        return Source.FALLBACK if live.imbalance_gate.is_open else Source.NONE
