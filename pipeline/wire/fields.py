"""Numbers and names as venues print them: exact scaled integers, and text that is safe to show.

A number is turned into an integer exactly or the frame is refused; nothing is rounded. Which numbers make
sense together (a positive price, ids in order) is the codecs' business.
"""

from __future__ import annotations

import re

import numpy as np

from pipeline.core.inputs import RefusalReason
from pipeline.core.types import Instrument

MAX_PRICE_TICKS = 2**52
"""Prices at or above this are absurd, and a float64 could not hold every integer beyond it."""
MAX_SIZE_UNITS = 2**63 - 1
MAX_TEXT = 120
_MAX_DEPTH = 64
_CACHED_TEXTS = 8_192

_NUMBER = re.compile(r"(0|[1-9]\d{0,19})(?:\.(\d{1,20}))?", re.ASCII)
_QUOTE = ord('"')
_DEPTH_STEPS = np.zeros(256, dtype=np.int8)
_DEPTH_STEPS[[ord("["), ord("{")]] = 1
_DEPTH_STEPS[[ord("]"), ord("}")]] = -1


class WireError(ValueError):
    """A frame cannot be believed; codecs turn this into a `FrameRefused`."""

    def __init__(self, reason: RefusalReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = clean_text(detail)


def clean_text(text: str) -> str:
    r"""Give at most 120 characters with each control, bidi or zero-width one replaced by U+FFFD.

    Terminals obey such characters in data, so every outside string passes here once.

    >>> clean_text("BTC\x1b[2J")
    'BTC\ufffd[2J'
    """
    head = text[:MAX_TEXT]
    if head.isprintable():
        return head
    return "".join(char if char.isprintable() else "\ufffd" for char in head)


def scaled_int(text: str, decimals: int) -> int:
    """Give `text * 10**decimals` as an integer, exactly.

    Zeros after the last kept decimal are allowed: venues print prices with more decimals than the tick has.

    Raises:
        WireError: BAD_NUMBER for anything but plain digits with an optional fraction (no sign, exponent or
            white space) and for values beyond 63 bits; OFF_GRID for digits finer than `decimals`.

    >>> scaled_int("61837.63000000", 2)
    6183763
    """
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise WireError(RefusalReason.BAD_NUMBER, f"{text!r:.60} is not a plain decimal number")
    whole, fraction = match[1], match[2] or ""
    if fraction[decimals:].strip("0"):
        raise WireError(RefusalReason.OFF_GRID, f"{text} is finer than {decimals} decimals")
    value = int(whole + fraction[:decimals].ljust(decimals, "0"))
    if value > MAX_SIZE_UNITS:
        raise WireError(RefusalReason.BAD_NUMBER, f"{text} is absurdly large")
    return value


class SizeReader(dict[str, int]):
    """Printed sizes to size units, remembering the texts seen last (`reader[text]`).

    Raises:
        WireError: as `scaled_int`; a refused text is not remembered.
    """

    def __init__(self, instrument: Instrument) -> None:
        super().__init__()
        self._decimals = instrument.size_decimals

    def __missing__(self, text: str) -> int:
        value = scaled_int(text, self._decimals)
        if len(self) >= _CACHED_TEXTS:
            self.clear()
        self[text] = value
        return value


class PriceReader(dict[str, int]):
    """Printed prices to ticks, remembering the texts seen last (`reader[text]`).

    Raises:
        WireError: as `scaled_int`; BAD_NUMBER for zero and absurd prices, OFF_GRID between ticks.
    """

    def __init__(self, instrument: Instrument) -> None:
        super().__init__()
        self._decimals = instrument.price_decimals
        self._tick_units = instrument.tick_units

    def __missing__(self, text: str) -> int:
        ticks, rest = divmod(scaled_int(text, self._decimals), self._tick_units)
        if rest:
            raise WireError(RefusalReason.OFF_GRID, f"price {text} lies between ticks")
        if not 0 < ticks < MAX_PRICE_TICKS:
            raise WireError(RefusalReason.BAD_NUMBER, f"price {text} is zero or absurdly large")
        if len(self) >= _CACHED_TEXTS:
            self.clear()
        self[text] = ticks
        return ticks


def is_nested_too_deeply(frame: bytes) -> bool:
    """Say whether a JSON frame is nested more than 64 levels deep, in time and memory linear in its length.

    The parser's own limit depends on how deep the caller's stack is, and the same frame must be refused in
    every process.
    """
    if frame.count(b"[") + frame.count(b"{") <= _MAX_DEPTH:
        return False
    text = np.frombuffer(frame.replace(b"\\\\", b"").replace(b'\\"', b""), dtype=np.uint8)
    # Quotes are counted modulo 256: only whether their number so far is odd matters.
    in_string = np.cumsum(text == _QUOTE, dtype=np.uint8) & 1
    steps = np.where(in_string, 0, _DEPTH_STEPS[text])
    return bool(np.cumsum(steps, dtype=np.int32).max() > _MAX_DEPTH)
