"""A synthetic trading session as stamped lines of Binance spot frames, for a first run without a network.

The lines are what a recorder of the combined stream would have written: depth updates every 100 ms, best
prices at each change, trades, and one REST snapshot taken in the middle of a depth interval. Prices have a
tick of 0.01, sizes a lot of 0.00001, both with 8 decimals. No record of any exchange is in them; how the
orders behave is `synthetic_flow.py`. One seed gives the same bytes on every machine.

One session ships as `data/synthetic_btcusdt.zst`; `python -m pipeline.sim.synthetic FILE` writes it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import zstandard

from pipeline.core.types import Side, scaled_text
from pipeline.sim.chance import Chance
from pipeline.sim.synthetic_book import SyntheticBook
from pipeline.sim.synthetic_flow import Flow, Print

SEED = 20_260_101
LENGTH_S = 300
START_TICKS = 6_400_000
START_NS = 1_767_225_600_000_000_000
"""2026-01-01 00:00:00 UTC; the session is set on that day, it was not recorded on it."""

_FIRST_UPDATE_ID = 60_000_000_000
_FIRST_TRADE_ID = 5_000_000_000
_DEPTH_NS = 100_000_000
_SNAPSHOT_NS = 237_000_000


def packaged_session() -> Path:
    """Give the path of the session that ships with the program."""
    return Path(__file__).with_name("data") / "synthetic_btcusdt.zst"


def synthetic_lines(seed: int = SEED, length_s: int = LENGTH_S) -> Iterator[str]:
    """Give the session's lines in order of receive time, without line ends."""
    return _Recorder(seed, length_s).lines()


class _Recorder:
    """Watches the book as a recorder of the stream would: frames out, each with its receive time."""

    def __init__(self, seed: int, length_s: int) -> None:
        self._length_ns = length_s * 1_000_000_000
        self._book = SyntheticBook(_FIRST_UPDATE_ID)
        self._flow = Flow(Chance(seed), self._book, START_TICKS, self._length_ns)
        self._book.take_changes()
        self._line = Chance(~seed)
        """Chance of the transport alone, so that latencies do not change what happens on the book."""
        self._received_ns = 0
        self._depth_id = self._book.update_id
        self._trade_id = _FIRST_TRADE_ID
        self._top = self._book.top

    def lines(self) -> Iterator[str]:
        """Play the whole session."""
        due = self._due()
        next_ns, make = next(due)
        while (now_ns := self._flow.advance()) < self._length_ns:
            while next_ns <= now_ns:
                yield from make(next_ns)
                next_ns, make = next(due)
            for one in self._flow.act():
                yield self._trade(now_ns, one)
            if self._book.top != self._top:
                yield self._ticker(now_ns)

    def _due(self) -> Iterator[tuple[int, Callable[[int], Iterator[str]]]]:
        """Give what the clock asks for, in order of time: depth frames, and the snapshot between two."""
        at_ns = _DEPTH_NS
        while True:
            yield at_ns, self._depth
            if at_ns < _SNAPSHOT_NS <= at_ns + _DEPTH_NS:
                yield _SNAPSHOT_NS, self._snapshot
            at_ns += _DEPTH_NS

    def _depth(self, at_ns: int) -> Iterator[str]:
        first_id, last_id = self._depth_id + 1, self._book.update_id
        if last_id < first_id:
            return
        self._depth_id = last_id
        bids, asks = self._book.take_changes()
        yield self._stamped(
            at_ns,
            f'{{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":{_ms(at_ns)},"s":"BTCUSDT",'
            f'"U":{first_id},"u":{last_id},"b":{_levels(bids)},"a":{_levels(asks)}}}}}',
        )

    def _snapshot(self, at_ns: int) -> Iterator[str]:
        bids, asks = _levels(self._book.bids.levels()), _levels(self._book.asks.levels())
        yield self._stamped(at_ns, f'{{"lastUpdateId":{self._book.update_id},"bids":{bids},"asks":{asks}}}')

    def _ticker(self, at_ns: int) -> str:
        self._top = bid, bid_lots, ask, ask_lots = self._book.top
        return self._stamped(
            at_ns,
            f'{{"stream":"btcusdt@bookTicker","data":{{"u":{self._book.update_id},"s":"BTCUSDT",'
            f'"b":"{_price(bid)}","B":"{_size(bid_lots)}","a":"{_price(ask)}","A":"{_size(ask_lots)}"}}}}',
        )

    def _trade(self, at_ns: int, one: Print) -> str:
        self._trade_id += 1
        maker_buys = "true" if one.aggressor is Side.SELL else "false"
        return self._stamped(
            at_ns,
            f'{{"stream":"btcusdt@trade","data":{{"e":"trade","E":{_ms(at_ns)},"s":"BTCUSDT",'
            f'"t":{self._trade_id},"p":"{_price(one.ticks)}","q":"{_size(one.lots)}",'
            f'"T":{_ms(at_ns)},"m":{maker_buys},"M":true}}}}',
        )

    def _stamped(self, at_ns: int, frame: str) -> str:
        """Put the receive time before a frame: a few milliseconds after it was sent, never going back."""
        delay_ns = 2_000_000 + int(self._line.exponential(600_000.0))
        self._received_ns = max(self._received_ns + 700, at_ns + delay_ns)
        return f"{START_NS + self._received_ns} {frame}"


def _ms(at_ns: int) -> int:
    return (START_NS + at_ns) // 1_000_000


def _levels(levels: list[tuple[int, int]]) -> str:
    return "[" + ",".join(f'["{_price(ticks)}","{_size(lots)}"]' for ticks, lots in levels) + "]"


def _price(ticks: int) -> str:
    return scaled_text(ticks * 1_000_000, 8)


def _size(lots: int) -> str:
    return scaled_text(lots * 1_000, 8)


def packed(lines: Iterator[str]) -> bytes:
    """Compress lines as the packaged file is."""
    return zstandard.ZstdCompressor(level=19).compress("".join(f"{line}\n" for line in lines).encode())


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(packed(synthetic_lines()))
