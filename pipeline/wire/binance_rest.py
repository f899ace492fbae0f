"""The few signed REST requests a guard needs, of Binance spot and its USD-M futures. Pure.

Kept apart from the session's WebSocket API on purpose: a guard imports little, and a failure of one way to
the venue is not one of the other. Requests carry key and signature: never log one. What comes back is read
as leniently as safety allows: of an order only its symbol and our id matter.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from pipeline.wire.binance_requests import ApiKey
from pipeline.wire.binance_signing import signed_query
from pipeline.wire.http_text import request_text

AGENT = "lobdeck-guard"
CLOCK = -1021
NO_SUCH_ORDER = (-2011, -2013)
"""Refusals of a cancel that say the order is not open any more; a list has the last word."""


@dataclass(frozen=True, slots=True)
class RestRoot:
    """Where a venue's requests are."""

    root: str
    dead_man: bool
    """Whether the venue has a dead-man switch."""


ROOTS = {"binance": RestRoot("/api/v3/", False), "binance-usdm": RestRoot("/fapi/v1/", True)}


class OpenOrder(msgspec.Struct, frozen=True):
    """An order of a list, whoever placed it."""

    symbol: str
    clientOrderId: str


class _ServerTime(msgspec.Struct):
    serverTime: int


class _Refusal(msgspec.Struct):
    code: int = 0
    msg: str = ""


_open_orders = msgspec.json.Decoder(tuple[OpenOrder, ...]).decode
_server_time = msgspec.json.Decoder(_ServerTime).decode
_refusal = msgspec.json.Decoder(_Refusal).decode


class RestRequests:
    """Writes the requests of one key to one host."""

    def __init__(self, venue: str, host: str, key: ApiKey, recv_window_ms: int) -> None:
        """Sign with `key`.

        Raises:
            KeyError: no such venue.
        """
        self._root = ROOTS[venue].root
        self._host = host
        self._key = key
        self._recv_window_ms = recv_window_ms

    def time(self) -> bytes:
        """Ask for the venue's time."""
        return request_text("GET", self._host, f"{self._root}time", (("User-Agent", AGENT),))

    def open_orders(self, symbol: str, timestamp_ms: int) -> bytes:
        """Ask for every open order of a symbol, whoever placed it."""
        return self._signed("GET", "openOrders", {"symbol": symbol}, timestamp_ms)

    def cancel(self, symbol: str, client_order_id: str, timestamp_ms: int) -> bytes:
        """Cancel one order by our own id."""
        params = {"symbol": symbol, "origClientOrderId": client_order_id}
        return self._signed("DELETE", "order", params, timestamp_ms)

    def countdown(self, symbol: str, countdown_ms: int, timestamp_ms: int) -> bytes:
        """Set the dead-man switch of a symbol; 0 stops it."""
        params = {"symbol": symbol, "countdownTime": str(countdown_ms)}
        return self._signed("POST", "countdownCancelAll", params, timestamp_ms)

    def _signed(self, verb: str, path: str, params: dict[str, str], timestamp_ms: int) -> bytes:
        whole = {**params, "recvWindow": str(self._recv_window_ms), "timestamp": str(timestamp_ms)}
        target = f"{self._root}{path}?{signed_query(self._key.secret, whole)}"
        headers = (("User-Agent", AGENT), ("X-MBX-APIKEY", self._key.api_key))
        return request_text(verb, self._host, target, headers)


def open_orders_of(body: bytes) -> tuple[OpenOrder, ...] | None:
    """Read a list of open orders; None for what cannot be believed."""
    try:
        return _open_orders(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def server_time_ms_of(body: bytes) -> int | None:
    """Read the venue's time; None for what cannot be believed."""
    try:
        return _server_time(body).serverTime
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def refusal_code_of(body: bytes) -> int:
    """Read the code of a refusal; 0 where there is none to read."""
    try:
        return _refusal(body).code
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return 0
