"""Pure text: numbers of exact width that do not dance, ages, times, and safe words from outside.

A number that does not fit its cell is never cut (a cut number is another number): the cell is filled with
`#`. Values arrive as the integers of the snapshot (ticks, lots, size units, 1e-6, 1e-8, milliseconds).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from rich.cells import cell_len

from pipeline.core.snapshot import NONE_E6, InstrumentView
from pipeline.core.types import Side, scaled_text

MISSING = "--"
"""What is printed where there is no number."""
_SUFFIXES = ("", "k", "M", "G")


_PERHAPS_WIDE = re.compile("[\u0300-\u036f\u1100-\u1fff\u2e80-\uffff\U00010000-\U0010ffff]")
"""Characters that may take no cell or two; others that do are taken out by `clean`."""


def cell_width(text: str) -> int:
    """Give the number of terminal cells a text takes."""
    return len(text) if text.isascii() or not _PERHAPS_WIDE.search(text) else cell_len(text)


@lru_cache(maxsize=4096)
def clean(text: str, limit: int = 120) -> str:
    r"""Make a text from outside safe to draw: what is invisible or steers the terminal becomes U+FFFD.

    Control, format (bidirectional, zero-width), private, surrogate and unassigned characters and combining
    marks are replaced; `limit` is the largest number of characters kept.

    >>> clean("BTC\x1b[2JUSDT") == "BTC\ufffd[2JUSDT"
    True
    """
    text = unicodedata.normalize("NFC", text[:limit])
    return "".join(_safe(character) for character in text)


def _safe(character: str) -> str:
    if " " <= character <= "~":
        return character
    category = unicodedata.category(character)
    bad = category[0] in "CM" or category in ("Zl", "Zp") or cell_len(character) != cell_width(character)
    if bad:
        return "\ufffd"
    return " " if category == "Zs" else character


def crop(text: str, width: int) -> str:
    """Shorten words to `width` cells, ending in `…` where something was left off.

    Cut at a blank where there is one, so that no number in a sentence becomes another number.

    >>> crop("filled 0.030 at 64,210.1", 11)
    'filled…    '
    """
    if cell_width(text) <= width:
        return text
    if width <= 0:
        return ""
    kept = ""
    for character in text:
        if cell_width(kept + character) > width - 1:
            break
        kept += character
    if not text[len(kept) :].startswith(" ") and " " in kept.strip():
        kept = kept.rstrip().rpartition(" ")[0]
    return kept + "…" + " " * (width - 1 - cell_width(kept))


def left(text: str, width: int) -> str:
    """Give words left-aligned in exactly `width` cells."""
    text = crop(text, width)
    return text + " " * (width - cell_width(text))


def right(text: str, width: int) -> str:
    """Give a number right-aligned in exactly `width` cells; `#` all over where it does not fit.

    >>> right("64210.1", 8), right("64210.1", 5)
    (' 64210.1', '#####')
    """
    size = cell_width(text)
    return " " * (width - size) + text if size <= width else "#" * max(0, width)


def rounded(value: int, drop: int) -> int:
    """Divide by `10**drop`, rounding half away from zero."""
    unit: int = 10**drop
    whole = (abs(value) + unit // 2) // unit
    return whole if value >= 0 else -whole


def grouped(text: str) -> str:
    """Put a comma between the thousands of a printed number.

    >>> grouped("-1284.50"), grouped("+64210")
    ('-1,284.50', '+64,210')
    """
    sign = text[:1] if text[:1] in "+-" else ""
    whole, dot, rest = text[len(sign) :].partition(".")
    return f"{sign}{int(whole):,}{dot}{rest}"


def signed(value: int, decimals: int) -> str:
    """Print `value / 10**decimals` with its sign; zero has none.

    >>> signed(55, 2), signed(-4, 2), signed(0, 2)
    ('+0.55', '-0.04', '0.00')
    """
    text = scaled_text(value, decimals)
    return f"+{text}" if value > 0 else text


def ratio(value_e6: int, decimals: int = 2, sign: bool = True) -> str:
    """Print a ratio of 1e-6; `--` for the snapshot's mark of absence.

    >>> ratio(412_000), ratio(NONE_E6), ratio(670_000, sign=False)
    ('+0.41', '--', '0.67')
    """
    if value_e6 == NONE_E6:
        return MISSING
    value = rounded(value_e6, 6 - decimals)
    return signed(value, decimals) if sign else scaled_text(value, decimals)


def percent(value_e6: int) -> str:
    """Print a share of 1e-6 as whole per cent; `--` where it is negative (unknown)."""
    return MISSING if value_e6 < 0 else f"{rounded(value_e6, 4)} %"


def basis_points(value_e6: int, sign: bool = True) -> str:
    """Print 1e-6 of the price in basis points with one decimal; 100 is one basis point."""
    if value_e6 == NONE_E6:
        return MISSING
    value = rounded(value_e6, 1)
    return signed(value, 1) if sign else scaled_text(value, 1)


def money(value_e8: int, decimals: int = 2, sign: bool = True) -> str:
    """Print 1e-8 quote units with thousands separators, rounded half away from zero."""
    value = rounded(value_e8, 8 - decimals)
    return grouped(signed(value, decimals) if sign else scaled_text(value, decimals))


def price_text(view: InstrumentView, ticks: int) -> str:
    """Print a price exactly, with the instrument's decimals and thousands separators."""
    return grouped(scaled_text(ticks * view.tick_units, view.price_decimals))


def plain_price(view: InstrumentView, ticks: int, decimals: int) -> str:
    """Print a price without separators, with `decimals` <= the instrument's; the rest must be zero."""
    return scaled_text(ticks * view.tick_units // 10 ** (view.price_decimals - decimals), decimals)


def half_price_text(view: InstrumentView, half_ticks: int) -> str:
    """Print a price given as twice its ticks, with one decimal more where it lies between two ticks."""
    if half_ticks % 2 == 0:
        return price_text(view, half_ticks // 2)
    return grouped(scaled_text(half_ticks * view.tick_units * 5, view.price_decimals + 1))


def qty_text(view: InstrumentView, lots: int, sign: bool = False) -> str:
    """Print a quantity exactly, with the lot's decimals."""
    units = lots * view.lot_units // 10 ** (view.size_decimals - view.lot_decimals)
    return signed(units, view.lot_decimals) if sign else scaled_text(units, view.lot_decimals)


def lots_words(view: InstrumentView | None, lots: int, sign: bool = False) -> str:
    """Print a quantity; as bare lots where the symbol's scales are not at hand."""
    if view is None:
        return f"{lots:+d} lots" if sign else f"{lots} lots"
    return qty_text(view, lots, sign)


def ticks_words(view: InstrumentView | None, ticks: int) -> str:
    """Print a price; as bare ticks where the symbol's scales are not at hand."""
    return price_text(view, ticks) if view is not None else f"tick {ticks}"


def short_qty(view: InstrumentView, lots: int) -> str:
    """Print a quantity exactly without trailing zeros, for the narrow cells of the ladder."""
    text = qty_text(view, lots)
    return text.rstrip("0").rstrip(".") if "." in text else text


def size_places(view: InstrumentView) -> int:
    """Give the most decimals a book size is printed with."""
    return min(view.size_decimals, 5)


def size_width(view: InstrumentView) -> int:
    """Give the cell width that holds every size of an instrument as `size_text` prints it."""
    return max(6, size_places(view) + 2)


@lru_cache(maxsize=8192)
def size_text(units: int, decimals: int, places: int = 5) -> str:
    """Print a size with four significant digits and k M G, never an exponent.

    At most six cells wide, or `places` + 2 where that is more.

    >>> size_text(4600, 3), size_text(1_234_567, 3), size_text(12, 5), size_text(1, 8)
    ('4.600', '1235', '0.00012', '<.00001')
    """
    if units == 0:
        return "0"
    scale = 10**decimals
    if units < scale:
        shown = min(decimals, places)
        value = rounded(units, decimals - shown)
        return scaled_text(value, shown) if value else f"<.{'0' * (shown - 1)}1"
    for step, suffix in enumerate(_SUFFIXES):
        text = _four_digits(units, decimals + 3 * step, decimals if step == 0 else 3)
        widest = 4 if step in (0, len(_SUFFIXES) - 1) else 3
        if len(text.partition(".")[0]) <= widest:
            return text + suffix
    return ">9999G"


def _four_digits(units: int, decimals: int, most: int) -> str:
    """Print `units / 10**decimals` with four significant digits, at most `most` of them decimals."""
    whole = len(str(units // 10**decimals))
    shown = min(most, max(0, 4 - whole))
    value = rounded(units, decimals - shown) if decimals >= shown else units * 10 ** (shown - decimals)
    if len(str(value)) > max(4, whole) and shown:
        shown -= 1
        value = rounded(units, decimals - shown)
    return scaled_text(value, shown)


def side_word(side: int) -> str:
    """Print a side as a word."""
    return "BUY" if side == Side.BUY else "SELL"


def position_word(lots: int) -> str:
    """Print the word that goes with a signed position."""
    if lots == 0:
        return "FLAT"
    return "LONG" if lots > 0 else "SHORT"
