"""How much one address may ask: weight a minute, requests and connections in five, the ban of who goes on.

All connections share the limits, since all come from this machine (VENUES 1.2, 1.8).
"""

from __future__ import annotations

from pipeline.sim.exchange.errors import BANNED, TOO_MANY, VenueError
from pipeline.sim.exchange.quotas import SECOND_NS, Quota

WEIGHT_PER_MINUTE = 6_000
RAW_PER_5_MINUTES = 300_000
CONNECTIONS_PER_5_MINUTES = 300
PATIENCE = 20
"""Requests refused in a row before the address is banned."""
FIRST_BAN_NS = 120 * SECOND_NS
LONGEST_BAN_NS = 3 * 86_400 * SECOND_NS


class RequestLimits:
    """The limits on an address, and its bans: each twice as long as the one before."""

    def __init__(self, weight_per_minute: int = WEIGHT_PER_MINUTE) -> None:
        self.weight = Quota("REQUEST_WEIGHT", "MINUTE", 1, weight_per_minute)
        self.raw = Quota("RAW_REQUESTS", "MINUTE", 5, RAW_PER_5_MINUTES)
        self._connections = Quota("CONNECTIONS", "MINUTE", 5, CONNECTIONS_PER_5_MINUTES)
        self._refused = 0
        self._banned_until_ns = 0
        self._next_ban_ns = FIRST_BAN_NS

    def may_connect(self, now_ns: int) -> bool:
        """Count an attempt to connect; say whether it is let in."""
        self._connections.use(1, now_ns)
        return self._connections.used(now_ns) <= self._connections.limit

    def use(self, weight: int, now_ns: int) -> None:
        """Count a request.

        Raises:
            VenueError: 429 beyond a limit, with the time to wait for; 418 for going on all the same.
        """
        if now_ns < self._banned_until_ns:
            raise banned(self._banned_until_ns)
        for quota, amount in ((self.raw, 1), (self.weight, weight)):
            if not quota.has_room(amount, now_ns):
                raise self._refusal(quota, now_ns)
        self.raw.use(1, now_ns)
        self.weight.use(weight, now_ns)
        self._refused = 0

    def _refusal(self, quota: Quota, now_ns: int) -> VenueError:
        self._refused += 1
        if self._refused > PATIENCE:
            self._banned_until_ns = now_ns + self._next_ban_ns
            self._next_ban_ns = min(2 * self._next_ban_ns, LONGEST_BAN_NS)
            self._refused = 0
            return banned(self._banned_until_ns)
        return too_many(quota, now_ns)


def too_many(quota: Quota, now_ns: int) -> VenueError:
    """Give the refusal of a request beyond a limit."""
    what = "request weight" if quota.kind == "REQUEST_WEIGHT" else "requests"
    return VenueError(
        -1003,
        f"Too much request weight used; current limit is {quota.limit} {what} per "
        f"{quota.interval_num} {quota.interval}. Please use WebSocket Streams for live updates to avoid "
        "polling the API.",
        TOO_MANY,
        quota.next_window_ns(now_ns),
    )


def banned(until_ns: int) -> VenueError:
    """Give the refusal of a banned address."""
    text = (
        f"Way too much request weight used; IP banned until {until_ns // 1_000_000}. "
        "Please use WebSocket Streams for live updates to avoid bans."
    )
    return VenueError(-1003, text, BANNED, until_ns)
