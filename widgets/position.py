"""Position and profit: what could be left with, what it cost, and how much of the limits is used."""

from __future__ import annotations

from pipeline.core.snapshot import ConsoleSnapshot, InstrumentView, PositionView
from pipeline.core.types import scaled_text
from widgets.base import SnapshotWidget
from widgets.cells import (
    basis_points,
    clean,
    grouped,
    money,
    percent,
    position_word,
    qty_text,
    ratio,
    rounded,
)
from widgets.lines import Item, Line, fit, pick_rows, plain, text
from widgets.marks import money_role, side_role
from widgets.plot import bar

_E6 = 1_000_000


class PositionPanel(SnapshotWidget):
    """Position and P&L of the selected symbol, limits of the account."""

    TITLE = "POSITION AND P&L"

    def title_parts(self, snapshot: ConsoleSnapshot, room: int) -> tuple[Line, Line]:
        """Name the currency."""
        del room
        return text(clean(snapshot.instrument.quote), "dim"), ()

    def facts(self, snapshot: ConsoleSnapshot) -> object:
        """Give the slice, and whose scales it is printed with."""
        return plain(snapshot.position), snapshot.instrument.symbol

    def content(self, snapshot: ConsoleSnapshot, width: int, height: int) -> list[Line]:
        """Give position, open, closed, day, loss used, then how the fills fared."""
        position, view = snapshot.position, snapshot.instrument
        rows: list[Item] = [
            (0, _held(position, view, width)),
            (2, _open(position, width)),
            (3, _closed(position, width)),
            (1, _day(position, width)),
            (4, _loss(position, width)),
            (5, _worst(position, view, width)),
            (6, _fills(position, width)),
            (7, _home(position, view, width)),
        ]
        return pick_rows(rows, height)


def _row(label: str, items: list[Item], width: int) -> Line:
    return ((f" {label:<7}", "dim"), *fit(items, width - 8))


def average_text(view: InstrumentView, avg_price_e8: int) -> str:
    """Print an average price with one decimal more than the instrument's prices."""
    decimals = min(8, view.price_decimals + 1)
    return grouped(scaled_text(rounded(avg_price_e8, 8 - decimals), decimals))


def _held(position: PositionView, view: InstrumentView, width: int) -> Line:
    role = side_role(position.lots) + "-strong" if position.lots else "text"
    held = f"{qty_text(view, position.lots, sign=True)} {clean(view.base)} {position_word(position.lots)}"
    items: list[Item] = [(0, text(held, role))]
    if position.lots:
        items += [
            (2, (("avg ", "dim"), (average_text(view, position.avg_price_e8), "text"))),
            (1, text(f"= {money(position.notional_quote_e8, 0, sign=False)}", "text")),
            (3, (("limit ", "dim"), (percent(position.limit_share_e6), "text"))),
            (4, text("exit rests" if position.exit_resting else "no exit rests", "dim")),
        ]
    return ((" ", "text"), *fit(items, width - 1))


def _open(position: PositionView, width: int) -> Line:
    items: list[Item] = [
        (0, text(f"{money(position.open_quote_e8):>10}", money_role(position.open_quote_e8))),
        (1, (("if left now, exit fee ", "dim"), (money(position.exit_fee_quote_e8, sign=False), "text"))),
    ]
    return _row("open", items, width)


def _closed(position: PositionView, width: int) -> Line:
    items: list[Item] = [
        (0, text(f"{money(position.closed_quote_e8):>10}", money_role(position.closed_quote_e8))),
        (1, (("fees ", "dim"), (money(-position.fees_quote_e8), "text"))),
    ]
    return _row("closed", items, width)


def _day(position: PositionView, width: int) -> Line:
    items: list[Item] = [
        (0, text(f"{money(position.day_quote_e8):>10}", _strong(position.day_quote_e8))),
        (1, (("drawdown ", "dim"), (money(position.drawdown_quote_e8, sign=False), "text"))),
    ]
    return _row("day", items, width)


def _strong(value: int) -> str:
    return money_role(value) if money_role(value) != "text" else "bright"


def _loss(position: PositionView, width: int) -> Line:
    if position.loss_used_e6 < 0:
        return _row("loss", [(0, text("no limit set", "warn"))], width)
    picture = f"[{bar(position.loss_used_e6, _E6, 12)}]"
    items: list[Item] = [
        (0, text(f"{percent(position.loss_used_e6):>10}", loss_role(position.loss_used_e6))),
        (1, text(f"of {money(position.loss_limit_quote_e8, sign=False)}", "dim")),
        (2, text(picture, loss_role(position.loss_used_e6))),
    ]
    return _row("loss", items, width)


def loss_role(used_e6: int) -> str:
    """Give the role of a used-up share: quiet, a warning from 70 %, an alarm from 90 %."""
    return "alert" if used_e6 >= 900_000 else "warn" if used_e6 >= 700_000 else "text"


def _worst(position: PositionView, view: InstrumentView, width: int) -> Line:
    items: list[Item] = [
        (0, text(f"{qty_text(view, position.worst_case_lots, sign=True):>10}", "text")),
        (1, text("if all our orders fill", "dim")),
    ]
    return _row("worst", items, width)


def _fills(position: PositionView, width: int) -> Line:
    items: list[Item] = [
        (0, (("fills ", "dim"), (f"{position.fills:>3}", "text"))),
        (1, (("maker ", "dim"), (percent(position.maker_share_e6), "text"))),
        (2, (("after 1 s ", "dim"), (_move(position.after_1s_e6), "text"))),
        (3, (("10 s ", "dim"), (_move(position.after_10s_e6), "text"))),
    ]
    return ((" ", "text"), *fit(items, width - 1))


def _move(value_e6: int) -> str:
    shown = basis_points(value_e6)
    return shown if shown == "--" else f"{shown} bp"


def _home(position: PositionView, view: InstrumentView, width: int) -> Line:
    held = ratio(rounded(position.home_base_e8, 2), 4, sign=False)
    items: list[Item] = [
        (0, (("home ", "dim"), (f"{held} {clean(view.base)}", "text"))),
        (1, text("never sold by a flatten", "dim")),
    ]
    return ((" ", "text"), *fit(items, width - 1))
