"""What stood on a person's screen when a key was pressed, as evidence: the engine records it with the act.

The console says what it had drawn, the session says who is at the other end of its socket. Nothing here is
believed for a decision, but that a card is permitted as it was drawn or not at all.
"""

from __future__ import annotations

import msgspec


class Seen(msgspec.Struct, frozen=True, omit_defaults=True):
    """The picture an act was made on and the console it came from; a replay to `picture_ns` redraws it."""

    picture_ns: int = 0
    """The session's time in the picture; 0 before any was drawn."""
    symbol: str = ""
    """Whose market the picture showed."""
    drawn_ms: int = -1
    """How long it had been handed to the terminal."""
    numbers_ms: int = -1
    """How old its numbers were: since the console had them from the session."""
    display_ms: int = -1
    """How long the terminal took for its last answer, which is how much older the eye's picture may be."""
    card_hash: str = ""
    """Content hash of the card that was pressed, as drawn."""
    key: str = ""
    """The key or the word the act was asked by."""
    uid: int = -1
    """Of the process at the other end of the socket, by the kernel's word; so is `pid`."""
    pid: int = -1
    controls: bool = True
    """False for a console that only watches."""


class HeadLeft(msgspec.Struct, frozen=True, tag=True):
    """The journal's head was sent out of the box, or could not be."""

    head: str
    trouble: str
    """Empty where it is out."""
    ts_ns: int
