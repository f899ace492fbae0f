"""The user data stream: what happened to an account's orders and balances, as Binance spot prints it.

On a cancel `c` is the id of the cancel and `C` that of the order, as on the venue.
"""

from __future__ import annotations

from typing import Any

from pipeline.sim.exchange.order import BalanceReport, ExecutionType, OrderReport
from pipeline.sim.protocol.answers import MS_NS, NO_LIST, money


def execution_report(report: OrderReport) -> dict[str, Any]:
    """Give the `executionReport` of one event of an order's life."""
    order, listing = report.order, report.order.listing
    at_ms, created_ms = report.ts_ns // MS_NS, order.created_ns // MS_NS
    canceled, traded = report.execution is ExecutionType.CANCELED, report.trade_id >= 0
    zero = money(0)
    return {
        "e": "executionReport",
        "E": at_ms,
        "s": listing.symbol,
        "c": report.cancel_client_id if canceled else order.client_order_id,
        "S": order.side.name,
        "o": order.kind.value,
        "f": order.time_in_force.value,
        "q": listing.size_text(order.lots),
        "p": listing.price_text(order.ticks),
        "P": zero,
        "F": zero,
        "g": NO_LIST,
        "C": order.client_order_id if canceled else "",
        "x": report.execution.value,
        "X": report.status.value,
        "r": "NONE",
        "i": order.order_id,
        "l": listing.size_text(report.last_lots),
        "z": listing.size_text(report.filled_lots),
        "L": listing.price_text(report.last_ticks),
        "n": money(report.commission_e8),
        "N": order.receives if traded else None,
        "T": at_ms,
        "t": report.trade_id,
        "I": report.execution_id,
        "w": report.working,
        "m": report.maker,
        "M": False,
        "O": created_ms,
        "Z": money(report.filled_quote_e8),
        "Y": money(listing.notional_e8(report.last_ticks, report.last_lots)),
        "Q": money(order.quote_quantity_e8),
        "W": created_ms,
        "V": order.self_trade.value,
    }


def account_position(report: BalanceReport) -> dict[str, Any]:
    """Give the `outboundAccountPosition` of a change of balances."""
    at_ms = report.ts_ns // MS_NS
    return {
        "e": "outboundAccountPosition",
        "E": at_ms,
        "u": at_ms,
        "B": [{"a": asset, "f": money(free), "l": money(locked)} for asset, free, locked in report.balances],
    }
