"""One connection to the user data of the futures: `/private/ws?listenKey=KEY&events=A/B` (VENUES 2.1, 2.5).

A key that is not valid, or no longer, is accepted and the connection stays silent, as on market streams.
"""

from __future__ import annotations

from urllib.parse import parse_qs

from pipeline.sim.protocol.link import Link
from pipeline.sim.protocol.listen_keys import ListenKeys
from pipeline.sim.protocol.request_faults import RequestFaults
from pipeline.sim.protocol.ws_api import Later, send_report

EVENTS = ("ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE", "TRADE_LITE")


class PrivateSession:
    """Hears what happens to the account of one listen key."""

    def __init__(
        self,
        link: Link,
        keys: ListenKeys,
        faults: RequestFaults,
        later: Later,
        query: str,
        *,
        combined: bool,
        connection: int = 0,
    ) -> None:
        """Open a connection by its query; without `events` it hears all of them."""
        self.link = link
        self.connection = connection
        self._keys = keys
        self._faults = faults
        self._later = later
        self._combined = combined
        asked = parse_qs(query)
        self.key = (asked.get("listenKey") or asked.get("streams") or [""])[0]
        named = [name for name in asked.get("events", [""])[0].split("/") if name]
        self._events = tuple(named) or EVENTS

    def receive(self, frame: bytes, now_ns: int) -> None:
        """Take no notice of what a client sends here."""

    def say_goodbye(self, now_ns: int) -> None:
        """Announce that the venue will end this connection soon."""
        self._send(b'{"e":"serverShutdown","E":%d}' % (now_ns // 1_000_000))

    def report(self, owner: int, event: bytes, name: str, now_ns: int) -> None:
        """Send an event of an account to whoever holds its key."""
        if name in self._events and self._keys.owner_of(self.key) == owner:
            send_report(self._faults, self._later, self.link, self._wrapped(event), name, now_ns)

    def expire(self, now_ns: int) -> None:
        """Say that the key is no longer valid; the connection stays and is silent from here."""
        at_ms = now_ns // 1_000_000
        self._send(b'{"e":"listenKeyExpired","E":%d,"listenKey":"%s"}' % (at_ms, self.key.encode()))

    def _send(self, event: bytes) -> None:
        self.link.send(self._wrapped(event))

    def _wrapped(self, event: bytes) -> bytes:
        return b'{"stream":"%s","data":%s}' % (self.key.encode(), event) if self._combined else event
