"""Opens a simulated venue from a few options: markets, one customer with balances and keys, faults."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.core.types import QUOTE_SCALE, Fees, Instrument
from pipeline.sim.exchange.exchange import Exchange
from pipeline.sim.exchange.ledger import Entry, Ledger
from pipeline.sim.exchange.listing import NO_FEES, spot_listings
from pipeline.sim.live_market import LiveMarket
from pipeline.sim.order_flow import FlowParams
from pipeline.sim.protocol.faults import Fault
from pipeline.sim.protocol.hub import MarketHub
from pipeline.sim.protocol.lifetimes import DAY_NS, Lifetimes
from pipeline.sim.protocol.venue import AccountEvent, SimVenue
from pipeline.sim.replayed_market import Frames, ReplayedMarket

ACCOUNT = "main"
OPENING_BALANCES = {"BTC": 10 * QUOTE_SCALE, "ETH": 200 * QUOTE_SCALE, "USDT": 1_000_000 * QUOTE_SCALE}
DEFAULT_SEED = 7


@dataclass(frozen=True, slots=True)
class SimOptions:
    """What a simulated venue is opened with."""

    seed: int = DEFAULT_SEED
    symbols: tuple[str, ...] = ("BTCUSDT",)
    fees: Fees = NO_FEES
    flow: FlowParams = field(default_factory=FlowParams)
    faults: tuple[Fault, ...] = ()
    lifetime_ns: int = DAY_NS
    """How long a connection lives."""
    notice_ns: int = 600 * 1_000_000_000
    """How long before its end it is told."""

    @property
    def credentials(self) -> tuple[str, str]:
        """Give API key and secret of the one account: 64 characters each, the same for the same seed."""
        return _derived(self.seed, "api key"), _derived(self.seed, "secret")


def open_live(options: SimOptions, now_ns: int, sink: Callable[[Entry], None] | None = None) -> SimVenue:
    """Open a venue that trades by itself from now on; `sink` gets every entry of the ledger.

    Raises:
        ValueError: a symbol is not listed.
    """
    listings = spot_listings(options.symbols, options.fees)
    hub, inbox = MarketHub(), list[AccountEvent]()
    market = LiveMarket(listings, options.seed, now_ns, hub, inbox.append, options.flow, Ledger(sink))
    _open_account(market.exchange, options, now_ns)
    return SimVenue(
        market, hub, inbox, now_ns, seed=options.seed, faults=options.faults, lifetimes=_lifetimes(options)
    )


def open_replay(
    options: SimOptions,
    open_frames: Callable[[], Frames],
    instruments: Mapping[str, Instrument],
    now_ns: int,
    *,
    speed: float = 1.0,
    times_now: bool = True,
) -> tuple[SimVenue, ReplayedMarket]:
    """Open a venue that serves a capture; symbols, fees and flow of the options do not count.

    Raises:
        ReplayError: the capture cannot be served.
    """
    hub = MarketHub()
    market = ReplayedMarket(open_frames, instruments, hub, speed=speed, times_now=times_now)
    _open_account(market.exchange, options, now_ns)
    venue = SimVenue(
        market, hub, [], now_ns, seed=options.seed, faults=options.faults, lifetimes=_lifetimes(options)
    )
    return venue, market


def account_summary(exchange: Exchange, symbols: Sequence[str]) -> dict[str, object]:
    """Give what the ledger says of the account, and what it holds, for a person or a test to compare."""
    (account,) = exchange.accounts.values()
    sums = {symbol: exchange.ledger.sums(account.name, symbol) for symbol in symbols}
    return {
        "account": account.name,
        "ledger_entries": exchange.ledger.length,
        "open_orders": len(exchange.orders.open_orders(account.owner)),
        "symbols": {
            symbol: {
                "orders": one.orders,
                "refused": one.refused,
                "fills": one.fills,
                "canceled": one.canceled,
                "expired": one.expired,
                "position_lots": one.bought_lots - one.sold_lots,
                "base_e8": one.base_e8,
                "quote_e8": one.quote_e8,
            }
            for symbol, one in sums.items()
        },
        "balances_e8": {asset: [free, locked] for asset, free, locked in account.holds()},
    }


def _open_account(exchange: Exchange, options: SimOptions, now_ns: int) -> None:
    instruments = [market.listing.instrument for market in exchange.markets.values()]
    assets = dict.fromkeys(name for one in instruments for name in (one.base, one.quote))
    balances = {asset: OPENING_BALANCES.get(asset, 0) for asset in assets}
    exchange.open_account(ACCOUNT, *options.credentials, balances, now_ns)


def _lifetimes(options: SimOptions) -> Lifetimes:
    return Lifetimes(options.lifetime_ns, options.notice_ns)


def _derived(seed: int, what: str) -> str:
    return hmac.new(f"lobdeck sim {seed}".encode(), what.encode(), "sha256").hexdigest()
