"""Scripted clients of the simulated venue: what they do is fixed, so everything they are told must be too.

Run as a module, it prints the digest of a script: `python -m tests.fakes.sim_script VENUE SEED`.
"""

from __future__ import annotations

import hashlib
import sys

import msgspec

from pipeline.core.types import Fees
from pipeline.sim.protocol.faults import parse_fault
from tests.fakes.sim_client import FakeLink, SimClient
from tests.fakes.usdm_client import UsdmClient

FAULTS = tuple(
    parse_fault(text)
    for text in (
        "drop=0.02",
        "reorder=0.02",
        "garbage=0.01",
        "lost-ack=0.1",
        "slow-ack=120",
        "late-fill=0.5",
        "double-report=0.1",
        "disconnect@6:market",
    )
)
SPOT_STREAMS = "streams=btcusdt@depth@100ms/btcusdt@depth/btcusdt@bookTicker/btcusdt@trade/btcusdt@aggTrade"
USDM_STREAMS = "streams=btcusdt@depth@0ms/btcusdt@depth@500ms/btcusdt@bookTicker"


class Tape:
    """Everything a venue said, as one digest."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.bytes = 0

    def add(self, name: str, *chunks: bytes) -> None:
        for chunk in chunks:
            self._hash.update(b"%s %d " % (name.encode(), len(chunk)))
            self._hash.update(chunk)
            self.bytes += len(chunk)

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


def spot_script(seed: int, step_s: float = 0.25) -> Tape:
    """Two programs trade spot for ten seconds and hear everything, under faults."""
    client = SimClient(seed=seed, fees=Fees(1_000, 2_000, "venue"), faults=FAULTS)
    listens, _ = client.listen(SPOT_STREAMS)
    client.subscribe()
    other = FakeLink()
    apis = (client.api, client.opened(other, "/ws-api/v3"))
    tape = Tape()
    for number in range(round(10 / 0.25)):
        wait(client, 0.25, step_s)
        client.api = apis[number % 2]
        bid, ask = client.touch()
        client.place("BUY", bid if number % 3 else ask, "0.00300", newClientOrderId=f"a{number}")
        client.signed("order.cancel", symbol="BTCUSDT", origClientOrderId=f"a{number - 2}")
        if number % 8 == 7:
            client.signed("openOrders.cancelAll", symbol="BTCUSDT")
            answer = client.http("GET", "/api/v3/account")
            tape.add("rest", answer.body if answer else b"")
    return taped(tape, client, listens, client.link, other)


def usdm_script(seed: int, step_s: float = 0.25) -> Tape:
    """One program trades the futures for ten seconds, with reduce-only orders and a dead-man switch."""
    client = UsdmClient(seed=seed, fees=Fees(200, 500, "venue"), faults=FAULTS)
    public, _ = client.listen(USDM_STREAMS, "/public/stream")
    market, _ = client.listen("streams=btcusdt@aggTrade", "/market/stream")
    private, _ = client.hear()
    tape = Tape()
    for number in range(round(10 / 0.25)):
        wait(client, 0.25, step_s)
        side = "BUY" if number % 4 < 2 else "SELL"
        client.market_order(side, "0.010", reduceOnly="true" if number % 4 == 3 else "false")
        client.place("BUY", client.away("BUY"), newClientOrderId=f"b{number}")
        client.signed("order.cancel", symbol="BTCUSDT", origClientOrderId=f"b{number - 1}")
        if number % 8 == 7:
            tape.add("countdown", repr(client.countdown(300)).encode())
    return taped(tape, client, public, market, private, client.link)


SCRIPTS = {"binance": spot_script, "binance-usdm": usdm_script}


def wait(client: SimClient, seconds: float, step_s: float) -> None:
    """Let time pass in steps; how long they are must not matter."""
    for _ in range(round(seconds / step_s)):
        client.now_ns += round(step_s * 1e9)
        client.venue.advance(client.now_ns)


def taped(tape: Tape, client: SimClient, *links: FakeLink) -> Tape:
    for number, link in enumerate(links):
        tape.add(f"link {number} {link.aborted}", *link.frames)
    tape.add("ledger", *(msgspec.json.encode(entry) for entry in client.exchange.ledger.entries))
    tape.add("log", *(msgspec.json.encode(entry) for entry in client.venue.log.entries))
    return tape


if __name__ == "__main__":
    sys.stdout.write(SCRIPTS[sys.argv[1]](int(sys.argv[2])).hexdigest() + "\n")
