"""The requests of Binance spot's WebSocket API: from ticks and lots to signed text frames. Pure.

Every method gives one frame. Times are the venue's in milliseconds: the caller adds the measured offset.
Prices and quantities are printed exactly from ticks and lots. Frames carry key and signature: never log one.
What comes back is read by `binance_answers`; the client order id is ours on every order, so that an order
whose answer is lost can be asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import assert_never

import msgspec

from pipeline.core.types import Instrument, OrderType, RiskApproved
from pipeline.wire.binance_signing import signed_params

MOST_RECV_WINDOW_MS = 1_000
"""The venue refuses an order older than this: it bounds how late a stopped engine's order may come."""

_SELF_TRADE = "EXPIRE_TAKER"
"""Should our own risk let a self-match through, the newer order gives way."""

_json = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of the venue and its secret; neither is shown when this is printed."""

    api_key: str = field(repr=False)
    secret: str = field(repr=False)


class SpotRequests:
    """Writes the requests of one key; `request_id` is what the answer will carry, at most 36 characters."""

    def __init__(self, key: ApiKey, recv_window_ms: int = MOST_RECV_WINDOW_MS) -> None:
        """Sign with `key`.

        Raises:
            ValueError: the window is none, or so long that a stale order could still be taken.
        """
        if not 1 <= recv_window_ms <= MOST_RECV_WINDOW_MS:
            raise ValueError(f"recv_window_ms: found {recv_window_ms}, wanted 1 to {MOST_RECV_WINDOW_MS}")
        self._key = key
        self._recv_window_ms = recv_window_ms

    def place(
        self, request_id: str, approved: RiskApproved, instrument: Instrument, timestamp_ms: int
    ) -> bytes:
        """Place an order; the full answer is asked for, so that fills are known even if events are lost."""
        intent = approved.intent
        params: dict[str, str | int] = {
            "symbol": instrument.symbol,
            "side": intent.side.name,
            **_kind(intent.order_type),
            "price": instrument.price_text(intent.price_ticks),
            "quantity": instrument.qty_text(intent.qty_lots),
            "newClientOrderId": approved.client_order_id,
            "newOrderRespType": "FULL",
            "selfTradePreventionMode": _SELF_TRADE,
        }
        return self._signed(request_id, "order.place", params, timestamp_ms)

    def cancel(self, request_id: str, symbol: str, client_order_id: str, timestamp_ms: int) -> bytes:
        """Cancel one order by our own id."""
        params: dict[str, str | int] = {"symbol": symbol, "origClientOrderId": client_order_id}
        return self._signed(request_id, "order.cancel", params, timestamp_ms)

    def order(self, request_id: str, symbol: str, client_order_id: str, timestamp_ms: int) -> bytes:
        """Ask for one order by our own id."""
        params: dict[str, str | int] = {"symbol": symbol, "origClientOrderId": client_order_id}
        return self._signed(request_id, "order.status", params, timestamp_ms)

    def trades(self, request_id: str, symbol: str, venue_order_id: int, timestamp_ms: int) -> bytes:
        """Ask for the fills of one order by the venue's id."""
        params: dict[str, str | int] = {"symbol": symbol, "orderId": venue_order_id}
        return self._signed(request_id, "myTrades", params, timestamp_ms)

    def open_orders(self, request_id: str, symbol: str, timestamp_ms: int) -> bytes:
        """Ask for every open order of a symbol, whoever placed it; without one, of the whole account."""
        return self._signed(
            request_id, "openOrders.status", {"symbol": symbol} if symbol else {}, timestamp_ms
        )

    def cancel_all(self, request_id: str, symbol: str, timestamp_ms: int) -> bytes:
        """Cancel every open order of a symbol, foreign ones among them."""
        return self._signed(request_id, "openOrders.cancelAll", {"symbol": symbol}, timestamp_ms)

    def account(self, request_id: str, timestamp_ms: int) -> bytes:
        """Ask for the balances."""
        return self._signed(request_id, "account.status", {}, timestamp_ms)

    def commission(self, request_id: str, symbol: str, timestamp_ms: int) -> bytes:
        """Ask for the account's commission rates on a symbol."""
        return self._signed(request_id, "account.commission", {"symbol": symbol}, timestamp_ms)

    def exchange_info(self, request_id: str, symbols: Sequence[str]) -> bytes:
        """Ask for state and filters of symbols."""
        params = {"symbols": list(symbols)}
        return _json({"id": request_id, "method": "exchangeInfo", "params": params})

    def subscribe(self, request_id: str, timestamp_ms: int) -> bytes:
        """Open the user data stream on this connection."""
        return self._signed(request_id, "userDataStream.subscribe.signature", {}, timestamp_ms)

    def time(self, request_id: str) -> bytes:
        """Ask for the venue's time."""
        return _json({"id": request_id, "method": "time"})

    def _signed(self, request_id: str, method: str, params: dict[str, str | int], timestamp_ms: int) -> bytes:
        whole = {
            **params,
            "apiKey": self._key.api_key,
            "recvWindow": self._recv_window_ms,
            "timestamp": timestamp_ms,
        }
        return _json({"id": request_id, "method": method, "params": signed_params(self._key.secret, whole)})


def _kind(order_type: OrderType) -> dict[str, str | int]:
    match order_type:
        case OrderType.POST_ONLY:
            return {"type": "LIMIT_MAKER"}
        case OrderType.LIMIT_IOC:
            return {"type": "LIMIT", "timeInForce": "IOC"}
        case _:
            assert_never(order_type)
