"""The connections of one session: which channels on which, by what URL, and what is said once it is open.

Where a venue's data are and how it wants to be asked stands with the venue (`wire/*_venues.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from pipeline.runtime.feed_params import FeedParams
from pipeline.wire.venue import ChannelKind, Requests, RouteForm, VenueFeed
from pipeline.wire.venues import REGISTER, VENUES

MINUTE_MS = 60_000


class FeedError(Exception):
    """A feed cannot be set up as asked for; one line says what, where and what is wanted."""


@dataclass(frozen=True, slots=True)
class ChannelPlan:
    """One channel of a connection."""

    stream: str
    symbol: str
    kind: ChannelKind


@dataclass(frozen=True, slots=True)
class RoutePlan:
    """One connection to be kept open: its name on the screen, its URL, its channels, how it is talked to."""

    name: str
    url: str
    channels: tuple[ChannelPlan, ...]
    channel_key: bytes = b'"stream":"'
    """What stands before the channel's name in a message."""
    requests: Requests | None = None
    """Where channels are subscribed by message: what is said when the connection opens, and later."""
    heartbeat_s: float = 0.0
    bridged: bool = True
    """Give it a successor that stands beside it for a while before it grows a day old."""

    @property
    def carries_depth(self) -> bool:
        """Say whether books depend on it."""
        return any(channel.kind is ChannelKind.DEPTH for channel in self.channels)


def venue_feed(venue: str) -> VenueFeed:
    """Give a venue's endpoints.

    Raises:
        FeedError: no live data are known of this venue.
    """
    known = REGISTER.get(venue)
    if known is None:
        raise FeedError(f"--venue {venue[:40]}: wanted one of {', '.join(VENUES)}")
    return known.feed


def feed_urls(venue: str, base_url: str = "") -> tuple[str, str]:
    """Give the URLs of streams and of requests; `base_url` replaces both, of a server that answers both.

    Raises:
        FeedError: unknown venue, or no URL of a host.
    """
    feed = venue_feed(venue)
    if not base_url:
        return feed.stream_url, feed.rest_url
    parts = urlsplit(base_url)
    secure = {"ws": "", "http": "", "wss": "s", "https": "s"}.get(parts.scheme)
    try:
        known = secure is not None and parts.hostname and parts.port != 0
    except ValueError:
        known = False
    if not known or parts.query or parts.fragment or parts.username:
        raise FeedError(
            f"--base-url {base_url[:80]}: wanted ws://HOST:PORT or wss://HOST, as ws://127.0.0.1:9000"
        )
    rest = f"{parts.netloc}{parts.path.rstrip('/')}"
    return f"ws{secure}://{rest}", f"http{secure}://{rest}"


def plan_routes(venue: str, symbols: Sequence[str], params: FeedParams) -> tuple[RoutePlan, ...]:
    """Give the connections a session needs; more symbols than one takes are spread over several."""
    feed = venue_feed(venue)
    plans: list[RoutePlan] = []
    for form in feed.routes:
        most = feed.most_channels // len(form.channels)
        groups = [symbols[start : start + most] for start in range(0, len(symbols), most)]
        for number, group in enumerate(groups, 1):
            name = form.name if len(groups) == 1 else f"{form.name}-{number}"
            plans.append(_plan(name, form, group, feed, params.stream_url))
    return tuple(plans)


def depth_url(venue: str, symbol: str, params: FeedParams) -> str:
    """Give the URL of a symbol's whole book."""
    path = venue_feed(venue).depth_path
    return f"{params.rest_url}{path}?symbol={quote(symbol, safe='')}&limit={params.snapshot_limit}"


def depth_weight(venue: str, limit: int) -> int:
    """Give the request weight of a whole book with so many levels a side; 0 where none is requested.

    Raises:
        FeedError: the venue gives no book that deep.
    """
    weights = venue_feed(venue).depth_weights
    if not weights:
        return 0
    for levels, weight in weights:
        if limit <= levels:
            return weight
    raise FeedError(f"feed.snapshot_limit: found {limit}, {venue} gives at most {weights[-1][0]} levels")


def _plan(name: str, form: RouteForm, symbols: Sequence[str], feed: VenueFeed, stream_url: str) -> RoutePlan:
    channels = tuple(
        ChannelPlan(template.format(symbol=symbol, lower=symbol.lower()), symbol, kind)
        for symbol in symbols
        for kind, template in form.channels
    )
    url = stream_url + form.path
    if feed.requests is None:
        url += "?streams=" + "/".join(quote(channel.stream, safe="@") for channel in channels)
    return RoutePlan(name, url, channels, feed.channel_key, feed.requests, feed.heartbeat_s, feed.bridged)
