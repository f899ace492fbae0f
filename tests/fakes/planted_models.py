"""A market whose next move is known when a row is asked for, and models that know it, or know it wrong."""

from __future__ import annotations

import msgspec

from pipeline.core.params import ModelSpec, WatchParams
from pipeline.core.types import Authority
from tests.fakes.engines import MODEL, UNITS, Floor, engine_params
from tests.fakes.trading import ASK, BID

CYCLE_MS = 100
FAST = msgspec.structs.replace(MODEL, horizon_ms=60)
"""Its outcome is there before the next row."""


def watched_floor(
    authority: Authority = Authority.AUTO,
    *,
    trade_unproven: bool = True,
    fallback: bool = True,
    shadows: tuple[ModelSpec, ...] = (),
) -> Floor:
    """Give a floor whose model can be judged within two minutes."""
    watch = WatchParams(trade_unproven=trade_unproven, fallback=fallback)
    params = engine_params(model=FAST, watch=watch, authority=authority, shadows=shadows)
    return Floor(params).warm(0.5)


class PlantedMarket:
    """Moves a tick up or down 50 ms after each row; the sizes lean, and the model is told which way."""

    def __init__(self, floor: Floor, *, seed: int = 7) -> None:
        self._floor = floor
        self._state = seed
        self._place = 0
        floor.pass_ms(CYCLE_MS - 20)  # so that a row of the grid sees the sizes of its own cycle

    def play(self, seconds: int, *, knows: float, leans: bool = False) -> PlantedMarket:
        """Let time pass; the model's log-odds point right in a share `knows` of the rows."""
        floor = self._floor
        for _ in range(seconds * 1_000 // CYCLE_MS):
            up = self._chance() < 0.5
            told = up if self._chance() < knows else not up
            floor.p_up = 0.7 if told else 0.3
            ahead = UNITS * 2 if up and leans else UNITS
            behind = UNITS * 2 if leans and not up else UNITS
            at = self._place
            floor.ticker(BID + at, ASK + at, ahead + at % 3, behind)
            floor.pass_ms(CYCLE_MS // 2)
            self._place = at = max(-40, min(40, at + (1 if up else -1)))
            floor.update()
            floor.ticker(BID + at, ASK + at, ahead, behind)
            floor.pass_ms(CYCLE_MS // 2)
        return self

    def _chance(self) -> float:
        self._state = (self._state * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407) % 2**64
        return (self._state >> 11) / 2**53
