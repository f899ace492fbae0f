"""What a console is given: how it draws, who sits at it, and its hand on the gate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from app.kill_keys import Emergency
from pipeline.runtime.gate_state import GateState


class KillSwitch(Protocol):
    """This console's hand on the gate."""

    on_fired: Callable[[Emergency], None] | None

    def fire(self, emergency: Emergency) -> None:
        """Close the gate now."""
        ...

    def is_open(self) -> bool:
        """Say whether orders may leave now."""
        ...

    def state(self) -> GateState:
        """Give who holds the gate closed."""
        ...


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """How this console draws and who sits at it."""

    who: str
    tty: str
    account: str
    frame_hz: float
    plain: bool
    watch: bool = False
    kill_key: str = "Ctrl+K"
