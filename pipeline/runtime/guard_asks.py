"""What the guard asks of a venue, and what comes back; shared by its rooms."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from pipeline.wire.http_text import HttpAnswerText


class AskKind(enum.Enum):
    """The few requests a guard makes."""

    TIME = enum.auto()
    LIST = enum.auto()
    CANCEL = enum.auto()
    COUNTDOWN = enum.auto()


@dataclass(frozen=True, slots=True)
class Ask:
    """One request."""

    kind: AskKind
    symbol: str = ""
    client_order_id: str = ""
    countdown_ms: int = 0
    turn: int = 0
    """Number of the round of lists it belongs to."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a request."""

    ask: Ask
    answer: HttpAnswerText | None
    """None when nobody knows whether it was heard."""
    asked_ns: int
    """When it left, by the guard's clock, or was asked for where it never left."""
    came_ns: int

    @property
    def is_ok(self) -> bool:
        """Say whether it has a result."""
        return self.answer is not None and self.answer.status == 200


class GuardClock:
    """How far the venue's clock is ahead of the guard's monotonic one; the quickest of the newest answers."""

    def __init__(self) -> None:
        self._samples: list[tuple[int, int]] = []
        self.offset_ns: int | None = None

    def answered(self, server_ms: int, asked_ns: int, came_ns: int) -> None:
        """Take the answer to a question for the time."""
        middle_ns = (asked_ns + came_ns) // 2
        self._samples = [
            *self._samples[-7:],
            (came_ns - asked_ns, server_ms * 1_000_000 + 500_000 - middle_ns),
        ]
        self.offset_ns = min(self._samples)[1]

    def forget(self) -> None:
        """Distrust what was measured: the venue called our time wrong."""
        self._samples, self.offset_ns = [], None

    def venue_ms(self, now_ns: int) -> int:
        """Give the venue's time in milliseconds; 0 while it is not known."""
        return 0 if self.offset_ns is None else (now_ns + self.offset_ns) // 1_000_000
