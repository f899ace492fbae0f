"""What was asked of the workers and which answers count: rows in flight, late, void and stale.

The accounting is exact: asked = answered + void + in flight. An answer counts only for a row still in
flight that was asked of the live generation, of that generation, model and schema, of the current
connection epoch, with three finite probabilities that sum to 1 within 1e-3, young enough and of a newer row
than the last that counted; every other answer is counted under its reason and decides nothing.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from pipeline.core.inputs import PredictionReceived, PredictionVoid
from pipeline.core.params import ModelSpec
from pipeline.core.types import Trigger

MAX_IN_FLIGHT = 4_096
"""Rows in flight the desk remembers; beyond it the oldest is given up as void."""

SUM_TOLERANCE = 1e-3


class Answer(enum.StrEnum):
    """What became of an answer."""

    ACCEPTED = "ACCEPTED"
    UNKNOWN_ROW = "UNKNOWN_ROW"
    WRONG_MODEL = "WRONG_MODEL"
    WRONG_GENERATION = "WRONG_GENERATION"
    WRONG_EPOCH = "WRONG_EPOCH"
    NOT_PROBABILITIES = "NOT_PROBABILITIES"
    STALE = "STALE"
    OVERTAKEN = "OVERTAKEN"


@dataclass(frozen=True, slots=True)
class RowInFlight:
    """One row that was asked for."""

    symbol: str
    feature_seq: int
    epoch: int
    trigger: Trigger
    ts_ns: int
    newest_recv_ns: int
    generation: int
    """Of the model it was asked of."""


def are_probabilities(p_down: float, p_flat: float, p_up: float) -> bool:
    """Say whether three numbers are probabilities of one distribution; False for NaN and infinities."""
    each = 0.0 <= p_down <= 1.0 and 0.0 <= p_flat <= 1.0 and 0.0 <= p_up <= 1.0
    return each and abs(p_down + p_flat + p_up - 1.0) <= SUM_TOLERANCE


class InferenceDesk:
    """Rows in flight for all symbols; one writer, the engine."""

    def __init__(self, model: ModelSpec | None, max_row_age_ns: int) -> None:
        self.model = model
        """The live model; answers of another one, or of another generation of it, decide nothing."""
        self._max_row_age_ns = max_row_age_ns
        self._in_flight: dict[int, RowInFlight] = {}
        self._next_seq = 1
        self._newest: dict[str, int] = {}
        """By symbol, the newest row an answer counted for."""
        self.answered_age_ns = -1
        """Age of the row answered last, at its answer; -1 for an answer to no row in flight."""
        self.asked = 0
        self.answered = 0
        self.void = 0
        self.conflated = 0
        self.late = 0
        self.refused = 0
        self.stale = 0
        self.wrong_generation = 0
        """Answers of another model, generation or schema than the live one; part of `refused`."""

    @property
    def in_flight(self) -> int:
        """Count rows nobody has answered yet."""
        return len(self._in_flight)

    def next_seq(self) -> int:
        """Give a number no row of the session has had; shadows take theirs here too."""
        seq = self._next_seq
        self._next_seq += 1
        return seq

    def ask(self, symbol: str, epoch: int, trigger: Trigger, ts_ns: int, newest_recv_ns: int) -> int:
        """Open a row and give its sequence number, unique in the session."""
        seq = self.next_seq()
        self.asked += 1
        if len(self._in_flight) >= MAX_IN_FLIGHT:
            del self._in_flight[next(iter(self._in_flight))]
            self.void += 1
        generation = self.model.generation if self.model is not None else 0
        self._in_flight[seq] = RowInFlight(symbol, seq, epoch, trigger, ts_ns, newest_recv_ns, generation)
        return seq

    def answer(self, event: PredictionReceived, epoch: int) -> tuple[Answer, RowInFlight | None]:
        """Close a row with its answer; the row is given only when the answer may decide something."""
        row = self._in_flight.pop(event.feature_seq, None)
        if row is None:
            self.answered_age_ns = -1
            return Answer.UNKNOWN_ROW, None
        self.answered += 1
        self.answered_age_ns = event.ts_ns - row.ts_ns
        verdict = self._judge(event, row, epoch)
        if verdict is Answer.ACCEPTED:
            self._newest[row.symbol] = row.feature_seq
            return verdict, row
        if verdict in (Answer.STALE, Answer.OVERTAKEN):
            self.stale += 1
        else:
            self.refused += 1
            self.wrong_generation += verdict in (Answer.WRONG_MODEL, Answer.WRONG_GENERATION)
        return verdict, None

    def close_void(self, event: PredictionVoid) -> None:
        """Close a row no answer will come for."""
        if self._in_flight.pop(event.feature_seq, None) is None:
            return
        self.void += 1
        self.conflated += event.cause == "conflated"
        self.late += event.cause == "late"

    def _judge(self, event: PredictionReceived, row: RowInFlight, epoch: int) -> Answer:
        model = self.model
        if model is None or event.generation != model.generation or row.generation != model.generation:
            return Answer.WRONG_GENERATION
        if event.model_id != model.model_id or event.schema_hash != model.schema_hash:
            return Answer.WRONG_MODEL
        if row.epoch != epoch or row.symbol != event.symbol:
            return Answer.WRONG_EPOCH
        if not are_probabilities(event.p_down, event.p_flat, event.p_up):
            return Answer.NOT_PROBABILITIES
        if event.ts_ns - row.ts_ns > self._max_row_age_ns:
            return Answer.STALE
        if row.feature_seq < self._newest.get(row.symbol, 0):
            return Answer.OVERTAKEN
        return Answer.ACCEPTED
