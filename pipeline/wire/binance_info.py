"""What Binance spot says of its symbols and of an account's commission: exact, or refused. Pure.

Rates are rounded up to 1e-6: a cost is never taken for less than it is. The discount for paying in the
venue's own coin is left out, for it ends when that coin runs out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import msgspec

from pipeline.core.inputs import RefusalReason
from pipeline.wire.fields import WireError, clean_text, scaled_int

E18_DECIMALS = 18
_RATE_DECIMALS = 12
_RATE_UNITS_PER_E6 = 1_000_000
_TRADING = "TRADING"
_Shape = TypeVar("_Shape")


class _Filter(msgspec.Struct):
    filterType: str
    tickSize: str = ""
    stepSize: str = ""
    maxQty: str = ""
    minNotional: str = ""


class _Symbol(msgspec.Struct):
    symbol: str
    status: str
    filters: list[_Filter] = []


class _Info(msgspec.Struct):
    symbols: list[_Symbol]


class _Rates(msgspec.Struct):
    maker: str = "0"
    taker: str = "0"
    buyer: str = "0"
    seller: str = "0"


class _Commission(msgspec.Struct):
    symbol: str
    standardCommission: _Rates
    specialCommission: _Rates = msgspec.field(default_factory=_Rates)
    taxCommission: _Rates = msgspec.field(default_factory=_Rates)


@dataclass(frozen=True, slots=True)
class SymbolFacts:
    """One symbol as the venue describes it; steps and amounts are integers of 1e-18."""

    symbol: str
    status: str
    tick_e18: int
    lot_e18: int
    max_qty_e18: int
    min_notional_e18: int
    """0 where the venue has no such filter."""

    @property
    def trades(self) -> bool:
        """Say whether orders are taken."""
        return self.status == _TRADING


def symbols_of(result: bytes) -> dict[str, SymbolFacts]:
    """Read the result of exchangeInfo, by symbol.

    Raises:
        WireError: it is none, or a filter that is needed is missing or no number.
    """
    return {one.symbol: _facts(one) for one in _decoded(result, _Info).symbols}


def commission_of(result: bytes, symbol: str) -> tuple[int, int]:
    """Read the result of account.commission: (maker, taker) in 1e-6, all parts added up.

    Raises:
        WireError: it is none, another symbol's, or a rate is no number.
    """
    found = _decoded(result, _Commission)
    if found.symbol != symbol:
        raise WireError(RefusalReason.UNKNOWN_SYMBOL, f"commission of {found.symbol[:40]}, asked of {symbol}")
    parts = (found.standardCommission, found.specialCommission, found.taxCommission)
    either = sum(max(_rate(one.buyer), _rate(one.seller)) for one in parts)
    maker = sum(_rate(one.maker) for one in parts) + either
    taker = sum(_rate(one.taker) for one in parts) + either
    return -(-maker // _RATE_UNITS_PER_E6), -(-taker // _RATE_UNITS_PER_E6)


def _facts(one: _Symbol) -> SymbolFacts:
    by_type = {each.filterType: each for each in one.filters}
    price, lot = by_type.get("PRICE_FILTER"), by_type.get("LOT_SIZE")
    if price is None or lot is None:
        raise WireError(RefusalReason.BAD_FIELD, f"{one.symbol[:40]}: no PRICE_FILTER or no LOT_SIZE")
    least = by_type.get("NOTIONAL") or by_type.get("MIN_NOTIONAL")
    facts = SymbolFacts(
        symbol=one.symbol,
        status=clean_text(one.status)[:20],
        tick_e18=_e18(price.tickSize),
        lot_e18=_e18(lot.stepSize),
        max_qty_e18=_e18(lot.maxQty),
        min_notional_e18=0 if least is None else _e18(least.minNotional),
    )
    if not (facts.tick_e18 and facts.lot_e18 and facts.max_qty_e18):
        raise WireError(RefusalReason.BAD_NUMBER, f"{one.symbol[:40]}: a step or the largest quantity is 0")
    return facts


def _e18(text: str) -> int:
    """Give an amount in 1e-18; it may have more digits than the 63 bits of a wire number."""
    whole, _, fraction = text.partition(".")
    return scaled_int(whole, 0) * int(10**E18_DECIMALS) + scaled_int(f"0.{fraction or '0'}", E18_DECIMALS)


def _rate(text: str) -> int:
    return -scaled_int(text[1:], _RATE_DECIMALS) if text.startswith("-") else scaled_int(text, _RATE_DECIMALS)


def _decoded(raw: bytes, shape: type[_Shape]) -> _Shape:
    try:
        found: _Shape = msgspec.json.decode(raw, type=shape)
    except msgspec.ValidationError as problem:
        raise WireError(RefusalReason.BAD_FIELD, str(problem)) from None
    except (msgspec.MsgspecError, ValueError, RecursionError) as problem:
        raise WireError(RefusalReason.NOT_JSON, str(problem)) from None
    return found
