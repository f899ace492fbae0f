"""A strip: one line that names what will happen and waits for Enter.

Enter counts only 350 ms after the strip appeared, and only where no other Enter came within 350 ms before
it, so that a key typed ahead, held down or pasted cannot confirm what nobody has read. A strip nobody
answers goes away by itself. Esc takes it away too; the kill strip's Esc cancels our orders like Enter,
because doing nothing must never be the dangerous choice there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

ARMING_S = 0.35
STANDS_S = 10.0
"""A question forgotten for so long is no question any more."""


@dataclass(slots=True)
class Strip:
    """One question on the last line."""

    words: str
    on_enter: Callable[[], None]
    shown_s: float
    role: str = "halt"
    on_escape: Callable[[], None] | None = None
    on_expiry: Callable[[], None] | None = None
    choices: Mapping[str, Callable[[], None]] = field(default_factory=dict)
    """Keys besides Enter and Esc that mean something here."""
    stands_s: float = STANDS_S
    in_banner: bool = False
    """Drawn in the kill banner too; `{left}` in the words is the time left."""

    def text(self, now_s: float) -> str:
        """Give the words as they are drawn now."""
        return self.words.format(left=f"{self.left_s(now_s):.1f} s") if self.in_banner else self.words

    def left_s(self, now_s: float) -> float:
        """Give how long it will stand; not below 0."""
        return max(0.0, self.shown_s + self.stands_s - now_s)


class StripKeeper:
    """Keeps the strip that stands, and says what a key means to it."""

    def __init__(self) -> None:
        self.strip: Strip | None = None
        self._entered_s = -ARMING_S

    def press(self, key: str, now_s: float, *, in_burst: bool) -> bool:
        """Take a key; True where it was meant for the strip, which may have acted and gone."""
        repeated = key == "enter" and now_s - self._entered_s < ARMING_S
        if key == "enter":
            self._entered_s = now_s
        strip = self.strip
        if strip is None or key not in ("enter", "escape", *strip.choices):
            return False
        if key == "escape":
            self._end(strip.on_escape)
        elif now_s - strip.shown_s >= ARMING_S and not repeated and not in_burst:
            self._end(strip.choices.get(key, strip.on_enter))
        return True

    def expire(self, now_s: float) -> bool:
        """End a strip whose time is over; True where it did."""
        if self.strip is None or self.strip.left_s(now_s) > 0:
            return False
        self._end(self.strip.on_expiry)
        return True

    def _end(self, act: Callable[[], None] | None) -> None:
        self.strip = None
        if act is not None:
            act()
