"""Every order and fill the venue can still be asked about; of the finished ones the newest."""

from __future__ import annotations

from collections import deque

from pipeline.sim.exchange.order import ClientOrder, OrderReport

KEPT = 10_000


class OrderStore:
    """Orders by their ids. A client order id is unique among open orders only; the newest bearer counts."""

    def __init__(self, kept: int = KEPT) -> None:
        """Keep that many finished orders, and as many fills."""
        self._kept = kept
        self._orders: dict[int, ClientOrder] = {}
        self._by_client_id: dict[tuple[int, str, str], ClientOrder] = {}
        self._open: dict[int, ClientOrder] = {}
        self._finished: deque[ClientOrder] = deque()
        self.fills: deque[OrderReport] = deque(maxlen=kept)

    def add(self, order: ClientOrder) -> None:
        """Take a new order in."""
        self._orders[order.order_id] = order
        self._by_client_id[_key(order)] = order
        self._open[order.order_id] = order

    def finish(self, order: ClientOrder) -> None:
        """Move an order that ended to the finished ones; the oldest of them may be forgotten."""
        del self._open[order.order_id]
        self._finished.append(order)
        if len(self._finished) > self._kept:
            old = self._finished.popleft()
            del self._orders[old.order_id]
            if self._by_client_id.get(_key(old)) is old:
                del self._by_client_id[_key(old)]

    def resting(self, order_id: int) -> ClientOrder:
        """Give the open order of this id, which must exist."""
        return self._open[order_id]

    def by_id(self, owner: int, symbol: str, order_id: int) -> ClientOrder | None:
        """Give an account's order in a symbol by the venue's id."""
        order = self._orders.get(order_id)
        return order if order is not None and (order.owner, order.listing.symbol) == (owner, symbol) else None

    def by_client_id(self, owner: int, symbol: str, client_order_id: str) -> ClientOrder | None:
        """Give an account's newest order in a symbol with this client order id."""
        return self._by_client_id.get((owner, symbol, client_order_id))

    def open_orders(self, owner: int, symbol: str = "") -> list[ClientOrder]:
        """Give an account's open orders, oldest first; of one symbol where one is named."""
        return [
            order
            for order in self._open.values()
            if order.owner == owner and symbol in ("", order.listing.symbol)
        ]

    def all_orders(self, owner: int, symbol: str) -> list[ClientOrder]:
        """Give an account's orders in a symbol that are still known, oldest first."""
        return [one for one in self._orders.values() if (one.owner, one.listing.symbol) == (owner, symbol)]


def _key(order: ClientOrder) -> tuple[int, str, str]:
    return order.owner, order.listing.symbol, order.client_order_id
