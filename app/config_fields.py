"""The kinds of numbers a setting may be, the table they stand in, and how contradictions are refused.

Names carry the unit: `_ms` and `_s` are times, `_bps` is 1e-4 of the price, `_quote` and `_base` are amounts
of that currency, `_ratio` is a share of one. Numbers are exact decimals; a setting with more decimals than
the core can hold is refused instead of rounded.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict
from pydantic_core import PydanticCustomError


def _exact(value: object) -> Decimal:
    """Take a number as it was written; text and booleans are not numbers."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Decimal(repr(value))
    raise PydanticCustomError("number", "Input should be a number")


Whole = Annotated[int, Strict()]
Number = Annotated[Decimal, BeforeValidator(_exact)]
Ratio = Annotated[Number, Field(ge=0, le=1, decimal_places=6)]
Bps = Annotated[Number, Field(ge=0, le=10_000, decimal_places=2)]
Amount = Annotated[Number, Field(ge=0, le=10**12, decimal_places=8)]
Multiple = Annotated[Number, Field(gt=0, le=100, decimal_places=6)]
Milliseconds = Annotated[Whole, Field(ge=1, le=3_600_000)]
Seconds = Annotated[Whole, Field(ge=1, le=86_400)]


class Section(BaseModel):
    """A table of the file: unknown keys are refused, values do not change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def require(holds: bool, wanted: str) -> None:
    """Refuse settings that contradict each other.

    Raises:
        PydanticCustomError: `holds` is false; it says what was wanted.

    """
    if not holds:
        raise PydanticCustomError("contradiction", "{wanted}", {"wanted": wanted})


def _symbol(name: str) -> str:
    """Take a symbol as venues print it.

    Raises:
        PydanticCustomError: it has characters no symbol has.

    """
    if not re.fullmatch(r"[A-Z0-9][A-Z0-9_-]{0,31}", name):
        raise PydanticCustomError("symbol", "Input should be a symbol in capitals, as BTCUSDT")
    return name


Symbol = Annotated[str, AfterValidator(_symbol)]


def _server_url(text: str) -> str:
    """Take nothing, or the URL of a server, without a name, a query or a space in it.

    Raises:
        PydanticCustomError: it is neither.

    """
    if text and not re.fullmatch(r"(wss?|https?)://[\w.:\[\]-]+(/[\w./-]*)?", text, re.ASCII):
        raise PydanticCustomError("server", "Input should be ws://HOST:PORT or wss://HOST, or nothing")
    return text


ServerUrl = Annotated[str, Field(max_length=200), AfterValidator(_server_url)]
