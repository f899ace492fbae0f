"""Where a session's real orders go and how patient its order connection is; a part of the session's spec."""

from __future__ import annotations

import msgspec


class VenueParams(msgspec.Struct, frozen=True):
    """An order endpoint and an account on it; times in milliseconds.

    The same for the simulated venue and the real one: only `api_url` and the key file differ.
    """

    api_url: str
    """`ws://` or `wss://` URL of the WebSocket API, path included."""
    key_path: str
    """The TOML file with `api_key` and `secret`, 0600; the secret itself is in no spec and no journal."""
    account: str
    """Name of the account on screens and in refusals."""
    rest_url: str = ""
    """`http://` or `https://` address of the REST API, without a path: the guard's own way to the venue.
    Empty: the one that belongs to `api_url`."""
    recv_window_ms: int = 1_000
    connect_ms: int = 10_000
    ready_ms: int = 10_000
    """A connection that has not been reconciled for so long is given up."""
    earlier_ms: int = 1_500
    """The account is read only so long after a session began: what a process that died just before had sent
    has arrived by then, or is refused. Longer than recvWindow and the error of a clock; 0 for a venue that
    was started with the session."""
    answer_ms: int = 2_000
    """A request without an answer for so long is taken as lost; an order then is UNKNOWN."""
    ask_after_ms: tuple[int, ...] = (500, 1_000, 2_000, 5_000, 10_000)
    """An order in doubt is asked for after these times; then again and again after the last."""
    absent_after_ms: int = 15_000
    """An order the venue does not know is taken as never arrived only so long after it was sent: longer than
    recvWindow and the ten seconds the venue's matching engine may take."""
    trades_after_ms: int = 150
    """Fills the venue counts and has not told are asked for after this."""
    list_every_ms: int = 30_000
    """How often open orders are compared; while the gate is closed, every `list_closed_ms`."""
    list_closed_ms: int = 1_000
    time_every_ms: int = 60_000
    info_every_ms: int = 3_600_000
    """How often state and filters of the symbols are read again; also on each new connection."""
    ping_after_ms: int = 5_000
    ping_answer_ms: int = 5_000
    backoff_first_ms: int = 500
    backoff_longest_ms: int = 30_000
    attempts: int = 30
    attempts_window_ms: int = 300_000
    stable_ms: int = 60_000
    weight_per_minute: int = 6_000
    orders_per_10_s: int = 50
    orders_per_day: int = 160_000
    share_percent: int = 80
    """How much of each limit new orders and queries may use; the rest is for cancels."""
    throttled_cancels_per_s: int = 2
    """Cancels still sent while the venue asks for fewer requests (429); none while it bans (418)."""
    ended_kept: int = 2_048
    """Ended orders whose late fills are still told apart."""
