"""What is said to Bybit's public streams: subscriptions and the heartbeat (VENUES 6.2)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

HEARTBEAT_S = 20.0
"""The venue closes a connection it has not heard of for longer."""

_MOST_ARGS = 10
"""Of one message: the limit of spot, kept for all."""


class BybitRequests:
    """The messages of `venue.Requests`."""

    def subscribe(self, channels: Sequence[str]) -> tuple[bytes, ...]:
        """Give the messages that subscribe to channels, ten in each at most."""
        groups = (channels[start : start + _MOST_ARGS] for start in range(0, len(channels), _MOST_ARGS))
        return tuple(_message("subscribe", group) for group in groups)

    def renew(self, channel: str) -> tuple[bytes, ...]:
        """Give the messages after which a channel begins with its whole book again."""
        return _message("unsubscribe", [channel]), _message("subscribe", [channel])

    def heartbeat(self) -> bytes:
        """Give the ping; a pong answers it."""
        return b'{"op":"ping"}'


def _message(op: str, channels: Sequence[str]) -> bytes:
    return msgspec.json.encode({"op": op, "args": list(channels)})
