"""A trader who permits every idea 1.2 s after its card appeared, from the pictures a console is sent."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.core.snapshot import ConsoleSnapshot

PRESSES_AFTER_NS = 1_200_000_000


@dataclass(eq=False)
class ScriptedTrader:
    """Looks at one picture after the other; what happened is counted from the pictures alone."""

    appeared_ns: dict[int, int] = field(default_factory=dict)
    """When each idea's card was first seen, in the session's time."""
    pressed: dict[int, None] = field(default_factory=dict)
    permits: dict[int, None] = field(default_factory=dict)
    filled: dict[int, None] = field(default_factory=dict)
    """Permits of which an order was filled, in part at least."""

    def look(self, picture: ConsoleSnapshot) -> tuple[int, int] | None:
        """Give the (idea, revision) to permit now, as drawn; None for nothing to do."""
        self.permits |= {one.permit_id: None for one in picture.permits if one.kind == "one-shot"}
        self.filled |= {one.permit_id: None for one in picture.orders if one.permit_id and one.filled_lots}
        for card in picture.proposals:
            appeared_ns = self.appeared_ns.setdefault(card.idea_id, picture.ts_ns)
            due = picture.ts_ns - appeared_ns >= PRESSES_AFTER_NS and card.armed
            if due and card.idea_id not in self.pressed:
                self.pressed[card.idea_id] = None
                return card.idea_id, card.revision
        return None
