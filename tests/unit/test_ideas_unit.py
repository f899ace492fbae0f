"""The card board: birth, revision, offer, decline, edit and the rows left empty."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from pipeline.core.cards import Card, CardEnd, CardEvent, Idea, PressRefusal
from pipeline.core.decision import Decider, Decision
from pipeline.core.ideas import IdeaBoard
from pipeline.core.params import ExecutionParams, PermitParams
from pipeline.core.sizing import MarketState
from pipeline.core.types import Side
from tests.fakes.decisions import MARKET, MS, SECOND, START, a_decision, a_market, all_terms


def a_board(**params: int) -> IdeaBoard:
    return IdeaBoard(PermitParams(**params), ExecutionParams())


def at(now_ms: int, p_up: float = 0.8, market: MarketState = MARKET, symbol: str = "BTCUSDT") -> Decision:
    """Decide at so many milliseconds after the start."""
    return a_decision(p_up, START + now_ms * MS, market, Decider(all_terms()), symbol)


def feed(board: IdeaBoard, *decisions: Decision) -> list[CardEvent | None]:
    return [board.update(decision, decision.ts_ns) for decision in decisions]


def with_a_card(board: IdeaBoard | None = None) -> tuple[IdeaBoard, Idea]:
    """Give a board with one card, born 200 ms after the start."""
    board = board or a_board()
    feed(board, at(0), at(200))
    return board, only(board).idea


def only(board: IdeaBoard) -> Card:
    (card,) = board.cards()
    return card


def moved(ticks: int) -> MarketState:
    return a_market(bid_ticks=MARKET.bid_ticks + ticks, ask_ticks=MARKET.ask_ticks + ticks)


# -- birth -----------------------------------------------------------------------------------------------


def test_idea_is_born_when_decisions_wanted_an_order_for_200_ms() -> None:
    board = a_board()
    assert feed(board, at(0), at(199), at(200)) == [None, None, CardEvent.OFFERED]
    card = only(board)
    assert (card.idea.idea_id, card.idea.revision, card.idea.side) == (1, 1, Side.BUY)
    assert card.idea.qty_lots == at(200).qty_lots
    assert card.idea.worst_ticks == MARKET.bid_ticks + 642
    assert card.live()


@pytest.mark.parametrize("p_up", [0.5, 0.2])
def test_break_or_other_side_starts_the_wait_anew(p_up: float) -> None:
    board = a_board()
    assert feed(board, at(0), at(100, p_up), at(150), at(300), at(349)) == [None] * 5
    assert feed(board, at(350)) == [CardEvent.OFFERED]


@pytest.mark.parametrize(
    ("p_up", "market", "why"),
    [
        (0.8, MARKET, ""),
        (0.55, MARKET, "SCORE_BELOW_ENTRY"),
        (0.45, MARKET, "OTHER_SIDE"),
        (0.2, MARKET, "OTHER_SIDE"),
        (0.8, a_market(position_lots=-500), "EXIT_FIRST"),
        (0.2, a_market(book_ok=False), "BOOK_NOT_OK"),
    ],
)
def test_card_says_why_it_does_not_fire(p_up: float, market: MarketState, why: str) -> None:
    board, _ = with_a_card()
    feed(board, at(300, p_up, market))
    card = only(board)
    assert card.waits_for() == why
    assert card.live() == (why == "")
    assert (card.edge_e6() < 0) == (why == "OTHER_SIDE")


def test_score_that_does_not_pay_bears_no_idea() -> None:
    board = a_board()
    held = a_market(position_lots=-500)
    assert feed(board, at(0, market=held), at(500, market=held)) == [None, None]
    assert board.cards() == ()


def test_no_card_appears_where_none_may_be_offered() -> None:
    board = a_board()
    for now_ms in (0, 200, 400):
        assert board.update(at(now_ms), START + now_ms * MS, may_offer=False) is None
    assert feed(board, at(500)) == [CardEvent.OFFERED]


def test_symbols_have_cards_of_their_own() -> None:
    board = a_board()
    feed(board, at(0), at(0, symbol="ETHUSDT"), at(200, symbol="ETHUSDT"), at(200))
    assert [card.idea.symbol for card in board.cards()] == ["ETHUSDT", "BTCUSDT"]
    assert board.find(1) is board.cards()[0].idea
    assert board.find(2) is board.cards()[1].idea


def test_seventh_card_within_a_minute_is_held_back_and_counted_once() -> None:
    board = a_board(offer_ns=100 * MS, vacated_ns=0)
    born = 0
    for start_ms in range(0, 60_000, 5_000):
        events = feed(board, at(start_ms), at(start_ms + 200), at(start_ms + 250))
        born += events.count(CardEvent.OFFERED)
        board.beat(START + (start_ms + 1_000) * MS)
        board.beat(START + (start_ms + 1_001) * MS)
        feed(board, at(start_ms + 2_000, 0.5))
    assert born == 6
    assert board.held_back == 6


def test_idea_held_back_is_born_when_a_place_is_free_again() -> None:
    board = a_board(max_cards_a_minute=1, vacated_ns=0)
    _, idea = with_a_card(board)
    board.take(idea.idea_id, START + 300 * MS)
    assert feed(board, at(400), at(600), at(700)) == [None, CardEvent.HELD_BACK, None]
    assert feed(board, at(60_199), at(60_200)) == [None, CardEvent.OFFERED]
    assert board.held_back == 1


def test_no_card_a_minute_is_a_wrong_setting() -> None:
    with pytest.raises(ValueError, match="permits.max_cards_a_minute is 0"):
        a_board(max_cards_a_minute=0)


# -- revision --------------------------------------------------------------------------------------------


def test_live_numbers_are_no_revision() -> None:
    board, idea = with_a_card()
    assert feed(board, at(5_000, 0.802, moved(100))) == [None]
    assert only(board).idea is idea
    assert only(board).decision.score_e6 == 604_000


@pytest.mark.parametrize("p_up", [0.799, 0.801])
def test_quantity_that_changed_by_less_than_the_band_is_no_revision(p_up: float) -> None:
    board, idea = with_a_card()
    assert at(0, p_up).qty_lots != idea.qty_lots
    assert feed(board, at(5_000, p_up)) == [None]


@pytest.mark.parametrize("ticks", [643, -643])
def test_price_that_left_the_room_is_a_revision_after_two_seconds(ticks: int) -> None:
    board, idea = with_a_card()
    assert feed(board, at(2_199, market=moved(ticks)), at(2_200, market=moved(ticks))) == [
        None,
        CardEvent.REVISED,
    ]
    revised = only(board).idea
    assert (revised.idea_id, revised.revision) == (idea.idea_id, 2)
    assert revised.worst_ticks == idea.worst_ticks + ticks
    assert revised.revised_ns == START + 2_200 * MS


@pytest.mark.parametrize("p_up", [0.9, 0.7])
def test_quantity_that_really_changed_is_a_revision(p_up: float) -> None:
    board, idea = with_a_card()
    assert feed(board, at(2_200, p_up)) == [CardEvent.REVISED]
    assert only(board).idea.qty_lots == at(0, p_up).qty_lots != idea.qty_lots


def test_other_side_is_a_revision_once_it_stood_long_enough() -> None:
    board, _ = with_a_card()
    events = feed(board, at(2_100, 0.2), at(2_250, 0.2), at(2_300, 0.2))
    assert events == [None, None, CardEvent.REVISED]
    idea = only(board).idea
    assert (idea.side, idea.revision, idea.worst_ticks) == (Side.SELL, 2, MARKET.ask_ticks - 642)


def test_other_side_that_was_declined_is_no_revision() -> None:
    board = a_board()
    feed(board, at(0, 0.2), at(200, 0.2))
    board.decline(1, 1, START + 300 * MS)
    board.beat(START + 2_300 * MS)
    feed(board, at(2_400), at(2_600))
    assert only(board).idea.side is Side.BUY
    assert feed(board, at(5_000, 0.2), at(5_300, 0.2)) == [None, None]


def test_score_that_left_is_no_revision() -> None:
    board, idea = with_a_card()
    assert feed(board, at(4_000, 0.5), at(4_300, 0.5)) == [None, None]
    assert only(board).idea is idea
    assert not only(board).live()


@pytest.mark.parametrize("changes", [{"passive": False}, {"generation": 2}])
def test_way_of_entry_and_model_are_terms_too(changes: dict[str, Any]) -> None:
    board, _ = with_a_card()
    changed = replace(at(2_200), **changes)
    assert feed(board, changed) == [CardEvent.REVISED]
    assert only(board).idea.revision == 2


# -- life ------------------------------------------------------------------------------------------------


def test_offer_stands_eight_seconds_after_the_score_left() -> None:
    board, idea = with_a_card()
    feed(board, at(1_000), at(1_100, 0.5))
    card = only(board)
    assert board.offer_left_ns(card, START + 2_000 * MS) == 7 * SECOND
    assert board.beat(START + 8_999 * MS) == ()
    assert board.beat(START + 9_000 * MS) == (idea,)
    assert only(board).end is CardEnd.LAPSED
    assert board.offer_left_ns(card, START + 9_000 * MS) == 0


def test_score_that_returns_keeps_the_card() -> None:
    board, idea = with_a_card()
    feed(board, at(1_000, 0.5), at(8_100))
    assert board.beat(START + 9_000 * MS) == ()
    assert board.find(idea.idea_id) == idea


def test_row_stays_empty_for_two_seconds() -> None:
    board, idea = with_a_card()
    board.take(idea.idea_id, START + 1_000 * MS)
    assert feed(board, at(1_100), at(1_500), at(2_999)) == [None, None, None]
    assert only(board).end is CardEnd.PERMITTED
    assert board.find(idea.idea_id) is None
    assert feed(board, at(3_000)) == [CardEvent.OFFERED]
    assert only(board).idea.idea_id == 2


def test_beat_clears_the_row_when_its_rest_is_over() -> None:
    board, idea = with_a_card()
    board.take(idea.idea_id, START + 1_000 * MS)
    board.beat(START + 2_999 * MS)
    assert len(board.cards()) == 1
    board.beat(START + 3_000 * MS)
    assert board.cards() == ()


def test_card_taken_twice_or_unknown_changes_nothing() -> None:
    board, idea = with_a_card()
    board.take(99, START + 900 * MS)
    assert board.find(idea.idea_id) == idea
    board.take(idea.idea_id, START + 1_000 * MS)
    board.take(idea.idea_id, START + 1_500 * MS)
    assert only(board).ended_ns == START + 1_000 * MS


def test_withdrawn_card_is_gone_at_once_and_its_wait_starts_anew() -> None:
    board, idea = with_a_card()
    assert board.withdraw("BTCUSDT", START + 1_000 * MS) == idea
    assert board.withdraw("BTCUSDT", START + 1_001 * MS) is None
    assert board.withdraw("ETHUSDT", START + 1_001 * MS) is None
    assert only(board).end is CardEnd.WITHDRAWN
    assert feed(board, at(3_000), at(3_200)) == [None, CardEvent.OFFERED]


def test_card_is_armed_after_350_ms_and_again_after_a_revision() -> None:
    board, idea = with_a_card()
    assert not board.armed(idea, START + 549 * MS)
    assert board.armed(idea, START + 550 * MS)
    feed(board, at(2_200, 0.9))
    assert not board.armed(only(board).idea, START + 2_300 * MS)


# -- decline ---------------------------------------------------------------------------------------------


def test_declined_side_is_silent_for_thirty_seconds() -> None:
    board, idea = with_a_card()
    assert board.decline(idea.idea_id, 1, START + 1_000 * MS) == idea
    assert board.snoozed(START + 1_000 * MS) == (("BTCUSDT", Side.BUY, 30 * SECOND),)
    assert feed(board, at(3_000), at(30_999)) == [None, None]
    assert feed(board, at(31_000)) == [CardEvent.OFFERED]


def test_other_side_of_a_declined_one_still_speaks() -> None:
    board, idea = with_a_card()
    board.decline(idea.idea_id, 1, START + 1_000 * MS)
    assert feed(board, at(3_000, 0.2), at(3_200, 0.2)) == [None, CardEvent.OFFERED]


def test_declined_twice_is_silent_for_five_minutes() -> None:
    board, idea = with_a_card()
    board.decline(idea.idea_id, 1, START + 1_000 * MS)
    assert board.decline(idea.idea_id, 1, START + 1_300 * MS) == idea
    assert board.snoozed(START + 1_300 * MS) == (("BTCUSDT", Side.BUY, 300 * SECOND),)
    board.beat(START + 300_000 * MS)
    assert board.snoozed(START + 300_000 * MS)
    board.beat(START + 301_300 * MS)
    assert board.snoozed(START + 301_300 * MS) == ()


def test_decline_binds_to_the_revision_drawn() -> None:
    board, idea = with_a_card()
    assert board.decline(idea.idea_id, 2, START) is PressRefusal.REVISED
    assert board.decline(7, 1, START) is PressRefusal.GONE
    board.take(idea.idea_id, START + 1_000 * MS)
    assert board.decline(idea.idea_id, 1, START + 1_100 * MS) is PressRefusal.GONE
    assert board.snoozed(START) == ()


# -- size ------------------------------------------------------------------------------------------------


def test_size_goes_down_freely_and_is_a_revision() -> None:
    board, idea = with_a_card()
    edited = board.edit(idea.idea_id, 1, 200, START + 1_000 * MS)
    assert isinstance(edited, Idea)
    assert (edited.qty_lots, edited.revision) == (200, 2)
    assert board.find(idea.idea_id) == edited
    assert not board.armed(edited, START + 1_100 * MS)


def test_size_goes_up_to_what_the_score_asks_for_and_no_further() -> None:
    board, idea = with_a_card()
    feed(board, at(1_000, 0.9))
    most = at(0, 0.9).qty_lots
    assert board.edit(idea.idea_id, 1, most + 1, START + 1_000 * MS) is PressRefusal.BAD_TERMS
    assert isinstance(board.edit(idea.idea_id, 1, most, START + 1_000 * MS), Idea)
    feed(board, at(1_100, 0.5))
    assert board.edit(idea.idea_id, 2, most + 1, START + 1_200 * MS) is PressRefusal.BAD_TERMS
    assert board.edit(idea.idea_id, 2, 0, START + 1_200 * MS) is PressRefusal.BAD_TERMS


def test_edit_binds_to_the_revision_drawn() -> None:
    board, idea = with_a_card()
    assert board.edit(9, 1, 10, START) is PressRefusal.GONE
    assert board.edit(idea.idea_id, 3, 10, START) is PressRefusal.REVISED
    board.take(idea.idea_id, START + 1_000 * MS)
    assert board.edit(idea.idea_id, 1, 10, START + 1_000 * MS) is PressRefusal.GONE


def test_edited_size_follows_the_market_down_only() -> None:
    board, idea = with_a_card()
    board.edit(idea.idea_id, 1, 700, START + 1_000 * MS)
    assert feed(board, at(3_100, 0.95)) == [None]
    assert feed(board, at(3_200, 0.95, moved(2_000))) == [CardEvent.REVISED]
    assert only(board).idea.qty_lots == 700
    assert feed(board, at(5_300, 0.7, moved(2_000))) == [CardEvent.REVISED]
    assert only(board).idea.qty_lots == at(0, 0.7, moved(2_000)).qty_lots < 700


def test_edited_size_is_not_carried_to_the_other_side() -> None:
    board, idea = with_a_card()
    board.edit(idea.idea_id, 1, 100, START + 1_000 * MS)
    feed(board, at(3_000, 0.2), at(3_200, 0.2))
    assert only(board).idea.side is Side.SELL
    assert only(board).idea.qty_lots == at(0, 0.2).qty_lots


# -- evidence --------------------------------------------------------------------------------------------


def test_hash_covers_everything_fixed_on_the_card() -> None:
    _, idea = with_a_card()
    assert len(idea.content_hash) == 16
    assert idea.content_hash == replace(idea, revised_ns=0).content_hash
    changes: list[dict[str, Any]] = [
        {"idea_id": 2},
        {"revision": 2},
        {"symbol": "ETHUSDT"},
        {"side": Side.SELL},
        {"qty_lots": 1},
        {"worst_ticks": 1},
        {"passive": False},
        {"model_id": "other"},
        {"generation": 2},
        {"horizon_ms": 5},
        {"life_ns": 1},
        {"exit_rule": replace(idea.exit_rule, after_ns=1)},
        {"exit_rule": replace(idea.exit_rule, rest_ns=1)},
        {"exit_rule": replace(idea.exit_rule, collar_e6=1)},
    ]
    hashes = {replace(idea, **change).content_hash for change in changes}
    assert len(hashes | {idea.content_hash}) == len(changes) + 1


def test_exit_rule_stands_on_the_card() -> None:
    board = IdeaBoard(
        PermitParams(), msgspec.structs.replace(ExecutionParams(), exit_after_ns=9 * SECOND, collar_e6=300)
    )
    _, idea = with_a_card(board)
    assert (idea.exit_rule.after_ns, idea.exit_rule.rest_ns) == (9 * SECOND, 5 * SECOND)
    assert idea.exit_rule.collar_e6 == 300
