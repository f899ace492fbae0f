"""What a session leaves at the venue when it ends, in words for stderr and the console."""

from __future__ import annotations

from pipeline.core.engine import Engine


def left_lines(engine: Engine) -> list[str]:
    """Give a line for each position and each order the venue has or may have."""
    state = engine.state
    lines = []
    for symbol, desk in state.desks.items():
        lots = state.portfolio.position(symbol).lots
        if lots:
            side = "LONG" if lots > 0 else "SHORT"
            lines.append(f"position {symbol} {desk.instrument.qty_text(abs(lots))} {side}")
    for order in state.orders.all_live():
        one = state.desks[order.symbol].instrument
        lines.append(
            f"order {order.client_order_id} {order.symbol} {order.side.name} "
            f"{one.qty_text(order.intent.qty_lots)} at {one.price_text(order.intent.price_ticks)}, "
            f"filled {one.qty_text(order.filled_lots)}, {order.state.value}"
        )
    return lines
