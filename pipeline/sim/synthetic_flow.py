"""What happens on the synthetic book: makers, takers, and a few who know where the price goes.

Theory of operation. Makers keep both queues at the touch near a target size, sparse levels behind it, and
close a gap within milliseconds. Takers come by chance on both sides. Somebody is always informed of the next
move and patient: the makers of the side that will be hit hold back a little and those of the other side lean
in, then for about a second strongly, then a burst of takers sweeps the thin side through several levels and
the book follows. So the imbalance of the queues announces the move, not because the price reads it but
because both have one cause. Every fifth time the takers do not come. Quiet, normal and busy stretches take
turns.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.core.types import Side
from pipeline.sim.chance import Chance
from pipeline.sim.synthetic_book import SyntheticBook

NS = 1_000_000_000

BANDS = (
    # nearest and farthest ticks behind the best price, levels wanted, mean lots of a level
    (1, 120, 4, 8_000),
    (120, 600, 10, 13_000),
    (600, 2_500, 30, 22_000),
    (2_500, 8_000, 45, 30_000),
    (8_000, 25_000, 60, 45_000),
)
TOUCH_LOTS = 120_000
"""Target size of a queue at the best price: 1.2 BTC."""

LEAN = 0.85
"""How much of its target a queue gives up, or gains, before an informed move."""

PATIENT_LEAN = 0.3
PATIENT_S = 1.2
"""The informed wait for this long on average, busy times less, and already lean a little."""

TOUCH_HZ = 60.0
DEEP_HZ = 62.0
TAKER_HZ = 5.0
INFORMED_TAKER_HZ = 26.0
CLOSE_GAP_HZ = 160.0

ACTIVITY = ((0.45, 9.0), (1.0, 14.0), (2.4, 4.0))
"""Multiple of all rates and mean seconds of the quiet, normal and busy stretches."""

FOLLOWS = 0.84
"""How often a gap is closed behind the move instead of by going back."""

HOME_TICKS = 9_000
"""Distance from the starting price at which every second informed move that leads away is turned round."""


@dataclass(frozen=True, slots=True)
class Print:
    """One trade: the taker's side, price in ticks, size in lots."""

    aggressor: Side
    ticks: int
    lots: int


@dataclass(frozen=True, slots=True)
class _Episode:
    """One informed move: patient until `leads_ns`, leaning until `takes_ns`, taking until `ends_ns`."""

    side: Side
    lean: float
    leads_ns: int
    takes_ns: int
    ends_ns: int
    empty: bool
    """True: the takers do not come."""


class Flow:
    """Plays orders on the book, one event after the other; the same seed plays the same session."""

    def __init__(self, chance: Chance, book: SyntheticBook, start_ticks: int, length_ns: int) -> None:
        """Fill the book around a price."""
        self._chance = chance
        self._book = book
        self._home_ticks = start_ticks
        self._length_ns = length_ns
        self._now_ns = 0
        self._activity = 1.0
        self._regime_ends_ns = 6 * NS
        self._last_move = Side.BUY
        self._fill(start_ticks)
        self._episode = self._new_episode()

    def advance(self) -> int:
        """Go to the time of the next event and give it, in ns since the start; `act` lets it happen."""
        self._now_ns += int(self._chance.exponential(NS / sum(self._rates()))) + 1
        self._turn_regime()
        return self._now_ns

    def act(self) -> list[Print]:
        """Let one thing happen now; give the trades it made."""
        rates = self._rates()
        pick = self._chance.unit() * sum(rates)
        actions = (
            self._touch,
            self._deep,
            self._noise_taker,
            self._informed,
            self._close_gap,
        )
        for rate, action in zip(rates, actions, strict=True):
            if pick < rate:
                return action()
            pick -= rate
        return self._touch()

    def _rates(self) -> tuple[float, ...]:
        """Give events a second of each kind, in the order of the actions in `act`."""
        a, episode = self._activity, self._episode
        taking = self._now_ns >= episode.takes_ns and not episode.empty
        return (
            TOUCH_HZ * a,
            DEEP_HZ * a,
            TAKER_HZ * a,
            INFORMED_TAKER_HZ if taking else 0.0,
            CLOSE_GAP_HZ if self._book.spread_ticks > 1 else 0.0,
        )

    def _turn_regime(self) -> None:
        if self._now_ns >= self._episode.ends_ns:
            self._episode = self._new_episode()
        if self._now_ns >= self._regime_ends_ns:
            self._activity, mean_s = ACTIVITY[self._chance.below(len(ACTIVITY))]
            self._regime_ends_ns = self._now_ns + int(self._chance.exponential(mean_s) * NS)

    def _target_lots(self, side: Side) -> float:
        """Give the size a queue at the touch tends to now."""
        episode = self._episode
        lean = episode.lean if self._now_ns >= episode.leads_ns else PATIENT_LEAN
        return TOUCH_LOTS * (1.0 + lean * side * episode.side)

    def _touch(self) -> list[Print]:
        """Add to or cancel from a queue at the best price."""
        side = Side.BUY if self._chance.unit() < 0.5 else Side.SELL
        own = self._book.on(side)
        ticks, target = own.best_ticks, self._target_lots(side)
        size = own.size(ticks)
        lots = int(self._chance.exponential(TOUCH_LOTS * 0.22)) + 50
        if self._chance.unit() * (target + size) < target:
            self._book.change(side, ticks, size + lots)
        elif lots < size:
            self._book.change(side, ticks, size - lots)
        elif self._chance.unit() < 0.12:
            self._book.change(side, ticks, 0)
            self._last_move = side.opposite
        return []

    def _deep(self) -> list[Print]:
        """Keep a band of levels near its number: add where some are missing, else change or cancel one."""
        side = Side.BUY if self._chance.unit() < 0.5 else Side.SELL
        nearest, farthest, wanted, mean = BANDS[self._chance.below(len(BANDS))]
        there = self._book.on(side).band(nearest, farthest)
        if len(there) < wanted:
            self._add_level(side, nearest, farthest, mean)
        elif there:
            ticks = there[self._chance.below(len(there))]
            gone = len(there) > wanted or self._chance.unit() < 0.35
            self._book.change(side, ticks, 0 if gone else self._lots(mean))
        self._trim(side)
        return []

    def _add_level(self, side: Side, nearest: int, farthest: int, mean: int) -> None:
        ticks = self._book.on(side).best_ticks - side * self._chance.between(nearest, farthest)
        round_price = farthest > 600 and self._chance.unit() < 0.3
        if round_price:
            ticks -= ticks % 100
        self._book.change(side, ticks, self._lots(mean * 3 if round_price else mean))

    def _lots(self, mean: int) -> int:
        """Give a level's size: many small ones, a few very large."""
        lots = self._chance.exponential(mean * 0.55)
        return int(lots * (6.0 if self._chance.unit() < 0.15 else 1.0)) + 20

    def _trim(self, side: Side) -> None:
        """Cancel the farthest level when there are many more than wanted."""
        own = self._book.on(side)
        if len(own.keys) > 240:
            self._book.change(side, own.keys[0] * side, 0)

    def _noise_taker(self) -> list[Print]:
        side = Side.BUY if self._chance.unit() < 0.5 else Side.SELL
        large = 5.0 if self._chance.unit() < 0.06 else 1.0
        return self._take(side, int(self._chance.exponential(9_000.0) * large) + 10)

    def _informed(self) -> list[Print]:
        return self._take(self._episode.side, int(self._chance.exponential(TOUCH_LOTS * 0.35)) + 500)

    def _take(self, side: Side, lots: int) -> list[Print]:
        """Trade through the other side until `lots` are filled, at most twelve levels deep."""
        other = self._book.on(side.opposite)
        prints = []
        for _ in range(12):
            ticks = other.best_ticks
            size = other.size(ticks)
            filled = min(size, lots)
            prints.append(Print(side, ticks, filled))
            self._book.change(side.opposite, ticks, size - filled)
            if filled == size:
                self._last_move = side
            lots -= filled
            if lots <= 0:
                break
        return prints

    def _new_episode(self) -> _Episode:
        leads_ns = self._now_ns + int(self._chance.exponential(PATIENT_S * NS) / self._activity)
        takes_ns = leads_ns + int((0.4 + 1.0 * self._chance.unit()) * NS)
        return _Episode(
            side=self._informed_side(),
            lean=LEAN * (0.6 + 0.4 * self._chance.unit()),
            leads_ns=leads_ns,
            takes_ns=takes_ns,
            ends_ns=takes_ns + int((0.15 + 0.55 * self._chance.unit()) * NS),
            empty=self._chance.unit() < 0.2,
        )

    def _informed_side(self) -> Side:
        """Choose a direction: by chance near home, more and more homewards far from it and near the end."""
        away = self._book.bids.best_ticks - self._home_ticks
        left = max(self._length_ns - self._now_ns, 1) / self._length_ns
        pull = away / (HOME_TICKS * (1.0 if left > 0.12 else 0.15))
        return Side.SELL if self._chance.unit() < 0.5 + 0.5 * max(-1.0, min(1.0, pull)) else Side.BUY

    def _close_gap(self) -> list[Print]:
        """Quote inside a wide spread, behind the last move or against it."""
        side = self._last_move if self._chance.unit() < FOLLOWS else self._last_move.opposite
        away = 1 if self._chance.unit() < 0.97 else 2
        ticks = self._book.on(side.opposite).best_ticks - side * away
        self._book.change(
            side, ticks, int(self._target_lots(side) * (0.15 + 0.6 * self._chance.unit())) + 100
        )
        return []

    def _fill(self, start_ticks: int) -> None:
        self._book.change(Side.BUY, start_ticks, TOUCH_LOTS)
        self._book.change(Side.SELL, start_ticks + 1, TOUCH_LOTS)
        for side in (Side.BUY, Side.SELL):
            for nearest, farthest, wanted, mean in BANDS:
                for _ in range(wanted):
                    self._add_level(side, nearest, farthest, mean)
