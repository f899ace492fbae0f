"""A signal from the seed in the model's place: moods that last a while, answers on time, late or missing."""

from __future__ import annotations

from collections import deque

from pipeline.core.effects import RequestInference
from pipeline.core.inputs import PredictionReceived, PredictionVoid
from pipeline.core.params import ModelSpec
from pipeline.sim.chance import Chance

_MS = 1_000_000
_LATE, _LOST = 0.03, 0.03
_STRONG, _WEAK = 0.93, 0.55

MODEL = ModelSpec(
    model_id="planted",
    name="planted",
    generation=1,
    schema_hash="planted",
    features=("qi_1",),
    horizon_ms=400,
    binary=True,
    sigma_train_e6=50,
    mean_move_e6=60,
    move_rate_e6=550_000,
)
"""What the engine is told of the signal; the horizon is the scenario's."""


class PlantedPool:
    """Answers rows; the `AnswerPool` of a run."""

    def __init__(self, chance: Chance, horizon_ms: int) -> None:
        self._chance = chance
        self._horizon_ms = horizon_ms
        self._waiting: deque[tuple[int, RequestInference]] = deque()
        self._p_up = 0.5
        self._mood_ends_ns = 0

    def submit(self, request: RequestInference) -> None:
        """Take a row."""
        drawn = self._chance.unit()
        wait_ms = 400 if drawn < _LATE else self._chance.between(1, 30)
        self._waiting.append((-1 if drawn > 1 - _LOST else request.ts_ns + wait_ms * _MS, request))

    def poll(self, now_ns: int) -> list[PredictionReceived | PredictionVoid]:
        """Give the answers that are due."""
        found: list[PredictionReceived | PredictionVoid] = []
        for _ in range(len(self._waiting)):
            due_ns, row = self._waiting.popleft()
            if due_ns < 0:
                found.append(PredictionVoid(row.symbol, row.feature_seq, "worker", now_ns))
            elif due_ns <= now_ns:
                found.append(self._answer(row, now_ns))
            else:
                self._waiting.append((due_ns, row))
        return found

    def _answer(self, row: RequestInference, now_ns: int) -> PredictionReceived:
        if now_ns >= self._mood_ends_ns:
            self._mood_ends_ns = now_ns + self._chance.between(100, 800) * _MS
            p = _WEAK if self._chance.unit() < 0.2 else _STRONG
            self._p_up = p if self._chance.unit() < 0.5 else 1 - p
        return PredictionReceived(
            symbol=row.symbol,
            model_id=row.model_id,
            generation=row.generation,
            schema_hash=row.schema_hash,
            feature_seq=row.feature_seq,
            p_down=1 - self._p_up,
            p_flat=0.0,
            p_up=self._p_up,
            horizon_ms=self._horizon_ms,
            started_ns=now_ns,
            finished_ns=now_ns,
            worker_id=0,
            epoch=row.epoch,
            ts_ns=now_ns,
        )
