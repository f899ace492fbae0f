"""A synthetic trading session as stamped lines of Binance spot frames, to replay without a network.

The lines are what a recorder of the simulated exchange's combined stream would have written, at the usual
pace: depth updates every 100 ms, best prices at each change, trades, and one REST snapshot taken in the
middle of a depth interval. No record of any real exchange is in them. One seed gives the same bytes on every
machine.

One session ships as `data/synthetic_btcusdt.zst`; `python -m pipeline.sim.synthetic FILE` writes it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import zstandard

from pipeline.sim.chance import Chance
from pipeline.sim.pace import Pace, paced_flow
from pipeline.sim.recording import played

SEED = 20_260_113
"""Of the market: the price ends near where it began, so that a loop hardly jumps."""
LENGTH_S = 300
SYMBOL = "BTCUSDT"
STREAMS = ("depth@100ms", "bookTicker", "trade")

_SNAPSHOT_NS = 237_000_000
_LEAST_DELAY_NS = 2_000_000
_MEAN_DELAY_NS = 600_000.0
"""Of what is added to the least."""
_APART_NS = 700


def packaged_session() -> Path:
    """Give the path of the session that ships with the program."""
    return Path(__file__).with_name("data") / "synthetic_btcusdt.zst"


def synthetic_lines(seed: int = SEED, length_s: int = LENGTH_S) -> Iterator[str]:
    """Give the session's lines in order of receive time, without line ends.

    A line is received a few milliseconds after it was sent, and never before the one before it.
    """
    # A chance of its own, so that the transport changes nothing on the book.
    transport = Chance(~seed)
    received_ns = 0
    flow = paced_flow(Pace.USUAL)
    for sent_ns, frame in played(SYMBOL, flow, seed, length_s, STREAMS, snapshot_after_ns=_SNAPSHOT_NS):
        delay_ns = _LEAST_DELAY_NS + int(transport.exponential(_MEAN_DELAY_NS))
        received_ns = max(received_ns + _APART_NS, sent_ns + delay_ns)
        yield f"{received_ns} {frame.decode()}"


def packed(lines: Iterator[str]) -> bytes:
    """Compress lines as the packaged file is."""
    return zstandard.ZstdCompressor(level=19).compress("".join(f"{line}\n" for line in lines).encode())


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(packed(synthetic_lines()))
