"""How many requests the venue still takes: new orders and queries leave a reserve, cancels may use it.

Pure. Limits and windows are the venue's, windows aligned to its clock (VENUES 1.8). What the venue says it
counted stands above what we counted when it is more, never when it is less: an answer is older than what
was sent after it. A 429 stops orders and queries until the time named, and lets a trickle of cancels pass; a
418 stops everything, because whoever goes on asking is banned for longer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.core.params import SECOND
from pipeline.runtime.venue_params import VenueParams
from pipeline.wire.binance_answers import UsedLimit

ORDERS = "ORDERS"
WEIGHT = "REQUEST_WEIGHT"
MINUTE_S = 60
CANCEL_WEIGHT = 1
"""Successful orders and cancels cost nothing since 2026; refused ones cost one, so one is counted."""
_DEFAULT_PAUSE_NS = 60 * SECOND
_LONGEST_BAN_NS = 4 * 86_400 * SECOND


@dataclass(slots=True)
class _Window:
    """One limit and what is used of it in the window that runs."""

    limit: int
    length_ns: int
    used: int = 0
    number: int = -1

    def roll(self, venue_ns: int) -> None:
        number = venue_ns // self.length_ns
        if number > self.number:
            self.number, self.used = number, 0


class RequestBudget:
    """Counts what one address and account has asked of a venue; times are the venue's, in nanoseconds."""

    def __init__(self, params: VenueParams) -> None:
        self._share_percent = params.share_percent
        self._weight = _Window(params.weight_per_minute, MINUTE_S * SECOND)
        self._orders = {
            10: _Window(params.orders_per_10_s, 10 * SECOND),
            86_400: _Window(params.orders_per_day, 86_400 * SECOND),
        }
        self._trickle = _Window(params.throttled_cancels_per_s, SECOND)
        self._paused_until_ns = 0
        self._banned_until_ns = 0

    @property
    def weight_used(self) -> int:
        """Give the request weight used in the newest window."""
        return self._weight.used

    def is_banned(self, venue_ns: int) -> bool:
        """Say whether nothing at all may be sent."""
        return venue_ns < self._banned_until_ns

    def may_place(self, venue_ns: int) -> bool:
        """Say whether a new order leaves the reserve untouched."""
        return self.may_ask(CANCEL_WEIGHT, venue_ns) and all(
            self._fits(window, 1, venue_ns) for window in self._orders.values()
        )

    def may_ask(self, weight: int, venue_ns: int) -> bool:
        """Say whether a query leaves the reserve untouched."""
        stopped = venue_ns < max(self._paused_until_ns, self._banned_until_ns)
        return not stopped and self._fits(self._weight, weight, venue_ns)

    def may_cancel(self, venue_ns: int) -> bool:
        """Say whether a cancel may go; it may use all there is."""
        if self.is_banned(venue_ns):
            return False
        if venue_ns < self._paused_until_ns:
            self._trickle.roll(venue_ns)
            return self._trickle.used < self._trickle.limit
        self._weight.roll(venue_ns)
        return self._weight.used + CANCEL_WEIGHT <= self._weight.limit

    def placed(self, venue_ns: int) -> None:
        """Count a new order."""
        self.asked(CANCEL_WEIGHT, venue_ns)
        for window in self._orders.values():
            window.roll(venue_ns)
            window.used += 1

    def asked(self, weight: int, venue_ns: int) -> None:
        """Count a query."""
        self._weight.roll(venue_ns)
        self._weight.used += weight

    def canceled(self, venue_ns: int) -> None:
        """Count a cancel."""
        self._trickle.roll(venue_ns)
        self._trickle.used += 1
        self.asked(CANCEL_WEIGHT, venue_ns)

    def observe(self, limits: Iterable[UsedLimit], venue_ns: int) -> None:
        """Take what an answer says is used; limits the venue lowers are heeded, raised ones not."""
        for told in limits:
            window = self._weight if told.kind == WEIGHT else self._orders.get(told.window_s)
            if window is None or told.kind not in (WEIGHT, ORDERS):
                continue
            if told.window_s * SECOND != window.length_ns:
                continue
            window.roll(venue_ns)
            window.used = max(window.used, told.count)
            window.limit = min(window.limit, max(1, told.limit))

    def throttled(self, retry_after_ms: int, venue_ns: int) -> None:
        """Take a 429."""
        self._paused_until_ns = max(self._paused_until_ns, _until(retry_after_ms, venue_ns))

    def banned(self, retry_after_ms: int, venue_ns: int) -> None:
        """Take a 418."""
        self._banned_until_ns = max(self._banned_until_ns, _until(retry_after_ms, venue_ns))

    def _fits(self, window: _Window, amount: int, venue_ns: int) -> bool:
        window.roll(venue_ns)
        return window.used + amount <= window.limit * self._share_percent // 100


def _until(retry_after_ms: int, venue_ns: int) -> int:
    """Give when to go on: as told, at most the longest ban there is; in a minute where nothing is told.

    An answer that was long on its way may name a time that has passed.
    """
    if retry_after_ms <= 0:
        return venue_ns + _DEFAULT_PAUSE_NS
    return min(retry_after_ms * 1_000_000, venue_ns + _LONGEST_BAN_NS)
