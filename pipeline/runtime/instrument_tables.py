"""The files instruments are read from: their form, and what is said of one that does not have it.

A file is TOML with a table for each venue; every number in it is text and taken exactly.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, RootModel, ValidationError

from pipeline.core.types import Fees
from pipeline.runtime.exact_text import exact_decimal

SHIPPED_NAME: Final = "instruments.toml"

_BASIS_POINTS = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,2})?")


class InstrumentError(ValueError):
    """A table, a symbol or a fee that cannot be used; the message is one line for the user."""


def basis_points_e6(text: object) -> int:
    """Give basis points written as text in 1e-6: 250 for `2.5`; negative is a rebate.

    Raises:
        ValueError: not a text of at most three digits and two decimals.
    """
    if not isinstance(text, str) or _BASIS_POINTS.fullmatch(text) is None:
        raise ValueError('wanted basis points as text, like "2.5"')
    return int(Decimal(text) * 100)


def _exact(text: object) -> Decimal:
    value = exact_decimal(text)
    if value is None:
        raise ValueError('wanted digits as text, like "0.01"')
    return value


def _positive(text: object) -> Decimal:
    value = _exact(text)
    if value == 0:
        raise ValueError("wanted more than 0")
    return value


_BasisPoints = Annotated[int, PlainValidator(basis_points_e6)]
_Amount = Annotated[Decimal, PlainValidator(_exact)]
_Step = Annotated[Decimal, PlainValidator(_positive)]
_Currency = Annotated[str, Field(pattern=r"^[A-Z0-9]{1,20}$")]


class _Fees(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    maker_bp: _BasisPoints | None = None
    taker_bp: _BasisPoints | None = None

    def fees(self, source: str) -> Fees | None:
        """Give the rates where both are written."""
        if self.maker_bp is None or self.taker_bp is None:
            return None
        return Fees(self.maker_bp, self.taker_bp, source)


class SymbolTable(_Fees):
    """One symbol; its fees, where written, replace the venue's."""

    base: _Currency
    quote: _Currency
    tick: _Step
    lot: _Step
    size_decimals: int = Field(ge=0, le=18)
    min_notional: _Amount
    max_qty: _Step
    contract_multiplier: int = Field(default=1, ge=1)


class VenueTable(_Fees):
    """One venue; what a user's file leaves out stays as shipped."""

    sync_rule: Literal["CONTIGUOUS", "CHAINED", "STREAMED"] | None = None
    margin: bool | None = None
    symbols: dict[str, SymbolTable] = Field(default_factory=dict)


class Tables(RootModel[dict[str, VenueTable]]):
    """One file, by venue."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One file with its name and what its fees are to be called."""

    name: str
    fee_source: str
    tables: Tables


def read_layers(user_file: Path | None) -> list[Layer]:
    """Give the shipped file and, where it exists, the user's; the later one is the stronger.

    Raises:
        InstrumentError: a file that cannot be read or does not have the form.
    """
    shipped = files("pipeline.runtime").joinpath(SHIPPED_NAME).read_bytes()
    layers = [Layer(SHIPPED_NAME, "assumed", _parse(SHIPPED_NAME, shipped))]
    if user_file is not None and user_file.exists():
        layers.append(Layer(str(user_file), "configuration", _parse(str(user_file), _bytes_of(user_file))))
    return layers


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InstrumentError(f"{path}: cannot be read: {error.strerror}") from error


def _parse(name: str, content: bytes) -> Tables:
    try:
        return Tables.model_validate(tomllib.loads(content.decode()))
    except UnicodeDecodeError as error:
        raise InstrumentError(f"{name}: byte {error.start} is not UTF-8 text") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        what = first["msg"].removeprefix("Value error, ")
        raise InstrumentError(f"{name}: {place}: found {str(first['input'])[:40]!r}, {what}") from error
    except (ValueError, RecursionError) as error:
        raise InstrumentError(f"{name}: not TOML: {error}") from error
