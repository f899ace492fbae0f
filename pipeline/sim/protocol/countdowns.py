"""The dead-man switch of the futures: one timer for each account and symbol (VENUES 2.4).

A timer that runs out cancels every open order of its account in its symbol, whoever placed it and by
whichever connection; positions stay. The venue looks at its timers every 10 ms.
"""

from __future__ import annotations

from pipeline.sim.exchange.account import Account

BEAT_NS = 10_000_000


class Countdowns:
    """The timers that run."""

    def __init__(self) -> None:
        self._due: dict[tuple[int, str], int] = {}

    def set(self, account: Account, symbol: str, countdown_ms: int, now_ns: int) -> None:
        """Start a timer anew; 0 stops it."""
        key = (account.owner, symbol)
        if not countdown_ms:
            self._due.pop(key, None)
            return
        ends_ns = now_ns + countdown_ms * 1_000_000
        self._due[key] = -(-ends_ns // BEAT_NS) * BEAT_NS

    @property
    def next_ns(self) -> int | None:
        """Give when the next timer runs out; None without any."""
        return min(self._due.values(), default=None)

    def take_due(self, now_ns: int) -> list[tuple[int, str]]:
        """Give (owner, symbol) of the timers that have run out, the earliest first; they are gone then."""
        due = sorted((at_ns, key) for key, at_ns in self._due.items() if at_ns <= now_ns)
        for _, key in due:
            del self._due[key]
        return [key for _, key in due]

    def due_ns(self, account: Account, symbol: str) -> int | None:
        """Give when a timer runs out; None when it does not run."""
        return self._due.get((account.owner, symbol))
