"""What is not settled from before, for screen and summary: exact texts, no words."""

from __future__ import annotations

from typing import Any

from pipeline.core.snapshot import StartView
from pipeline.core.state import EngineState
from pipeline.core.types import scaled_text

_E8_DECIMALS = 8


def start_summary(state: EngineState) -> dict[str, Any]:
    """Give the part of the summary that says how the session began."""
    start = state.start
    return {
        "session": start.session,
        "compared": start.compared,
        "differs": start.differs,
        "trouble": start.trouble,
        "orders": [_order(state, one, known) for one, known in start.orders.items()],
        "missed": [
            {"symbol": symbol, "fills": fills, "qty": _qty(state, symbol, lots)}
            for symbol, (fills, lots) in start.missed.items()
        ],
        "balances": [
            {
                "symbol": one.symbol,
                "expected": scaled_text(one.expected_e8, _E8_DECIMALS),
                "found": scaled_text(one.found_e8, _E8_DECIMALS),
            }
            for one in start.differ
        ],
    }


def start_view(state: EngineState) -> StartView | None:
    """Give what the screen says of it; None while nothing waits for a person."""
    start = state.start
    if not start.differs:
        return None
    return StartView(
        session=start.session,
        orders_known=sum(start.orders.values()),
        orders_unknown=sum(not known for known in start.orders.values()),
        missed=tuple(
            (symbol, fills, _qty(state, symbol, lots)) for symbol, (fills, lots) in start.missed.items()
        ),
        balances=tuple(
            (one.symbol, scaled_text(one.expected_e8, _E8_DECIMALS), scaled_text(one.found_e8, _E8_DECIMALS))
            for one in start.differ
        ),
        held=tuple(
            (symbol, _qty(state, symbol, lots))
            for symbol in state.desks
            if (lots := state.portfolio.position(symbol).lots)
        ),
        trouble=start.trouble,
        canceling=start.canceling,
    )


def _order(state: EngineState, client_order_id: str, known: bool) -> dict[str, Any]:
    order = state.orders.order(client_order_id)
    if order is None:
        return {"id": client_order_id, "known": known}
    instrument = state.desks[order.symbol].instrument
    return {
        "id": client_order_id,
        "known": known,
        "symbol": order.symbol,
        "side": order.side.name,
        "qty": instrument.qty_text(order.intent.qty_lots),
        "filled": instrument.qty_text(order.filled_lots),
        "price": instrument.price_text(order.intent.price_ticks),
    }


def _qty(state: EngineState, symbol: str, lots: int) -> str:
    text = state.desks[symbol].instrument.qty_text(abs(lots))
    return f"{'-' if lots < 0 else '+'}{text}"
