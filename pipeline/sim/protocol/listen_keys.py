"""Keys to the user data stream of the futures: one for each account, an hour from its last sign of life."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from pipeline.sim.exchange.account import Account
from pipeline.sim.exchange.errors import VenueError

LIFE_NS = 3_600 * 1_000_000_000


@dataclass(slots=True)
class _Life:
    text: str
    ends_ns: int


class ListenKeys:
    """The keys that are valid; the same seed gives the same ones."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._made = 0
        self._lives: dict[int, _Life] = {}
        """By owner of the account."""

    def start(self, account: Account, now_ns: int) -> str:
        """Give the account's key, a new one where none is valid; it lives an hour from now."""
        life = self._lives.get(account.owner)
        if life is None or life.ends_ns <= now_ns:
            self._made += 1
            secret = f"lobdeck sim {self._seed} listen key"
            text = hmac.new(secret.encode(), str(self._made).encode(), "sha256").hexdigest()
            life = self._lives[account.owner] = _Life(text, 0)
        life.ends_ns = now_ns + LIFE_NS
        return life.text

    def ping(self, account: Account, now_ns: int) -> str:
        """Let the account's key live an hour from now; give it.

        Raises:
            VenueError: it has none.
        """
        if account.owner not in self._lives:
            raise VenueError(
                -1125,
                "This listenKey does not exist. Please use `POST /fapi/v1/listenKey` to recreate `listenKey`",
            )
        return self.start(account, now_ns)

    def close(self, account: Account) -> str:
        """Take the account's key back; give it, "" where there was none."""
        life = self._lives.pop(account.owner, None)
        return life.text if life is not None else ""

    def owner_of(self, text: str) -> int:
        """Give whose key this is, 0 for nobody's."""
        return next((owner for owner, life in self._lives.items() if life.text == text), 0)

    @property
    def next_ns(self) -> int | None:
        """Give when the next key ends; None without any."""
        return min((life.ends_ns for life in self._lives.values()), default=None)

    def take_ended(self, now_ns: int) -> list[str]:
        """Give the keys whose hour is over; they are gone then."""
        ended = [owner for owner, life in self._lives.items() if life.ends_ns <= now_ns]
        return [self._lives.pop(owner).text for owner in ended]

    def end_all(self) -> list[str]:
        """Take back every key; give them."""
        ended, self._lives = [life.text for life in self._lives.values()], {}
        return ended
