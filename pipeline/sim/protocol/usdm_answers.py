"""What the futures answer and report, field by field as they print them (VENUES 2.4, 2.5).

New orders and cancels are answered without `avgPrice` and `cumQuote`, which the venue dropped; queries have
them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipeline.core.types import QUOTE_SCALE, scaled_text
from pipeline.sim.exchange.account import Account
from pipeline.sim.exchange.listing import E8_DECIMALS, Listing
from pipeline.sim.exchange.margin_account import MarginView, views, wallet_e8
from pipeline.sim.exchange.market import Market
from pipeline.sim.exchange.order import ClientOrder, OrderReport, PositionReport
from pipeline.sim.exchange.order_store import OrderStore
from pipeline.sim.protocol.answers import MS_NS, money

ASSET = "USDT"
_ZERO = "0.00"


def order_answer(order: ClientOrder, report: OrderReport) -> dict[str, Any]:
    """Give the answer to a new order or to a cancel: the order as this report left it."""
    return {
        "orderId": order.order_id,
        "symbol": order.listing.symbol,
        "status": report.status.value,
        "clientOrderId": order.client_order_id,
        "price": order.listing.price_text(order.ticks),
        "origQty": order.listing.size_text(order.lots),
        "executedQty": order.listing.size_text(report.filled_lots),
        "cumQty": order.listing.size_text(report.filled_lots),
        **_form(order),
        "updateTime": report.ts_ns // MS_NS,
    }


def found_order(order: ClientOrder) -> dict[str, Any]:
    """Give an order as it stands."""
    return {
        "avgPrice": _average(order.listing, order.filled_quote_e8, order.filled_lots),
        "clientOrderId": order.client_order_id,
        "cumQuote": money(order.filled_quote_e8),
        "executedQty": order.listing.size_text(order.filled_lots),
        "orderId": order.order_id,
        "origQty": order.listing.size_text(order.lots),
        "price": order.listing.price_text(order.ticks),
        "status": order.status.value,
        "symbol": order.listing.symbol,
        "time": order.created_ns // MS_NS,
        "updateTime": order.updated_ns // MS_NS,
        **_form(order),
    }


def found_trade(report: OrderReport) -> dict[str, Any]:
    """Give a fill."""
    order, listing = report.order, report.order.listing
    return {
        "symbol": listing.symbol,
        "id": report.trade_id,
        "orderId": order.order_id,
        "side": order.side.name,
        "price": listing.price_text(report.last_ticks),
        "qty": listing.size_text(report.last_lots),
        "realizedPnl": money(report.realised_e8),
        "quoteQty": money(listing.notional_e8(report.last_ticks, report.last_lots)),
        "commission": money(report.commission_e8),
        "commissionAsset": listing.instrument.quote,
        "time": report.ts_ns // MS_NS,
        "positionSide": "BOTH",
        "buyer": order.side > 0,
        "maker": report.maker,
    }


def position_answer(account: Account, market: Market, view: MarginView) -> dict[str, Any]:
    """Give one position as the newer of the two requests does; all of one-way mode and cross margin."""
    listing, position = market.listing, account.position(market.listing.symbol)
    entry = money(position.entry_e8(listing.lot_e8))
    return {
        "symbol": listing.symbol,
        "positionSide": "BOTH",
        "positionAmt": listing.size_text(position.lots),
        "entryPrice": entry,
        "breakEvenPrice": entry,
        "markPrice": money(market.last_ticks * listing.tick_e8),
        "unRealizedProfit": money(view.unrealised_e8),
        "liquidationPrice": "0",
        "isolatedMargin": "0",
        "notional": money(view.notional_e8),
        "marginAsset": listing.instrument.quote,
        "isolatedWallet": "0",
        "initialMargin": money(view.margin_e8),
        "maintMargin": money(0),
        "positionInitialMargin": money(view.position_margin_e8),
        "openOrderInitialMargin": money(view.order_margin_e8),
        "adl": 0,
        "bidNotional": "0",
        "askNotional": "0",
        "updateTime": position.updated_ns // MS_NS,
    }


def account_totals(account: Account, found: Iterable[MarginView]) -> dict[str, str]:
    """Give wallet, profit and margin of an account, by the names the `assets` list has them."""
    found = tuple(found)
    wallet, profit = wallet_e8(account, ASSET), sum(view.unrealised_e8 for view in found)
    held, waiting = (
        sum(view.position_margin_e8 for view in found),
        sum(view.order_margin_e8 for view in found),
    )
    free = money(max(0, wallet + profit - held - waiting))
    return {
        "walletBalance": money(wallet),
        "unrealizedProfit": money(profit),
        "marginBalance": money(wallet + profit),
        "maintMargin": money(0),
        "initialMargin": money(held + waiting),
        "positionInitialMargin": money(held),
        "openOrderInitialMargin": money(waiting),
        "crossWalletBalance": money(wallet),
        "crossUnPnl": money(profit),
        "availableBalance": free,
        "maxWithdrawAmount": free,
    }


def account_answer(account: Account, markets: Iterable[Market], orders: OrderStore) -> dict[str, Any]:
    """Give the account: totals, the one asset, and the positions that are or may come."""
    by_symbol = {market.listing.symbol: market for market in markets}
    found = views(account, by_symbol.values(), orders)
    totals = account_totals(account, found.values())
    at_ms = account.updated_ns // MS_NS
    return {
        "totalInitialMargin": totals["initialMargin"],
        "totalMaintMargin": totals["maintMargin"],
        "totalWalletBalance": totals["walletBalance"],
        "totalUnrealizedProfit": totals["unrealizedProfit"],
        "totalMarginBalance": totals["marginBalance"],
        "totalPositionInitialMargin": totals["positionInitialMargin"],
        "totalOpenOrderInitialMargin": totals["openOrderInitialMargin"],
        "totalCrossWalletBalance": totals["crossWalletBalance"],
        "totalCrossUnPnl": totals["crossUnPnl"],
        "availableBalance": totals["availableBalance"],
        "maxWithdrawAmount": totals["maxWithdrawAmount"],
        "assets": [{"asset": ASSET, **totals, "updateTime": at_ms}],
        "positions": [
            position_answer(account, by_symbol[symbol], view)
            for symbol, view in found.items()
            if view.margin_e8 or account.position(symbol).lots
        ],
    }


def balance_answer(account: Account, markets: Iterable[Market], orders: OrderStore) -> list[dict[str, Any]]:
    """Give the balance of the one asset."""
    totals = account_totals(account, views(account, markets, orders).values())
    return [
        {
            "accountAlias": account.name,
            "asset": ASSET,
            "balance": totals["walletBalance"],
            "crossWalletBalance": totals["crossWalletBalance"],
            "crossUnPnl": totals["crossUnPnl"],
            "availableBalance": totals["availableBalance"],
            "maxWithdrawAmount": totals["maxWithdrawAmount"],
            "marginAvailable": True,
            "updateTime": account.updated_ns // MS_NS,
        }
    ]


def commission_answer(listing: Listing) -> dict[str, str]:
    """Give the commission rates of a symbol."""
    fees = listing.instrument.fees
    return {
        "symbol": listing.symbol,
        "makerCommissionRate": scaled_text(fees.maker_e6, 6),
        "takerCommissionRate": scaled_text(fees.taker_e6, 6),
    }


def bracket_answer(listing: Listing) -> dict[str, Any]:
    """Give the leverage brackets of a symbol: one, without maintenance margin: nothing is liquidated."""
    bracket = {
        "bracket": 1,
        "initialLeverage": listing.leverage,
        "notionalCap": listing.max_notional_e8 // QUOTE_SCALE,
        "notionalFloor": 0,
        "maintMarginRatio": 0.0,
        "cum": 0.0,
    }
    return {"symbol": listing.symbol, "brackets": [bracket]}


def order_trade_update(report: OrderReport) -> dict[str, Any]:
    """Give the `ORDER_TRADE_UPDATE` of one event of an order's life."""
    order, listing = report.order, report.order.listing
    at_ms, traded = report.ts_ns // MS_NS, report.trade_id >= 0
    # The futures have no execution type of their own for an order that gave way to its own account.
    execution = "EXPIRED" if report.execution == "TRADE_PREVENTION" else report.execution.value
    fields: dict[str, Any] = {
        "s": listing.symbol,
        "c": order.client_order_id,
        "S": order.side.name,
        "o": order.kind.value,
        "f": order.time_in_force.value,
        "q": listing.size_text(order.lots),
        "p": listing.price_text(order.ticks),
        "ap": _average(listing, report.filled_quote_e8, report.filled_lots),
        "sp": "0",
        "x": execution,
        "X": report.status.value,
        "i": order.order_id,
        "l": listing.size_text(report.last_lots),
        "z": listing.size_text(report.filled_lots),
        "L": listing.price_text(report.last_ticks),
    }
    if traded:
        fields |= {"N": listing.instrument.quote, "n": money(report.commission_e8)}
    fields |= {
        "T": at_ms,
        "t": max(report.trade_id, 0),
        "b": "0",
        "a": "0",
        "m": report.maker,
        "R": order.reduce_only,
        "wt": "CONTRACT_PRICE",
        "ot": order.kind.value,
        "ps": "BOTH",
        "cp": False,
        "rp": money(report.realised_e8),
        "pP": False,
        "si": 0,
        "ss": 0,
        "V": order.self_trade.value,
        "pm": "NONE",
        "gtd": 0,
    }
    return {"e": "ORDER_TRADE_UPDATE", "E": at_ms, "T": at_ms, "o": fields}


def trade_lite(report: OrderReport) -> dict[str, Any]:
    """Give the `TRADE_LITE` of a fill: the same, sooner and without the fee."""
    order, listing = report.order, report.order.listing
    at_ms = report.ts_ns // MS_NS
    return {
        "e": "TRADE_LITE",
        "E": at_ms,
        "T": at_ms,
        "s": listing.symbol,
        "q": listing.size_text(order.lots),
        "p": listing.price_text(order.ticks),
        "m": report.maker,
        "c": order.client_order_id,
        "S": order.side.name,
        "L": listing.price_text(report.last_ticks),
        "l": listing.size_text(report.last_lots),
        "t": report.trade_id,
        "i": order.order_id,
    }


def account_update(moved: PositionReport, listing: Listing) -> dict[str, Any]:
    """Give the `ACCOUNT_UPDATE` of a fill: the wallet, and the position the fill changed."""
    at_ms, wallet = moved.ts_ns // MS_NS, money(moved.wallet_e8)
    return {
        "e": "ACCOUNT_UPDATE",
        "E": at_ms,
        "T": at_ms,
        "a": {
            "m": "ORDER",
            "B": [{"a": ASSET, "wb": wallet, "cw": wallet, "bc": "0"}],
            "P": [
                {
                    "s": moved.symbol,
                    "pa": listing.size_text(moved.lots),
                    "ep": money(moved.entry_e8),
                    "bep": money(moved.entry_e8),
                    "cr": money(moved.realised_e8),
                    "up": money(moved.unrealised_e8),
                    "mt": "cross",
                    "iw": "0",
                    "ps": "BOTH",
                }
            ],
        },
    }


def _form(order: ClientOrder) -> dict[str, Any]:
    """Give what never changes of an order and is the same in every answer."""
    return {
        "timeInForce": order.time_in_force.value,
        "type": order.kind.value,
        "origType": order.kind.value,
        "reduceOnly": order.reduce_only,
        "closePosition": False,
        "side": order.side.name,
        "positionSide": "BOTH",
        "stopPrice": _ZERO,
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "priceMatch": "NONE",
        "selfTradePreventionMode": order.self_trade.value,
        "goodTillDate": 0,
    }


def _average(listing: Listing, quote_e8: int, lots: int) -> str:
    """Print an average price with 8 decimals, rounded down; 0 without a fill."""
    return scaled_text(quote_e8 * QUOTE_SCALE // (lots * listing.lot_e8) if lots else 0, E8_DECIMALS)
