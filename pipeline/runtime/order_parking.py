"""Orders that wait until what caused them is on the disk; in LIVE nothing leaves before (CONTROLS 0.8).

Cancels never wait here. A journal that failed lets nothing through: the order is handed back as not sent.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

from pipeline.core.effects import SubmitOrder

MOST_PARKED = 64


class Durability(Protocol):
    """What is needed of the journal."""

    @property
    def healthy(self) -> bool:
        """Say whether new orders may be sent."""
        ...

    def barrier(self) -> int:
        """Give a token for everything appended so far, and begin to make it durable."""
        ...

    def durable(self, token: int) -> bool:
        """Say whether what stood before a barrier is safe."""
        ...


class OrderParking:
    """Orders in the sequence they came; none overtakes another."""

    def __init__(self, journal: Durability | None) -> None:
        """Hold orders for `journal`; None holds none."""
        self._journal = journal
        self._parked: deque[tuple[int, SubmitOrder]] = deque()

    def is_refused(self) -> bool:
        """Say whether no order may be sent on the strength of this journal, or too many wait already."""
        if self._journal is None:
            return False
        return not self._journal.healthy or len(self._parked) >= MOST_PARKED

    def parks(self, effect: SubmitOrder) -> bool:
        """Park an order whose cause is not durable yet, or that has others before it."""
        if self._journal is None:
            return False
        token = self._journal.barrier()
        if not self._parked and self._journal.durable(token):
            return False
        self._parked.append((token, effect))
        return True

    def take(self, client_order_id: str) -> SubmitOrder | None:
        """Take an order out that is wanted no more; None where it does not wait here."""
        for entry in self._parked:
            if entry[1].approved.client_order_id == client_order_id:
                self._parked.remove(entry)
                return entry[1]
        return None

    def due(self) -> list[SubmitOrder]:
        """Take the orders whose causes are durable now."""
        found: list[SubmitOrder] = []
        while self._journal is not None and self._parked and self._journal.durable(self._parked[0][0]):
            found.append(self._parked.popleft()[1])
        return found

    def given_up(self) -> list[SubmitOrder]:
        """Take every order once the journal can make nothing durable any more."""
        if self._journal is None or self._journal.healthy:
            return []
        found = [effect for _, effect in self._parked]
        self._parked.clear()
        return found
