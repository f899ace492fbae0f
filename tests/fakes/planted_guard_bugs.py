"""Bugs of a guard that cost money, planted one at a time, for the rehearsal to find."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pipeline.rehearsal import process as rehearsed
from pipeline.runtime.guard import Guard
from pipeline.runtime.guard_keeper import GuardKeeper
from pipeline.runtime.guard_sweep import Sweep
from pipeline.runtime.guard_watch import EngineWatch
from tests.fakes.planted_bugs import Plant


def no_fence(patch: pytest.MonkeyPatch) -> None:
    """A deaf engine is taken for dead, and goes on."""

    def spared(self: Any) -> None:
        self.taken_for_dead = True

    def believed(self: Any) -> bool:
        return self.gone or getattr(self, "taken_for_dead", False)

    patch.setattr(rehearsed.Process, "fence", spared)
    patch.setattr(rehearsed.Process, "has_ended", believed)


def one_zero(patch: pytest.MonkeyPatch) -> None:
    """The first list without an order of ours is NO ORDERS LEFT."""

    def hasty(self: Any, now_ns: int) -> None:
        self.confirmed, self.zero_came_ns = True, now_ns

    patch.setattr(Sweep, "_count_zero", hasty)


def zero_twice_at_once(patch: pytest.MonkeyPatch) -> None:
    """Nobody waits for what may still be on its way: two lists at once will do."""
    init = Sweep.__init__

    def unsettled(self: Any, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        self._settled_ns = self._barrier_ns

    patch.setattr(Sweep, "__init__", unsettled)


def sweep_without_query(patch: pytest.MonkeyPatch) -> None:
    """Once a cancel of every order listed is on its way, nobody looks again."""
    cancels = Sweep._cancels

    def trusting(self: Any, ours: Any, now_ns: int) -> Any:
        asks = cancels(self, ours, now_ns)
        if asks:
            self.confirmed, self.zero_came_ns = True, now_ns
        return asks

    patch.setattr(Sweep, "_cancels", trusting)


def fences_late(patch: pytest.MonkeyPatch) -> None:
    """A kill may stay unacknowledged for a second."""
    init = EngineWatch.__init__

    def patient(self: Any, settings: Any, pause_ns: int) -> None:
        init(self, msgspec.structs.replace(settings, ack_ms=1_000), pause_ns)

    patch.setattr(EngineWatch, "__init__", patient)


def hung_engine_is_left_alone(patch: pytest.MonkeyPatch) -> None:
    """Nobody looks at the engine's beat."""
    init = EngineWatch.__init__

    def blind(self: Any, settings: Any, pause_ns: int) -> None:
        init(self, msgspec.structs.replace(settings, halt_ms=10**9, late_ms=10**9), pause_ns)

    patch.setattr(EngineWatch, "__init__", blind)


def dead_engine_is_no_kill(patch: pytest.MonkeyPatch) -> None:
    """An engine that is gone needs nothing."""
    patch.setattr(Guard, "_engine_ended", lambda *_: None)


def guard_cancels_foreign_orders(patch: pytest.MonkeyPatch) -> None:
    """Whatever is open is taken for ours."""
    init = Sweep.__init__

    def greedy(self: Any, symbols: Any, _prefix: str, *args: Any) -> None:
        init(self, symbols, "", *args)

    patch.setattr(Sweep, "__init__", greedy)


def lost_guard_is_not_missed(patch: pytest.MonkeyPatch) -> None:
    """A session goes on without a guard, and starts no other."""
    patch.setattr(GuardKeeper, "trouble", property(lambda _: ""))
    patch.setattr(GuardKeeper, "_lost", lambda *_: None)


GUARD_PLANTS: tuple[Plant, ...] = (
    no_fence,
    one_zero,
    zero_twice_at_once,
    sweep_without_query,
    fences_late,
    hung_engine_is_left_alone,
    dead_engine_is_no_kill,
    guard_cancels_foreign_orders,
    lost_guard_is_not_missed,
)
