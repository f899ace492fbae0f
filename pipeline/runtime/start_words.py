"""The words for what is not settled from before, out of the summary: for stderr, `status` and `reconcile`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Start = Mapping[str, Any]

HOW = "`lobdeck reconcile --adopt` takes it as found, `--cancel` cancels the orders; nothing is armed before"
SETTLED = "what was left before is settled"


def start_lines(start: Start) -> list[str]:
    """Give a line for each thing that differs; none where nothing does."""
    if not start["differs"]:
        return []
    source = f"from {start['session']}" if start["session"] else "no earlier books were taken over"
    lines = [f"UNRECONCILED: what was left before is not settled ({source})"]
    lines += [_order(one) for one in start["orders"]]
    lines += [
        f"missed    {one['symbol']} {one['fills']} fills of {one['qty']} its journal does not have"
        for one in start["missed"]
    ]
    lines += [
        f"balance   {one['symbol']} expected {one['expected']}, found {one['found']}"
        for one in start["balances"]
    ]
    if start["trouble"]:
        lines.append(f"journal   {start['trouble']}")
    return [*lines, HOW]


def _order(order: Mapping[str, Any]) -> str:
    known = "in its journal" if order["known"] else "IN NO JOURNAL"
    if "symbol" not in order:
        return f"order     {order['id']} {known}"
    what = f"{order['symbol']} {order['side']} {order['qty']} at {order['price']}, filled {order['filled']}"
    return f"order     {order['id']} {what}, {known}"
