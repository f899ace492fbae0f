"""A strip: one line that names what will happen and waits for Enter.

Enter counts only 350 ms after the strip appeared, so that a key typed ahead, held down or pasted cannot
confirm what nobody has read. Esc takes the strip away; the kill strip's Esc cancels our orders like Enter,
because doing nothing must never be the dangerous choice there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

ARMING_S = 0.35


@dataclass(slots=True)
class Strip:
    """One question on the last line."""

    words: str
    on_enter: Callable[[], None]
    shown_s: float
    role: str = "selected"
    on_escape: Callable[[], None] | None = None
    choices: Mapping[str, Callable[[], None]] = field(default_factory=dict)
    """Keys besides Enter and Esc that mean something here."""

    def is_armed(self, now_s: float) -> bool:
        """Say whether Enter counts yet."""
        return now_s - self.shown_s >= ARMING_S
