"""Ideas on offer as cards: what a permit would allow, when it fires, and what it is worth.

One card is drawn in full, the others as one line each; every card keeps its place (`widgets.slots`). A
press binds to (idea, revision) as drawn here: `selected` gives exactly that.
"""

from __future__ import annotations

from pipeline.core.snapshot import ConsoleSnapshot, ProposalView
from widgets.base import SnapshotWidget
from widgets.card import card_lines, short_card
from widgets.cells import crop
from widgets.lines import Line, text
from widgets.scales import scales_of
from widgets.slots import CardSlots
from widgets.words import reason_words


class ProposalsPanel(SnapshotWidget):
    """Cards of the ideas on offer."""

    TITLE = "PROPOSALS"

    def __init__(self, *, plain: bool = False, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        """Make a panel without cards."""
        super().__init__(plain=plain, id=id)
        self.cards = CardSlots()
        self._first_line = 0

    def advance(self, snapshot: ConsoleSnapshot) -> None:
        """Give every card its place."""
        self.cards = self.cards.follow([card.idea_id for card in snapshot.proposals], snapshot.ts_ns)

    def selected(self) -> tuple[int, int] | None:
        """Give (idea, revision) of the selected card as drawn, or None."""
        card = self._card(self.cards.selected)
        return (card.idea_id, card.revision) if card else None

    def selected_card(self) -> ProposalView | None:
        """Give the selected card as drawn, or None."""
        return self._card(self.cards.selected)

    def move(self, step: int) -> None:
        """Select the next (+1) or previous (-1) card."""
        self.cards = self.cards.moved(step)
        self.redraw()

    def select(self, idea_id: int) -> None:
        """Select one card; 0 selects nothing, as after every press."""
        self.cards = self.cards.select(idea_id)
        self.redraw()

    def pick(self, row: int) -> None:
        """Select the card drawn at a row."""
        shown = self._shown()
        if shown is None:
            return
        others = [idea for idea in self.cards.present if idea != shown.idea_id]
        place = row - self._first_line
        self.select(others[place] if 0 <= place < len(others) else shown.idea_id)

    def title_parts(self, snapshot: ConsoleSnapshot, room: int) -> tuple[Line, Line]:
        """Give the number of cards."""
        del room
        count = len(snapshot.proposals)
        return text(str(count), "waiting" if count else "dim"), ()

    def content(self, snapshot: ConsoleSnapshot, width: int, height: int) -> list[Line]:
        """Give the card in full, then one line for each other."""
        card = self._shown()
        if card is None:
            return self._empty(width)[:height]
        reserved = 2 if height >= 12 else 1 if height >= 9 else 0
        view = scales_of(snapshot, card.symbol)
        chosen, elsewhere = card.idea_id == self.cards.selected, card.symbol != snapshot.instrument.symbol
        lines = card_lines(card, view, width, height - reserved, chosen, elsewhere)
        self._first_line = height - reserved
        lines += [()] * (self._first_line - len(lines))
        others = [self._card(idea) for idea in self.cards.present if idea != card.idea_id]
        short = [
            short_card(other, scales_of(snapshot, other.symbol), width)
            for other in others
            if other is not None
        ]
        if len(short) > reserved > 0:
            short[reserved - 1 :] = [
                text(f"   {len(short) - reserved + 1} more, j and k go through them", "dim")
            ]
        return lines + short[:reserved]

    def _empty(self, width: int) -> list[Line]:
        lines = [text("  no idea on offer", "dim")]
        lines += [text(f"  #{idea} is gone", "dim") for idea in self.cards.just_gone]
        lines.append(text("  quiet is normal", "dim"))
        stopped = self.snapshot.why.stopped if self.snapshot else ()
        reason = f"stopped mostly by: {reason_words(stopped[0][0])}" if stopped else ""
        return lines + [text(crop(f"  {reason}", width), "dim")] * bool(stopped)

    def _shown(self) -> ProposalView | None:
        """Give the card to draw in full: the selected one, or the one in the first place."""
        present = self.cards.present
        return self._card(self.cards.selected or (present[0] if present else 0))

    def _card(self, idea_id: int) -> ProposalView | None:
        if self.snapshot is None or not idea_id:
            return None
        return next((card for card in self.snapshot.proposals if card.idea_id == idea_id), None)
