"""The last judgement before the journal and the wire: every order passes here, and most should not.

`RiskEngine.check` is the only maker of `RiskApproved`. It gathers a view, runs the pure checks of
`risk_checks.py` in their written order and, on approval, reserves: the order enters the `OrderStore` as sent
in the same call, so that the next check already sees its exposure. It fails closed: what is not known denies.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.core.families import Families
from pipeline.core.orders import Applied, OrderStore
from pipeline.core.params import RiskLimits
from pipeline.core.portfolio import Portfolio, Position
from pipeline.core.risk_checks import ORDER_CHECKS, PERMISSION_CHECKS
from pipeline.core.risk_view import Breach, PermitTerms, RiskContext, RiskView, Standing
from pipeline.core.throttles import (
    AggressiveFlow,
    OrdersPerTrade,
    RecentOrders,
    RepeatedExecution,
    TokenBucket,
)
from pipeline.core.types import (
    DenyReason,
    Instrument,
    OrderIntent,
    OrderState,
    OrderType,
    Origin,
    RiskApproved,
    RiskDenied,
    Side,
)

__all__ = ["PermitTerms", "RiskContext", "RiskEngine", "largest_order_lots"]


MARKET, REPEATED = "MARKET", "REPEATED"
"""Why a model is stopped on a symbol."""


class _Guards:
    """What one symbol's limits remember from order to order."""

    def __init__(self, limits: RiskLimits) -> None:
        self.limits = limits
        self.new_orders = TokenBucket(limits.new_per_second, limits.new_burst)
        self.cancels = TokenBucket(limits.cancels_per_second, limits.cancels_per_second)
        self.repeated = RepeatedExecution(limits)
        self.recent = RecentOrders(limits.duplicate_window_ns)
        self.taken = AggressiveFlow()
        self.per_trade = OrdersPerTrade()
        self.stopped = False


class RiskEngine:
    """Judges orders against limits by symbol; a symbol without limits cannot trade."""

    def __init__(
        self,
        limits: Mapping[str, RiskLimits],
        orders: OrderStore,
        portfolio: Portfolio,
        policy_hash: str,
    ) -> None:
        """Start with nothing counted; `policy_hash` is `EngineParams.digest()`."""
        self._guards = {symbol: _Guards(one) for symbol, one in limits.items()}
        self._orders = orders
        self._portfolio = portfolio
        self._policy_hash = policy_hash
        self._families = Families()

    def check(self, intent: OrderIntent, context: RiskContext, now_ns: int) -> RiskApproved | RiskDenied:
        """Judge one order; an approved one is in the order store as sent, and must be sent or refused."""
        breach = self._breach(intent, context, now_ns)
        if breach is not None:
            return self._deny(intent, breach)
        guards = self._guards[intent.symbol]
        guards.new_orders.take(now_ns)
        guards.recent.add(intent, now_ns)
        if intent.origin is Origin.MODEL:
            guards.repeated.on_order(now_ns)
            guards.per_trade.on_order(now_ns)
        if intent.order_type is OrderType.LIMIT_IOC:
            instrument = self._portfolio.position(intent.symbol).instrument
            value_e8 = instrument.notional_quote_e8(intent.price_ticks, intent.qty_lots)
            guards.taken.add(intent.side, value_e8, now_ns)
        self._families.on_approved(intent.permit_id, intent.qty_lots)
        approved = RiskApproved(intent, self._orders.next_client_order_id(), self._policy_hash)
        self._orders.add(approved, now_ns)
        return approved

    def allow_cancel(self, symbol: str, now_ns: int) -> bool:
        """Take a token for a cancel, from a bucket new orders cannot empty; False: try at the next beat."""
        guards = self._guards.get(symbol)
        if guards is None:
            return True
        if guards.cancels.used(now_ns) >= guards.cancels.burst:
            return False
        guards.cancels.take(now_ns)
        return True

    def on_applied(self, applied: Applied) -> None:
        """Learn from an answer what the repeated-execution throttle counts."""
        order = applied.order
        guards = self._guards.get(order.symbol) if order is not None else None
        if order is None or guards is None:
            return
        if applied.ended:
            self._families.on_ended(order)
        if applied.fill is not None and order.filled_lots == applied.fill.lots:
            guards.repeated.on_traded(order.side)
            guards.per_trade.on_traded(applied.fill.ts_ns)
        if order.state is OrderState.REJECTED and applied.ended:
            guards.repeated.rejects += 1
        elif order.first_answer_ns >= 0 and order.state is not OrderState.REJECTED:
            guards.repeated.rejects = 0

    def is_disabled(self, symbol: str) -> bool:
        """Say whether model orders are stopped here until a person re-enables them."""
        guards = self._guards.get(symbol)
        return guards is not None and (guards.repeated.tripped or guards.stopped)

    def why_disabled(self, symbol: str) -> str:
        """Give why they are; empty while they are not."""
        if not self.is_disabled(symbol):
            return ""
        return MARKET if self._guards[symbol].stopped else REPEATED

    def orders_per_trade(self, symbol: str, now_ns: int) -> tuple[int, int]:
        """Give model orders and trades within the window of that limit."""
        guards = self._guards.get(symbol)
        return (0, 0) if guards is None else guards.per_trade.counts(now_ns)

    def stop(self, symbol: str) -> None:
        """Stop the model on a symbol: its market made no sense too often."""
        guards = self._guards.get(symbol)
        if guards is not None:
            guards.stopped = True

    def reenable(self, symbol: str) -> None:
        """Let the model trade a symbol again; the engine journals who said so."""
        guards = self._guards.get(symbol)
        if guards is not None:
            guards.repeated.reenable()
            guards.per_trade.begin()
            guards.stopped = False

    def _deny(self, intent: OrderIntent, breach: Breach) -> RiskDenied:
        reason, limit, value = breach
        if reason in (DenyReason.REPEATED_EXECUTION, DenyReason.COLLAR_TIME):
            self._guards[intent.symbol].repeated.tripped = True
        return RiskDenied(intent, reason, int(limit), int(value))

    def _breach(self, intent: OrderIntent, context: RiskContext, now_ns: int) -> Breach | None:
        position = self._portfolio.find(intent.symbol)
        lots = 0 if position is None else position.lots
        standing = Standing(context, lots, self._orders.exposure(intent.symbol), now_ns)
        for permission in PERMISSION_CHECKS:
            breach = permission(standing, intent)
            if breach is not None:
                return breach
        guards = self._guards.get(intent.symbol)
        if guards is None or position is None:
            return DenyReason.NO_LIMITS, 1, 0
        view = self._view(intent, standing, position, guards)
        for check in ORDER_CHECKS:
            breach = check(view, intent)
            if breach is not None:
                return breach
        return None

    def _view(self, intent: OrderIntent, standing: Standing, position: Position, guards: _Guards) -> RiskView:
        orders, portfolio, now_ns = self._orders, self._portfolio, standing.now_ns
        return RiskView(
            standing=standing,
            instrument=position.instrument,
            limits=guards.limits,
            balance_lots=portfolio.balance_lots(intent.symbol),
            free_quote_e8=portfolio.free_quote_e8(orders),
            equity_quote_e8=portfolio.equity_quote_e8,
            other_gross_quote_e8=portfolio.worst_gross_quote_e8(orders, without=intent.symbol),
            day_loss_quote_e8=portfolio.day_loss_quote_e8,
            new_burst=guards.new_orders.burst,
            new_used=guards.new_orders.used(now_ns),
            repeated=guards.repeated.breach(intent.side, now_ns),
            orders_per_trade=guards.per_trade.counts(now_ns),
            stopped=guards.stopped,
            repeat_age_ns=guards.recent.repeats(intent, now_ns),
            last_feature_seq=guards.recent.last_feature_seq,
            family_lots=self._families.lots(intent.permit_id),
            aggressive_net_quote_e8=intent.side * guards.taken.net(now_ns),
            own_opposite_ticks=self._own_opposite_ticks(intent),
        )

    def _own_opposite_ticks(self, intent: OrderIntent) -> int:
        prices = [
            order.intent.price_ticks
            for order in self._orders.live(intent.symbol)
            if order.side is not intent.side
        ]
        if not prices:
            return 0
        return min(prices) if intent.side is Side.BUY else max(prices)


def largest_order_lots(instrument: Instrument, limits: RiskLimits, price_ticks: int) -> int:
    """Give the largest order the size checks let through at a price (the worse of limit price and mid)."""
    numerator, denominator = instrument.notional_scale
    by_value = limits.max_notional_quote_e8 * denominator // (max(1, price_ticks) * numerator)
    return min(limits.max_qty_lots, instrument.max_qty_lots, by_value)
