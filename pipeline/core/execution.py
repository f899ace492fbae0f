"""How orders are worked: where an entry rests, when it is withdrawn, how a position leaves.

`ExecutionPolicy.plan` is asked after everything that may change its mind (decision, book, report, beat) and
answers with what to do now. It keeps a few times of its own and nothing else; orders, position and market
come in with each call. Laws:

- at most one working entry a symbol, and none beside an exit; an order in doubt counts as working;
- an entry goes post-only at the touch or takes the far touch inside the collar, never beyond its worst price;
- an entry is withdrawn when its side no longer stands, its horizon is over, the touch has left it for long
  enough, the book is not ok, or new risk is not allowed; cancelling needs nobody's leave;
- a position leaves on a flipped score or by age: first resting at the touch, then taking inside the collar,
  always reducing; once leaving it leaves to the end;
- in HALTED and KILLED exits stop, and the position is *unmanaged* until it is flat or a new permit takes it
  over (`adopt`); a person's flatten works in every state;
- a position too small to be sold is dust: it counts as flat, or it would hold up everything for ever.
"""

from __future__ import annotations

from dataclasses import replace

from pipeline.core.entries import EntryPlan
from pipeline.core.execution_view import (
    NEVER_NS,
    Action,
    CancelWorking,
    ExecutionView,
    PlaceEntry,
    PlaceExit,
    WantedEntry,
    to_intent,
)
from pipeline.core.exits import ExitPlan
from pipeline.core.params import ExecutionParams, RiskLimits
from pipeline.core.types import Instrument, TradingState

__all__ = [
    "NEVER_NS",
    "Action",
    "CancelWorking",
    "ExecutionPolicy",
    "ExecutionView",
    "PlaceEntry",
    "PlaceExit",
    "WantedEntry",
    "to_intent",
]


class ExecutionPolicy:
    """Works the orders of one symbol."""

    def __init__(
        self,
        instrument: Instrument,
        params: ExecutionParams,
        limits: RiskLimits | None,
        horizon_ns: int,
    ) -> None:
        """Start flat; `horizon_ns` is the model's, after which an entry has lost its reason."""
        self._params = params
        self._entries = EntryPlan(params, horizon_ns)
        self._exits = ExitPlan(instrument, params, limits)
        self._leaving_since_ns = -1
        self._position = (0, -1)
        self._dust_ns = -1
        self.unmanaged = False
        """True while no exit rule works on the position because exits were suspended."""
        self.dust = False
        """True while the position is too small to be sold at the venue; decide as if it were flat."""

    @property
    def leaving(self) -> bool:
        """Say whether the position is on its way out."""
        return self._leaving_since_ns >= 0

    @property
    def settled(self) -> bool:
        """Say whether `plan` has seen the position flat, so that it remembers nothing of an older one."""
        return self._position[0] == 0

    def set_horizon(self, horizon_ns: int) -> None:
        """Take another model's horizon, for entries that work and those to come."""
        self._entries.horizon_ns = horizon_ns

    def adopt(self) -> None:
        """Put an unmanaged position under the exit rule again: a person gave a permit on its symbol."""
        self.unmanaged = False

    def plan(self, view: ExecutionView, now_ns: int) -> list[Action]:
        """Give what to do now, cancels first.

        Call it after every report, decision and beat while there is a position, a live order or a wanted
        entry. A cancel is repeated until the order store knows of it, a placement not before
        `retry_after_ns`.
        """
        withdrawals = self._exits.withdrawals(view, now_ns)
        self.dust = self._exits.is_dust(view)
        if self.dust:
            self._dust_ns = now_ns
            view = replace(view, position_lots=0)
        self._follow_position(view)
        stopped = view.trading_state <= TradingState.HALTED
        if stopped and view.position_lots:
            self.unmanaged = True
        may_leave = view.flatten or not (stopped or self.unmanaged)
        leaving = may_leave and self._is_leaving(view, now_ns)
        actions: list[Action] = [
            *self._entries.withdrawals(view, leaving, now_ns),
            *withdrawals,
        ]
        if leaving:
            return _once(actions + self._exits.plan(view, now_ns - self._leaving_since_ns, now_ns))
        entry = self._entries.placement(view, now_ns)
        return actions if entry is None else [*actions, entry]

    def next_look_ns(self, view: ExecutionView, now_ns: int) -> int:
        """Give when time alone may end that `plan` has nothing to do, asked right after it had nothing.

        `now_ns` where each call counts: it then cannot be left out.
        """
        if self.dust or view.flatten or len(view.orders) > 1:
            return now_ns
        order = view.orders[0] if view.orders else None
        times = (
            *self._entries.times_ns(order),
            *self._exits.times_ns(),
            self._leaving_since_ns + self._params.exit_rest_ns,
            max(view.opened_ns, self._dust_ns) + self._params.exit_after_ns,
        )
        return min([time_ns for time_ns in times if time_ns > now_ns], default=NEVER_NS)

    def _follow_position(self, view: ExecutionView) -> None:
        """Start anew with each position: its side and the time it was opened tell it from the last."""
        side = (view.position_lots > 0) - (view.position_lots < 0)
        position = (side, view.opened_ns)
        if position != self._position:
            self._position = position
            self._leaving_since_ns = -1
            self.unmanaged = False
            self._exits.reset()

    def _is_leaving(self, view: ExecutionView, now_ns: int) -> bool:
        if view.position_lots == 0:
            return False
        if self._leaving_since_ns < 0:
            flipped = view.held_side is not None and view.held_side * view.position_lots < 0
            aged = now_ns - max(view.opened_ns, self._dust_ns) >= self._params.exit_after_ns
            if not (flipped or aged or view.flatten):
                return False
            self._leaving_since_ns = now_ns
        return True


def _once(actions: list[Action]) -> list[Action]:
    """Drop a second cancel of the same order, which two reasons may have asked for."""
    seen: dict[str, None] = {}
    kept: list[Action] = []
    for action in actions:
        if isinstance(action, CancelWorking):
            if action.client_order_id in seen:
                continue
            seen[action.client_order_id] = None
        kept.append(action)
    return kept
