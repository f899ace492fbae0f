"""Which channels of a connection speak: first messages, silence, and when a connection is to be given up.

A server may accept a channel that does not exist, or one dead channel may hide behind a busy one, so each
is watched by itself. A silent channel is reported; whether a book may still be believed is the core's word
(it is STALE long before). Illiquid symbols are silent for good reasons: a connection is only given up when
nothing at all arrives on it, or when a symbol's ticker moves and its depth does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.core.params import MS
from pipeline.runtime.feed_endpoints import ChannelPlan
from pipeline.runtime.feed_params import FeedParams
from pipeline.wire.venue import ChannelKind


@dataclass(slots=True, eq=False)
class Channel:
    """One channel as its connection knows it; times are the session's, in nanoseconds."""

    plan: ChannelPlan
    last_ns: int = 0
    """Receive time of the newest message; 0 before the first."""
    newest: bytes = b""
    """The newest message, whole."""


@dataclass(frozen=True, slots=True)
class ChannelNews:
    """A channel fell silent or speaks again."""

    plan: ChannelPlan
    up: bool
    reason: str


class ChannelWatch:
    """The channels of one connection, by the name the venue's envelope prints."""

    def __init__(
        self,
        plans: Sequence[ChannelPlan],
        params: FeedParams,
        opened_ns: int,
        reported: dict[str, None] | None = None,
    ) -> None:
        """Watch from `opened_ns` on; `reported` is what a connection before this one left silent."""
        self.channels = {plan.stream.encode(): Channel(plan) for plan in plans}
        self.opened_ns = opened_ns
        self._params = params
        self._reported: dict[str, None] = {} if reported is None else reported
        self._tickers = {
            channel.plan.symbol: channel
            for channel in self.channels.values()
            if channel.plan.kind is ChannelKind.TICKER
        }

    @property
    def newest_ns(self) -> int:
        """Give when the newest message of any channel came; when the connection opened, before the first."""
        return max(self.opened_ns, *(channel.last_ns for channel in self.channels.values()))

    def news(self, now_ns: int) -> Iterator[ChannelNews]:
        """Give each channel that has fallen silent, or speaks again, since the last look."""
        for channel in self.channels.values():
            stream, reason = channel.plan.stream, self._silence(channel, now_ns)
            if reason and stream not in self._reported:
                self._reported[stream] = None
                yield ChannelNews(channel.plan, False, reason)
            elif not reason and channel.last_ns and stream in self._reported:
                del self._reported[stream]
                yield ChannelNews(channel.plan, True, "")

    def deaf(self, now_ns: int) -> str:
        """Give why the connection is of no use any more, or an empty text."""
        patience_ns = self._params.deaf_ms * MS
        if now_ns - self.newest_ns >= patience_ns:
            return f"no message for {self._params.deaf_ms // 1000} s"
        for channel in self.channels.values():
            ticker = self._tickers.get(channel.plan.symbol)
            if channel.plan.kind is not ChannelKind.DEPTH or ticker is None:
                continue
            if ticker.last_ns - max(channel.last_ns, self.opened_ns) >= patience_ns:
                return f"{channel.plan.stream} silent while the ticker moves"
        return ""

    def _silence(self, channel: Channel, now_ns: int) -> str:
        params = self._params
        if not channel.last_ns:
            late = now_ns - self.opened_ns >= params.first_message_ms * MS
            if not late:
                return ""
            quiet_is_usual = channel.plan.kind is ChannelKind.TRADES
            hint = "" if quiet_is_usual else f"; does the venue list {channel.plan.symbol}?"
            return f"no message within {_seconds(params.first_message_ms)}{hint}"
        trades = channel.plan.kind is ChannelKind.TRADES
        longest_ms = params.silent_trades_ms if trades else params.silent_depth_ms
        silent = now_ns - channel.last_ns >= longest_ms * MS
        return f"silent for {_seconds(longest_ms)}" if silent else ""


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:g} s"
