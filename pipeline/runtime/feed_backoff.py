"""When a connection may be tried again: full-jitter back-off, and a budget of attempts.

After each failure the longest wait doubles, from half a second to half a minute, and the wait is drawn
evenly below it, so that a venue which comes back is not stormed by everybody at once. A connection that
stood for a minute forgets what failed before it. The budget holds whatever the reason of an attempt.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from pipeline.core.params import MS, SECOND

_MOST_DOUBLINGS = 20


class Patience(Protocol):
    """The settings of a back-off; times in milliseconds."""

    @property
    def backoff_first_ms(self) -> int:
        """Give the longest wait after the first failure."""
        ...

    @property
    def backoff_longest_ms(self) -> int:
        """Give the longest wait there is."""
        ...

    @property
    def attempts(self) -> int:
        """Give how many attempts `attempts_window_ms` may hold."""
        ...

    @property
    def attempts_window_ms(self) -> int:
        """Give the window of the budget."""
        ...

    @property
    def stable_ms(self) -> int:
        """Give how long a connection must stand to forget the failures before it."""
        ...


class Backoff:
    """Decides when one route may open a connection; times are the session's, in nanoseconds."""

    def __init__(self, params: Patience, chance: Callable[[], float]) -> None:
        """Start with an attempt due at once; `chance` gives numbers from 0 to below 1."""
        self.failures = 0
        """In a row, without a stable connection between."""
        self._params = params
        self._chance = chance
        self._due_ns = 0
        self._attempts: deque[int] = deque(maxlen=params.attempts)

    def is_due(self, now_ns: int) -> bool:
        """Say whether to try now: the wait is over and the budget not used up."""
        return now_ns >= self.due_ns

    @property
    def due_ns(self) -> int:
        """Give when the next attempt may begin."""
        if len(self._attempts) < self._params.attempts:
            return self._due_ns
        return max(self._due_ns, self._attempts[0] + self._params.attempts_window_ms * MS)

    def tried(self, now_ns: int) -> None:
        """Take note that an attempt begins."""
        self._attempts.append(now_ns)

    def failed(self, now_ns: int, least_s: int = 0) -> None:
        """Take note that an attempt came to nothing; the venue may want to be left alone for a while."""
        params = self._params
        doublings = min(self.failures, _MOST_DOUBLINGS)
        longest_ms = min(params.backoff_first_ms << doublings, params.backoff_longest_ms)
        self.failures += 1
        self._due_ns = now_ns + max(int(self._chance() * longest_ms * MS), least_s * SECOND)

    def lost(self, now_ns: int, opened_ns: int) -> None:
        """Take note that a connection opened at `opened_ns` is gone."""
        if now_ns - opened_ns >= self._params.stable_ms * MS:
            self.failures = 0
        self.failed(now_ns)
