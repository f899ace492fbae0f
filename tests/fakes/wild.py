"""Snapshots nobody meant: extreme numbers, hostile words, empty and huge lists, as far as the types allow."""

from __future__ import annotations

import enum
import math
import typing
from random import Random
from typing import Any

import msgspec
from msgspec.structs import fields, replace

from pipeline.core.snapshot import NONE_E6, ConsoleSnapshot, InstrumentView, LadderView

WORDS = (
    "",
    "x" * 3_000,
    "\x1b[2J\x1b]0;title\x07",
    "[bold red]markup[/] [link=file:///etc]x[/link]",
    "a\nb\rc\td\x00e\x7f\x9b",
    "\u202eevil\u202c \u200b\ufeff\U000e0001",
    "比特币" * 40,
    "e\u0301" * 30 + "\U0001f4a5",
    "{0} {detail} %s %d",
    "\ud800",
)
NUMBERS = (0, 1, -1, 7, 10**6, -(10**6), 10**12, 10**18, -(10**18), 2**62, -(2**62), NONE_E6)
FLOATS = (0.0, -1.0, 1e300, math.nan, math.inf, -math.inf, 0.1)
MOST = 60


def wild(base: ConsoleSnapshot, random: Random, share: float) -> ConsoleSnapshot:
    """Give a snapshot of which about this share of all fields is something else."""
    return typing.cast(ConsoleSnapshot, _Shaker(random, share).struct(base))


class _Shaker:
    def __init__(self, random: Random, share: float) -> None:
        self._random = random
        self._share = share

    def struct(self, base: Any) -> Any:
        """Shake every field of a struct."""
        if isinstance(base, InstrumentView):
            return self._instrument(base)
        changes = {field.name: self._field(field.name, getattr(base, field.name)) for field in fields(base)}
        if isinstance(base, LadderView):
            changes["bids"] = tuple(sorted(changes["bids"], reverse=True))
            changes["asks"] = tuple(sorted(changes["asks"]))
        return replace(base, **changes)

    def _instrument(self, base: InstrumentView) -> InstrumentView:
        """Scales are proved by configuration and venue: any of those, with any words."""
        random = self._random
        names = {name: self._value(getattr(base, name)) for name in ("venue", "symbol", "base", "quote")}
        size_decimals = random.randint(0, 12)
        return replace(
            base,
            **names,
            price_decimals=random.randint(0, 12),
            tick_units=random.choice((1, 5, 25, 10**6)),
            size_decimals=size_decimals,
            lot_decimals=random.randint(0, size_decimals),
            lot_units=10 ** random.randint(0, size_decimals),
        )

    def _field(self, name: str, value: Any) -> Any:
        if name in ("ts_ns", "seq"):
            return self._random.choice((0, 1, value, 2**63 - 1)) if self._hit() else value
        if name == "came_true":
            return "".join(self._random.choice("+-.") for _ in range(self._random.randrange(40)))
        return self._value(value)

    def _hit(self) -> bool:
        return self._random.random() < self._share

    def _value(self, value: Any) -> Any:
        random = self._random
        if isinstance(value, msgspec.Struct):
            return self.struct(value)
        if isinstance(value, tuple):
            return self._many(value)
        if not self._hit() or value is None:
            return value
        if isinstance(value, enum.Enum):
            return random.choice(list(type(value)))
        match value:
            case bool():
                return not value
            case str():
                return random.choice(WORDS)
            case int():
                return random.choice((*NUMBERS, random.randint(-(10**7), 10**7)))
            case float():
                return random.choice(FLOATS)
            case _:
                return value

    def _many(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """Shake a list: another length where its items are alike, other items in the same places."""
        alike = len({type(value) for value in values}) == 1 and not isinstance(values[0], int)
        if alike and self._hit():
            size = self._random.choice((0, 1, len(values), MOST))
            values = tuple(values[place % len(values)] for place in range(size))
        return tuple(self._value(value) for value in values)
