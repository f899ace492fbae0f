"""Proof against the venue itself: the depth book's best levels compared with its ticker at shared ids.

A depth update and a ticker that carry the same update id describe the same moment, whichever came first, so
best prices and sizes must be equal. A book built from depth alone that ever differs was built wrong.
"""

from __future__ import annotations

from pipeline.core.book import L1

REMEMBERED = 1_000
"""Update ids of each kind that are remembered."""


class TickerCheck:
    """Counts update ids that depth and ticker share, and those at which both agree; O(1) a call."""

    __slots__ = ("_depth", "_tickers", "equal", "shared")

    def __init__(self) -> None:
        self.shared = 0
        self.equal = 0
        self._depth = _Recent()
        self._tickers = _Recent()

    def on_depth(self, update_id: int, l1: L1) -> None:
        """Take the best levels of the proven book right after the update with this id."""
        tickers, depth = self._tickers, self._depth
        if update_id in tickers.young or update_id in tickers.old:
            self._compare(tickers.find(update_id), l1)
        depth.young[update_id] = l1
        if len(depth.young) > REMEMBERED:
            depth.turn()

    def on_ticker(self, update_id: int, l1: L1) -> None:
        """Take a ticker's best levels."""
        tickers, depth = self._tickers, self._depth
        if update_id in depth.young or update_id in depth.old:
            self._compare(depth.find(update_id), l1)
        tickers.young[update_id] = l1
        if len(tickers.young) > REMEMBERED:
            tickers.turn()

    def _compare(self, other: L1 | None, l1: L1) -> None:
        if other is not None:
            self.shared += 1
            self.equal += other == l1


class _Recent:
    """The values of the last ids, in two dicts that take turns: forgetting costs one swap in a thousand."""

    __slots__ = ("old", "young")

    def __init__(self) -> None:
        self.young: dict[int, L1] = {}
        self.old: dict[int, L1] = {}

    def turn(self) -> None:
        """Begin a new dict with the newest id, once there is one too many."""
        newest = self.young.popitem()
        self.old, self.young = self.young, dict((newest,))

    def find(self, update_id: int) -> L1 | None:
        """Give the value of an id that is in one of the dicts; None when it is not among the last."""
        if update_id in self.young:
            return self.young[update_id]
        is_among_last = list(self.old).index(update_id) >= len(self.young)
        return self.old[update_id] if is_among_last else None
