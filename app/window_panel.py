"""The window permit panel: drawn whole, every field editable, nothing armed until Enter."""

from __future__ import annotations

from collections.abc import Callable

from app.screens.dialogs import FormDialog
from pipeline.core.inputs import WindowTerms
from pipeline.core.snapshot import ConsoleSnapshot, InstrumentView
from pipeline.core.types import Side, scaled_text

MINUTE_NS = 60_000_000_000
_SIDES = {
    "both": (Side.BUY, Side.SELL),
    "long": (Side.BUY,),
    "short": (Side.SELL,),
}
_DEFAULT_ORDERS = 20
_DEFAULT_LOSS_QUOTE = "5.00"
_DEFAULT_MINUTES = "5"
_PRICE_ROOM_E3 = 2
"""Default price bounds: this many thousandths of the price around the mid."""


def window_dialog(
    drawn: ConsoleSnapshot, where: str, arm: Callable[[WindowTerms], None], *, plain: bool
) -> FormDialog:
    """Make the panel; Enter arms the terms as they stand, a wrong field arms nothing and says so."""
    view = drawn.instrument
    card = next((p for p in drawn.proposals if p.symbol == view.symbol), None)
    lots = card.qty_lots if card is not None else max(1, 10**view.lot_decimals // 100)
    mid_ticks = drawn.ladder.mid_half_ticks // 2
    room = mid_ticks * _PRICE_ROOM_E3 // 1000
    fields = [
        ("side", "long, short or both", "both"),
        ("order", f"each order at most, {view.base}", _qty(view, lots)),
        ("net", f"position at most +-, {view.base}", _qty(view, 3 * lots)),
        ("orders", "orders at most", str(_DEFAULT_ORDERS)),
        ("edge", "net edge at least, bp", "0"),
        ("low", "no sale below", _price(view, mid_ticks - room)),
        ("high", "no purchase above", _price(view, mid_ticks + room)),
        ("loss", f"ends at a loss of, {view.quote}", _DEFAULT_LOSS_QUOTE),
        ("minutes", "ends after minutes, at most 30", _DEFAULT_MINUTES),
    ]
    foot = [
        "ends by time, orders, loss, model swap, book lost for 3 s,",
        "m, p or kill; never renews itself",
        where,
        "Tab next field   Enter arms it all   Esc not",
    ]

    def answered(values: dict[str, str]) -> None:
        terms = terms_of(values, view)
        if isinstance(terms, WindowTerms):
            arm(terms)

    def check(values: dict[str, str]) -> str:
        terms = terms_of(values, view)
        return terms if isinstance(terms, str) else ""

    return FormDialog(f"WINDOW PERMIT  {view.symbol}", fields, foot, answered, check, plain=plain)


def terms_of(values: dict[str, str], view: InstrumentView) -> WindowTerms | str:
    """Read the fields; give the terms, or what is wrong with which field."""
    if values["side"] not in _SIDES:
        return f"side {values['side']!r}: wanted long, short or both"
    numbers = {
        "order": (view.size_decimals, view.lot_units),
        "net": (view.size_decimals, view.lot_units),
        "orders": (0, 1),
        "edge": (2, 1),
        "low": (view.price_decimals, view.tick_units),
        "high": (view.price_decimals, view.tick_units),
        "loss": (8, 1),
        "minutes": (2, 1),
    }
    read: dict[str, int] = {}
    for name, (decimals, step) in numbers.items():
        value = scaled(values[name], decimals)
        if value is None or value % step:
            return f"{name} {values[name]!r}: wanted a number in steps of {scaled_text(step, decimals)}"
        read[name] = value // step
    return WindowTerms(
        sides=_SIDES[values["side"]],
        max_order_lots=read["order"],
        max_net_lots=read["net"],
        max_orders=read["orders"],
        max_loss_quote_e8=read["loss"],
        min_net_edge_e6=read["edge"],
        lowest_ticks=read["low"],
        highest_ticks=read["high"],
        duration_ns=read["minutes"] * MINUTE_NS // 100,
    )


def scaled(text: str, decimals: int) -> int | None:
    """Read a plain decimal number as an integer of 10**-decimals; None where it is none or too fine."""
    whole, _, rest = text.strip().partition(".")
    digits = whole + rest
    if not digits.isascii() or not digits.isdigit() or len(rest) > decimals or len(whole) > 20:
        return None
    return int(whole or "0") * int(10**decimals) + int(rest.ljust(decimals, "0") or "0")


def _qty(view: InstrumentView, lots: int) -> str:
    return scaled_text(
        lots * view.lot_units // 10 ** (view.size_decimals - view.lot_decimals), view.lot_decimals
    )


def _price(view: InstrumentView, ticks: int) -> str:
    return scaled_text(ticks * view.tick_units, view.price_decimals)
