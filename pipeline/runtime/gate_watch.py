"""The session's dealings with its gate: what closed it, the engine's own closer, the signal's, releases.

The gate itself is in `gate.py`. Here is what only the session's process does with it: tell the engine of
every change and acknowledge it, move the engine's closer as the engine asks, close on SIGUSR1.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from pipeline.core.effects import CloseGate, OpenGate
from pipeline.core.inputs import Command, GateChanged, Input
from pipeline.runtime.gate import Closer, Gate
from pipeline.runtime.gate_state import CloserRecord, GateState
from pipeline.runtime.latch import LatchRecord
from pipeline.runtime.release_agreed import Agreement, write_agreement
from pipeline.runtime.release_policy import automatic_kill, release_refusal


class GateWatch:
    """Watches one session's gate for one engine; `look` at each turn of the loop."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._mark = b""
        self._closed_ns = 0

    def look(self, put: Callable[[Input], None], now_ns: int) -> bool:
        """Tell the engine, through `put`, of every close, release, latch and removal since the last look.

        Gives whether there was anything to tell.
        """
        mark = self._gate.mark()
        if mark == self._mark:
            return False
        first, self._mark = not self._mark, mark
        state = self._gate.state()
        if first and state.open:
            return False  # a gate that was never seen closed is no news
        act = self._act(state)
        put(
            GateChanged(
                open=state.open,
                latched=state.latched,
                closers=tuple(record.closer.name.lower() for record in state.closers),
                who=act.who if act else "",
                reason=act.reason if act else "",
                generation=state.generation,
                ts_ns=now_ns,
                tty=act.tty if act else "",
                acted_ns=act.ts_ns if act else 0,
                killers=state.killers,
                kills=state.kill_count,
            )
        )
        self._gate.acknowledge(state.closers)
        return True

    def _act(self, state: GateState) -> CloserRecord | LatchRecord | None:
        """Give whose act the change is: the newest close, else the newest latch, else the release after it.

        A latch somebody removed by hand opens a gate without a record: then an older release is not taken.
        """
        if state.open:
            release = state.last_release
            return release if release is not None and release.ts_ns >= self._closed_ns else None
        records = [record for latch in state.latches for record in latch.records]
        closes = list(state.closers) or records
        newest = max(closes, key=_when, default=None)
        self._closed_ns = newest.ts_ns if newest is not None else self._closed_ns
        return newest

    def look_anew(self) -> None:
        """Forget what was seen: the next look is a new engine's first."""
        self._mark = b""

    def carry_out(self, effect: CloseGate | OpenGate, put: Callable[[Input], None], now_ns: int) -> None:
        """Move the engine's own closer, and tell the engine at once.

        At once, because a replay must hear of it at the same virtual time however fast the session turns.
        """
        real_ns = time.time_ns()
        if isinstance(effect, CloseGate):
            self._gate.close(Closer.ENGINE, "engine", "", effect.reason, real_ns, kill=effect.latch)
            if effect.latch:
                self._gate.latch("engine", "", effect.reason, real_ns)
        else:
            shut = self._gate.state().closers
            ours: dict[Closer, int] = {r.closer: r.generation for r in shut if r.closer == Closer.ENGINE}
            if ours:
                self._gate.release(ours, "engine", "", "resumed", real_ns)
        self.look(put, now_ns)

    def halt(self, reason: str, put: Callable[[Input], None], now_ns: int) -> None:
        """Close the gate for the session itself, and tell the engine at once; `:resume` takes it back."""
        self._gate.close(Closer.ENGINE, "session", "", reason, time.time_ns())
        self.look(put, now_ns)

    def close_for(self, who: str, reason: str, *, kill: bool) -> None:
        """Close the gate for somebody who came by the stop door; `kill` latches it."""
        now_ns = time.time_ns()
        self._gate.close(Closer.SHELL, who, "", reason, now_ns, kill=kill)
        if kill:
            self._gate.latch(who, "", reason, now_ns)

    def kill_by_signal(self) -> None:
        """Close and latch the gate because SIGUSR1 came."""
        who, now_ns = f"uid {os.getuid()}", time.time_ns()
        self._gate.close(Closer.SIGNAL, who, "", "SIGUSR1", now_ns, kill=True)
        self._gate.latch(who, "", "SIGUSR1", now_ns)

    def agree(self, uid: int, who: str) -> str:
        """Keep a second person's word that this kill may be released; give a refusal or an empty text."""
        record = automatic_kill(self._gate.state())
        if record is None or not self._gate.is_of_account:
            return "no kill here wants a second person"
        write_agreement(Agreement(uid, who, time.time_ns(), record.ts_ns), self._gate.session_dir)
        return ""

    def release(self, command: Command, who: str, tty: str) -> str:
        """Take back what closes the gate, as it stands now; give a refusal or an empty text.

        RESUME takes back halts only, of which there is nothing to be shown but that it is closed; RELEASE
        takes the latch as well, after the console showed the record and the phrase was typed.
        """
        state = self._gate.state()
        if state.latched and command is Command.RESUME:
            return "KILLED is latched: `:release` first, or `lobdeck release`"
        refusal = release_refusal(self._gate, state, "", time.time_ns())
        if refusal:
            return refusal
        shown = {record.closer: record.generation for record in state.closers}
        result = self._gate.release(
            shown, who, tty, command.value, time.time_ns(), latches=state.latches, kills=state.kills
        )
        return "" if result.open else "the gate was closed again meanwhile: look at it, then once more"


def _when(record: CloserRecord | LatchRecord) -> int:
    return record.ts_ns
