"""What stands on a card: the idea a press binds to, its exit rule, and why presses are refused.

An `Idea` is fixed and hashed as drawn; a `Card` is its row on the board with the live numbers. The rules of
coming and going are in `ideas.py`, permissions in `permits.py`.
"""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass

from pipeline.core.decision import Decision
from pipeline.core.params import ExecutionParams
from pipeline.core.types import DenyReason, Side

OTHER_SIDE = "OTHER_SIDE"
"""The newest score points away from the idea."""


@dataclass(frozen=True, slots=True)
class ExitRule:
    """How a position is closed; part of what a person approves."""

    after_ns: int
    rest_ns: int
    collar_e6: int


def exit_rule(execution: ExecutionParams) -> ExitRule:
    """Give the exit rule of the configuration: out on flip or age, rest first, then take in the collar."""
    return ExitRule(execution.exit_after_ns, execution.exit_rest_ns, execution.collar_e6)


@dataclass(frozen=True, slots=True)
class Idea:
    """The fixed part of a card, as a press binds to it; live numbers are no part of it."""

    idea_id: int
    revision: int
    symbol: str
    side: Side
    qty_lots: int
    """Largest order it would permit; the order itself follows the newest score."""
    worst_ticks: int
    passive: bool
    model_id: str
    generation: int
    horizon_ms: int
    life_ns: int
    """How long a permit for it would live."""
    exit_rule: ExitRule
    revised_ns: int
    """When this revision appeared; presses within the arming time after it are dropped."""

    @property
    def content_hash(self) -> str:
        """Give 16 hex digits over everything fixed on the card, for the evidence of a press."""
        rule = self.exit_rule
        fields = (
            self.idea_id,
            self.revision,
            self.symbol,
            int(self.side),
            self.qty_lots,
            self.worst_ticks,
            self.passive,
            self.model_id,
            self.generation,
            self.horizon_ms,
            self.life_ns,
            rule.after_ns,
            rule.rest_ns,
            rule.collar_e6,
        )
        return hashlib.sha256("\x1f".join(map(str, fields)).encode()).hexdigest()[:16]


class CardEnd(enum.StrEnum):
    """Why a card left the board."""

    PERMITTED = "PERMITTED"
    DECLINED = "DECLINED"
    LAPSED = "LAPSED"
    WITHDRAWN = "WITHDRAWN"


class CardEvent(enum.StrEnum):
    """What `IdeaBoard.update` did."""

    OFFERED = "OFFERED"
    REVISED = "REVISED"
    HELD_BACK = "HELD_BACK"
    """A new idea beyond the cards a minute; counted once until its score leaves."""


@dataclass(slots=True)
class Card:
    """One row of the board: the idea with its newest decision, or the empty row it left."""

    idea: Idea
    decision: Decision
    """Newest decision on the symbol; the live numbers."""
    passed_ns: int
    """When the idea's side last passed entry and costs."""
    end: CardEnd | None = None
    ended_ns: int = 0
    edited: bool = False
    """True when a person set the quantity; it only follows the market down from there."""

    def live(self) -> bool:
        """Tell whether the idea passes entry and costs at the newest decision."""
        return self.decision.reason is None and self.decision.side is self.idea.side

    def waits_for(self) -> str:
        """Give the code of why no order of this idea would go now; empty when it is live."""
        decision, side = self.decision, self.idea.side
        if self.live():
            return ""
        if decision.sized is not None and decision.score_e6 * side < 0:
            return OTHER_SIDE
        return (decision.reason or DenyReason.SCORE_BELOW_ENTRY).value

    def edge_e6(self) -> int:
        """Give the expected move in favour of the idea's own side, before costs; negative when it flipped."""
        sized = self.decision.sized
        if sized is None:
            return 0
        return -sized.gross_edge_e6 if self.decision.score_e6 * self.idea.side < 0 else sized.gross_edge_e6


class PressRefusal(enum.StrEnum):
    """Why a key pressed on a card or a panel did nothing."""

    GONE = "GONE"
    """No such card is on offer."""
    REVISED = "REVISED"
    """The card changed since it was drawn."""
    NOT_ARMED = "NOT_ARMED"
    """Too soon after the card appeared, changed, or its symbol came up."""
    REPEATED = "REPEATED"
    """A key held down, or pressed twice."""
    AUTHORITY = "AUTHORITY"
    HALTED = "HALTED"
    UNRECONCILED = "UNRECONCILED"
    """What an earlier session left is not settled."""
    BAD_TERMS = "BAD_TERMS"
    """Terms beyond the limits, or none at all."""
