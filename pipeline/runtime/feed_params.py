"""Settings of a live feed; a part of the session's spec."""

from __future__ import annotations

import msgspec


class FeedParams(msgspec.Struct, frozen=True):
    """Where a venue is and how patient the feed is; times in milliseconds, sizes in bytes."""

    stream_url: str
    """`ws://` or `wss://`, host, optional port and prefix; the routes are appended."""
    rest_url: str
    """The same with `http://` or `https://`; the path of the book's snapshot is appended."""
    max_frame_bytes: int = 32 * 1024 * 1024
    """A message beyond this ends its connection."""
    connect_ms: int = 10_000
    first_message_ms: int = 5_000
    """A channel that has said nothing so long after the connection opened is reported."""
    silent_depth_ms: int = 10_000
    """A depth or ticker channel without a message for so long is reported; the book is STALE long before."""
    silent_trades_ms: int = 60_000
    ping_after_ms: int = 5_000
    """A connection on which nothing came for so long is asked whether it lives ..."""
    ping_answer_ms: int = 5_000
    """... and given up when nothing comes for so long after that."""
    deaf_ms: int = 30_000
    """A connection that answers pings and brings no message for so long is replaced; so is one whose depth
    channel has been silent for so long while the ticker of the same symbol goes on."""
    backoff_first_ms: int = 500
    backoff_longest_ms: int = 30_000
    attempts: int = 30
    """Connections opened within `attempts_window_ms`, at most, by each route."""
    attempts_window_ms: int = 600_000
    stable_ms: int = 60_000
    """A connection that stood so long forgets the failures before it."""
    rotate_ms: int = 23 * 3_600_000
    """Age at which a connection is bridged by a new one; venues cut at 24 h. Up to 2 % is taken off."""
    notice_age_ms: int = 5_000
    """A venue's notice that a connection will end is heeded when the connection is at least so old."""
    overlap_ms: int = 60_000
    """Longest time two connections of one route stand side by side; then the new one is given up."""
    overlap_retry_ms: int = 60_000
    refused_most: int = 3
    """So many frames refused by the codec ..."""
    refused_window_ms: int = 10_000
    """... within this time end their connection."""
    snapshot_limit: int = 1_000
    """Levels of each side asked for."""
    snapshot_timeout_ms: int = 10_000
    snapshot_share_percent: int = 50
    """How much of the venue's request weight snapshots may use."""
