"""The shortest way from one style to another, and strips cut at both ends."""

from __future__ import annotations

import pytest
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from widgets.lean import cut, transition

TRUE = ColorSystem.TRUECOLOR
BLUE = Style.parse("#0000ff on #101010")
RED = Style.parse("#ff0000 on #101010")


def test_an_unknown_state_is_reset_first() -> None:
    assert transition(None, BLUE, TRUE) == "\x1b[0;38;2;0;0;255;48;2;16;16;16m"


def test_only_what_differs_is_sent() -> None:
    assert transition(BLUE, RED, TRUE) == "\x1b[38;2;255;0;0m"
    assert transition(BLUE, BLUE, TRUE) == ""
    assert transition(BLUE, Style.parse("#0000ff on #ffffff"), TRUE) == "\x1b[48;2;255;255;255m"


def test_an_attribute_that_ends_needs_a_reset() -> None:
    bold = RED + Style(bold=True)
    assert transition(RED, bold, TRUE).startswith("\x1b[0;1;")
    assert transition(bold, RED, TRUE).startswith("\x1b[0;38;")


def test_a_colour_that_ends_needs_a_reset() -> None:
    assert transition(BLUE, Style.parse("#0000ff"), TRUE) == "\x1b[0;38;2;0;0;255m"
    assert transition(BLUE, Style(), TRUE) == "\x1b[0m"


def test_sixteen_colours_are_sent_as_such() -> None:
    assert transition(None, Style.parse("#ff0000 on #000000"), ColorSystem.STANDARD) == "\x1b[0;31;40m"


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [(0, 6, ["abc", "def"]), (1, 2, ["b"]), (2, 5, ["c", "de"]), (3, 6, ["def"]), (4, 4, [])],
)
def test_a_strip_is_cut_at_both_ends(start: int, end: int, words: list[str]) -> None:
    strip = Strip([Segment("abc", BLUE), Segment("def", RED)])
    assert [part for part, _ in cut(strip, start, end)] == words


def test_half_of_a_wide_character_becomes_a_blank() -> None:
    strip = Strip([Segment("王x", BLUE)])
    assert cut(strip, 0, 2) == [("王", BLUE)]
    assert cut(strip, 1, 3) == [("  ", BLUE)]
