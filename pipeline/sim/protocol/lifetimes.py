"""How long a connection lives: a venue ends each after a day, and says so shortly before (VENUES 1.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pipeline.sim.protocol.link import Link

GOING_AWAY = 1_001
DAY_NS = 86_400 * 1_000_000_000


class Mortal(Protocol):
    """A connection that can be told of its end."""

    link: Link

    def say_goodbye(self, now_ns: int) -> None:
        """Announce the end."""
        ...


@dataclass(slots=True)
class _Life:
    ends_ns: int
    is_warned: bool = False


class Lifetimes:
    """Warns and ends connections in time."""

    def __init__(self, lifetime_ns: int = DAY_NS, notice_ns: int = 600 * 1_000_000_000) -> None:
        self._lifetime_ns = lifetime_ns
        self._notice_ns = min(notice_ns, lifetime_ns)
        self._lives: dict[Mortal, _Life] = {}

    def begin(self, one: Mortal, now_ns: int) -> None:
        """Note a connection that was opened now."""
        self._lives[one] = _Life(now_ns + self._lifetime_ns)

    def forget(self, one: Mortal) -> None:
        """Forget a connection that is gone."""
        self._lives.pop(one, None)

    @property
    def next_ns(self) -> int | None:
        """Give when a connection is warned or ended next; None without any."""
        return min((self._due_ns(life) for life in self._lives.values()), default=None)

    def advance(self, now_ns: int) -> None:
        """Warn and end what is due."""
        for one, life in list(self._lives.items()):
            if now_ns >= life.ends_ns:
                del self._lives[one]
                one.link.close(GOING_AWAY, "connection lifetime reached")
            elif not life.is_warned and now_ns >= life.ends_ns - self._notice_ns:
                life.is_warned = True
                one.say_goodbye(now_ns)

    def _due_ns(self, life: _Life) -> int:
        return life.ends_ns if life.is_warned else life.ends_ns - self._notice_ns
