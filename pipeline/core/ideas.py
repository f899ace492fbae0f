"""The card board: ideas on offer to a person, at most one a symbol (INTERACTION 1.4).

A card is an idea, not an inference. It is born when decisions have wanted an order for a while, is revised
only when side, quantity or worst price really change, stays on offer while the idea may return, and leaves
its row empty for a moment so that no other card slides under a moving finger. Presses bind to (id, revision).
The board gives no permission: `permits.py` does.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

from pipeline.core.cards import Card, CardEnd, CardEvent, Idea, PressRefusal, exit_rule
from pipeline.core.decision import Decision
from pipeline.core.params import SECOND, ExecutionParams, PermitParams
from pipeline.core.shapes import require
from pipeline.core.types import Side

MINUTE_NS = 60 * SECOND
ENDED_KEPT = 64


@dataclass(slots=True)
class _Candidate:
    """A side whose decisions want an order, not on a card yet."""

    side: Side
    since_ns: int
    held_back: bool = False


class IdeaBoard:
    """All cards; one slot a symbol. Time is the engine's and must not go back."""

    def __init__(self, params: PermitParams, execution: ExecutionParams) -> None:
        """Start with an empty board.

        Raises:
            ValueError: no card a minute is allowed.

        """
        require(
            params.max_cards_a_minute > 0, "permits.max_cards_a_minute", params.max_cards_a_minute, "above 0"
        )
        self._params = params
        self._exit_rule = exit_rule(execution)
        self._cards: dict[str, Card] = {}
        self._candidates: dict[str, _Candidate] = {}
        self._snoozed: dict[tuple[str, Side], int] = {}
        self._births: deque[int] = deque(maxlen=params.max_cards_a_minute)
        self._ended: deque[tuple[Idea, CardEnd]] = deque(maxlen=ENDED_KEPT)
        self._next_id = 1
        self.held_back = 0
        """Ideas that got no card because of the cards a minute, since the start."""

    def update(self, decision: Decision, now_ns: int, may_offer: bool = True) -> CardEvent | None:
        """Take one decision in; `may_offer` False (a permit waits there, halted) lets no new card appear."""
        self._follow(decision, now_ns)
        card = self._cards.get(decision.symbol)
        if card is None or card.end is not None:
            return self._offer(decision, now_ns) if may_offer else None
        card.decision = decision
        if card.live():
            card.passed_ns = now_ns
        return self._revise(card, now_ns)

    def beat(self, now_ns: int) -> tuple[Idea, ...]:
        """Let time pass: clear rows whose rest is over; give the ideas whose offer just lapsed."""
        lapsed = []
        for symbol, card in list(self._cards.items()):
            if card.end is None and now_ns - card.passed_ns >= self._params.offer_ns:
                self._end(card, CardEnd.LAPSED, now_ns)
                lapsed.append(card.idea)
            elif card.end is not None and now_ns - card.ended_ns >= self._params.vacated_ns:
                del self._cards[symbol]
        for key, until_ns in list(self._snoozed.items()):
            if now_ns >= until_ns:
                del self._snoozed[key]
        return tuple(lapsed)

    def find(self, idea_id: int) -> Idea | None:
        """Give the idea with this id while it is on offer."""
        card = self._row(idea_id)
        return card.idea if card is not None and card.end is None else None

    def on_offer(self, symbol: str) -> Idea | None:
        """Give the idea of a symbol's card while it is on offer."""
        card = self._cards.get(symbol)
        return card.idea if card is not None and card.end is None else None

    def take_ended(self) -> tuple[tuple[Idea, CardEnd], ...]:
        """Give the ideas that ended since the last call, and how; the oldest of very many are forgotten."""
        ended = tuple(self._ended)
        self._ended.clear()
        return ended

    def take(self, idea_id: int, now_ns: int) -> None:
        """Take a card off because a permit was given for it; the symbol starts anew."""
        card = self._row(idea_id)
        if card is not None and card.end is None:
            self._end(card, CardEnd.PERMITTED, now_ns)

    def decline(self, idea_id: int, revision: int, now_ns: int) -> Idea | PressRefusal:
        """Silence the idea's symbol and side; pressed again on the row just left, for longer."""
        card = self._row(idea_id)
        if card is None:
            return PressRefusal.GONE
        idea = card.idea
        if idea.revision != revision:
            return PressRefusal.REVISED
        if card.end is None:
            self._snoozed[idea.symbol, idea.side] = now_ns + self._params.decline_ns
            self._end(card, CardEnd.DECLINED, now_ns)
            return idea
        if card.end is not CardEnd.DECLINED:
            return PressRefusal.GONE
        self._snoozed[idea.symbol, idea.side] = now_ns + self._params.decline_twice_ns
        return idea

    def edit(self, idea_id: int, revision: int, qty_lots: int, now_ns: int) -> Idea | PressRefusal:
        """Set a card's quantity: down freely, up to what the newest decision sized, never beyond."""
        card = self._row(idea_id)
        if card is None or card.end is not None:
            return PressRefusal.GONE
        if card.idea.revision != revision:
            return PressRefusal.REVISED
        sized_lots = card.decision.qty_lots if card.live() else 0
        if not 0 < qty_lots <= max(card.idea.qty_lots, sized_lots):
            return PressRefusal.BAD_TERMS
        card.idea = replace(card.idea, qty_lots=qty_lots, revision=revision + 1, revised_ns=now_ns)
        card.edited = True
        return card.idea

    def withdraw(self, symbol: str, now_ns: int) -> Idea | None:
        """Take a symbol's card off at once: book not ok, halt, kill, another model; give its idea."""
        self._candidates.pop(symbol, None)
        card = self._cards.get(symbol)
        if card is None or card.end is not None:
            return None
        self._end(card, CardEnd.WITHDRAWN, now_ns)
        return card.idea

    def cards(self) -> tuple[Card, ...]:
        """Give all rows, those just left included, oldest symbol first."""
        return tuple(self._cards.values())

    def snoozed(self, now_ns: int) -> tuple[tuple[str, Side, int], ...]:
        """Give the silenced sides as (symbol, side, nanoseconds left)."""
        return tuple(
            (symbol, side, until_ns - now_ns)
            for (symbol, side), until_ns in self._snoozed.items()
            if until_ns > now_ns
        )

    def armed(self, idea: Idea, now_ns: int) -> bool:
        """Tell whether a press on this revision counts yet."""
        return now_ns - idea.revised_ns >= self._params.arming_ns

    def offer_left_ns(self, card: Card, now_ns: int) -> int:
        """Give how long the card stays if its score does not return; 0 for an empty row."""
        if card.end is not None:
            return 0
        return max(0, card.passed_ns + self._params.offer_ns - now_ns)

    def _follow(self, decision: Decision, now_ns: int) -> None:
        """Keep track since when which side's decisions want an order without a break."""
        candidate = self._candidates.get(decision.symbol)
        if decision.reason is not None or decision.side is None:
            self._candidates.pop(decision.symbol, None)
        elif candidate is None or candidate.side is not decision.side:
            self._candidates[decision.symbol] = _Candidate(decision.side, now_ns)

    def _ripe(self, symbol: str, now_ns: int) -> _Candidate | None:
        """Give the candidate that has stood long enough and is not silenced."""
        candidate = self._candidates.get(symbol)
        if candidate is None or now_ns - candidate.since_ns < self._params.born_after_ns:
            return None
        silent_until_ns = self._snoozed.get((symbol, candidate.side), 0)
        return candidate if now_ns >= silent_until_ns else None

    def _offer(self, decision: Decision, now_ns: int) -> CardEvent | None:
        vacated = self._cards.get(decision.symbol)
        if vacated is not None and now_ns - vacated.ended_ns < self._params.vacated_ns:
            return None
        candidate = self._ripe(decision.symbol, now_ns)
        if candidate is None:
            return None
        full = len(self._births) == self._births.maxlen
        if full and now_ns - self._births[0] < MINUTE_NS:
            return self._hold_back(candidate)
        self._births.append(now_ns)
        idea = self._idea(decision, candidate.side, self._next_id, 1, now_ns)
        self._next_id += 1
        self._cards.pop(decision.symbol, None)
        self._cards[decision.symbol] = Card(idea, decision, now_ns)
        return CardEvent.OFFERED

    def _hold_back(self, candidate: _Candidate) -> CardEvent | None:
        if candidate.held_back:
            return None
        candidate.held_back = True
        self.held_back += 1
        return CardEvent.HELD_BACK

    def _revise(self, card: Card, now_ns: int) -> CardEvent | None:
        """Change the card's terms when they really changed and the last change is long enough ago."""
        idea = card.idea
        if now_ns - idea.revised_ns < self._params.revise_every_ns or not self._differs(card, now_ns):
            return None
        same_side = card.live()
        side = idea.side if same_side else idea.side.opposite
        revised = self._idea(card.decision, side, idea.idea_id, idea.revision + 1, now_ns)
        card.edited = card.edited and same_side
        if card.edited:
            revised = replace(revised, qty_lots=min(idea.qty_lots, revised.qty_lots))
        card.idea, card.passed_ns = revised, now_ns
        return CardEvent.REVISED

    def _differs(self, card: Card, now_ns: int) -> bool:
        """Tell whether side, quantity or worst price changed by more than noise."""
        idea, decision = card.idea, card.decision
        if not card.live():
            candidate = self._ripe(idea.symbol, now_ns)
            return candidate is not None and candidate.side is not idea.side
        if decision.passive is not idea.passive or decision.generation != idea.generation:
            return True
        if abs(decision.worst_ticks - idea.worst_ticks) > decision.drift_ticks:
            return True
        band_lots = decision.sized.band_lots if decision.sized is not None else 1
        grown = decision.qty_lots - idea.qty_lots
        return -grown >= band_lots or (grown >= band_lots and not card.edited)

    def _idea(self, decision: Decision, side: Side, idea_id: int, revision: int, now_ns: int) -> Idea:
        return Idea(
            idea_id=idea_id,
            revision=revision,
            symbol=decision.symbol,
            side=side,
            qty_lots=decision.qty_lots,
            worst_ticks=decision.worst_ticks,
            passive=decision.passive,
            model_id=decision.model_id,
            generation=decision.generation,
            horizon_ms=decision.horizon_ms,
            life_ns=self._params.one_shot_life_ns,
            exit_rule=self._exit_rule,
            revised_ns=now_ns,
        )

    def _row(self, idea_id: int) -> Card | None:
        return next((card for card in self._cards.values() if card.idea.idea_id == idea_id), None)

    def _end(self, card: Card, end: CardEnd, now_ns: int) -> None:
        """Leave the row empty; the candidate starts again from nothing."""
        card.end, card.ended_ns = end, now_ns
        self._ended.append((card.idea, end))
        self._candidates.pop(card.idea.symbol, None)
