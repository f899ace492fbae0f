"""The screen below 80x24: what must never leave it first, then as much of the rest as there are rows.

Mode, authority, trading state, position, book state and the kill key stand at 20x5 whole. Below that they
are shortened, then left out, the trading state, the position and the kill key last.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.core.snapshot import ConsoleSnapshot
from pipeline.core.types import TradingState
from widgets.alerts import alert_line, in_sight
from widgets.banner import convergence_line, kill_line, reversed_line
from widgets.card import card_lines
from widgets.cells import clean, qty_text
from widgets.chain import compact_chain
from widgets.chart import touch_words
from widgets.header_items import (
    alerts_item,
    book_item,
    day_item,
    gate_item,
    loss_item,
    others_item,
    position_item,
)
from widgets.lines import Item, Line, fit, flow, line_text, line_width, text, wrap
from widgets.market import score_line
from widgets.marks import AUTHORITY_ROLES, STATE_ROLES, book_words
from widgets.scales import scales_of
from widgets.start import ROLE, choice_line, left_line

UNCUT = 1_000
"""A width at which no banner leaves a word out."""
_CARD_ROWS = 6


@dataclass(frozen=True, slots=True)
class Chrome:
    """What the console itself adds to the header."""

    kill_key: str
    clock: Line
    watching: bool = False
    old: Line = ()
    """Says that the picture is old; empty while it is not."""
    choice: str = ""
    """What the keys of the kill strip do now."""


def terse_lines(snapshot: ConsoleSnapshot, chrome: Chrome, width: int, height: int) -> list[Line]:
    """Give at most `height` lines of at most `width` cells."""
    killed = snapshot.header.trading_state is TradingState.KILLED
    lines = _musts(snapshot, chrome, width, height)
    if killed:
        lines = [reversed_line(line, width) for line in (*lines, *_banner(snapshot, chrome, width))]
    elif snapshot.start is not None:
        both = (left_line(snapshot.start, UNCUT), choice_line(snapshot.start, UNCUT))
        lines += wrap(" ".join(line_text(line) for line in both), ROLE, width)
    return [*lines, *_rest(snapshot, width, height - len(lines))][:height]


def _musts(snapshot: ConsoleSnapshot, chrome: Chrome, width: int, height: int) -> list[Line]:
    """Flow what must be seen over the lines there are; where they lack shorten it, then drop from it."""
    whole, short = _whole(snapshot, chrome), _short(snapshot, chrome)
    for items in ([*whole, (9, chrome.clock)], whole, [*short, (9, chrome.clock[-1:])], short):
        lines = _flowed(items, width)
        if len(lines) <= height and all(line_width(line) <= width for line in lines):
            return lines
    while short:
        lines = _flowed(short, width)
        if len(lines) <= height:
            return lines
        short.remove(max(short, key=lambda item: item[0]))
    return []


def _flowed(items: list[Item], width: int) -> list[Line]:
    return flow([part for _, part in items if part], width, gap=1)


def _whole(snapshot: ConsoleSnapshot, chrome: Chrome) -> list[Item]:
    header = snapshot.header
    mode = header.mode.value
    watching = text(" WATCHING ", "overprint") if chrome.watching else ()
    return [
        (3, text(f" {mode} ", f"{mode.lower()}-chip")),
        (4, text(header.authority.name, AUTHORITY_ROLES[header.authority])),
        (0, text(header.trading_state.name, STATE_ROLES[header.trading_state])),
        (6, watching),
        (2, chrome.old),
        *((1, (part,)) for part in position_item(snapshot, wide=False) if part[0] != "pos "),
        (5, book_item(snapshot)),
        (7, gate_item(header, wide=False)),
        (7, alerts_item(header, "al")),
        (2, text(f"{chrome.kill_key} KILL", "kill-key")),
    ]


def _short(snapshot: ConsoleSnapshot, chrome: Chrome) -> list[Item]:
    """Give the same in the fewest cells: the sign says long or short, the book's word what it is about."""
    header = snapshot.header
    words, ok = book_words(snapshot.ladder)
    mode = header.mode.value
    held = qty_text(snapshot.instrument, header.position_lots, sign=True)
    return [
        (3, text(mode, f"{mode.lower()}-chip")),
        (4, text(header.authority.name, AUTHORITY_ROLES[header.authority])),
        (0, text(header.trading_state.name, STATE_ROLES[header.trading_state])),
        (6, text("WATCH" if chrome.watching else "", "overprint")),
        (1, text(f"{held}{'!' if header.unmanaged_lots else ''}", "bright")),
        (2, others_item(snapshot, wide=False)),
        (5, text(words, "text" if ok else "overprint")),
        (2, text(chrome.kill_key, "kill-key")),
    ]


def _banner(snapshot: ConsoleSnapshot, chrome: Chrome, width: int) -> list[Line]:
    kill = snapshot.kill
    if kill is None:
        return []
    lines = (
        kill_line(kill, snapshot, UNCUT),
        convergence_line(kill, snapshot, chrome.choice, UNCUT),
    )
    return [row for line in lines for row in wrap(line_text(line), "kill", width)]


def _rest(snapshot: ConsoleSnapshot, width: int, height: int) -> list[Line]:
    """Give what there are rows left for, the most important first."""
    if height <= 0:
        return []
    header, view = snapshot.header, snapshot.instrument
    money: list[Item] = [(0, day_item(header, snapshot)), (1, loss_item(header))]
    unknown = f" {snapshot.counts.unknown} UNKNOWN " if snapshot.counts.unknown else ""
    market: list[Item] = [(1, text(clean(view.symbol, 14), "bright")), (0, touch_words(snapshot))]
    rows = [fit(market, width), fit([*money, (2, text(unknown, "unknown"))], width)]
    rows.append(score_line(snapshot, width))
    if snapshot.proposals:
        card = snapshot.proposals[0]
        scales, elsewhere = scales_of(snapshot, card.symbol), card.symbol != view.symbol
        rows += card_lines(card, scales, width, _CARD_ROWS, selected=False, elsewhere=elsewhere)
    rows.append(compact_chain(snapshot, width))
    if snapshot.alerts:
        rows.append(alert_line(in_sight(snapshot.alerts, 1)[0], snapshot, width))
    rows.append(text("80x24 shows more", "dim"))
    return [row for row in rows if row][:height]
