"""The pure paper venue: fills our orders against a live or recorded book, in time given by the caller.

One function serves replay, paper and backtest. The rule is pessimistic (see `liquidity` and `resting`): a
taker meets the book at arrival and uses it up, a maker waits behind everything displayed at arrival and fills
by prints alone. Nothing here waits, reads a clock or draws chance.
"""

from pipeline.sim.paper.account import PaperAccount, PaperHolding
from pipeline.sim.paper.resting import RestingOrder
from pipeline.sim.paper.venue import PaperVenue

__all__ = ["PaperAccount", "PaperHolding", "PaperVenue", "RestingOrder"]
