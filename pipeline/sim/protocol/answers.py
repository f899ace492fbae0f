"""What the venue answers and reports, field by field as it prints them; money and sizes are texts."""

from __future__ import annotations

from typing import Any

import msgspec

from pipeline.core.types import Fees, scaled_text
from pipeline.sim.exchange.account import Account
from pipeline.sim.exchange.exchange import Exchange
from pipeline.sim.exchange.listing import E8_DECIMALS, Listing
from pipeline.sim.exchange.order import (
    ClientOrder,
    ExecutionType,
    OrderKind,
    OrderReport,
    SelfTrade,
)

MS_NS = 1_000_000
NO_LIST = -1


class OrderFill(msgspec.Struct, rename="camel"):
    """One fill in the answer to a new order."""

    price: str
    qty: str
    commission: str
    commission_asset: str
    trade_id: int


class OrderAck(msgspec.Struct, rename="camel"):
    """The least answer to a new order."""

    symbol: str
    order_id: int
    order_list_id: int
    client_order_id: str
    transact_time: int


class OrderResult(OrderAck, rename="camel"):
    """The answer to a new order with its state after it met the book."""

    price: str
    orig_qty: str
    executed_qty: str
    orig_quote_order_qty: str
    cummulative_quote_qty: str
    status: str
    time_in_force: str
    type: str
    side: str
    working_time: int
    self_trade_prevention_mode: str


class OrderFull(OrderResult, rename="camel"):
    """The answer with the fills."""

    fills: list[OrderFill]


class OrderCanceled(msgspec.Struct, rename="camel"):
    """The answer to a cancel; `client_order_id` is the cancel's own."""

    symbol: str
    orig_client_order_id: str
    order_id: int
    order_list_id: int
    client_order_id: str
    transact_time: int
    price: str
    orig_qty: str
    executed_qty: str
    orig_quote_order_qty: str
    cummulative_quote_qty: str
    status: str
    time_in_force: str
    type: str
    side: str
    self_trade_prevention_mode: str


class OrderFound(msgspec.Struct, rename="camel"):
    """An order as a query finds it."""

    symbol: str
    order_id: int
    order_list_id: int
    client_order_id: str
    price: str
    orig_qty: str
    executed_qty: str
    cummulative_quote_qty: str
    status: str
    time_in_force: str
    type: str
    side: str
    stop_price: str
    iceberg_qty: str
    time: int
    update_time: int
    is_working: bool
    working_time: int
    orig_quote_order_qty: str
    self_trade_prevention_mode: str


class TradeFound(msgspec.Struct, rename="camel"):
    """A fill as a query finds it."""

    symbol: str
    id: int
    order_id: int
    order_list_id: int
    price: str
    qty: str
    quote_qty: str
    commission: str
    commission_asset: str
    time: int
    is_buyer: bool
    is_maker: bool
    is_best_match: bool = True


def money(value_e8: int) -> str:
    """Print an amount with 8 decimals."""
    return scaled_text(value_e8, E8_DECIMALS)


def order_answer(reports: list[OrderReport], how: str) -> OrderAck:
    """Give the answer to a new order from what happened to it; `how` is ACK, RESULT or FULL."""
    order, last = reports[0].order, reports[-1]
    ack = (order.listing.symbol, order.order_id, NO_LIST, order.client_order_id, last.ts_ns // MS_NS)
    if how == "ACK":
        return OrderAck(*ack)
    result = (
        *ack,
        _limit(order),
        order.listing.size_text(order.lots),
        order.listing.size_text(last.filled_lots),
        money(order.quote_quantity_e8),
        money(last.filled_quote_e8),
        last.status.value,
        *_kind(order),
        order.created_ns // MS_NS,
        order.self_trade.value,
    )
    if how == "RESULT":
        return OrderResult(*result)
    return OrderFull(*result, [_fill(one) for one in reports if one.execution is ExecutionType.TRADE])


def canceled_answer(report: OrderReport) -> OrderCanceled:
    """Give the answer to a cancel."""
    order = report.order
    return OrderCanceled(
        order.listing.symbol,
        order.client_order_id,
        order.order_id,
        NO_LIST,
        report.cancel_client_id,
        report.ts_ns // MS_NS,
        _limit(order),
        order.listing.size_text(order.lots),
        order.listing.size_text(report.filled_lots),
        money(order.quote_quantity_e8),
        money(report.filled_quote_e8),
        report.status.value,
        *_kind(order),
        order.self_trade.value,
    )


def found_order(order: ClientOrder) -> OrderFound:
    """Give an order as it stands."""
    zero = money(0)
    return OrderFound(
        order.listing.symbol,
        order.order_id,
        NO_LIST,
        order.client_order_id,
        _limit(order),
        order.listing.size_text(order.lots),
        order.listing.size_text(order.filled_lots),
        money(order.filled_quote_e8),
        order.status.value,
        *_kind(order),
        zero,
        zero,
        order.created_ns // MS_NS,
        order.updated_ns // MS_NS,
        True,
        order.created_ns // MS_NS,
        money(order.quote_quantity_e8),
        order.self_trade.value,
    )


def found_trade(report: OrderReport) -> TradeFound:
    """Give a fill."""
    order, listing = report.order, report.order.listing
    return TradeFound(
        listing.symbol,
        report.trade_id,
        order.order_id,
        NO_LIST,
        listing.price_text(report.last_ticks),
        listing.size_text(report.last_lots),
        money(listing.notional_e8(report.last_ticks, report.last_lots)),
        money(report.commission_e8),
        order.receives,
        report.ts_ns // MS_NS,
        order.side > 0,
        report.maker,
    )


def account_answer(exchange: Exchange, account: Account, omit_zero: bool) -> dict[str, Any]:
    """Give an account's balances and rates."""
    fees = next(iter(exchange.markets.values())).listing.instrument.fees
    return {
        "makerCommission": fees.maker_e6 // 100,
        "takerCommission": fees.taker_e6 // 100,
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": _rates(fees),
        "canTrade": True,
        "canWithdraw": False,
        "canDeposit": False,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": account.updated_ns // MS_NS,
        "accountType": "SPOT",
        "balances": [
            {"asset": asset, "free": money(free), "locked": money(locked)}
            for asset, free, locked in account.holds()
            if free or locked or not omit_zero
        ],
        "permissions": ["SPOT"],
        "uid": account.owner,
    }


def commission_answer(listing: Listing) -> dict[str, Any]:
    """Give the commission rates of a symbol."""
    none = _rates(Fees(0, 0, ""))
    return {
        "symbol": listing.symbol,
        "standardCommission": _rates(listing.instrument.fees),
        "specialCommission": none,
        "taxCommission": none,
        "discount": {
            "enabledForAccount": False,
            "enabledForSymbol": False,
            "discountAsset": "BNB",
            "discount": money(0),
        },
    }


def _rates(fees: Fees) -> dict[str, str]:
    maker, taker = (scaled_text(rate * 100, E8_DECIMALS) for rate in (fees.maker_e6, fees.taker_e6))
    return {"maker": maker, "taker": taker, "buyer": money(0), "seller": money(0)}


def _fill(report: OrderReport) -> OrderFill:
    listing = report.order.listing
    return OrderFill(
        listing.price_text(report.last_ticks),
        listing.size_text(report.last_lots),
        money(report.commission_e8),
        report.order.receives,
        report.trade_id,
    )


def _limit(order: ClientOrder) -> str:
    return order.listing.price_text(order.ticks)


def _kind(order: ClientOrder) -> tuple[str, str, str]:
    return order.time_in_force.value, order.kind.value, order.side.name


ORDER_KINDS = tuple(kind.value for kind in OrderKind)
SELF_TRADES = tuple(mode.value for mode in SelfTrade)
