"""Every code the simulated venue refuses with, and what it means there; a test holds the code against it."""

from __future__ import annotations

from types import MappingProxyType

MEANINGS = MappingProxyType(
    {
        -1000: "REST: no such path, or bytes that are no request",
        -1003: "too much request weight or too many requests (429), or a banned address (418)",
        -1007: "execution status unknown: the request was carried out (fault `unknown`)",
        -1008: "overloaded, not carried out (fault `overload`)",
        -1013: "a filter of the symbol is broken, the text names it; or a price or quantity of zero",
        -1015: "too many new orders in a window (429)",
        -1020: "no such method, or nothing the simulation does",
        -1021: "timestamp 1000 ms or more ahead of the venue, or older than recvWindow",
        -1022: "the signature is not of this text",
        -1100: "characters a parameter does not take",
        -1101: "a parameter twice, or too many parameters",
        -1102: "a mandatory parameter is missing, empty or of another form",
        -1106: "a parameter that this kind of order does not take",
        -1111: "more than 8 decimals",
        -1115: "unknown timeInForce",
        -1116: "unknown type of order",
        -1117: "unknown side",
        -1121: "unknown symbol",
        -1122: "the market is closed (futures)",
        -1125: "the account has no listen key (futures)",
        -1130: "a word or number a parameter does not take",
        -1131: "recvWindow above 60000",
        -1135: "a frame that is no request of the WebSocket API",
        -1136: "unknown newOrderRespType (futures)",
        -2010: "new order rejected (spot); the text says why",
        -2011: "cancel rejected: the order is unknown or has ended",
        -2013: "no such order",
        -2014: "no API key",
        -2015: "unknown API key",
        -2019: "not enough margin (futures)",
        -2022: "reduce-only, but there is nothing to reduce, or not so much (futures)",
        -2025: "too many open orders (futures)",
        -4001: "price of zero (futures)",
        -4002: "price above the highest (futures)",
        -4003: "quantity of zero (futures)",
        -4004: "quantity below the least (futures)",
        -4005: "quantity above the most (futures)",
        -4013: "price below the lowest (futures)",
        -4014: "price off the tick (futures)",
        -4015: "client order id too long (futures)",
        -4016: "buy too far above the mark price (futures)",
        -4021: "a number of levels the book is not given in (futures)",
        -4023: "quantity off the step (futures)",
        -4024: "sale too far below the mark price (futures)",
        -4061: "a position side of hedge mode (futures)",
        -4116: "client order id of an open order (futures)",
        -4120: "a conditional order: the algo service's (futures)",
        -4164: "worth less than the least notional (futures)",
        -5021: "FOK that cannot be filled at once (futures)",
        -5022: "post-only that would take (futures)",
    }
)
REASONS_2010 = (
    "Account has insufficient balance for requested action.",
    "Duplicate order sent.",
    "Order would immediately match and take.",
    "Market is closed.",
)
FILTERS = ("PRICE_FILTER", "LOT_SIZE", "NOTIONAL", "PERCENT_PRICE_BY_SIDE", "MAX_NUM_ORDERS")
"""Names in the texts of -1013."""
