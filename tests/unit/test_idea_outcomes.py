"""Ideas are judged by what came, whatever a person did with them."""

from __future__ import annotations

from pipeline.core.cards import CardEnd, Idea, exit_rule
from pipeline.core.idea_outcomes import FOLLOWED_MOST, FateCount, IdeaOutcomes
from pipeline.core.params import ExecutionParams
from pipeline.core.types import Side

S = 1_000_000_000
MID = 1_000_000


def card(idea_id: int, side: Side = Side.BUY) -> Idea:
    return Idea(
        idea_id=idea_id,
        revision=1,
        symbol="BTCUSDT",
        side=side,
        qty_lots=800,
        worst_ticks=6_421_000,
        passive=True,
        model_id="qi-logit",
        generation=1,
        horizon_ms=1_000,
        life_ns=10 * S,
        exit_rule=exit_rule(ExecutionParams()),
        revised_ns=0,
    )


def test_a_declined_idea_that_was_right_counts_as_right() -> None:
    ideas = IdeaOutcomes(S)
    ideas.offered(card(1), MID, 0)
    ideas.ended(1, CardEnd.DECLINED)
    ideas.advance(S, MID + 100)
    assert ideas.by_fate[CardEnd.DECLINED] == FateCount()
    ideas.advance(S + 1, MID + 100)
    assert ideas.by_fate[CardEnd.DECLINED] == FateCount(1, 1, 100_000)


def test_a_fate_may_come_after_the_outcome() -> None:
    ideas = IdeaOutcomes(S)
    ideas.offered(card(1, Side.SELL), MID, 0)
    ideas.advance(2 * S, MID + 100)
    ideas.ended(1, CardEnd.LAPSED)
    assert ideas.by_fate[CardEnd.LAPSED] == FateCount(1, 0, -100_000)


def test_a_turned_card_is_another_idea() -> None:
    ideas = IdeaOutcomes(S)
    ideas.offered(card(1), MID, 0)
    ideas.offered(card(1), MID + 50, S // 2)
    ideas.offered(card(1, Side.SELL), MID + 100, S // 2)
    ideas.ended(1, CardEnd.PERMITTED)
    ideas.advance(2 * S, MID)
    assert ideas.by_fate[CardEnd.PERMITTED].ideas == 1
    assert ideas.by_fate[CardEnd.PERMITTED].hits == 1


def test_a_lost_book_gives_up_what_is_not_judged() -> None:
    ideas = IdeaOutcomes(S)
    ideas.offered(card(1), MID, 0)
    ideas.advance(2 * S, MID + 1)
    ideas.offered(card(2), MID, 2 * S)
    ideas.offered(card(3), 0, 2 * S)
    ideas.forget()
    ideas.ended(1, CardEnd.WITHDRAWN)
    ideas.ended(2, CardEnd.WITHDRAWN)
    assert ideas.void == 2
    assert ideas.by_fate[CardEnd.WITHDRAWN].ideas == 1


def test_few_are_followed_at_once() -> None:
    ideas = IdeaOutcomes(S)
    for number in range(3 * FOLLOWED_MOST):
        ideas.offered(card(number), MID, 0)
    ideas.advance(2 * S, MID)
    for number in range(3 * FOLLOWED_MOST):
        ideas.ended(number, CardEnd.LAPSED)
    assert ideas.by_fate[CardEnd.LAPSED].ideas == FOLLOWED_MOST
