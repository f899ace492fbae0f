"""What is said on a connection whose venue wants to be talked to: subscriptions, heartbeat, books anew.

A venue whose channels are in the URL, and whose protocol asks for signs of life itself, is told nothing. The
words are the venue's (`wire.venue.Requests`); when to say them is decided here. The venue's answers are
frames like any other and prove nothing: that a channel speaks does (`feed_channels`).
"""

from __future__ import annotations

from pipeline.core.params import SECOND
from pipeline.runtime.feed_endpoints import RoutePlan
from pipeline.runtime.feed_socket import Socket
from pipeline.wire.venue import ChannelKind

_RENEWAL_PAUSE_NS = SECOND
"""A book that is lost again sooner than this waits for the engine to ask again."""


class Talk:
    """One connection's side of the conversation; times are the session's, in nanoseconds."""

    def __init__(self, plan: RoutePlan, socket: Socket, now_ns: int) -> None:
        """Subscribe to every channel of the plan, where that is done by message."""
        self._plan = plan
        self._socket = socket
        self._spoke_ns = now_ns
        self._renewed: dict[str, int] = {}
        if plan.requests is not None:
            self._say(plan.requests.subscribe([channel.stream for channel in plan.channels]))

    def tick(self, now_ns: int) -> None:
        """Say the heartbeat when it is due."""
        plan = self._plan
        if plan.requests is not None and plan.heartbeat_s:
            if now_ns - self._spoke_ns < plan.heartbeat_s * SECOND:
                return
            self._spoke_ns = now_ns
            self._say((plan.requests.heartbeat(),))

    def renew(self, symbol: str, now_ns: int) -> bool:
        """Ask for a symbol's whole book in its stream; say whether that was done, here and now."""
        plan = self._plan
        if plan.requests is None or now_ns - self._renewed.get(symbol, 0) < _RENEWAL_PAUSE_NS:
            return False
        channels = [one for one in plan.channels if one.symbol == symbol and one.kind is ChannelKind.DEPTH]
        for channel in channels:
            self._renewed[symbol] = now_ns
            self._say(plan.requests.renew(channel.stream))
        return bool(channels)

    def _say(self, messages: tuple[bytes, ...]) -> None:
        for message in messages:
            self._socket.send(message)
