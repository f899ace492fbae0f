"""Builders of intents, reports, contexts and views for the tests of orders, risk, execution and paper."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from pipeline.core.book import OrderBook
from pipeline.core.effects import CancelOrder, SubmitOrder
from pipeline.core.execution import ExecutionView, WantedEntry
from pipeline.core.inputs import ExecutionReport, Trade
from pipeline.core.order import Order
from pipeline.core.orders import OrderStore
from pipeline.core.params import EntryStyle, RiskLimits
from pipeline.core.portfolio import Portfolio
from pipeline.core.risk import PermitTerms, RiskContext, RiskEngine
from pipeline.core.types import (
    QUOTE_SCALE,
    Authority,
    BookState,
    Fees,
    Instrument,
    OrderIntent,
    OrderState,
    OrderType,
    Origin,
    RiskApproved,
    Side,
    SyncRule,
    TradingState,
)

MS = 1_000_000
SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
POLICY = "ab" * 32

SPOT = Instrument(
    venue="binance",
    symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    price_decimals=2,
    tick_units=1,
    size_decimals=8,
    lot_units=1_000,
    min_notional_quote_e8=5 * QUOTE_SCALE,
    max_qty_lots=900_000_000,
    sync_rule=SyncRule.CONTIGUOUS,
    fees=Fees(maker_e6=1_000, taker_e6=1_000, source="assumed"),
)
"""Tick 0.01, lot 0.00001; one tick times one lot is 10 units of 1e-8 USDT."""

ETH = replace(SPOT, symbol="ETHUSDT", base="ETH", lot_units=10_000)

PERP = Instrument(
    venue="binance-usdm",
    symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    price_decimals=1,
    tick_units=1,
    size_decimals=3,
    lot_units=1,
    min_notional_quote_e8=100 * QUOTE_SCALE,
    max_qty_lots=1_000_000,
    sync_rule=SyncRule.CHAINED,
    fees=Fees(maker_e6=200, taker_e6=500, source="assumed"),
    margin=True,
)
"""Tick 0.1, lot 0.001."""

BID, ASK = 6_000_000, 6_000_002
"""60,000.00 and 60,000.02."""

LOTS = 1_000
"""0.01 BTC, worth 600 USDT."""

LIMITS = RiskLimits(
    profile="practice",
    max_qty_lots=5_000,
    max_notional_quote_e8=3_000 * QUOTE_SCALE,
    max_position_quote_e8=6_000 * QUOTE_SCALE,
    max_gross_quote_e8=9_000 * QUOTE_SCALE,
    max_daily_loss_quote_e8=40 * QUOTE_SCALE,
)


def intent(**changes: Any) -> OrderIntent:
    """A model's post-only buy of 0.01 BTC at the bid, under permit 7."""
    base = OrderIntent(
        symbol="BTCUSDT",
        side=Side.BUY,
        qty_lots=LOTS,
        price_ticks=BID,
        order_type=OrderType.POST_ONLY,
        reduce_only=False,
        origin=Origin.MODEL,
        permit_id=7,
        idea_id=3,
        feature_seq=1,
        model_id="m1",
        generation=1,
        score_e6=300_000,
        edge_e6=5,
        ts_ns=START,
    )
    return msgspec.structs.replace(base, **changes)


def exit_intent(**changes: Any) -> OrderIntent:
    """A resting exit of a long position."""
    base = {
        "side": Side.SELL,
        "price_ticks": ASK,
        "origin": Origin.EXIT,
        "reduce_only": True,
        "permit_id": 0,
        "feature_seq": 0,
    }
    return intent(**(base | changes))


def approved(client_order_id: str = "c1", **changes: Any) -> RiskApproved:
    return RiskApproved(intent(**changes), client_order_id, POLICY)


def report(client_order_id: str, status: OrderState, **changes: Any) -> ExecutionReport:
    """A report without a fill."""
    base = ExecutionReport(
        symbol="BTCUSDT",
        client_order_id=client_order_id,
        venue_order_id=1,
        status=status,
        trade_id=-1,
        filled_lots=0,
        fill_price_ticks=0,
        fee_quote_e8=0,
        maker=False,
        reason="",
        ts_event_ns=START,
        ts_ns=START + 12 * MS,
    )
    return msgspec.structs.replace(base, **changes)


def fill(client_order_id: str, lots: int, trade_id: int, **changes: Any) -> ExecutionReport:
    """A fill at the bid that leaves something open."""
    base = {
        "status": OrderState.PARTIALLY_FILLED,
        "filled_lots": lots,
        "trade_id": trade_id,
        "fill_price_ticks": BID,
        "maker": True,
        "fee_quote_e8": 60,
    }
    return msgspec.structs.replace(report(client_order_id, OrderState.ACCEPTED), **(base | changes))


def context(**changes: Any) -> RiskContext:
    """Everything in order: AUTO, an ok book, a last trade at the bid."""
    base = RiskContext(
        gate_open=True,
        trading_state=TradingState.ACTIVE,
        authority=Authority.AUTO,
        permit=permit(),
        tradable=True,
        book_state=BookState.SYNCED,
        book_age_ns=3 * MS,
        bid_ticks=BID,
        ask_ticks=ASK,
        last_ticks=BID,
    )
    return replace(base, **changes)


def permit(**changes: Any) -> PermitTerms:
    """Permit 7, which bounds nothing but the model and the number of orders."""
    base = PermitTerms(
        permit_id=7,
        sides=(Side.BUY, Side.SELL),
        max_order_lots=2**62,
        orders_left=5,
        max_net_lots=2**62,
        lowest_ticks=1,
        highest_ticks=2**62,
        ends_ns=2**62,
        model_id="m1",
        generation=1,
    )
    return replace(base, **changes)


class Desk:
    """Order store, portfolio and risk engine of one account, with fills applied the way the engine does."""

    def __init__(
        self,
        limits: RiskLimits | None = LIMITS,
        instrument: Instrument = SPOT,
        home_base_e8: int = 10 * QUOTE_SCALE,
        balance_quote_e8: int = 1_000_000 * QUOTE_SCALE,
    ) -> None:
        self.orders = OrderStore(session_number=1)
        self.portfolio = Portfolio((instrument, ETH), home_base_e8, balance_quote_e8)
        by_symbol = {} if limits is None else {instrument.symbol: limits, ETH.symbol: limits}
        self.risk = RiskEngine(by_symbol, self.orders, self.portfolio, POLICY)
        self.portfolio.on_mark(instrument.symbol, BID, ASK)
        self.portfolio.on_mark(ETH.symbol, 300_000, 300_001)
        self._trade_id = 0

    def take(self, answer: Any) -> None:
        applied = self.orders.apply(answer)
        self.risk.on_applied(applied)
        if applied.fill is not None:
            self.portfolio.on_fill(applied.fill)

    def fill(self, order: Order, lots: int, price_ticks: int | None = None) -> None:
        self._trade_id += 1
        price = order.intent.price_ticks if price_ticks is None else price_ticks
        self.take(
            fill(order.client_order_id, lots, self._trade_id, fill_price_ticks=price, symbol=order.symbol)
        )

    def hold(self, lots: int, price_ticks: int = BID) -> None:
        """Come to hold a position without asking risk."""
        side = Side.BUY if lots > 0 else Side.SELL
        client_id = self.orders.next_client_order_id()
        order = self.orders.add(approved(client_id, side=side, qty_lots=abs(lots)), START)
        self.fill(order, abs(lots), price_ticks)


def wanted(**changes: Any) -> WantedEntry:
    base = WantedEntry(
        side=Side.BUY,
        qty_lots=LOTS,
        worst_ticks=BID + 50,
        style=EntryStyle.PASSIVE,
        permit_id=7,
        idea_id=3,
        feature_seq=1,
        model_id="m1",
        generation=1,
        score_e6=300_000,
        edge_e6=5,
    )
    return replace(base, **changes)


def view(**changes: Any) -> ExecutionView:
    """Flat, active, an ok book, nothing wanted, the score on the buy side."""
    base = ExecutionView(
        trading_state=TradingState.ACTIVE,
        book_ok=True,
        bid_ticks=BID,
        ask_ticks=ASK,
        position_lots=0,
        opened_ns=-1,
        held_side=Side.BUY,
        wanted=None,
        orders=(),
    )
    return replace(base, **changes)


def book(bids: dict[int, int], asks: dict[int, int], instrument: Instrument = SPOT) -> OrderBook:
    """A book of price in ticks to size in units."""
    built = OrderBook(instrument)
    built.load(tuple(bids.items()), tuple(asks.items()))
    return built


def submit(client_order_id: str = "c1", **changes: Any) -> SubmitOrder:
    return SubmitOrder(approved(client_order_id, **changes), START)


def cancel(client_order_id: str = "c1", symbol: str = "BTCUSDT") -> CancelOrder:
    return CancelOrder(symbol, client_order_id, "TEST", START)


def trade(price_ticks: int, size_units: int, aggressor: Side, ts_ns: int, symbol: str = "BTCUSDT") -> Trade:
    return Trade(symbol, price_ticks, size_units, aggressor, 1, ts_ns, ts_ns)
