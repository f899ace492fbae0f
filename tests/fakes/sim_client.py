"""A client of the simulated venue without a socket: what it sends goes in, what it is sent is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pipeline.sim.opening import SimOptions, open_live
from pipeline.sim.protocol.rest import HttpAnswer, HttpRequest
from pipeline.sim.protocol.venue import Session, SimVenue
from pipeline.wire.binance_signing import rest_query, signed_params, signed_query
from tests.fakes.venue import T0

MS = 1_000_000
STREAMS = "btcusdt@depth@100ms/btcusdt@bookTicker/btcusdt@trade"


class FakeLink:
    """Keeps the frames it is given."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.closed: tuple[int, str] | None = None
        self.aborted = False

    def send(self, frame: bytes) -> None:
        self.frames.append(frame)

    def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)

    def abort(self) -> None:
        self.aborted = True

    def take(self) -> list[Any]:
        """What came since the last call, parsed."""
        taken, self.frames = self.frames, []
        return [json.loads(frame) for frame in taken]


class SimClient:
    """One venue under a virtual clock, and its one customer."""

    def __init__(self, **options: Any) -> None:
        self.options = replace(SimOptions(), **options)
        self.venue: SimVenue = open_live(self.options, T0)
        self.now_ns = T0
        self.key, self.secret = self.options.credentials
        self.link = FakeLink()
        self.api = self.opened(self.link, self.venue.dialect.api_path)
        self.exchange = self.venue.market.exchange
        self._request = 0

    @property
    def now_ms(self) -> int:
        return self.now_ns // MS

    def opened(self, link: FakeLink, path: str, query: str = "") -> Session:
        session = self.venue.open(link, path, query, self.now_ns)
        assert session is not None
        return session

    def listen(self, query: str = f"streams={STREAMS}", path: str = "/stream") -> tuple[FakeLink, Session]:
        link = FakeLink()
        return link, self.opened(link, path, query)

    def run(self, seconds: float) -> None:
        """Let time pass in steps of 10 ms."""
        for _ in range(round(seconds * 100)):
            self.now_ns += 10 * MS
            self.venue.advance(self.now_ns)

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Send an unsigned request; give its answer."""
        return self.raw({"id": self._next_id(), "method": method, "params": params})

    def signed(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a signed request; give its answer. `timestamp` and `secret` may be given to be wrong."""
        secret = params.pop("secret", self.secret)
        full = {"apiKey": self.key, "timestamp": self.now_ms, "recvWindow": 1_000, **params}
        return self.raw({"id": self._next_id(), "method": method, "params": signed_params(secret, full)})

    def raw(self, request: object) -> dict[str, Any]:
        """Send anything; give the answer, {} where none came; the events around it stay."""
        frame = request if isinstance(request, bytes) else json.dumps(request).encode()
        before = len(self.link.frames)
        self.venue.receive(self.api, frame, self.now_ns)
        for at, came in enumerate(self.link.frames[before:], before):
            if came.startswith(b'{"id":'):
                answer: dict[str, Any] = json.loads(self.link.frames.pop(at))
                return answer
        return {}

    def place(self, side: str, price: str, quantity: str = "0.01000", **params: Any) -> dict[str, Any]:
        """Place a GTC limit order unless told otherwise."""
        how = {"symbol": "BTCUSDT", "side": side, "type": "LIMIT", "price": price, "quantity": quantity}
        return self.signed("order.place", **{"timeInForce": "GTC", **how, **params})

    def subscribe(self) -> int:
        found: int = self.signed("userDataStream.subscribe.signature")["result"]["subscriptionId"]
        return found

    def events(self) -> Iterator[dict[str, Any]]:
        """The user data events that came since the last call."""
        return (one["event"] for one in self.link.take() if "event" in one)

    def raw_depth(self) -> bytes:
        """The answer to a request for the whole book, as it came."""
        frame = b'{"id":1,"method":"depth","params":{"symbol":"BTCUSDT","limit":5000}}'
        self.venue.receive(self.api, frame, self.now_ns)
        return self.link.frames.pop()

    @property
    def update_id(self) -> int:
        return self.exchange.market("BTCUSDT").book.update_id

    def levels(self) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]:
        """The venue's own book in ticks and size units, best first."""
        market = self.exchange.market("BTCUSDT")
        unit = market.listing.instrument.lot_units
        bids, asks = (
            tuple((ticks, lots * unit) for ticks, lots in side.ladder())
            for side in (market.book.bids, market.book.asks)
        )
        return bids, asks

    def touch(self) -> tuple[str, str]:
        """Best bid and ask, as prices."""
        bid, _, ask, _ = self.exchange.market("BTCUSDT").book.top
        return f"{bid / 100:.2f}", f"{ask / 100:.2f}"

    def http(self, verb: str, path: str, *, signed: bool = True, **params: Any) -> HttpAnswer | None:
        """Send a REST request; POST carries its parameters in the body."""
        texts = {name: str(value) for name, value in params.items()}
        if signed:
            texts = {**texts, "timestamp": str(params.get("timestamp", self.now_ms))}
        text = signed_query(self.secret, texts) if signed else rest_query(texts)
        query, body = ("", text) if verb == "POST" else (text, "")
        request = HttpRequest(verb, path, query, {"x-mbx-apikey": self.key}, body)
        return self.venue.http(request, self.now_ns)

    def _next_id(self) -> str:
        self._request += 1
        return f"r{self._request}"
