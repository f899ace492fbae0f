"""Shape of the depth book right now: pure functions of its lists, run when a row asks.

Summing ten integers off the end of a list takes half a microsecond, which is less than keeping running sums
through every update would. The book must have a level on each side, bid below ask; fewer levels than asked
for are summed as they are.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from operator import mul, neg
from typing import Final

from pipeline.core.book import OrderBook
from pipeline.core.feature_table import BAND_BPS, DECAY_LEVELS, TOP_LEVELS

WEIGHTS: Final = tuple(math.exp(-n / DECAY_LEVELS) for n in range(TOP_LEVELS - 1, -1, -1))
"""Weights of the weighted imbalance, best level last, as the book's lists are."""

PRICE_SCALE: Final = 10_000


def imbalance(book: OrderBook, levels: int) -> float:
    """Give (SB - SA) / (SB + SA) of the best `levels` levels, in [-1, 1]."""
    bids, asks = sum(book.bid_sizes[-levels:]), sum(book.ask_sizes[-levels:])
    return (bids - asks) / (bids + asks)


def weighted_imbalance(book: OrderBook) -> float:
    """Give the imbalance of the best ten levels, each weighing exp(-1/3) of the one before it."""
    bids, asks = _weighted(book.bid_sizes), _weighted(book.ask_sizes)
    return (bids - asks) / (bids + asks)


def band_imbalance(book: OrderBook, mid_half_ticks: int) -> float:
    """Give the imbalance of bids down to 5 bp below the mid and asks up to 5 bp above it; 0 without any.

    The ends of the band belong to it; the comparison is exact, so that the mirrored book mirrors it.
    """
    lowest = -(-mid_half_ticks * (PRICE_SCALE - BAND_BPS) // (2 * PRICE_SCALE))
    highest = mid_half_ticks * (PRICE_SCALE + BAND_BPS) // (2 * PRICE_SCALE)
    bids = sum(book.bid_sizes[bisect_left(book.bid_prices, lowest) :])
    asks = sum(book.ask_sizes[bisect_left(book.ask_prices, -highest, key=neg) :])
    return (bids - asks) / (bids + asks) if bids + asks else 0.0


def slope(book: OrderBook) -> float:
    """Give ln(SB / (b1 - b10)) - ln(SA / (a10 - a1)); each side must have two levels."""
    return _log_density(book.bid_prices, book.bid_sizes) - _log_density(book.ask_prices, book.ask_sizes)


def _weighted(sizes: list[int]) -> float:
    top = sizes[-TOP_LEVELS:]
    return float(sum(map(mul, WEIGHTS[-len(top) :], top)))


def _log_density(prices: list[int], sizes: list[int]) -> float:
    deepest = max(-TOP_LEVELS, -len(prices))
    return math.log(sum(sizes[deepest:])) - math.log(abs(prices[-1] - prices[deepest]))
