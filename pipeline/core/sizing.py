"""From a score to an order quantity: one pure function over integers (MODELS 3.1).

Score -> soft threshold and shape -> volatility -> edge after costs -> target -> inventory -> caps -> lots.
The sign is split off first and put back last, so that a mirrored score with a mirrored position gives exactly
the mirrored order. Every quotient is rounded toward zero. Nothing here knows permits, prices of orders or
time; `decision.py` turns the result into an entry or a reason against one.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

from pipeline.core.params import EntryStyle
from pipeline.core.shapes import E9, share_e9
from pipeline.core.sizing_terms import SizingTerms
from pipeline.core.types import E6, DenyReason

_REAL = (float, int)
_E27 = E9**3

NEVER_E6 = 2 * E6
"""Break-even probability of a trade that cannot pay at any confidence."""


@dataclass(frozen=True, slots=True)
class MarketState:
    """What one decision sees of the market and of our own position."""

    book_ok: bool
    """SYNCED, fresh and not crossed; otherwise nothing is decided."""
    bid_ticks: int
    bid_lots: int
    """Size at the best bid in whole lots, rounded down."""
    ask_ticks: int
    ask_lots: int
    rv_1s: float | None
    """Realised volatility over one second as a fraction of the price; None until it is ready."""
    position_lots: int
    """Signed; open entry orders counted as filled."""


class BadNumber(enum.StrEnum):
    """Which number could not be sized from."""

    PROBABILITY = "PROBABILITY"
    PRICE = "PRICE"
    SIZE = "SIZE"
    SIGMA = "SIGMA"
    POSITION = "POSITION"


@dataclass(frozen=True, slots=True)
class SizingRefused:
    """The inputs are no numbers one may size from; there is no order."""

    field: BadNumber


@dataclass(frozen=True, slots=True)
class SizedTarget:
    """What the score is worth, step by step, and the order that would bring the position there."""

    share_e9: int
    """Shape of the thresholded score, in [0, 1e9]."""
    volatility_e9: int
    """Volatility scale, in [0, 1e9]."""
    edge_scale_e9: int
    """Scale of the edge after costs, in [0, 1e9]; 0 where the trade does not pay."""
    gross_edge_e6: int
    """Expected move in the score's favour, in 1e-6 of the price; never negative."""
    cost_e6: int
    """Round trip: fees of the orders as they will be sent, spread and slippage; negative with rebates."""
    net_edge_e6: int
    """`gross_edge_e6 - cost_e6`; not negative when the trade pays."""
    target_quote_e8: int
    """Signed target before caps and rounding."""
    target_lots: int
    """Signed target position after the position cap."""
    order_lots: int
    """Signed order that may go, 0 for none; may also reduce."""
    reduces: bool
    """True when the order brings the position nearer to flat; it never goes beyond."""
    band_lots: int
    """Changes smaller than this are not worth a message; at least 1."""
    stop: DenyReason | None
    """Why nothing opens; None exactly when `order_lots` opens or adds."""

    @property
    def pays(self) -> bool:
        """Tell whether the edge exceeds costs and margin."""
        return self.edge_scale_e9 > 0


def score_of(p_down: float, p_flat: float, p_up: float) -> int | SizingRefused:
    """Give p_up - p_down in 1e-6, in [-1e6, 1e6]; each probability is rounded before it is compared.

    Refuses what is no finite number in [0, 1] and classes whose sum is more than 1e-3 away from 1.
    """
    for p in (p_down, p_flat, p_up):
        if not isinstance(p, _REAL) or not 0.0 <= p <= 1.0:
            return SizingRefused(BadNumber.PROBABILITY)
    if abs(p_down + p_flat + p_up - 1.0) > 1e-3:
        return SizingRefused(BadNumber.PROBABILITY)
    return round(p_up * E6) - round(p_down * E6)


def size_target(score_e6: int, market: MarketState, terms: SizingTerms) -> SizedTarget | SizingRefused:
    """Size one score against one market; `score_e6` comes from `score_of`."""
    bad = _bad_number(score_e6, market)
    if bad is not None:
        return SizingRefused(bad)
    sigma_e9 = sigma_over_horizon_e9(market.rv_1s, terms)
    if sigma_e9 is None:
        return SizingRefused(BadNumber.SIGMA)
    magnitude, sign = abs(score_e6), 1 if score_e6 >= 0 else -1
    gross_e9 = magnitude * terms.move_e9 // E6
    cost_e9 = cost_of_e9(terms.entry, market, terms)
    share = share_e9(terms.curve, magnitude, cost_e9)
    volatility = min(E9, terms.sigma_target_e9 * E9 // max(sigma_e9, terms.sigma_floor_e9))
    edge_scale = _edge_scale_e9(gross_e9, cost_e9, terms.margin_e9)
    target_quote_e8 = terms.full_quote_e8 * share * volatility * edge_scale // _E27
    wanted = _lots(target_quote_e8 * 2, market.bid_ticks + market.ask_ticks, terms)
    cap = _lots(terms.position_quote_e8, market.ask_ticks, terms)
    target = min(wanted, cap)
    band = max(1, -_lots(-terms.band_quote_e8 * 2, market.bid_ticks + market.ask_ticks, terms))
    order, stop = _order(target, cap, sign, band, market, terms)
    gross_e6, cost_e6 = (gross_e9 + 500) // 1_000, (cost_e9 + 500) // 1_000
    return SizedTarget(
        share_e9=share,
        volatility_e9=volatility,
        edge_scale_e9=edge_scale,
        gross_edge_e6=gross_e6,
        cost_e6=cost_e6,
        net_edge_e6=gross_e6 - cost_e6,
        target_quote_e8=sign * target_quote_e8,
        target_lots=sign * target,
        order_lots=sign * order,
        reduces=sign * order * market.position_lots < 0 and abs(order) <= abs(market.position_lots),
        band_lots=band,
        stop=_first_stop(share, edge_scale, wanted, cap, terms) or stop,
    )


def cost_of_e9(entry: EntryStyle, market: MarketState, terms: SizingTerms) -> int:
    """Give the cost of a round trip that enters this way, in 1e-9 of the mid price.

    The exit rests and then takes, so it is counted as the taker it may have to be, across half a spread. A
    passive entry earns the other half at best, and not when it is picked off: it is counted as neither.
    """
    halves, fees_e9 = (1, terms.passive_fees_e9) if entry is EntryStyle.PASSIVE else (2, terms.cross_fees_e9)
    spread, mid_twice = market.ask_ticks - market.bid_ticks, market.ask_ticks + market.bid_ticks
    return fees_e9 + terms.slippage_e9 - (-halves * spread * E9 // mid_twice)


def break_even_e6(entry: EntryStyle, market: MarketState, terms: SizingTerms) -> int:
    """Give the probability at which a round trip pays its cost: 0.5 + c / (2 m), in 1e-6 (MODELS 3.2).

    Above 1e6 no confidence pays; `NEVER_E6` at most. The market's prices must have passed `size_target`.
    """
    cost = cost_of_e9(entry, market, terms)
    if terms.move_e9 == 0:
        return NEVER_E6
    return max(0, min(NEVER_E6, E6 // 2 - (-cost * E6 // (2 * terms.move_e9))))


def sigma_over_horizon_e9(rv_1s: float | None, terms: SizingTerms) -> int | None:
    """Give the volatility over the model's horizon in 1e-9, rounded up; None when there is none to trust.

    Until realised volatility is ready the training volatility stands in, never a smaller one.
    """
    if rv_1s is None:
        return terms.sigma_train_e9 or None
    if not isinstance(rv_1s, _REAL) or not 0.0 < rv_1s < 1.0:
        return None
    return math.ceil(rv_1s * terms.sqrt_horizon * E9)


def _bad_number(score_e6: int, market: MarketState) -> BadNumber | None:
    if not isinstance(score_e6, int) or not -E6 <= score_e6 <= E6:
        return BadNumber.PROBABILITY
    if not isinstance(market.bid_ticks, int) or not isinstance(market.ask_ticks, int):
        return BadNumber.PRICE
    if not 0 < market.bid_ticks < market.ask_ticks:
        return BadNumber.PRICE
    if not isinstance(market.bid_lots, int) or not isinstance(market.ask_lots, int):
        return BadNumber.SIZE
    if market.bid_lots < 0 or market.ask_lots < 0:
        return BadNumber.SIZE
    return None if isinstance(market.position_lots, int) else BadNumber.POSITION


def _edge_scale_e9(gross_e9: int, cost_e9: int, margin_e9: int) -> int:
    """E / (E + c) in 1e-9 where E = gross - cost exceeds the margin, else 0; rebates do not lever up."""
    net = gross_e9 - cost_e9
    if net <= margin_e9 or gross_e9 == 0:
        return 0
    return E9 if cost_e9 <= 0 else net * E9 // gross_e9


def _lots(quote_e8: int, price_ticks: int, terms: SizingTerms) -> int:
    """Whole lots that this much money buys at this price, rounded down."""
    return quote_e8 * terms.denominator // (price_ticks * terms.numerator)


def _first_stop(share: int, edge_scale: int, wanted: int, cap: int, terms: SizingTerms) -> DenyReason | None:
    """Give the reason the target is zero, in the order of the pipeline; None when there is a target."""
    if share == 0:
        return DenyReason.SCORE_BELOW_ENTRY
    if edge_scale == 0:
        return DenyReason.EDGE_BELOW_COST
    if not terms.has_limits:
        return DenyReason.NO_LIMITS
    if wanted == 0:
        return DenyReason.BELOW_LOT
    return DenyReason.MAX_POSITION if cap == 0 else None


def _order(
    target: int, cap: int, sign: int, band: int, market: MarketState, terms: SizingTerms
) -> tuple[int, DenyReason | None]:
    """Order in the frame of the score's side (positive = that side) and what stops an opening."""
    position = sign * market.position_lots
    if position < 0 and not _is_dust(-position, market, terms):
        return _fitted(-position, position, sign, band, market, terms)[0], DenyReason.EXIT_FIRST
    if target <= position:
        order, _ = _fitted(target - position, position, sign, band, market, terms)
        return order, DenyReason.MAX_POSITION if position >= cap else DenyReason.AT_TARGET
    opening = (target - position) * (cap - max(0, position)) // cap if cap else 0
    return _fitted(opening, position, sign, band, market, terms)


def _fitted(
    wanted: int, position: int, sign: int, band: int, market: MarketState, terms: SizingTerms
) -> tuple[int, DenyReason | None]:
    """Cap an order; drop it, with the reason, where it is too small and no close the venue takes."""
    opposite_lots = market.ask_lots if wanted * sign > 0 else market.bid_lots
    largest = min(
        terms.order_lots,
        _lots(terms.order_quote_e8, market.ask_ticks, terms),
        opposite_lots * terms.l1_share_e6 // E6,
    )
    lots = min(abs(wanted), largest)
    closes = lots == abs(position) and wanted * position < 0
    if lots == 0:
        return 0, DenyReason.BELOW_LOT
    if _below_minimum(lots, market, terms) and not (closes and terms.margin):
        return 0, DenyReason.MIN_NOTIONAL
    if lots < band and not closes:
        return 0, DenyReason.AT_TARGET if position > 0 else DenyReason.BELOW_LOT
    return lots if wanted > 0 else -lots, None


def _below_minimum(lots: int, market: MarketState, terms: SizingTerms) -> bool:
    notional = lots * market.bid_ticks * terms.numerator
    return notional < terms.min_notional_quote_e8 * terms.denominator


def _is_dust(lots: int, market: MarketState, terms: SizingTerms) -> bool:
    """Tell whether a position is too small for the venue to take its close.

    Dust does not hold up an opening of the other side, or one stray lot would stop that side for good.
    """
    return not terms.margin and _below_minimum(lots, market, terms)
