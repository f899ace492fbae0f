"""What the console really sends to a terminal when everything it is told was written to steer one."""

from __future__ import annotations

import re

from tests.fakes.terminals import Terminal

SEQUENCE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_][^\x1b]*\x1b\\|[ -/]*[0-~])"
)
KEYS = (
    *(b"1", b"2", b"3", b"4", b"5", b"6", b"?", b"\x1b", b"w", b"\x1b", b"X", b"\x1b", b"F", b"\x1b", b"z"),
    *(b"q", b"\x1b", b":auto\r", b"\x1b", b"\x10", b"\x1b", b"/x\r"),
    *(b":", "\x1b[200~a\u202eb\u200bc\x9b2J[red]\x1b[201~".encode(), b"\x1b", b"\x0b", b"f", b"\x1b"),
)
"""Every page and box, a paste of such characters, and the kill banner at the end."""


def sent(share: float) -> tuple[set[str], str]:
    """Give the kinds of sequences a console sends, numbers left out, and all else it sends."""
    with Terminal(["-m", "tests.fakes.wild_console", "--share", str(share)]) as terminal:
        terminal.until(lambda text: len(text.split()) > 20)
        for key in KEYS:
            terminal.type(key)
            terminal.read(0.08)
        assert terminal.process.poll() is None
        text = bytes(terminal.output).decode()
    kinds = {re.sub(r"[\d;]+", "", match.group()) for match in SEQUENCE.finditer(text)}
    return kinds, SEQUENCE.sub("", text)


def test_nothing_from_outside_steers_the_terminal() -> None:
    own, _ = sent(0.0)
    kinds, rest = sent(1.0)
    assert kinds <= own
    assert {character for character in rest if not character.isprintable()} <= {"\x07"}, "its own bell alone"
    assert "[2J" in rest, "the words were there, without what steers"
