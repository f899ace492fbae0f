"""How much one address may ask: request weight a minute, and the ban of who does not stop (VENUES 1.8)."""

from __future__ import annotations

from pipeline.sim.exchange.errors import BANNED, TOO_MANY, VenueError
from pipeline.sim.exchange.quotas import SECOND_NS, Quota

WEIGHT_PER_MINUTE = 6_000
_PATIENCE = 20
"""Requests refused in a row before the address is banned."""
_BAN_NS = 120 * SECOND_NS


class RequestLimits:
    """The limits all connections share, since all come from this machine."""

    def __init__(self, weight_per_minute: int = WEIGHT_PER_MINUTE) -> None:
        self.weight = Quota("REQUEST_WEIGHT", "MINUTE", 1, weight_per_minute)
        self._refused = 0
        self._banned_until_ns = 0

    def use(self, weight: int, now_ns: int) -> None:
        """Count a request.

        Raises:
            VenueError: 429 beyond the limit, with the time to wait for; 418 for going on all the same.
        """
        if now_ns < self._banned_until_ns:
            raise self._banned()
        if self.weight.has_room(weight, now_ns):
            self.weight.use(weight, now_ns)
            self._refused = 0
            return
        self._refused += 1
        if self._refused > _PATIENCE:
            self._banned_until_ns = now_ns + _BAN_NS
            raise self._banned()
        limit = self.weight.limit
        raise VenueError(
            -1003,
            f"Too much request weight used; current limit is {limit} request weight per 1 MINUTE.",
            TOO_MANY,
            self.weight.next_window_ns(now_ns),
        )

    def _banned(self) -> VenueError:
        until_ms = self._banned_until_ns // 1_000_000
        text = f"Way too much request weight used; IP banned until {until_ms}."
        return VenueError(-1003, text, BANNED, self._banned_until_ns)
