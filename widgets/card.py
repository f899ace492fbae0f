"""One card: the terms a permit would bind, and the live numbers behind them.

The binding terms stay longest where room is short; live numbers are no part of what a press binds to.
"""

from __future__ import annotations

from pipeline.core.snapshot import InstrumentView, ProposalView
from widgets.cells import (
    basis_points,
    clean,
    crop,
    left,
    lots_words,
    money,
    percent,
    ratio,
    side_word,
    ticks_words,
)
from widgets.glyphs import POINTER
from widgets.lines import Item, Line, fit, pick_rows, spread, text
from widgets.marks import side_role, signed_role
from widgets.times import age_text, horizon_text, length_text
from widgets.words import permit_words


def card_lines(
    card: ProposalView,
    view: InstrumentView | None,
    width: int,
    height: int,
    selected: bool,
    elsewhere: bool = False,
) -> list[Line]:
    """Give one card in at most `height` lines; the binding terms stay longest.

    `elsewhere` is a card of a symbol that is not on the screen: its head names it at every height.
    """
    short = height < 8
    rows: list[Item] = [
        (
            0,
            _short_head(card, view, width, selected, elsewhere)
            if short
            else _head(card, view, width, selected),
        ),
        (2, _fire(card, width)),
        (8, _pull(card, width)),
        (4, _score(card, width)),
        (3, _edge(card, width)),
        (7, _after(card, view, width)),
        (6, _exit(card, width)),
        (9, _model(card, width)),
        (5, _offer(card, width)),
    ]
    if not short:
        rows.insert(1, (1, _terms(card, view, width)))
    return pick_rows(rows, height)


def _short_head(
    card: ProposalView, view: InstrumentView | None, width: int, selected: bool, elsewhere: bool
) -> Line:
    """Give head and terms on one line."""
    sign = "<=" if card.side > 0 else ">="
    start: list[Item] = [
        (0, ((f"{POINTER}" if selected else " ", "selected" if selected else "text"),)),
        (0, text(f"#{card.idea_id}", "bright")),
        (
            0,
            text(
                f"{side_word(card.side)} {lots_words(view, card.qty_lots)}", side_role(card.side) + "-strong"
            ),
        ),
        (0, text(clean(card.symbol, 14) if elsewhere else "", "bright")),
        (1, text("rest" if card.passive else "take", "text")),
        (0, text(f"{sign} {ticks_words(view, card.worst_ticks)}", "bright")),
        (2, text(f"{money(card.notional_quote_e8, 0, sign=False)} {_quote(view)}", "text")),
    ]
    return fit(start, width, gap=1)


def _head(card: ProposalView, view: InstrumentView | None, width: int, selected: bool) -> Line:
    role = side_role(card.side) + "-strong"
    start: Line = (
        (f" {POINTER} " if selected else "   ", "selected" if selected else "text"),
        (f"#{card.idea_id} ", "bright"),
        (f"{side_word(card.side):<4} {lots_words(view, card.qty_lots)} ", role),
        (clean(card.symbol), "bright"),
    )
    return spread(
        start, text(f"{money(card.notional_quote_e8, 0, sign=False)} {_quote(view)} ", "text"), width
    )


def _quote(view: InstrumentView | None) -> str:
    return clean(view.quote) if view is not None else "quote"


def _row(label: str, items: list[Item], width: int, gap: int = 2) -> Line:
    head = f"   {left(label, 6)} " if width >= 50 else f" {left(label, 5)} "
    return ((head, "dim"), *fit(items, width - len(head), gap))


def _terms(card: ProposalView, view: InstrumentView | None, width: int) -> Line:
    limit = "never above" if card.side > 0 else "never below"
    how = ("rest on bid," if card.side > 0 else "rest on ask,") if card.passive else "take, IOC,"
    items: list[Item] = [
        (1, text(how, "text")),
        (2, text("post-only," if card.passive else "in collar,", "text")),
        (0, text(f"{limit} {ticks_words(view, card.worst_ticks)}", "bright")),
    ]
    return _row("order", items, width, gap=1)


def _fire(card: ProposalView, width: int) -> Line:
    sign = ">= " if card.side > 0 else "<= "
    items: list[Item] = [
        (0, text(f"score {sign}{ratio(card.entry_e6 * card.side)}, net > 0,", "text")),
        (1, text(f"for {length_text(card.life_ms)}", "text")),
    ]
    return _row("fire", items, width, gap=1)


def _pull(card: ProposalView, width: int) -> Line:
    sign = "< " if card.side > 0 else "> "
    items: list[Item] = [
        (0, text(f"score {sign}{ratio(card.leave_e6 * card.side)}", "text")),
        (1, text("or book not ok", "text")),
        (2, text(f"or {length_text(card.life_ms)} gone", "text")),
    ]
    return _row("pull", items, width, gap=1)


def _score(card: ProposalView, width: int) -> Line:
    score = ratio(card.score_e6)
    if not card.live:
        # Words may be shortened, so that the numbers beside them never are.
        waits = crop(waits_words(card), max(0, width - 14))
        return _row("score", [(0, text(score, "warn")), (1, text(waits, "warn"))], width, gap=1)
    items: list[Item] = [
        (0, text(score, side_role(card.score_e6) + "-strong")),
        (3, text("now", "good")),
        (
            2,
            (
                ("up ", "dim"),
                (ratio(card.p_up_e6, sign=False), "bid"),
                (" flat ", "dim"),
                (ratio(card.p_flat_e6, sign=False), "text"),
                (" down ", "dim"),
                (ratio(card.p_down_e6, sign=False), "ask"),
            ),
        ),
    ]
    return _row("score", items, width)


def waits_words(card: ProposalView) -> str:
    """Give why the idea does not fire now."""
    why = _SHORT_WORDS.get(card.waits_for) or permit_words(card.waits_for)
    return f"waits: {why}" if why else "waits"


_SMALL_E8 = 1_000_000
_SHORT_WORDS = {"OTHER_SIDE": "score flipped"}


def small_money(value_e8: int) -> str:
    """Print an amount in hundredths, or finer where those would only say 0.00."""
    return money(value_e8, 2 if abs(value_e8) >= _SMALL_E8 else 4)


def net_role(card: ProposalView) -> str:
    """Give the role of the card's edge: what does not fire is never drawn as a gain."""
    return signed_role(card.net_e6) if card.live else "warn"


def _edge(card: ProposalView, width: int) -> Line:
    role = net_role(card)
    items: list[Item] = [
        (
            0,
            (
                (f"{basis_points(card.edge_e6)} - cost {basis_points(card.cost_e6, sign=False)} = ", "text"),
                (f"{basis_points(card.net_e6)} bp", role),
            ),
        ),
        (1, text(f"= {small_money(card.net_quote_e8)}", role)),
    ]
    return _row("edge", items, width, gap=1)


def _after(card: ProposalView, view: InstrumentView | None, width: int) -> Line:
    worst = f"worst {lots_words(view, card.worst_case_lots, sign=True)} = {percent(card.worst_share_e6)}"
    items: list[Item] = [
        (1, text(lots_words(view, card.after_lots, sign=True), "text")),
        (0, text(worst, "warn" if card.worst_share_e6 > 900_000 else "text")),
        (2, text("of limit", "dim")),
    ]
    return _row("after", items, width)


def _exit(card: ProposalView, width: int) -> Line:
    items: list[Item] = [
        (0, text(f"flip or {length_text(card.exit_after_ms)},", "text")),
        (1, text(f"rest {length_text(card.exit_rest_ms)},", "text")),
        (2, text(f"take {basis_points(card.collar_e6, sign=False)} bp", "text")),
    ]
    return _row("exit", items, width, gap=1)


def _model(card: ProposalView, width: int) -> Line:
    items: list[Item] = [
        (0, text(clean(card.model, 24), "dim")),
        (2, text(f"h {horizon_text(card.horizon_ms)}", "dim")),
        (1, text(f"row {age_text(card.row_age_ms)} old", "dim")),
    ]
    return _row("model", items, width)


def _offer(card: ProposalView, width: int) -> Line:
    permit: Line = (("a", "key"), (" permit", "text")) if card.armed else text("arming...", "stale")
    items: list[Item] = [
        (0, text(f"stands {age_text(card.offer_left_ms).rjust(5)}", "text")),
        (1, permit),
        (2, (("d", "key"), (" not now", "text"))),
        (3, (("e", "key"), (" size", "text"))),
    ]
    return _row("offer", items, width)


def short_card(card: ProposalView, view: InstrumentView | None, width: int) -> Line:
    """Give a card as one line."""
    items: list[Item] = [
        (0, text(f"   #{card.idea_id}", "text")),
        (0, text(f"{side_word(card.side):<4} {lots_words(view, card.qty_lots)}", side_role(card.side))),
        (1, text(clean(card.symbol), "text")),
        (2, text(f"net {basis_points(card.net_e6)} bp", net_role(card))),
        (3, text(age_text(card.offer_left_ms), "dim")),
    ]
    return fit(items, width, gap=1)
