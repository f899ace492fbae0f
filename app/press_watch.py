"""When a press on a card counts: not before it could be read, not twice, not for another symbol's ladder.

Pure; times are monotonic seconds of this console, given by the caller. The session checks again, in its
own time, that the revision drawn here is still the one on offer.
"""

from __future__ import annotations

from pipeline.core.snapshot import ConsoleSnapshot

ARMING_S = 0.35
REPEAT_S = 0.7
"""A second press within this is a key held down, or a finger that slipped."""

_NEVER_S = -1e9


class PressWatch:
    """Follows what is drawn and pressed; remembers only what is on the screen now."""

    def __init__(self) -> None:
        self._cards: dict[tuple[int, int], float] = {}
        self._symbol = ""
        self._symbol_s = _NEVER_S
        self._pressed_s = _NEVER_S

    def drawn(self, snapshot: ConsoleSnapshot, now_s: float) -> None:
        """Note what a picture shows."""
        shown = [(card.idea_id, card.revision) for card in snapshot.proposals]
        self._cards = {card: self._cards.get(card, now_s) for card in shown}
        if snapshot.instrument.symbol != self._symbol:
            self._symbol, self._symbol_s = snapshot.instrument.symbol, now_s

    def symbol_asked(self, now_s: float) -> None:
        """Note that another symbol was asked for: until it is drawn nobody knows which one is looked at."""
        self._symbol_s = now_s

    def is_repeated(self, now_s: float) -> bool:
        """Note a press; True where it came too soon after the one before, taken or not."""
        repeated = now_s - self._pressed_s < REPEAT_S
        self._pressed_s = now_s
        return repeated

    def refusal(self, card: tuple[int, int], now_s: float) -> str:
        """Give why a press on a card as drawn does not count; empty when it does."""
        if now_s - self._symbol_s < ARMING_S:
            return "the symbol has only just come up"
        if now_s - self._cards.get(card, now_s) < ARMING_S:
            return "the card has only just come up or changed"
        return ""
