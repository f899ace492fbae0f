"""The simulated market played under a virtual clock, as whoever records its combined stream gets it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.sim.exchange.listing import spot_listings
from pipeline.sim.live_market import LiveMarket
from pipeline.sim.order_flow import FlowParams

START_NS = 1_767_225_600_000_000_000
"""2026-01-01 00:00:00 UTC; the markets are set on that day, they were not recorded on it."""
SNAPSHOT_LEVELS = 5_000
_STEP_NS = 1_000_000_000


class Tape:
    """A publisher that keeps the frames of some streams, stream names and all, until they are taken."""

    def __init__(self, streams: Sequence[str]) -> None:
        """Keep these streams."""
        self._streams = frozenset(streams)
        self._frames: list[tuple[int, bytes]] = []

    def wants(self, stream: str) -> bool:
        """Say whether a stream is kept."""
        return stream in self._streams

    def publish(self, stream: str, frame: str, at_ns: int) -> None:
        """Keep a frame."""
        self._frames.append((at_ns, f'{{"stream":"{stream}","data":{frame}}}'.encode()))

    def take(self) -> list[tuple[int, bytes]]:
        """Give what was kept as (time in ns, frame), and forget it."""
        taken, self._frames = self._frames, []
        return taken


def played(
    symbol: str,
    flow: FlowParams,
    seed: int,
    length_s: int,
    streams: Sequence[str],
    start_ns: int = START_NS,
    snapshot_after_ns: int = 0,
) -> Iterator[tuple[int, bytes]]:
    """Give (time in ns, frame) of one symbol's streams, such as `depth@100ms`, in order of time.

    The whole book is among them, taken `snapshot_after_ns` after the start.
    """
    tape = Tape([f"{symbol.lower()}@{stream}" for stream in streams])
    market = LiveMarket(spot_listings((symbol,)), seed, start_ns, tape, lambda _: None, flow)
    market.advance(start_ns + snapshot_after_ns)
    yield from tape.take()
    yield start_ns + snapshot_after_ns, market.feeds[symbol].snapshot(SNAPSHOT_LEVELS).encode()
    for second in range(1, length_s + 1):
        market.advance(start_ns + second * _STEP_NS)
        yield from tape.take()
