"""Collects the effects of one input, and turns alerts into effects and the board's rows."""

from __future__ import annotations

from pipeline.core.alerts import AlertBoard
from pipeline.core.effects import AlertCode, Effect
from pipeline.core.types import Severity


class Outbox:
    """Effects in the order they are to be carried out; emptied by `take` after each input."""

    def __init__(self, board: AlertBoard) -> None:
        self._board = board
        self._effects: list[Effect] = []

    def put(self, effect: Effect) -> None:
        """Add an effect."""
        self._effects.append(effect)

    def alert(
        self,
        code: AlertCode,
        severity: Severity,
        ts_ns: int,
        symbol: str = "",
        detail: str = "",
        values: tuple[int, ...] = (),
    ) -> None:
        """Raise an alert; a repeat is counted on the board and makes no effect."""
        alert = self._board.raise_alert(code, severity, ts_ns, symbol, detail, values)
        if alert is not None:
            self._effects.append(alert)

    def take(self) -> list[Effect]:
        """Give what was collected and start anew."""
        effects, self._effects = self._effects, []
        return effects
