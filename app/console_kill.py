"""Closes the gate from the console's input thread: no lock, no app, no waiting.

The gate is attached once, at the start. `fire` writes the console's record and closes; KILL also writes
the latch, and another thread makes it survive a power loss. What the app shows comes afterwards.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from app.kill_keys import Emergency
from pipeline.runtime.gate import Closer, Gate, GateState


class ConsoleKillSwitch:
    """One console's hand on the gate."""

    def __init__(self, gate: Gate, who: str, tty: str) -> None:
        self._gate = gate
        self._who = who
        self._tty = tty
        self.on_fired: Callable[[Emergency], None] | None = None
        """Told after the gate is closed, from the thread that fired."""

    def fire(self, emergency: Emergency) -> None:
        """Close the gate now, and latch it for KILL."""
        reason = f"{emergency.value} key"
        now_ns = time.time_ns()
        kill = emergency is Emergency.KILL
        self._gate.close(Closer.CONSOLE, self._who, self._tty, reason, now_ns, kill=kill)
        if kill:
            self._gate.latch(self._who, self._tty, reason, now_ns)
            threading.Thread(target=self._gate.sync_latch, daemon=True, name="lobdeck-latch").start()
        if self.on_fired is not None:
            self.on_fired(emergency)

    def is_open(self) -> bool:
        """Say whether orders may leave now, as the gate itself says it."""
        return self._gate.is_open()

    def state(self) -> GateState:
        """Give who holds the gate closed."""
        return self._gate.state()
