"""Instruments and fees: the shipped tables, a user's file over them, and `--fees` over both.

What is wrong is refused in one line that says where, what was found and what is wanted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from pipeline.core.types import QUOTE_SCALE, Fees, Instrument, SyncRule
from pipeline.runtime.exact_text import MOST_DECIMALS, decimals_of, scaled, units_of
from pipeline.runtime.instrument_tables import (
    InstrumentError,
    Layer,
    SymbolTable,
    basis_points_e6,
    read_layers,
)

__all__ = ["InstrumentError", "load_instruments", "parse_fees"]

_UNITS_PER_QUOTE_E8 = 10**MOST_DECIMALS // QUOTE_SCALE


def parse_fees(text: str) -> Fees:
    """Give the fees of `MAKER/TAKER` in basis points, e.g. `0/0`, `2/5`, `-0.5/3`; negative is a rebate.

    Raises:
        InstrumentError: not two such numbers of at most three digits and two decimals.
    """
    maker, _, taker = text.partition("/")
    try:
        return Fees(basis_points_e6(maker), basis_points_e6(taker), "option")
    except ValueError as error:
        wanted = "wanted MAKER/TAKER in basis points, like 2/5"
        raise InstrumentError(f"fees: found {text[:40]!r}, {wanted}") from error


def load_instruments(
    venue: str,
    symbols: Sequence[str],
    fees_override: Fees | None = None,
    user_file: Path | None = None,
) -> tuple[Instrument, ...]:
    """Give the instruments of a venue in the order asked for.

    `user_file` has the form of the shipped file: its symbols are added to or replace the shipped ones, its
    fees replace theirs. It need not exist. `fees_override` (of `parse_fees`) replaces the fees of all.

    Raises:
        InstrumentError: unknown venue or symbol, or a table that is wrong.
    """
    every_layer = read_layers(user_file)
    layers = [layer for layer in every_layer if venue in layer.tables.root]
    if not layers:
        known = (name for layer in every_layer for name in layer.tables.root)
        raise InstrumentError(_unknown("venue", venue, known))
    instruments = tuple(_instrument(venue, symbol, layers) for symbol in symbols)
    if fees_override is None:
        return instruments
    return tuple(replace(instrument, fees=fees_override) for instrument in instruments)


def _instrument(venue: str, symbol: str, layers: list[Layer]) -> Instrument:
    tables = [layer.tables.root[venue] for layer in layers]
    found = [layer for layer in layers if symbol in layer.tables.root[venue].symbols]
    if not found:
        known = (name for table in tables for name in table.symbols)
        raise InstrumentError(_unknown(f"{venue} symbol", symbol, known))
    layer = found[-1]
    entry = layer.tables.root[venue].symbols[symbol]
    where = f"{layer.name}: {venue}.symbols.{symbol}"
    lot_units = scaled(entry.lot, entry.size_decimals)
    if lot_units is None:
        wanted = f"wanted at most {entry.size_decimals} decimals, as size_decimals says"
        raise InstrumentError(f"{where}.lot: found {entry.lot}, {wanted}")
    price_decimals = decimals_of(entry.tick)
    rules = [table.sync_rule for table in tables if table.sync_rule is not None]
    margins = [table.margin for table in tables if table.margin is not None]
    fees = _fees_of(venue, entry, layer, layers)
    if not rules or not margins or fees is None:
        raise InstrumentError(f"{where}: [{venue}] wants sync_rule, margin, maker_bp and taker_bp")
    return Instrument(
        venue=venue,
        symbol=symbol,
        base=entry.base,
        quote=entry.quote,
        price_decimals=price_decimals,
        tick_units=units_of(entry.tick) // 10 ** (MOST_DECIMALS - price_decimals),
        size_decimals=entry.size_decimals,
        lot_units=lot_units,
        min_notional_quote_e8=-(-units_of(entry.min_notional) // _UNITS_PER_QUOTE_E8),
        max_qty_lots=units_of(entry.max_qty) // units_of(entry.lot),
        sync_rule=SyncRule(rules[-1]),
        fees=fees,
        contract_multiplier=entry.contract_multiplier,
        margin=margins[-1],
    )


def _fees_of(venue: str, entry: SymbolTable, layer: Layer, layers: list[Layer]) -> Fees | None:
    """Give the symbol's own fees, else the venue's of the strongest file that has them."""
    own = entry.fees(layer.fee_source)
    shared = [fees for one in layers if (fees := one.tables.root[venue].fees(one.fee_source)) is not None]
    return own or (shared[-1] if shared else None)


def _unknown(what: str, found: str, known: Iterable[str]) -> str:
    names = list(dict.fromkeys(known))
    near = get_close_matches(found, names, n=1)
    hint = f", did you mean {near[0]}?" if near else "."
    return f"unknown {what} {found[:40]!r}{hint} Known: {', '.join(names)}. Add more in instruments.toml."
