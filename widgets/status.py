"""The header: the three axes and everything that must never leave the screen; the banner while killed.

Three lines at every size from 80x24 up; below, `terse` fills what there is. While killed all of it is drawn
in reverse over the full width, the position in its second line.
"""

from __future__ import annotations

from pipeline.core.snapshot import ConsoleSnapshot, HeaderView, ReplayView
from pipeline.core.types import BookState, TradingState, VenueMode
from widgets.banner import convergence_line, kill_line, reversed_line
from widgets.base import SnapshotWidget
from widgets.cells import clean, money
from widgets.chain import compact_chain
from widgets.frame import OLD_AFTER_MS
from widgets.glyphs import FRAME_MARKS, VERTICAL
from widgets.header_items import (
    alerts_item,
    book_item,
    day_item,
    gate_item,
    loss_item,
    others_item,
    position_item,
)
from widgets.lines import Item, Line, fit, join, line_text, line_width, spread, text, wrap
from widgets.lost import LostView, lost_line, lost_lines
from widgets.marks import AUTHORITY_ROLES, STATE_ROLES, money_role
from widgets.plan import COMPACT_SIZE, HEADER_ROWS
from widgets.plot import bar
from widgets.start import choice_line, left_line
from widgets.terse import UNCUT, Chrome, terse_lines
from widgets.times import clock_text, date_text, span_text

_WIDE = 116


class StatusPanel(SnapshotWidget):
    """Header and kill banner."""

    def __init__(self, *, plain: bool = False, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        """Make an empty header."""
        super().__init__(plain=plain, id=id)
        self.kill_key = "Ctrl+K"
        self.watching = False
        """True where this console only looks: nothing but halt, kill and stepping down works."""
        self._note = ""
        self._kill_choice = ""
        self._lost: LostView | None = None
        self._turn = 0

    def advance(self, snapshot: ConsoleSnapshot) -> None:
        """Turn the frame mark: it stands still when no new picture comes."""
        del snapshot
        self._turn = (self._turn + 1) % len(FRAME_MARKS)

    def set_note(self, words: str) -> None:
        """Show the console's own facts (display delay, bytes a second) in the second line."""
        self._note = clean(words)
        self.redraw()

    def set_kill_choice(self, words: str) -> None:
        """Show what the keys do now in the banner's last line, e.g. `Enter cancel ours (in 1.4 s)`."""
        self._kill_choice = clean(words)
        self.redraw()

    def set_lost(self, lost: LostView | None) -> None:
        """Say that no picture comes any more, over all else the header says."""
        self._lost = lost
        self.redraw()

    def content(self, snapshot: ConsoleSnapshot, width: int, height: int) -> list[Line]:
        """Give three lines, or what fits below 80x24."""
        small = height != HEADER_ROWS or width < COMPACT_SIZE[0]
        if self._lost is not None:
            lines = lost_lines(self._lost, snapshot, width)
            if small:
                lines = wrap(line_text(lost_line(self._lost, snapshot, UNCUT)), "kill", width)
            return [reversed_line(line, width) for line in lines][:height]
        if small:
            return terse_lines(snapshot, self._chrome(snapshot), width, height)
        first = self._first(snapshot, width)
        kill = snapshot.kill
        if kill is not None and kill.latched:
            lines = [
                first,
                kill_line(kill, snapshot, width),
                convergence_line(kill, snapshot, self._kill_choice, width),
            ]
            return [reversed_line(line, width) for line in lines]
        if snapshot.start is not None:
            return [first, left_line(snapshot.start, width), choice_line(snapshot.start, width)]
        wide = width >= _WIDE
        second = self._account(snapshot, width) if wide else _money_line(snapshot, width)
        third = context_line(snapshot, width) if wide else compact_chain(snapshot, width)
        return [first, self._aged(second, width), third]

    def _chrome(self, snapshot: ConsoleSnapshot) -> Chrome:
        return Chrome(
            kill_key=self.kill_key.replace("Ctrl+", "^"),
            clock=self._clock(snapshot),
            watching=self.watching,
            old=self._old() if self.screen_age_ms >= OLD_AFTER_MS else (),
            choice=self._kill_choice,
        )

    def _first(self, snapshot: ConsoleSnapshot, width: int) -> Line:
        header, wide = snapshot.header, width >= _WIDE
        key = self.kill_key if wide else self.kill_key.replace("Ctrl+", "^")
        kill: Line = (("  ", "text"), (f"{key} KILL ", "kill-key"))
        clock = self._clock(snapshot)
        ends: tuple[Line, ...] = ((*clock, *kill), (*clock[1:], *kill), kill)
        # In SIM the protocol is the venue's and the exchange is not.
        named = "sim" if header.mode is VenueMode.SIM else snapshot.instrument.venue
        venue = clean(named, 16) if wide else ""
        ok = snapshot.ladder.state is BookState.SYNCED
        killed = header.trading_state is TradingState.KILLED
        items: list[Item] = [
            (0, self._chips(header, wide)),
            (0, text(" WATCHING " if self.watching else "", "overprint")),
            (2, text(clean(snapshot.instrument.symbol, 14), "bright")),
            (4, text(f"@{venue}" if venue else "", "dim")),
            (0, position_item(snapshot, wide)),
            (0, others_item(snapshot, wide)),
            (1, gate_item(header, wide)),
            (1, alerts_item(header, "alerts" if wide else "al")),
            (3 if ok else 1, book_item(snapshot) if wide or killed else ()),
        ]
        gap = 3 if wide else 1
        least = line_width(join([line for priority, line in items if priority == 0], gap)) + 1
        end = next((end for end in ends if least + line_width(end) <= width), kill)
        return spread(fit(items, width - line_width(end) - 1, gap), end, width)

    def _chips(self, header: HeaderView, wide: bool) -> Line:
        authority = (
            f"{header.authority.name} {clean(header.window)}".rstrip() if wide else header.authority.name
        )
        gap = f" {VERTICAL} " if wide else VERTICAL
        mode = str(header.mode)
        return (
            (f" {mode} ", f"{mode.lower()}-chip"),
            (" ", "text"),
            (authority, AUTHORITY_ROLES[header.authority]),
            (gap, "rule"),
            (header.trading_state.name, STATE_ROLES[header.trading_state]),
        )

    def _clock(self, snapshot: ConsoleSnapshot) -> Line:
        role = "replay" if snapshot.header.mode is VenueMode.REPLAY else "text"
        return ((f"{clock_text(snapshot.ts_ns)} ", role), (FRAME_MARKS[self._turn], "accent"))

    def _old(self) -> Line:
        return ((f" SCREEN {self.screen_age_ms // 1_000} s OLD ", "overprint"),)

    def _aged(self, line: Line, width: int) -> Line:
        if self.screen_age_ms < OLD_AFTER_MS:
            return line
        help_words = text("nothing new arrives; `lobdeck kill` in another shell still stops orders", "warn")
        return fit([(0, self._old()), (1, line), (2, help_words)], width)

    def _account(self, snapshot: ConsoleSnapshot, width: int) -> Line:
        header = snapshot.header
        attached = f", {header.controllers} consoles" if header.controllers > 1 else ""
        unlimited = header.limits_profile in ("", "none")
        limits = "NONE" if unlimited else clean(header.limits_profile, 20)
        items: list[Item] = [
            (0, ((" ", "text"), *day_item(header, snapshot))),
            (0, loss_item(header)),
            (1, _fact("gross", money(header.gross_quote_e8, 0, sign=False))),
            (2, _fact("limits", limits, "warn" if unlimited else "text")),
            (4, _fact("model", clean(header.model, 34) or "none")),
            *_model_note(header),
            (3, _fact("session", clean(header.session, 34))),
            (5, _fact("you", clean(header.operator, 20) + attached)),
        ]
        return spread(fit(items, width - len(self._note) - 4, gap=3), text(f"{self._note} ", "dim"), width)


def _model_note(header: HeaderView) -> list[Item]:
    """Give what stands beside the live model's name: a swap under way is worth more room than the rest."""
    if not header.model_note:
        return []
    loading = header.model_loading
    return [(2 if loading else 5, text(clean(header.model_note, 48), "waiting" if loading else "dim"))]


def _fact(name: str, words: str, role: str = "text") -> Line:
    return (f"{name} ", "dim"), (words, role)


def _money_line(snapshot: ConsoleSnapshot, width: int) -> Line:
    """Give the second line of the small screen: profit, loss used, and the replay or the window."""
    header, position = snapshot.header, snapshot.position
    items: list[Item] = [
        (0, ((" ", "text"), *day_item(header, snapshot))),
        (1, loss_item(header)),
        (1, book_item(snapshot)),
        (3, (("open ", "dim"), (money(position.open_quote_e8), money_role(position.open_quote_e8)))),
        (4, (("gross ", "dim"), (money(header.gross_quote_e8, 0, sign=False), "text"))),
    ]
    if header.window:
        items.append((1, text(clean(header.window), "waiting")))
    if header.replay is not None:
        items.append((2, text(f"{_speed(header.replay)} {_progress(header.replay)}", "replay")))
    return fit(items, width)


def context_line(snapshot: ConsoleSnapshot, width: int) -> Line:
    """Give the third line of the wide screen: where a replay stands, or what paper and simulation mean."""
    header = snapshot.header
    if header.replay is not None:
        return _replay_line(header.replay, snapshot, width)
    match header.mode:
        case VenueMode.SIM:
            return text(" simulated exchange: flow is planted, profit here means nothing", "warn")
        case VenueMode.PAPER:
            return text(" paper: queue pessimistic, nothing reaches the venue", "dim")
        case VenueMode.LIVE:
            return text(" real orders, real money", "warn")
        case _:
            return ()


def _replay_line(replay: ReplayView, snapshot: ConsoleSnapshot, width: int) -> Line:
    items: list[Item] = [
        (0, ((f" {_speed(replay)}", "replay"),)),
        (1, text(_progress(replay), "replay")),
        (2, text(date_text(snapshot.ts_ns), "text")),
        (3, text(clean(replay.source, 60), "dim")),
        (5, text("Space pause  . , step  < > speed", "dim")),
    ]
    if snapshot.why.planted:
        items.insert(2, (1, text("flow is planted, profit here means nothing", "warn")))
    if replay.length_ms > 0:
        items.insert(2, (4, text(bar(replay.position_ms, replay.length_ms, 20), "replay")))
    return fit(items, width, gap=3)


def _speed(replay: ReplayView) -> str:
    if replay.seeking_to_ms >= 0:
        return f"SEEKING {span_text(replay.seeking_to_ms)}"
    if replay.ended:
        return "END"
    if replay.paused:
        return "PAUSED"
    return f"x{replay.speed:g}" if replay.speed else "x max"


def _progress(replay: ReplayView) -> str:
    lap = f" lap {replay.lap}" if replay.lap > 1 else ""
    return f"{span_text(replay.position_ms)} of {span_text(replay.length_ms)}{lap}"
