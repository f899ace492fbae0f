"""The person at the console, and other processes that close the gate, at instants drawn from the seed."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.core.inputs import Command
from pipeline.core.types import Authority, TradingState
from pipeline.rehearsal.process import Process
from pipeline.runtime.gate import Closer, Gate
from pipeline.sim.chance import Chance

_PATIENCE = 0.04
"""Chance of a step in which a person resumes, raises or releases what stands still."""
_PRESSES = 0.3


class Person:
    """Acts on a process, or on the gate from outside it."""

    def __init__(self, chance: Chance, gate: Gate, act_rate: float, now_ns: Callable[[], int]) -> None:
        """Act with a chance of `act_rate` a step; `gate` is another process's view of the session's."""
        self._chance = chance
        self._gate = gate
        self._act_rate = act_rate
        self._now_ns = now_ns
        self.kill = 0
        """Number of the kill that stands; 0 while none does, or it was taken back."""
        self._kills = 0
        self._releases = False

    def look(self, process: Process) -> None:
        """Do what a person does who watches: permit cards, and set going what stands."""
        if process.engine.authority is Authority.APPROVE:
            self._permit(process)
        if self._chance.unit() < _PATIENCE:
            self._set_going(process)
        if self._chance.unit() < self._act_rate:
            self._act(process)

    def interfere(self) -> None:
        """Close the gate from another process, at any instant."""
        if self._chance.unit() < self._act_rate:
            self.close_gate(latch=self._chance.unit() < 0.5)

    def close_gate(self, *, latch: bool) -> None:
        """Close the gate as `lobdeck halt` or `lobdeck kill` does."""
        self._gate.close(Closer.SHELL, "eve", "", "rehearsed", self._now_ns(), kill=latch)
        if latch:
            self._gate.latch("eve", "", "rehearsed", self._now_ns())
            self.killed()

    def release(self, process: Process) -> None:
        """Take a kill back."""
        self._releases = True
        try:
            process.command(Command.RELEASE)
        finally:
            self.look_at_gate()  # the process may die on the way
            self._releases = False

    def look_at_gate(self) -> None:
        """See whether a kill one takes back is gone; the process may stand still on the way."""
        if self._releases and not self._gate.state().latched:
            self.kill, self._releases = 0, False

    def _permit(self, process: Process) -> None:
        ideas = process.engine.state.ideas
        for card in ideas.cards():
            armed = card.end is None and ideas.armed(card.idea, process.engine.state.now_ns)
            if armed and self._chance.unit() < _PRESSES:
                idea = card.idea
                wanted = {"symbol": idea.symbol, "target_id": idea.idea_id, "revision": idea.revision}
                process.command(Command.PERMIT_ONCE, **wanted)

    def _set_going(self, process: Process) -> None:
        engine = process.engine
        if self.kill:
            self.release(process)
        elif engine.state.start.differs:
            adopts = self._chance.unit() < 0.5 or not engine.state.start.orders
            process.command(Command.ADOPT if adopts else Command.CANCEL_EARLIER)
        elif engine.trading_state < TradingState.ACTIVE:
            process.command(Command.RESUME)
        elif engine.authority < process.params.authority:
            process.command(Command.SET_AUTHORITY, authority=int(process.params.authority))

    def _act(self, process: Process) -> None:
        drawn = self._chance.below(12)
        match drawn:
            case 0:
                process.command(Command.HALT)
            case 1:
                process.command(Command.REDUCE)
            case 2:
                process.command(Command.RESUME)
            case 3:
                process.command(Command.KILL)
                self.killed()
            case 4:
                self.close_gate(latch=True)
            case 5:
                self.close_gate(latch=False)
            case 6 | 7:
                process.command(Command.FLATTEN, symbol=self._symbol(process))
            case 8:
                process.command(Command.CANCEL_ALL, symbol=self._symbol(process))
            case 9:
                self._cancel_one(process)
            case 10:
                process.command(Command.AUTHORITY_DOWN)
            case _:
                self.release(process)

    def killed(self) -> None:
        """Note a kill that stands, whoever it is by."""
        self._kills += 1
        self.kill = self._kills

    def _symbol(self, process: Process) -> str:
        symbols = process.engine.symbols
        return symbols[self._chance.below(len(symbols)) if len(symbols) > 1 else 0]

    def _cancel_one(self, process: Process) -> None:
        live = process.engine.state.orders.all_live()
        if live:
            order = live[self._chance.below(len(live))]
            process.command(Command.CANCEL_ORDER, symbol=order.symbol, client_order_id=order.client_order_id)
