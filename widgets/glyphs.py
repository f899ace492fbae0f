"""The characters panels draw with, and the ASCII stand-in of each.

Panels always build their lines with these characters. Where the terminal cannot show them (the Linux console,
a locale that is not UTF-8) `to_ascii` replaces them one for one, so that no width and no layout changes.
"""

from __future__ import annotations

HORIZONTAL = "─"
VERTICAL = "│"
POINTER = "▶"
LAST_PRINT = "◂"
LARGE = "■"
ELLIPSIS = "…"
ARROW = "→"
DOT = "·"
TIMES = "×"
CENTRE = "┈"
RIGHT = "✓"
WRONG = "✗"
FRAME_MARKS = "◐◓◑◒"
FULL = "█"
HALF_LEFT = "▌"
HALF_RIGHT = "▐"
LEFT_EIGHTHS = " ▏▎▍▌▋▊▉█"
"""Blocks that fill a cell from the left, by eighths."""
LOWER_EIGHTHS = " ▁▂▃▄▅▆▇█"
"""Blocks that fill a cell from below, by eighths."""
FILL_UP = "▲"
FILL_DOWN = "▼"
BRAILLE = 0x2800
"""Code point of the empty braille cell; the eight dots are its low bits."""

JUNCTIONS = {
    (False, False, True, True): "─",
    (True, True, False, False): "│",
    (False, True, False, True): "┌",
    (False, True, True, False): "┐",
    (True, False, False, True): "└",
    (True, False, True, False): "┘",
    (True, True, False, True): "├",
    (True, True, True, False): "┤",
    (False, True, True, True): "┬",
    (True, False, True, True): "┴",
    (True, True, True, True): "┼",
}
"""Rule characters by the arms that leave the cell: (up, down, left, right)."""

_PLAIN = {
    **dict.fromkeys("┌┐└┘├┤┬┴┼", "+"),
    "─": "-",
    "┈": "-",
    "│": "|",
    "▶": ">",
    "◂": "<",
    "■": "#",
    "…": "~",
    "→": ">",
    "·": ".",
    "×": "x",
    "✓": "+",
    "✗": "-",
    "◐": "/",
    "◓": "-",
    "◑": "\\",
    "◒": "|",
    "█": "#",
    "▌": "#",
    "▐": "#",
    "▉": "#",
    "▊": "#",
    "▋": "#",
    "▍": " ",
    "▎": " ",
    "▏": " ",
    "▁": ".",
    "▂": ".",
    "▃": ":",
    "▄": "-",
    "▅": "=",
    "▆": "+",
    "▇": "#",
    "▲": "^",
    "▼": "v",
    "\ufffd": "?",
}


def _braille_stand_in(dots: int) -> str:
    """Give the ASCII picture of one braille cell: where its dots lie, not how many there are."""
    upper, lower = dots & 0b00011011, dots & 0b11100100
    if upper and lower:
        return ":"
    if upper:
        return "'"
    return "." if lower else " "


_TO_ASCII = str.maketrans(
    {**_PLAIN, **{chr(BRAILLE + dots): _braille_stand_in(dots) for dots in range(256)}},
)


def to_ascii(text: str) -> str:
    """Replace every character by an ASCII one of the same width; `?` where there is no stand-in.

    >>> to_ascii("├─ LADDER ─┤ 4.6 ▐██")
    '+- LADDER -+ 4.6 ###'
    """
    if text.isascii():
        return text
    return text.translate(_TO_ASCII).encode("ascii", "replace").decode("ascii")


def wants_ascii(term: str, encoding: str) -> bool:
    """Tell whether a terminal needs the ASCII stand-ins, from TERM and the output's encoding."""
    return term in ("linux", "dumb", "vt100", "vt220") or encoding.lower().replace("-", "") != "utf8"
