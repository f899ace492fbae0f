"""What must be known before an order connection is UP: lists, each live order, the account. Pure.

Orders carry whose they are in their id: this session's, those of an earlier session of this installation
(taken as ours, and a person decides on them), and foreign ones, which are counted and never touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline.core.inputs import OpenOrdersListed
from pipeline.core.order import client_order_id
from pipeline.core.types import Instrument

_SESSION_CHARACTERS = 8
"""`t` and the session number."""
INSTALL_CHARACTERS = 4
"""`t` and the part of the number that is the installation's (`session_numbers`)."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One list of open orders over all symbols."""

    ours: int
    foreign: int
    asked_ns: int

    def told(self, venue_ns: int, now_ns: int) -> OpenOrdersListed:
        """Give the engine's input."""
        return OpenOrdersListed(self.ours, self.foreign, self.asked_ns, venue_ns, now_ns)


class Reconciliation:
    """Where the lists, the account and the checks of one session's connection stand."""

    def __init__(self, instruments: Mapping[str, Instrument], session_number: int) -> None:
        self._instruments = dict(instruments)
        own = client_order_id(session_number, 0)
        self._session = own[:_SESSION_CHARACTERS]
        self._install = own[:INSTALL_CHARACTERS]
        self.home_e8: dict[str, int] | None = None
        """Home inventory of each base currency; None before the account was compared with the books."""
        self.off_e8: dict[str, int] = {}
        """What the account was found to hold beyond the books, and nobody has adopted."""
        self._lists: dict[str, tuple[tuple[str, ...], int]] = {}
        self._whole: dict[str, tuple[tuple[str, ...], int]] = {}
        self._unchecked: dict[str, None] = {}

    def begin(self) -> None:
        """Start anew on a new connection."""
        self._lists.clear()
        self._whole.clear()
        self._unchecked.clear()

    @property
    def listed_ns(self) -> int:
        """Give when the newest whole list was asked for; 0 before there is one."""
        return min((asked_ns for _, asked_ns in self._whole.values()), default=0)

    @property
    def unchecked(self) -> tuple[str, ...]:
        """Give the live orders the venue has not spoken of on this connection."""
        return tuple(self._unchecked)

    def check(self, client_order_ids: Iterable[str]) -> None:
        """Want each of these orders to be asked for; those a list of this connection held are known."""
        held = {one: None for ids, _ in self._last_lists() for one in ids}
        self._unchecked = {one: None for one in client_order_ids if one not in held}

    def checked(self, client_order_id: str) -> None:
        """Note that the venue has spoken of an order."""
        self._unchecked.pop(client_order_id, None)

    def is_of_session(self, client_order_id: str) -> bool:
        """Say whether this session gave an id."""
        return client_order_id.startswith(self._session)

    def is_earlier(self, client_order_id: str) -> bool:
        """Say whether an earlier session of this installation gave an id."""
        return client_order_id.startswith(self._install) and not self.is_of_session(client_order_id)

    def listed(self, symbol: str, open_ids: Iterable[str], asked_ns: int) -> Listing | None:
        """Take the list of one symbol; give the whole when every symbol's is there."""
        self._lists[symbol] = (tuple(open_ids), asked_ns)
        if len(self._lists) < len(self._instruments):
            return None
        self._whole, self._lists = self._lists, {}
        every = [one for ids, _ in self._whole.values() for one in ids]
        ours = sum(1 for one in every if one.startswith(self._install))
        return Listing(ours, len(every) - ours, min(asked for _, asked in self._whole.values()))

    def _last_lists(self) -> Iterable[tuple[tuple[str, ...], int]]:
        return self._whole.values()
