"""The list of sessions as `lobdeck sessions` prints it: trading state, and what holds the gate closed.

Each running session is asked for its state and given a moment; one that does not answer is said to be silent.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable

from app.last_summary import last_summary, may_have_left_orders, position_words
from app.link_call import NoAnswerError, ask_status
from pipeline.runtime.gate import Gate, GateError
from pipeline.runtime.gate_state import CloserRecord, GateState
from pipeline.runtime.latch import LatchRecord
from pipeline.runtime.places import PlacesError, SessionEntry, SessionPlace

ANSWER_S = 0.5


def sessions_text(entries: Iterable[SessionEntry]) -> str:
    """Give the list, a line for each session."""
    rows = [_row(entry) for entry in entries]
    if not rows:
        return "no sessions yet; `lobdeck demo` starts one"
    return "\n".join([f"{'session':<24} {'state':<9} {'trading':<11} {'pid':>8}  gate", *rows])


def gate_words(place: SessionPlace) -> list[str]:
    """Give what holds a session's gate closed, kills before halts; empty while it is open."""
    state = _gate_of(place)
    if isinstance(state, str):
        return [state]
    firsts = [latch.records[0] for latch in state.latches if latch.records]
    first = min(firsts, key=lambda record: record.ts_ns, default=None)
    # Who killed first: what the guard or a second person adds does not take their place.
    lines = [] if first is None else [f"KILLED by {_said_of(first)}"]
    lines += [f"KILLED, latched: {latch.path}" for latch in state.latches]
    if not state.latches:
        kills = [record for record in state.closers if state.is_kill(record)]
        lines += [f"KILLED by {_said_of(record)}; no latch file could be written" for record in kills]
    lines += [f"closed by {record.closer.name.lower()}: {_said_of(record)}" for record in state.closers]
    if state.orphaned:
        lines.append("closed: its file was removed")
    if state.unknown_slots:
        lines.append("closed by a closer of a later version")
    return lines


def _row(entry: SessionEntry) -> str:
    if entry.trouble:
        return f"{entry.place.name:<24} {'refused':<9} {'':<11} {'':>8}  {entry.trouble}"
    state = "running" if entry.alive else "ended"
    pid = str(entry.owner.pid) if entry.alive and entry.owner else ""
    trading, left = (trading_word(entry.place), "") if entry.alive else _ending(entry)
    held = gate_words(entry.place)
    gate = held[0] if held else "open"
    return f"{entry.place.name:<24} {state:<9} {trading:<11} {pid:>8}  {gate}{left}"


def _ending(entry: SessionEntry) -> tuple[str, str]:
    """Give how an ended session ended, and what position it left; nothing of one that never ran."""
    last = last_summary(entry.place)
    if last is None:
        orders = "; orders may be left at the venue" if may_have_left_orders(entry.place) else ""
        return ("died", f"{orders}; position not known") if entry.owner else ("", "")
    left = position_words(last)
    return str(last["exit"]), f"; {left} left" if left else ""


def trading_word(place: SessionPlace) -> str:
    """Ask a running session for its trading state; `silent` where it does not answer in time."""
    try:
        return str(json.loads(ask_status(place, timeout_s=ANSWER_S))["trading_state"])
    except (NoAnswerError, PlacesError):
        return "silent"


def _gate_of(place: SessionPlace) -> GateState | str:
    """Read a gate; the trouble's own words where it cannot be."""
    try:
        gate = Gate.attach(place.root)
    except GateError as problem:
        return str(problem)
    try:
        return gate.state()
    finally:
        gate.detach()


def _said_of(record: CloserRecord | LatchRecord) -> str:
    return f"{record.who or '?'} {record.tty} {_utc(record.ts_ns)} {record.reason}"


def _utc(ts_ns: int) -> str:
    seconds, rest = divmod(ts_ns, 1_000_000_000)
    return time.strftime("%H:%M:%S", time.gmtime(seconds)) + f".{rest // 1_000_000:03d}Z"
