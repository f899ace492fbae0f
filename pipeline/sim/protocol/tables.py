"""The requests of each venue, put together."""

from __future__ import annotations

from pipeline.sim.exchange.quotas import order_quotas, usdm_order_quotas
from pipeline.sim.protocol.countdowns import Countdowns
from pipeline.sim.protocol.dialect import USDM, Dialect
from pipeline.sim.protocol.listen_keys import ListenKeys
from pipeline.sim.protocol.methods import Method
from pipeline.sim.protocol.order_methods import LateFill
from pipeline.sim.protocol.request_limits import RequestLimits
from pipeline.sim.protocol.spot_methods import SpotMethods
from pipeline.sim.protocol.usdm_methods import UsdmMethods
from pipeline.sim.protocol.usdm_orders import UsdmOrders
from pipeline.sim.protocol.venue_market import VenueMarket


def methods_of(
    dialect: Dialect,
    market: VenueMarket,
    limits: RequestLimits,
    late_fill: LateFill,
    countdowns: Countdowns,
    keys: ListenKeys,
) -> tuple[Method, ...]:
    """Give every request of a venue."""
    if dialect is USDM:
        orders = UsdmOrders(market, late_fill, countdowns, keys)
        return UsdmMethods(market, (limits.weight, *usdm_order_quotas()), orders).table()
    quotas = (limits.weight, *order_quotas(), limits.raw)
    return SpotMethods(market, quotas, late_fill).table()
