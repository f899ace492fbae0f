"""What a price is worth, and who knows: the only reason the simulated market's price moves for good.

Theory of operation. Fair value stands still between two pieces of news and jumps at each. Some news is known
to a few before it is out: they first lean patiently, then strongly, then they take, and when they have taken
what they could the news is out for everybody. The rest of the news surprises everybody. Now and then somebody
leans on a rumour and nothing comes of it. News looks at nothing but its own chance, the clock and the fair
value itself: not at the book, and so not at its imbalance.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from pipeline.core.types import Side
from pipeline.sim.chance import Chance

SECOND_NS = 1_000_000_000


class Phase(enum.IntEnum):
    """How far the next piece of news has come."""

    PATIENT = 0
    LEANING = 1
    TAKING = 2


@dataclass(frozen=True, slots=True)
class NewsParams:
    """How often, how large, and how well known."""

    informed: float = 0.9
    """Share of the news somebody knows beforehand, 0 to 1."""
    rumour: float = 0.12
    """Share of what is known beforehand that turns out to be nothing."""
    patience_s: float = 1.1
    """Mean time between the last news and the leaning before the next."""
    lead_s: tuple[float, float] = (0.4, 1.4)
    """Shortest and longest time of leaning."""
    takes_s: tuple[float, float] = (0.15, 0.7)
    """Shortest and longest time the informed need to take what they want."""
    jump_ticks: float = 850.0
    """Mean size of a jump."""
    home_ticks: int = 100_000
    """Distance from the opening price at which every jump leads back."""
    opens_s: tuple[float, float] | None = None
    """Shortest and longest time until the leaning of the day's first news begins, which then is known, where
    anything is, and no rumour; None lets the day begin like any other time."""


@dataclass(frozen=True, slots=True)
class News:
    """One piece of news: when it begins to show, and what it will make of the fair value."""

    side: Side
    ticks: int
    """Size of the jump; 0 for a rumour."""
    is_known: bool
    strength: float
    """How strongly the informed lean, 0 to 1."""
    leads_ns: int
    takes_ns: int
    out_ns: int


class NewsFeed:
    """The fair value of one symbol and the news that moves it; the same seed brings the same news."""

    def __init__(self, chance: Chance, params: NewsParams, open_ticks: int, now_ns: int) -> None:
        """Start at a fair best bid in ticks."""
        self._chance = chance
        self._params = params
        self._home_ticks = open_ticks
        self.value_ticks = open_ticks
        """Where the best bid belongs, as far as everybody knows."""
        self.next = self._opening_news(now_ns) if params.opens_s else self._next_news(now_ns)

    def phase(self, now_ns: int) -> Phase:
        """Give how far the next news has come; news nobody knows stays PATIENT until it is out."""
        if now_ns < self.next.leads_ns or not self.next.is_known:
            return Phase.PATIENT
        return Phase.LEANING if now_ns < self.next.takes_ns else Phase.TAKING

    @property
    def informed_ticks(self) -> int:
        """Give where the best bid will belong once the next news is out."""
        return self.value_ticks + self.next.side * self.next.ticks

    def next_change_ns(self, now_ns: int) -> int:
        """Give when the phase changes next, or the news is out."""
        news = self.next
        if news.is_known:
            for at_ns in (news.leads_ns, news.takes_ns):
                if now_ns < at_ns:
                    return at_ns
        return news.out_ns

    def come_out(self, now_ns: int) -> None:
        """Let the next news be known to everybody, and begin to wait for another."""
        self.value_ticks = self.informed_ticks
        self.next = self._next_news(now_ns)

    def _opening_news(self, now_ns: int) -> News:
        opens_s = self._params.opens_s or (0.0, 0.0)
        return self._news(now_ns + self._within(opens_s), sure=self._params.informed > 0)

    def _next_news(self, now_ns: int) -> News:
        return self._news(now_ns + int(self._chance.exponential(self._params.patience_s * SECOND_NS)))

    def _news(self, leads_ns: int, sure: bool = False) -> News:
        """Draw news that begins to show at a time; `sure` makes it known and no rumour."""
        chance, params = self._chance, self._params
        takes_ns = leads_ns + self._within(params.lead_s)
        is_known = chance.unit() < params.informed or sure
        is_rumour = chance.unit() < params.rumour and is_known and not sure
        ticks = int(chance.exponential(params.jump_ticks)) + 1
        side, strength, taking_ns = self._side(), 0.6 + 0.4 * chance.unit(), self._within(params.takes_s)
        return News(
            side=side,
            ticks=0 if is_rumour else ticks,
            is_known=is_known,
            strength=strength,
            leads_ns=leads_ns,
            takes_ns=takes_ns,
            out_ns=takes_ns + taking_ns,
        )

    def _within(self, bounds: tuple[float, float]) -> int:
        low, high = bounds
        return int((low + (high - low) * self._chance.unit()) * SECOND_NS)

    def _side(self) -> Side:
        """Choose a direction by chance, the more homewards the farther away the value is."""
        pull = (self.value_ticks - self._home_ticks) / self._params.home_ticks
        return Side.SELL if self._chance.unit() < 0.5 + 0.5 * pull else Side.BUY
