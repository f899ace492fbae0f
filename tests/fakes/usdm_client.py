"""A client of the simulated futures without a socket."""

from __future__ import annotations

import json
from typing import Any

from pipeline.core.types import Side
from pipeline.sim.exchange.position import Position
from pipeline.sim.protocol.venue import Session
from tests.fakes.sim_client import FakeLink, SimClient
from tests.fakes.venue import SYMBOL

DEPTH_0 = "btcusdt@depth@0ms"


class UsdmClient(SimClient):
    """One futures venue under a virtual clock, and its one customer."""

    def __init__(self, **options: Any) -> None:
        super().__init__(venue="binance-usdm", **options)

    def touch(self) -> tuple[str, str]:
        bid, _, ask, _ = self.exchange.market(SYMBOL).book.top
        return f"{bid / 10:.1f}", f"{ask / 10:.1f}"

    def away(self, side: str, ticks: int = 5_000) -> str:
        """A price so far behind the best one that nothing reaches it."""
        bid, _, ask, _ = self.exchange.market(SYMBOL).book.top
        best = bid if side == "BUY" else ask
        return f"{(best - Side[side] * ticks) / 10:.1f}"

    def place(self, side: str, price: str, quantity: str = "0.010", **params: Any) -> dict[str, Any]:
        how = {"symbol": SYMBOL, "side": side, "type": "LIMIT", "price": price, "quantity": quantity}
        return self.signed("order.place", **{"timeInForce": "GTC", **how, **params})

    def market_order(self, side: str, quantity: str, **params: Any) -> dict[str, Any]:
        how = {"symbol": SYMBOL, "side": side, "type": "MARKET", "quantity": quantity}
        return self.signed("order.place", newOrderRespType="RESULT", **how, **params)

    def rest(self, verb: str, path: str, *, signed: bool = True, **params: Any) -> Any:
        """Send a REST request; give its status and its JSON."""
        answer = self.http(verb, path, signed=signed, **params)
        assert answer is not None
        return answer.status, json.loads(answer.body)

    def countdown(self, milliseconds: int, symbol: str = SYMBOL) -> Any:
        path = "/fapi/v1/countdownCancelAll"
        return self.rest("POST", path, symbol=symbol, countdownTime=milliseconds)

    def hear(self, query: str = "", path: str = "/private/ws") -> tuple[FakeLink, Session]:
        """Open the user data stream with a valid key."""
        key = self.ask("userDataStream.start", apiKey=self.key)["result"]["listenKey"]
        link = FakeLink()
        return link, self.opened(link, path, f"listenKey={key}{query}")

    def raw_depth(self) -> bytes:
        frame = b'{"id":1,"method":"depth","params":{"symbol":"BTCUSDT","limit":1000}}'
        self.venue.receive(self.api, frame, self.now_ns)
        return self.link.frames.pop()

    @property
    def position(self) -> Position:
        return self.exchange.accounts[1].position(SYMBOL)

    @property
    def open_ids(self) -> list[str]:
        return [one.client_order_id for one in self.exchange.orders.open_orders(1)]
