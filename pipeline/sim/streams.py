"""The market streams each venue serves, for the protocol page; a test listens to every one of them."""

from __future__ import annotations

from types import MappingProxyType

STREAMS = MappingProxyType(
    {
        "binance": (
            ("depth@100ms", "what changed in the book, each 100 ms"),
            ("depth", "the same each second"),
            ("bookTicker", "the best prices and sizes when they change; no time"),
            ("trade", "each trade"),
            ("aggTrade", "the trades of one taker at one price as one"),
        ),
        "binance-usdm": (
            ("depth@0ms", "each change of the book as it happens, chained by `pu`"),
            ("depth@100ms", "what changed in the book, each 100 ms"),
            ("depth", "the same each 250 ms"),
            ("depth@500ms", "the same each 500 ms"),
            ("bookTicker", "the best prices and sizes when they change"),
            ("aggTrade", "the trades of one side at one price as one, in batches of 100 ms"),
            ("trade", "each trade; no page of the venue names it"),
        ),
    }
)
