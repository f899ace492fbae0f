"""One account: what it holds free and locked, exactly, in 1e-8 of each asset; on margin its positions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.sim.exchange.errors import NO_BALANCE, rejected
from pipeline.sim.exchange.position import Position
from pipeline.sim.exchange.quotas import Quota, order_quotas


@dataclass(slots=True, eq=False)
class Account:
    """Balances of one customer, and the quotas on its orders."""

    owner: int
    name: str
    api_key: str
    secret: str
    free: dict[str, int] = field(default_factory=dict)
    locked: dict[str, int] = field(default_factory=dict)
    order_quotas: tuple[Quota, ...] = field(default_factory=order_quotas)
    updated_ns: int = 0
    positions: dict[str, Position] = field(default_factory=dict)
    """By symbol, on margin; never removed once there was one."""

    @classmethod
    def opened(cls, owner: int, name: str, api_key: str, secret: str, balances: Mapping[str, int]) -> Account:
        """Open an account that holds these balances."""
        return cls(owner, name, api_key, secret, dict(balances), dict.fromkeys(balances, 0))

    def lock(self, asset: str, amount_e8: int) -> None:
        """Set money aside for an order.

        Raises:
            VenueError: there is not so much free; nothing changed.
        """
        free = self.free.get(asset, 0)
        if free < amount_e8:
            raise rejected(NO_BALANCE)
        self.free[asset] = free - amount_e8
        self.locked[asset] = self.locked.get(asset, 0) + amount_e8

    def unlock(self, asset: str, amount_e8: int) -> None:
        """Give back what an order had locked and did not need."""
        self.locked[asset] -= amount_e8
        self.free[asset] += amount_e8

    def pay_locked(self, asset: str, amount_e8: int) -> None:
        """Pay out of what is locked."""
        self.locked[asset] -= amount_e8

    def receive(self, asset: str, amount_e8: int) -> None:
        """Take money in; a negative amount is a charge."""
        self.free[asset] = self.free.get(asset, 0) + amount_e8

    def position(self, symbol: str) -> Position:
        """Give the position in a symbol, flat where there never was one."""
        return self.positions.setdefault(symbol, Position())

    def holds(self, *assets: str) -> tuple[tuple[str, int, int], ...]:
        """Give (asset, free, locked); of every asset when none is named."""
        names = assets or tuple(dict.fromkeys((*self.free, *self.locked)))
        return tuple((name, self.free.get(name, 0), self.locked.get(name, 0)) for name in names)
