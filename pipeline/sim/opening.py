"""Opens a simulated venue from a few options: markets, one customer with balances and keys, faults."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipeline.core.types import QUOTE_SCALE, Fees, Instrument
from pipeline.sim.exchange.exchange import Exchange
from pipeline.sim.exchange.ledger import Entry, Ledger
from pipeline.sim.exchange.listing import NO_FEES, spot_listings, usdm_listings
from pipeline.sim.live_market import LiveMarket
from pipeline.sim.order_flow import FlowParams
from pipeline.sim.protocol.dialect import DIALECTS, SPOT, USDM, Dialect
from pipeline.sim.protocol.faults import Fault
from pipeline.sim.protocol.hub import MarketHub
from pipeline.sim.protocol.lifetimes import DAY_NS, Lifetimes
from pipeline.sim.protocol.request_log import LogEntry, RequestLog
from pipeline.sim.protocol.venue import AccountEvent, SimVenue
from pipeline.sim.replayed_market import Frames, ReplayedMarket

ACCOUNT = "main"
OPENING_BALANCES = {"BTC": 10 * QUOTE_SCALE, "ETH": 200 * QUOTE_SCALE, "USDT": 1_000_000 * QUOTE_SCALE}
DEFAULT_SEED = 7
_COARSER = 10
"""How much coarser a tick of the futures is than one of spot."""


@dataclass(frozen=True, slots=True)
class SimOptions:
    """What a simulated venue is opened with."""

    seed: int = DEFAULT_SEED
    venue: str = SPOT.venue
    """`binance` or `binance-usdm`."""
    symbols: tuple[str, ...] = ("BTCUSDT",)
    fees: Fees = NO_FEES
    flow: FlowParams = field(default_factory=FlowParams)
    faults: tuple[Fault, ...] = ()
    lifetime_ns: int = DAY_NS
    """How long a connection lives."""
    notice_ns: int = 600 * 1_000_000_000
    """How long before its end it is told."""

    @property
    def dialect(self) -> Dialect:
        """Give the venue's wire."""
        return DIALECTS[self.venue]

    @property
    def credentials(self) -> tuple[str, str]:
        """Give API key and secret of the one account: 64 characters each, the same for the same seed."""
        return _derived(self.seed, "api key"), _derived(self.seed, "secret")


def open_live(
    options: SimOptions,
    now_ns: int,
    sink: Callable[[Entry], None] | None = None,
    log_sink: Callable[[LogEntry], None] | None = None,
) -> SimVenue:
    """Open a venue that trades by itself from now on.

    `sink` gets every entry of the ledger, `log_sink` every one of the request log.

    Raises:
        ValueError: a symbol is not listed.
    """
    listings = (usdm_listings if options.dialect is USDM else spot_listings)(options.symbols, options.fees)
    hub, inbox = MarketHub(), list[AccountEvent]()
    market = LiveMarket(listings, options.seed, now_ns, hub, inbox.append, _flow(options), Ledger(sink))
    _open_account(market.exchange, options, now_ns)
    return SimVenue(
        *(market, hub, inbox, now_ns),
        dialect=options.dialect,
        seed=options.seed,
        faults=options.faults,
        lifetimes=_lifetimes(options),
        log=RequestLog(log_sink),
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
        *(market, hub, [], now_ns),
        dialect=DIALECTS.get(next(iter(instruments.values())).venue, SPOT),
        seed=options.seed,
        faults=options.faults,
        lifetimes=_lifetimes(options),
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
        "positions": {
            symbol: {"lots": one.lots, "cost_e8": one.cost_e8, "realised_e8": one.realised_e8}
            for symbol, one in account.positions.items()
        },
        "balances_e8": {asset: [free, locked] for asset, free, locked in account.holds()},
    }


def _open_account(exchange: Exchange, options: SimOptions, now_ns: int) -> None:
    instruments = [market.listing.instrument for market in exchange.markets.values()]
    assets = dict.fromkeys(
        name for one in instruments for name in ((one.quote,) if one.margin else (one.base, one.quote))
    )
    balances = {asset: OPENING_BALANCES.get(asset, 0) for asset in assets}
    exchange.open_account(ACCOUNT, *options.credentials, balances, now_ns)


def _flow(options: SimOptions) -> FlowParams:
    """Give the flow; a tick of the futures is larger, so the same news is fewer of them."""
    if options.dialect is not USDM:
        return options.flow
    news = replace(options.flow.news, jump_ticks=options.flow.news.jump_ticks / _COARSER)
    return replace(options.flow, news=replace(news, home_ticks=news.home_ticks // _COARSER))


def _lifetimes(options: SimOptions) -> Lifetimes:
    return Lifetimes(options.lifetime_ns, options.notice_ns)


def _derived(seed: int, what: str) -> str:
    return hmac.new(f"lobdeck sim {seed}".encode(), what.encode(), "sha256").hexdigest()
