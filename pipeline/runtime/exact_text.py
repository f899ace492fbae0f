"""Decimal numbers as people and venues write them, taken exactly or not at all.

`Decimal` itself accepts NaN, underscores, other scripts' digits and exponents that make million-digit
integers; the pattern is what keeps them out. Its arithmetic rounds to 28 digits; the integers here do not.
"""

from __future__ import annotations

import re
from decimal import Decimal

EXACT_PATTERN = r"^[0-9]{1,20}(\.[0-9]{1,18})?$"
"""Up to 20 digits before and 18 after the point; no sign, no exponent, ASCII digits only."""

MOST_DECIMALS = 18

_EXACT = re.compile(EXACT_PATTERN)


def exact_decimal(text: object) -> Decimal | None:
    """Give the number a text is, or None for anything but such a text."""
    if not isinstance(text, str) or _EXACT.fullmatch(text) is None:
        return None
    return Decimal(text)


def units_of(value: Decimal) -> int:
    """Give `value * 10**18`, whole for every number `exact_decimal` gives."""
    _, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    return int("".join(map(str, digits))) * int(10 ** (MOST_DECIMALS + exponent))


def decimals_of(value: Decimal) -> int:
    """Give how many decimals a number needs, trailing zeros left out: 1 for 0.10, 0 for 100."""
    units, decimals = units_of(value), MOST_DECIMALS
    while decimals > 0 and units % 10 == 0:
        units //= 10
        decimals -= 1
    return decimals


def scaled(value: Decimal, decimals: int) -> int | None:
    """Give `value * 10**decimals` for up to 18 decimals, or None where that is not whole."""
    whole, rest = divmod(units_of(value), int(10 ** (MOST_DECIMALS - decimals)))
    return whole if rest == 0 else None
