"""Places of the cards, so that no card moves under the finger that is about to permit it.

Pure values. A card keeps its place while it stands; the place it leaves stays empty for two seconds; new
cards take the first free place. Times are the engine's, in ns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

VACATED_NS = 2_000_000_000
"""How long a place stays empty after its card has gone."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One place: the card that is or was there, and when it went (0 while it stands)."""

    idea_id: int
    gone_ns: int = 0


@dataclass(frozen=True, slots=True)
class CardSlots:
    """The places of all cards, and which card is selected (0 for none)."""

    slots: tuple[Slot | None, ...] = ()
    selected: int = 0

    @property
    def present(self) -> tuple[int, ...]:
        """The cards that stand, in the order of their places."""
        return tuple(slot.idea_id for slot in self.slots if slot is not None and not slot.gone_ns)

    @property
    def just_gone(self) -> tuple[int, ...]:
        """The cards whose places are still kept."""
        return tuple(slot.idea_id for slot in self.slots if slot is not None and slot.gone_ns)

    def follow(self, ideas: Sequence[int], ts_ns: int) -> CardSlots:
        """Give the places for the cards on offer at `ts_ns`.

        The selection ends with its card. A card born alone while nothing is selected is selected.
        """
        slots = [_kept(slot, ideas, ts_ns) for slot in self.slots]
        known = {slot.idea_id: None for slot in slots if slot is not None and not slot.gone_ns}
        new = [idea for idea in ideas if idea not in known]
        for idea in new:
            _place(slots, idea)
        while slots and slots[-1] is None:
            slots.pop()
        selected = self.selected if self.selected in ideas else 0
        if not selected and not self.selected and new and len(ideas) == 1:
            selected = new[0]
        return CardSlots(tuple(slots), selected)

    def moved(self, step: int) -> CardSlots:
        """Select the next (+1) or previous (-1) card, from nothing the first or last."""
        present = self.present
        if not present:
            return CardSlots(self.slots, 0)
        if self.selected not in present:
            return CardSlots(self.slots, present[0 if step > 0 else -1])
        place = present.index(self.selected) + step
        return CardSlots(self.slots, present[max(0, min(len(present) - 1, place))])

    def select(self, idea_id: int) -> CardSlots:
        """Select a card that stands, or nothing."""
        return CardSlots(self.slots, idea_id if idea_id in self.present else 0)


def _kept(slot: Slot | None, ideas: Sequence[int], ts_ns: int) -> Slot | None:
    if slot is None:
        return None
    if not slot.gone_ns:
        return slot if slot.idea_id in ideas else Slot(slot.idea_id, max(1, ts_ns))
    return slot if 0 <= ts_ns - slot.gone_ns < VACATED_NS else None


def _place(slots: list[Slot | None], idea_id: int) -> None:
    for place, slot in enumerate(slots):
        if slot is None:
            slots[place] = Slot(idea_id)
            return
    slots.append(Slot(idea_id))
