"""What a release asks for beyond the typed phrase: after a loss, limit or mismatch kill, time and a reason.

Where a desk has two people the second one agrees (`release_agreed`); where it has one, a quarter of an hour
and a written reason stand in. It holds for accounts with real money; in practice a kill costs nothing.
"""

from __future__ import annotations

import os

from pipeline.runtime.gate import Gate
from pipeline.runtime.gate_state import CloserRecord, GateState
from pipeline.runtime.latch import LatchRecord
from pipeline.runtime.release_agreed import read_agreement

WAIT_S = 15 * 60
LEAST_REASON = 10
_BY_THE_ENGINE = "engine"
_COMMANDED = "kill by "


def automatic_kill(state: GateState) -> LatchRecord | CloserRecord | None:
    """Give the newest kill the engine came to by itself (a limit, a mismatch); None where a person killed."""
    kills: list[LatchRecord | CloserRecord] = [
        *(record for latch in state.latches for record in latch.records),
        *(record for record in state.closers if state.is_kill(record)),
    ]
    found = [
        record
        for record in kills
        if record.who == _BY_THE_ENGINE and not record.reason.startswith(_COMMANDED)
    ]
    return max(found, key=lambda record: record.ts_ns, default=None)


def release_refusal(gate: Gate, state: GateState, reason: str, now_ns: int) -> str:
    """Say why a kill may not be taken back yet, in one line; empty where it may."""
    record = automatic_kill(state)
    if record is None or not gate.is_of_account:
        return ""
    agreed = read_agreement(gate.session_dir)
    if agreed is not None and agreed.covers(record.ts_ns, os.getuid(), now_ns):
        return ""
    left_s = WAIT_S - (now_ns - record.ts_ns) // 1_000_000_000
    if left_s > 0:
        return f"killed by {record.reason!r}: to be released in {-(-left_s // 60)} min at the earliest"
    if len(reason.strip()) < LEAST_REASON:
        return (
            f"killed by {record.reason!r}: release it with `lobdeck release NAME --reason TEXT`, "
            f"{LEAST_REASON} characters or more"
        )
    return ""
