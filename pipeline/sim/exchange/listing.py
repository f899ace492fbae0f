"""What the simulated exchange lists: instruments, their filters and where their price begins.

All steps are such that price times quantity is exact in 1e-8 of the quote currency, so no money is ever
rounded but commissions. A contract test holds the instruments against the tables the program ships.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.core.types import QUOTE_SCALE, Fees, Instrument, SyncRule, scaled_text

NO_FEES = Fees(0, 0, "venue")
E8_DECIMALS = 8


@dataclass(frozen=True, slots=True)
class Listing:
    """One symbol: the instrument, the filters beyond its steps, and the market it opens with."""

    instrument: Instrument
    open_ticks: int
    """Price of the first best bid."""
    touch_lots: int
    """What a queue at the best price usually holds."""
    max_ticks: int = 100_000_000
    max_notional_e8: int = 9_000_000 * QUOTE_SCALE
    max_open_orders: int = 200
    """MAX_NUM_ORDERS of one account."""
    leverage: int = 20
    """On margin: how much of an exposure's worth one unit of margin carries."""
    band: int = 5
    """PERCENT_PRICE_BY_SIDE: a price lies between 1/band and band times the last one."""

    @property
    def symbol(self) -> str:
        """Give the symbol, upper case."""
        return self.instrument.symbol

    @property
    def tick_e8(self) -> int:
        """Give one tick in 1e-8 of the quote currency."""
        return self.instrument.tick_units * int(10 ** (E8_DECIMALS - self.instrument.price_decimals))

    @property
    def lot_e8(self) -> int:
        """Give one lot in 1e-8 of the base currency."""
        return self.instrument.lot_units * int(10 ** (E8_DECIMALS - self.instrument.size_decimals))

    def notional_e8(self, ticks: int, lots: int) -> int:
        """Give price times quantity in 1e-8 of the quote currency, exactly."""
        return ticks * lots * self.tick_e8 * self.lot_e8 // QUOTE_SCALE

    def price_text(self, ticks: int) -> str:
        """Print a price as the venue does: spot with 8 decimals, the futures with the instrument's."""
        if self.instrument.margin:
            return self.instrument.price_text(ticks)
        return scaled_text(ticks * self.tick_e8, E8_DECIMALS)

    def size_text(self, lots: int) -> str:
        """Print a quantity as the venue does: spot with 8 decimals, the futures with the instrument's."""
        if self.instrument.margin:
            return self.instrument.size_text(lots * self.instrument.lot_units)
        return scaled_text(lots * self.lot_e8, E8_DECIMALS)


def spot_listings(symbols: Sequence[str] = ("BTCUSDT",), fees: Fees = NO_FEES) -> tuple[Listing, ...]:
    """Give the listings of these spot symbols, with the fees of every account.

    Raises:
        ValueError: a symbol the exchange does not list, or none at all; the message names the listed ones.
    """
    return tuple(_spot(symbol, fees) for symbol in _listed(symbols, _SPOT))


def usdm_listings(symbols: Sequence[str] = ("BTCUSDT",), fees: Fees = NO_FEES) -> tuple[Listing, ...]:
    """Give the listings of these USD-M perpetuals, with the fees of every account.

    Raises:
        ValueError: a symbol the exchange does not list, or none at all; the message names the listed ones.
    """
    return tuple(_usdm(symbol, fees) for symbol in _listed(symbols, _USDM))


def _listed(symbols: Sequence[str], table: Mapping[str, object]) -> list[str]:
    unknown = [symbol for symbol in symbols if symbol not in table]
    if unknown or not symbols:
        found = ", ".join(unknown) or "no symbol"
        raise ValueError(f"the simulated exchange does not list {found}; listed: {', '.join(table)}")
    return list(dict.fromkeys(symbols))


def _spot(symbol: str, fees: Fees) -> Listing:
    base, lot_units, open_ticks, touch_lots = _SPOT[symbol]
    instrument = Instrument(
        venue="binance",
        symbol=symbol,
        base=base,
        quote="USDT",
        price_decimals=2,
        tick_units=1,
        size_decimals=E8_DECIMALS,
        lot_units=lot_units,
        min_notional_quote_e8=5 * QUOTE_SCALE,
        max_qty_lots=9_000 * QUOTE_SCALE // lot_units,
        sync_rule=SyncRule.CONTIGUOUS,
        fees=fees,
    )
    return exact(Listing(instrument, open_ticks, touch_lots))


def _usdm(symbol: str, fees: Fees) -> Listing:
    base, price_decimals, lot_units, min_notional, most, open_ticks, touch_lots = _USDM[symbol]
    instrument = Instrument(
        venue="binance-usdm",
        symbol=symbol,
        base=base,
        quote="USDT",
        price_decimals=price_decimals,
        tick_units=1,
        size_decimals=3,
        lot_units=lot_units,
        min_notional_quote_e8=min_notional * QUOTE_SCALE,
        max_qty_lots=most,
        sync_rule=SyncRule.CHAINED,
        fees=fees,
        margin=True,
    )
    return exact(Listing(instrument, open_ticks, touch_lots, max_ticks=20_000_000))


def exact(listing: Listing) -> Listing:
    """Give the listing back.

    Raises:
        ValueError: its steps are so fine that money would have to be rounded.
    """
    if listing.tick_e8 * listing.lot_e8 % QUOTE_SCALE:
        raise ValueError(f"{listing.symbol}: tick times lot is finer than 1e-8 of the quote currency")
    return listing


def by_symbol(listings: Iterable[Listing]) -> dict[str, Listing]:
    """Give the listings by symbol."""
    return {listing.symbol: listing for listing in listings}


_SPOT = {
    # base, size units of a lot, price to open with in ticks, lots of a usual queue
    "BTCUSDT": ("BTC", 1_000, 6_400_000, 120_000),
    "ETHUSDT": ("ETH", 10_000, 265_000, 260_000),
}
_USDM = {
    # base, price decimals, size units of a lot, least notional, most lots, price to open with, usual queue
    "BTCUSDT": ("BTC", 1, 1, 100, 1_000_000, 640_000, 6_000),
    "ETHUSDT": ("ETH", 2, 1, 20, 10_000_000, 265_000, 26_000),
}
