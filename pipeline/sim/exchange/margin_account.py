"""What an account on margin is worth, and how much margin its positions and open orders need.

One wallet, cross margin, one-way positions, the last price as mark price. Nothing is liquidated and no
funding is paid.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.core.types import Side
from pipeline.sim.exchange.account import Account
from pipeline.sim.exchange.market import Market
from pipeline.sim.exchange.order import ClientOrder
from pipeline.sim.exchange.order_store import OrderStore


@dataclass(frozen=True, slots=True)
class MarginView:
    """Money of one account in one symbol, in 1e-8 of the quote currency."""

    notional_e8: int
    """Of the position at the mark price, signed."""
    unrealised_e8: int
    position_margin_e8: int
    order_margin_e8: int
    """What the open orders need beyond the position."""

    @property
    def margin_e8(self) -> int:
        """Give what position and orders need together."""
        return self.position_margin_e8 + self.order_margin_e8


def margin_view(
    account: Account, market: Market, orders: Iterable[ClientOrder], adds: tuple[Side, int] | None = None
) -> MarginView:
    """Give one symbol's view; `orders` are the account's open ones there, `adds` a side and lots beside them.

    Orders of one side hedge a position of the other, so that only the larger of the two ways it could go
    needs margin. Reduce-only orders need none.
    """
    listing, mark = market.listing, market.last_ticks
    position = account.position(listing.symbol)
    waiting = {Side.BUY: 0, Side.SELL: 0}
    for order in orders:
        if not order.reduce_only:
            waiting[order.side] += order.leaves_lots
    if adds is not None:
        waiting[adds[0]] += adds[1]
    farthest = max(abs(position.lots + waiting[Side.BUY]), abs(position.lots - waiting[Side.SELL]))
    worth_e8 = listing.notional_e8(mark, abs(position.lots))
    position_margin_e8 = -(-worth_e8 // listing.leverage)
    whole_e8 = -(-listing.notional_e8(mark, farthest) // listing.leverage)
    return MarginView(
        worth_e8 if position.lots >= 0 else -worth_e8,
        position.unrealised_e8(worth_e8),
        position_margin_e8,
        max(0, whole_e8 - position_margin_e8),
    )


def wallet_e8(account: Account, asset: str) -> int:
    """Give the wallet: deposits, what was realised, less commissions."""
    return account.free.get(asset, 0)


def views(account: Account, markets: Iterable[Market], orders: OrderStore) -> dict[str, MarginView]:
    """Give the views of all symbols of an account."""
    return {
        market.listing.symbol: margin_view(
            account, market, orders.open_orders(account.owner, market.listing.symbol)
        )
        for market in markets
    }
