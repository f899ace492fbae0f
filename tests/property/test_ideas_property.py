"""Any run of scores, prices and keys: the board keeps its rates, its revisions and its silences."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.cards import Card, CardEvent, Idea
from pipeline.core.decision import Decider
from pipeline.core.ideas import IdeaBoard
from pipeline.core.params import ExecutionParams, PermitParams
from pipeline.core.types import Side
from tests.fakes.decisions import MARKET, MS, SECOND, START, a_decision, a_market, all_terms

TERMS = all_terms()

STEPS = st.lists(
    st.tuples(
        st.sampled_from((20, 100, 250, 900, 2_100, 9_000)),
        st.sampled_from(("decide",) * 12 + ("decline", "take", "edit", "withdraw")),
        st.sampled_from((0.2, 0.5, 0.8, 0.8, 0.8, 0.9)),
        st.sampled_from((0, 0, 100, 700, 1_500)),
        st.sampled_from(("BTCUSDT", "BTCUSDT", "ETHUSDT")),
    ),
    min_size=15,
    max_size=60,
)


class Onlooker:
    """Writes down what the board shows after each step and holds it against the rules."""

    def __init__(self) -> None:
        self.board = IdeaBoard(PermitParams(), ExecutionParams())
        self.deciders = {"BTCUSDT": Decider(TERMS), "ETHUSDT": Decider(TERMS)}
        self.now_ns = START
        self.born_ns: list[int] = []
        self.revised: dict[int, Idea] = {}
        self.silent_until_ns: dict[tuple[str, Side], int] = {}

    def step(self, name: str, p_up: float, ticks: int, symbol: str) -> None:
        shown = next((card for card in self.board.cards() if card.idea.symbol == symbol), None)
        match name:
            case "decide":
                self.decide(p_up, ticks, symbol)
            case "decline" if shown is not None:
                idea = self.board.decline(shown.idea.idea_id, shown.idea.revision, self.now_ns)
                if isinstance(idea, Idea):
                    self.silent_until_ns[symbol, idea.side] = self.now_ns + 30 * SECOND
            case "take" if shown is not None:
                self.board.take(shown.idea.idea_id, self.now_ns)
            case "edit" if shown is not None:
                edited = self.board.edit(shown.idea.idea_id, shown.idea.revision, 50, self.now_ns)
                if isinstance(edited, Idea):
                    self.revised[edited.idea_id] = edited
            case _:
                self.board.withdraw(symbol, self.now_ns)
        self.board.beat(self.now_ns)
        self.check()

    def decide(self, p_up: float, ticks: int, symbol: str) -> None:
        market = a_market(bid_ticks=MARKET.bid_ticks + ticks, ask_ticks=MARKET.ask_ticks + ticks)
        decision = a_decision(p_up, self.now_ns, market, self.deciders[symbol], symbol)
        event = self.board.update(decision, self.now_ns)
        if event is CardEvent.OFFERED:
            self.born_ns.append(self.now_ns)
        if event in (CardEvent.OFFERED, CardEvent.REVISED):
            card = next(card for card in self.board.cards() if card.idea.symbol == symbol)
            self.new_terms(card, event is CardEvent.REVISED)

    def new_terms(self, card: Card, revised: bool) -> None:
        idea = card.idea
        assert card.live()
        assert self.now_ns >= self.silent_until_ns.get((idea.symbol, idea.side), 0)
        assert 0 < idea.qty_lots <= card.decision.qty_lots
        before = self.revised.get(idea.idea_id)
        if revised:
            assert before is not None
            assert idea.revision == before.revision + 1
            assert idea.revised_ns - before.revised_ns >= 2 * SECOND
            assert (idea.side, idea.qty_lots, idea.worst_ticks) != (
                before.side,
                before.qty_lots,
                before.worst_ticks,
            )
        self.revised[idea.idea_id] = idea

    def check(self) -> None:
        cards = self.board.cards()
        symbols = [card.idea.symbol for card in cards]
        assert len(symbols) == len(dict.fromkeys(symbols))
        for card in cards:
            assert card.idea == self.revised[card.idea.idea_id]
            assert card.end is not None or self.now_ns - card.passed_ns < 8 * SECOND
            assert card.end is None or self.now_ns - card.ended_ns < 2 * SECOND
        for born_ns in self.born_ns:
            within = [other for other in self.born_ns if 0 <= other - born_ns < 60 * SECOND]
            assert len(within) <= 6


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_board_keeps_its_rules(steps: list[tuple[int, str, float, int, str]]) -> None:
    onlooker = Onlooker()
    for gap_ms, name, p_up, ticks, symbol in steps:
        onlooker.now_ns += gap_ms * MS
        onlooker.step(name, p_up, ticks, symbol)
