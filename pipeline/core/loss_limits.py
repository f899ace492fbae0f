"""What kills for money lost: the day's loss, the fall from its best, a margin account's last reserve (C6)."""

from __future__ import annotations

from pipeline.core.state import EngineState

Over = tuple[str, tuple[int, int]]
"""Why, and the value with its limit, in 1e-8 of the quote currency."""


def loss_breach(state: EngineState) -> Over | None:
    """Give the limit that is reached; None while none is."""
    limits = list(state.params.limits.values())
    if not limits:
        return None
    portfolio = state.portfolio
    loss, fall = portfolio.day_loss_quote_e8, portfolio.drawdown_quote_e8
    most_loss = min(one.max_daily_loss_quote_e8 for one in limits)
    if loss >= most_loss:
        return "DAILY_LOSS", (loss, most_loss)
    most_fall = min(one.max_drawdown_quote_e8 or one.max_daily_loss_quote_e8 for one in limits)
    if fall >= most_fall:
        return "DRAWDOWN", (fall, most_fall)
    if not any(one.margin for one in state.params.instruments):
        return None
    bound = portfolio.gross_quote_e8 * max(one.margin_percent for one in limits) // 100
    equity = portfolio.equity_quote_e8
    return ("MARGIN", (bound, equity)) if bound and bound >= equity else None
