"""What ideas would have been worth, by what became of them: permitted, declined, lapsed, withdrawn. Pure.

Every card is followed from the moment it was offered, over the model's horizon, whatever a person did with
it. So the four can be compared: whether the person's choice adds anything is the difference between them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from pipeline.core.cards import CardEnd, Idea
from pipeline.core.types import Side

FOLLOWED_MOST = 64
_E9 = 1_000_000_000


@dataclass(frozen=True, slots=True)
class FateCount:
    """All ideas with one fate."""

    ideas: int = 0
    hits: int = 0
    """Ideas whose side the mid moved to."""
    move_e9: int = 0
    """Sum of the moves in favour of the ideas, in 1e-9 of the price."""

    def plus(self, move_e9: int) -> FateCount:
        """Give the count with one more idea."""
        return FateCount(self.ideas + 1, self.hits + (move_e9 > 0), self.move_e9 + move_e9)


@dataclass(slots=True)
class _Followed:
    idea_id: int
    side: Side
    due_ns: int
    mid_half_ticks: int
    move_e9: int | None = None
    fate: CardEnd | None = None


class IdeaOutcomes:
    """The ideas of one symbol."""

    def __init__(self, horizon_ns: int) -> None:
        self.by_fate: dict[CardEnd, FateCount] = {end: FateCount() for end in CardEnd}
        self.void = 0
        """Ideas across a lost book, or without a mid."""
        self._horizon_ns = horizon_ns
        self._followed: deque[_Followed] = deque(maxlen=FOLLOWED_MOST)

    def set_horizon(self, horizon_ns: int) -> None:
        """Follow the ideas of another model from now on; those on the way are given up."""
        self._horizon_ns = horizon_ns
        self.forget()

    def offered(self, idea: Idea, mid_half_ticks: int, ts_ns: int) -> None:
        """Follow a card from now; one whose side was turned is another idea, and the old one is given up."""
        for one in self._followed:
            if one.idea_id == idea.idea_id:
                if one.side is idea.side:
                    return
                self._followed.remove(one)
                break
        if mid_half_ticks > 0:
            due_ns = ts_ns + self._horizon_ns
            self._followed.append(_Followed(idea.idea_id, idea.side, due_ns, mid_half_ticks))
        else:
            self.void += 1

    def ended(self, idea_id: int, end: CardEnd) -> None:
        """Note what became of a card."""
        for one in self._followed:
            if one.idea_id == idea_id:
                one.fate = end
                self._count()
                return

    def advance(self, now_ns: int, mid_half_ticks: int) -> None:
        """Judge the ideas whose horizon ended before now by the mid that has stood since the last call."""
        if not self._followed:
            return
        due = [one for one in self._followed if one.move_e9 is None and one.due_ns < now_ns]
        for one in due:
            one.move_e9 = one.side * (mid_half_ticks - one.mid_half_ticks) * _E9 // one.mid_half_ticks
        if due:
            self._count()

    def forget(self) -> None:
        """Give up the ideas that are not judged yet: the book was lost."""
        kept = [one for one in self._followed if one.move_e9 is not None]
        self.void += len(self._followed) - len(kept)
        self._followed = deque(kept, maxlen=FOLLOWED_MOST)

    def _count(self) -> None:
        for one in [each for each in self._followed if each.fate is not None and each.move_e9 is not None]:
            if one.fate is not None and one.move_e9 is not None:
                self.by_fate[one.fate] = self.by_fate[one.fate].plus(one.move_e9)
            self._followed.remove(one)
