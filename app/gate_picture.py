"""Puts what the gate itself says into a picture: a kill is on the screen before the session has answered.

The session may be busy, stopped or dead; the gate is a file both have mapped.
"""

from __future__ import annotations

from msgspec.structs import replace

from pipeline.core.order_moves import LIVE_STATES
from pipeline.core.snapshot import ConsoleSnapshot, KillView
from pipeline.core.types import TradingState
from pipeline.runtime.gate_state import CloserRecord, GateState
from pipeline.runtime.latch import LatchRecord


def with_gate(snapshot: ConsoleSnapshot, state: GateState) -> ConsoleSnapshot:
    """Give the picture with the gate closed as `state` says, where the session does not show it yet."""
    if state.open:
        return snapshot
    header = snapshot.header
    wanted = TradingState.KILLED if state.latched else TradingState.HALTED
    shown = replace(
        header,
        gate_open=False,
        gate_closers=tuple(record.closer.name.lower() for record in state.closers) or ("latch",),
        trading_state=min(header.trading_state, wanted),
    )
    kill = _kill(snapshot, state) if state.latched else None
    return replace(snapshot, header=shown, kill=kill, proposals=())


def without_halt_banner(snapshot: ConsoleSnapshot) -> ConsoleSnapshot:
    """Take the kill banner off a picture whose gate is closed by a halt: the header says GATE CLOSED."""
    if snapshot.kill is None or snapshot.kill.latched:
        return snapshot
    return replace(snapshot, kill=None)


def live_orders(snapshot: ConsoleSnapshot) -> int:
    """Count our orders the venue has or may have, of every symbol."""
    others = {other.instrument.symbol: other.orders for other in snapshot.others}
    shown = sum(1 for one in snapshot.orders if one.state in LIVE_STATES and one.symbol not in others)
    return shown + sum(others.values())


def _kill(snapshot: ConsoleSnapshot, state: GateState) -> KillView:
    newest = _newest(state)
    return KillView(
        latched=True,
        who=newest.who if newest else "?",
        reason=newest.reason if newest else "latch file",
        ts_ns=snapshot.ts_ns,
        ours_total=live_orders(snapshot),
        cancels_sent=0,
        gone=0,
        filled_late=0,
        unknown=snapshot.counts.unknown,
        position_lots=snapshot.position.lots,
        position_quote_e8=snapshot.position.notional_quote_e8,
        confirmed_ts_ns=0,
    )


def _newest(state: GateState) -> CloserRecord | LatchRecord | None:
    records: list[CloserRecord | LatchRecord] = [
        *state.closers,
        *(record for latch in state.latches for record in latch.records),
    ]
    return max(records, key=lambda record: record.ts_ns, default=None)
