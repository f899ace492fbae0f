"""Who asks, and whether it is really them, now: API key, timestamp, signature (VENUES 1.5)."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.sim.exchange.account import Account
from pipeline.sim.exchange.errors import UNAUTHORISED, VenueError
from pipeline.sim.protocol.parameters import Parameters
from pipeline.wire.binance_signing import is_signed

MS_NS = 1_000_000
US_NS = 1_000
_US_FROM = 10**14
"""Timestamps in microseconds are at least this, those in milliseconds below it."""

DEFAULT_WINDOW_MS = 5_000.0
MOST_WINDOW_MS = 60_000.0
_AHEAD_NS = 1_000 * MS_NS


class KeyRing:
    """The API keys the venue knows."""

    def __init__(self, accounts: Iterable[Account] = ()) -> None:
        self._accounts = {account.api_key: account for account in accounts}

    def account(self, api_key: str) -> Account | None:
        """Give the account of a key, None for an unknown one."""
        return self._accounts.get(api_key)

    def named(self, api_key: str) -> Account:
        """Give the account of a key that must be one.

        Raises:
            VenueError: it is none.
        """
        if not api_key:
            raise VenueError(-2014, "API-key format invalid.", UNAUTHORISED)
        account = self._accounts.get(api_key)
        if account is None:
            raise VenueError(-2015, "Invalid API-key, IP, or permissions for action.", UNAUTHORISED)
        return account

    def signed_by(self, api_key: str, params: Parameters, payload: str, now_ns: int) -> Account:
        """Give the account a request is signed by.

        Raises:
            VenueError: key, time or signature are not right; the first of them that is not.
        """
        account = self.named(api_key)
        check_time(params, now_ns)
        if not is_signed(account.secret, payload, params.text("signature")):
            raise VenueError(-1022, "Signature for this request is not valid.")
        return account


def check_time(params: Parameters, now_ns: int) -> None:
    """Refuse a request of another time.

    Raises:
        VenueError: it is from the future, or older than its recvWindow.
    """
    sent = params.number("timestamp")
    sent_ns = sent * (US_NS if sent >= _US_FROM else MS_NS)
    window_ms = params.milliseconds("recvWindow", DEFAULT_WINDOW_MS)
    if window_ms > MOST_WINDOW_MS:
        raise VenueError(-1131, "recvWindow must be less than 60000")
    if sent_ns >= now_ns + _AHEAD_NS:
        raise VenueError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    if now_ns - sent_ns > window_ms * MS_NS:
        raise VenueError(-1021, "Timestamp for this request is outside of the recvWindow.")
