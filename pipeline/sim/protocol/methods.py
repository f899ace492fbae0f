"""What describes one request of a venue: its names, what it weighs, who may send it, what it needs.

The tables of `spot_methods.py` and `usdm_methods.py` are made of these; both transports and the protocol page
of the documentation read them.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pipeline.sim.exchange.account import Account
from pipeline.sim.protocol.parameters import Parameters


class Security(enum.Enum):
    """Who may send a request."""

    NONE = enum.auto()
    """Anybody."""
    KEY = enum.auto()
    """Whoever names an API key."""
    SIGNED = enum.auto()
    """Whoever signs with the key's secret, in time."""


PublicCall = Callable[[Parameters, int], Any]
AccountCall = Callable[[Parameters, Account, int], Any]
Weight = Callable[[Parameters], int]


@dataclass(frozen=True, slots=True)
class Method:
    """One request; `public` answers it where no account is needed, `account` where one is."""

    name: str
    """Of the WebSocket API; of a request that is REST only, its path."""
    security: Security
    weight: Weight
    weight_text: str
    does: str
    routes: tuple[tuple[str, str], ...] = ()
    """(verb, path) of REST."""
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    public: PublicCall | None = None
    account: AccountCall | None = None
    is_websocket: bool = True
    counts_orders: bool = False
    """Whether its answer tells the order counts."""


def weighs(amount: int) -> tuple[Weight, str]:
    """Give a weight that is always the same, and its text."""
    return (lambda _params: amount), str(amount)


def depth_weight(steps: tuple[tuple[int, int], ...], default: int) -> tuple[Weight, str]:
    """Give the weight of a book by its levels; `steps` are (levels at most, weight), rising."""

    def weight(params: Parameters) -> int:
        limit = params.optional_number("limit", default)
        return next((amount for most, amount in steps if limit <= most), steps[-1][1])

    return weight, ", ".join(f"{amount} to {most} levels" for most, amount in steps)


def by_name(methods: Iterable[Method]) -> dict[str, Method]:
    """Give the methods by name."""
    return {method.name: method for method in methods}


def by_route(methods: Iterable[Method]) -> dict[tuple[str, str], Method]:
    """Give the methods by verb and path."""
    return {route: method for method in methods for route in method.routes}
