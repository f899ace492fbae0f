"""Finds the kill and halt keys in the raw bytes of a terminal, before any parser has seen them.

Ctrl+K is 0x0B, or `CSI 107;5u` in the kitty protocol, or `CSI 27;5;107~` with modifyOtherKeys. F9 is
`CSI 20~` and F8 `CSI 19~`, with or without modifiers. 0x0B can be no part of a UTF-8 character and of no
escape sequence, so it counts wherever it stands, also inside an unfinished paste. A sequence that is cut in
two by a read is found when its second half arrives.
"""

from __future__ import annotations

import enum
import re

_CTRL = 4
_LONGEST_SEQUENCE = 24

_SEQUENCE = re.compile(
    rb"\x1b\[(?:"
    rb"(?P<function>19|20)(?:;[\d:]*)?~"
    rb"|107(?::\d*)*;(?P<kitty>\d+)(?::\d+)?(?:;[\d:]*)?u"
    rb"|27;(?P<other>\d+);107~"
    rb")"
)


class Emergency(enum.Enum):
    """What an emergency key asks for."""

    HALT = "halt"
    KILL = "kill"


class EmergencyKeys:
    """Scans a terminal's input; keeps only the bytes a cut sequence may still need."""

    def __init__(self) -> None:
        self._tail = b""

    def scan(self, data: bytes) -> Emergency | None:
        """Give the gravest emergency key in the next bytes read, or None; constant time for each byte."""
        found = Emergency.KILL if b"\x0b" in data else None
        window = self._tail + data
        for match in _SEQUENCE.finditer(window):
            if match.end() > len(self._tail):
                found = _graver(found, _meaning(match))
        escape = window.rfind(b"\x1b", max(0, len(window) - _LONGEST_SEQUENCE))
        self._tail = window[escape:] if escape >= 0 else b""
        return found


def _meaning(match: re.Match[bytes]) -> Emergency | None:
    function = match["function"]
    if function is not None:
        return Emergency.KILL if function == b"20" else Emergency.HALT
    modifiers = int(match["kitty"] or match["other"]) - 1
    return Emergency.KILL if modifiers & _CTRL else None


def _graver(first: Emergency | None, second: Emergency | None) -> Emergency | None:
    if Emergency.KILL in (first, second):
        return Emergency.KILL
    return first or second
