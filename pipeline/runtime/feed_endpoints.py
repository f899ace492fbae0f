"""Where each venue's public data are: routes, channel names, limits, and the URLs of one session.

Binance spot carries everything on one combined stream. USD-M has been split since 2026: depth and tickers
come on `/public`, trades on `/market`; a channel asked for on the wrong route is accepted and stays silent,
which is why every channel has a deadline for its first message (`feed_channels.py`).
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from pipeline.runtime.feed_params import FeedParams

MINUTE_MS = 60_000


class FeedError(Exception):
    """A feed cannot be set up as asked for; one line says what, where and what is wanted."""


class ChannelKind(enum.Enum):
    """What a channel carries."""

    DEPTH = enum.auto()
    TICKER = enum.auto()
    TRADES = enum.auto()


@dataclass(frozen=True, slots=True)
class RouteForm:
    """One path of a venue's stream server and the channels it carries, `{}` standing for the symbol."""

    name: str
    path: str
    channels: tuple[tuple[ChannelKind, str], ...]


@dataclass(frozen=True, slots=True)
class VenueFeed:
    """A venue's public endpoints and limits."""

    stream_url: str
    rest_url: str
    routes: tuple[RouteForm, ...]
    most_channels: int
    """Of one connection."""
    depth_path: str
    depth_weights: tuple[tuple[int, int], ...]
    """(levels at most, request weight), rising."""
    weight_per_minute: int


@dataclass(frozen=True, slots=True)
class ChannelPlan:
    """One channel of a connection."""

    stream: str
    symbol: str
    kind: ChannelKind


@dataclass(frozen=True, slots=True)
class RoutePlan:
    """One connection to be kept open: its name on the screen, its URL, its channels."""

    name: str
    url: str
    channels: tuple[ChannelPlan, ...]

    @property
    def carries_depth(self) -> bool:
        """Say whether books depend on it."""
        return any(channel.kind is ChannelKind.DEPTH for channel in self.channels)


VENUE_FEEDS = {
    "binance": VenueFeed(
        stream_url="wss://stream.binance.com:9443",
        rest_url="https://api.binance.com",
        routes=(
            RouteForm(
                "stream",
                "/stream",
                (
                    (ChannelKind.DEPTH, "{}@depth@100ms"),
                    (ChannelKind.TICKER, "{}@bookTicker"),
                    (ChannelKind.TRADES, "{}@trade"),
                ),
            ),
        ),
        most_channels=1_024,
        depth_path="/api/v3/depth",
        depth_weights=((100, 5), (500, 25), (1_000, 50), (5_000, 250)),
        weight_per_minute=6_000,
    ),
    "binance-usdm": VenueFeed(
        stream_url="wss://fstream.binance.com",
        rest_url="https://fapi.binance.com",
        routes=(
            RouteForm(
                "public",
                "/public/stream",
                # As it happens: the pace the features and the shipped contracts are made for.
                ((ChannelKind.DEPTH, "{}@depth@0ms"), (ChannelKind.TICKER, "{}@bookTicker")),
            ),
            RouteForm("market", "/market/stream", ((ChannelKind.TRADES, "{}@aggTrade"),)),
        ),
        # Newer pages say 1,024; the older number is safe with either.
        most_channels=200,
        depth_path="/fapi/v1/depth",
        depth_weights=((50, 2), (100, 5), (500, 10), (1_000, 20)),
        weight_per_minute=2_400,
    ),
}


def venue_feed(venue: str) -> VenueFeed:
    """Give a venue's endpoints.

    Raises:
        FeedError: no live data are known of this venue.
    """
    feed = VENUE_FEEDS.get(venue)
    if feed is None:
        raise FeedError(f"--venue {venue[:40]}: wanted one of {', '.join(VENUE_FEEDS)}")
    return feed


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
            plans.append(_plan(name, form, group, params.stream_url))
    return tuple(plans)


def depth_url(venue: str, symbol: str, params: FeedParams) -> str:
    """Give the URL of a symbol's whole book."""
    path = venue_feed(venue).depth_path
    return f"{params.rest_url}{path}?symbol={quote(symbol, safe='')}&limit={params.snapshot_limit}"


def depth_weight(venue: str, limit: int) -> int:
    """Give the request weight of a whole book with so many levels a side.

    Raises:
        FeedError: the venue gives no book that deep.
    """
    weights = venue_feed(venue).depth_weights
    for levels, weight in weights:
        if limit <= levels:
            return weight
    raise FeedError(f"feed.snapshot_limit: found {limit}, {venue} gives at most {weights[-1][0]} levels")


def _plan(name: str, form: RouteForm, symbols: Sequence[str], stream_url: str) -> RoutePlan:
    channels = tuple(
        ChannelPlan(template.format(symbol.lower()), symbol, kind)
        for symbol in symbols
        for kind, template in form.channels
    )
    streams = "/".join(quote(channel.stream, safe="@") for channel in channels)
    return RoutePlan(name, f"{stream_url}{form.path}?streams={streams}", channels)
