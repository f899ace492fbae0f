"""Shadow models: asked for the same rows as the live one, and never heard by anything that trades.

A shadow's row is a request of its own, made right after the live one at the same decision time. Its answer
becomes a `ShadowPrediction`, a plain fact that names the live row it stands beside; whoever scores models
joins facts and outcomes by model. The accounting is exact: asked = answered + void + wrong + in flight.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.core.inference import MAX_IN_FLIGHT, are_probabilities
from pipeline.core.inputs import PredictionReceived, PredictionVoid
from pipeline.core.params import ModelSpec


@dataclass(frozen=True, slots=True)
class ShadowPrediction:
    """What a shadow said of one row of the live model."""

    symbol: str
    model_id: str
    generation: int
    row_seq: int
    """`feature_seq` of the live model's row made at the same time."""
    row_ts_ns: int
    """Decision time of both rows."""
    epoch: int
    """The symbol's `row_epoch` at that time; facts of another epoch are from before a lost book."""
    p_down: float
    p_flat: float
    p_up: float
    horizon_ms: int
    ts_ns: int
    """When the answer entered."""


@dataclass(frozen=True, slots=True)
class _Asked:
    model: ModelSpec
    symbol: str
    row_seq: int
    row_ts_ns: int
    epoch: int


@dataclass(slots=True)
class ShadowCounts:
    """What became of the rows of all shadows."""

    asked: int = 0
    answered: int = 0
    void: int = 0
    wrong: int = 0
    """Answers of another model, generation, schema or symbol than asked, or no probabilities; not used."""


class ShadowDesk:
    """Shadow rows in flight; one writer, the engine."""

    def __init__(self) -> None:
        self.counts = ShadowCounts()
        self._in_flight: dict[int, _Asked] = {}

    @property
    def in_flight(self) -> int:
        """Count rows nobody has answered yet."""
        return len(self._in_flight)

    def holds(self, feature_seq: int) -> bool:
        """Say whether this row was asked of a shadow."""
        return feature_seq in self._in_flight

    def ask(
        self, feature_seq: int, model: ModelSpec, symbol: str, row_seq: int, row_ts_ns: int, epoch: int
    ) -> None:
        """Open the row `feature_seq` of a shadow beside the live row `row_seq`."""
        self.counts.asked += 1
        if len(self._in_flight) >= MAX_IN_FLIGHT:
            del self._in_flight[next(iter(self._in_flight))]
            self.counts.void += 1
        self._in_flight[feature_seq] = _Asked(model, symbol, row_seq, row_ts_ns, epoch)

    def answer(self, event: PredictionReceived) -> ShadowPrediction | None:
        """Close a row with its answer; None where the answer is not the asked model's, or is none."""
        asked = self._in_flight.pop(event.feature_seq)
        model = asked.model
        named = (event.model_id, event.generation, event.schema_hash, event.symbol)
        wanted = (model.model_id, model.generation, model.schema_hash, asked.symbol)
        if named != wanted or not are_probabilities(event.p_down, event.p_flat, event.p_up):
            self.counts.wrong += 1
            return None
        self.counts.answered += 1
        return ShadowPrediction(
            symbol=asked.symbol,
            model_id=model.model_id,
            generation=model.generation,
            row_seq=asked.row_seq,
            row_ts_ns=asked.row_ts_ns,
            epoch=asked.epoch,
            p_down=event.p_down,
            p_flat=event.p_flat,
            p_up=event.p_up,
            horizon_ms=model.horizon_ms,
            ts_ns=event.ts_ns,
        )

    def close_void(self, event: PredictionVoid) -> None:
        """Close a row no answer will come for."""
        if self._in_flight.pop(event.feature_seq, None) is not None:
            self.counts.void += 1
