"""The parameters of one request, as texts, read with the venue's own words of refusal."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from pipeline.sim.exchange.errors import missing

_MOST_DIGITS = 18
_DECIMALS = frozenset({"price", "quantity", "quoteOrderQty"})
"""Sent as JSON texts: a JSON number may have lost digits on its way."""
_INTEGERS = frozenset(
    {"timestamp", "orderId", "limit", "fromId", "startTime", "subscriptionId", "countdownTime"}
)
"""Sent as JSON numbers."""


class Parameters:
    """What a request brought; the texts are kept as they came, because the signature is over them."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = dict(texts)

    @classmethod
    def of_json(cls, params: Mapping[str, msgspec.Raw]) -> Parameters:
        """Read the `params` object of a WebSocket-API request: numbers as printed, strings without quotes.

        Raises:
            VenueError: a value is an object, a decimal is no text, or a whole number is one.
        """
        return cls({name: _text(name, bytes(raw)) for name, raw in params.items()})

    def text(self, name: str) -> str:
        """Give a mandatory text.

        Raises:
            VenueError: it is missing or empty.
        """
        found = self.texts.get(name, "")
        if not found:
            raise missing(name)
        return found

    def optional(self, name: str, default: str = "") -> str:
        """Give a text, or the default where none was sent."""
        return self.texts.get(name) or default

    def number(self, name: str) -> int:
        """Give a mandatory whole number.

        Raises:
            VenueError: it is missing or no whole number.
        """
        text = self.text(name)
        if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
            raise missing(name)
        return int(text)

    def optional_number(self, name: str, default: int = 0) -> int:
        """Give a whole number, or the default where none was sent.

        Raises:
            VenueError: it is no whole number.
        """
        return self.number(name) if self.texts.get(name) else default

    def milliseconds(self, name: str, default: float) -> float:
        """Give a time in milliseconds with at most three decimals.

        Raises:
            VenueError: it is none.
        """
        text = self.texts.get(name, "")
        if not text:
            return default
        whole, _, fraction = text.partition(".")
        digits = whole + fraction
        if not (whole and digits.isascii() and digits.isdigit() and len(digits) <= 12 and len(fraction) <= 3):
            raise missing(name)
        return float(text)


def _text(name: str, raw: bytes) -> str:
    if raw.startswith(b'"'):
        if name in _INTEGERS:
            raise missing(name)
        return str(msgspec.json.decode(raw, type=str))
    if raw.startswith(b"{") or name in _DECIMALS:
        raise missing(name)
    return raw.decode()
