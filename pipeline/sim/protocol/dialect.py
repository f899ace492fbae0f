"""Where Binance spot and its USD-M futures differ on the wire: paths, routes, limits, words (VENUES 1, 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Dialect:
    """One venue's wire."""

    venue: str
    api_path: str
    rest_roots: tuple[str, ...]
    routes: Mapping[str, tuple[str, ...]]
    """Channels each prefix of `/ws` and `/stream` carries, () for all; the others stay silent there."""
    private_route: str
    """Prefix of the paths of user data; "" where they come on the WebSocket API."""
    most_streams: int
    messages_per_second: int
    """Of a client on a stream connection, pings and pongs included."""
    ping_s: float
    pong_within_s: float
    weight_per_minute: int
    closed_market: tuple[int, str]
    """Code and text of the refusal of an order while the market is closed."""
    overloaded: str
    exempts_reducing: bool
    """Whether overload spares cancels and reduce-only orders."""
    unknown: str
    unknown_status: int

    @property
    def stream_paths(self) -> tuple[str, ...]:
        """Give every path of market streams."""
        return tuple(root + end for root in self.routes for end in ("/ws", "/stream"))

    def channels_of(self, path: str) -> tuple[str, ...]:
        """Give the channels a stream path carries, () for all; the longest prefix counts."""
        fitting = [root for root in self.routes if path.startswith(root + "/")]
        return self.routes[max(fitting, key=len)] if fitting else ()


SPOT = Dialect(
    venue="binance",
    api_path="/ws-api/v3",
    rest_roots=("/api/v3/",),
    routes={"": ()},
    private_route="",
    most_streams=1_024,
    messages_per_second=5,
    ping_s=20.0,
    pong_within_s=MINUTE_S,
    weight_per_minute=6_000,
    closed_market=(-2010, "Market is closed."),
    overloaded="Request throttled by system-level protection; the request was not processed.",
    exempts_reducing=False,
    unknown="Timeout waiting for response from backend server. Send status unknown; "
    "execution status unknown.",
    unknown_status=500,
)

_PUBLIC = ("depth", "bookTicker", "rpiDepth")
_MARKET = ("aggTrade", "trade", "markPrice", "kline", "ticker", "miniTicker", "forceOrder")

USDM = Dialect(
    venue="binance-usdm",
    api_path="/ws-fapi/v1",
    rest_roots=("/fapi/v1/", "/fapi/v2/", "/fapi/v3/"),
    # A connection without a route behaves as /public.
    routes={"": _PUBLIC, "/public": _PUBLIC, "/market": _MARKET},
    private_route="/private",
    most_streams=200,
    messages_per_second=10,
    ping_s=3 * MINUTE_S,
    pong_within_s=10 * MINUTE_S,
    weight_per_minute=2_400,
    closed_market=(-1122, "Invalid symbol status."),
    overloaded="Request throttled by system-level protection. Reduce-only/close-position orders are exempt. "
    "Please try again.",
    exempts_reducing=True,
    unknown="Unknown error, please check your request or try again later.",
    unknown_status=503,
)

DIALECTS = {one.venue: one for one in (SPOT, USDM)}
