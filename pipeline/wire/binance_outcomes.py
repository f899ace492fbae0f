"""What an error of Binance spot proves: that nothing rests, that a cancel missed, or nothing at all.

Only a code of `_REFUSED` proves that an order was not taken. Anything else, and any code not known here,
leaves the order UNKNOWN: it is asked for by its id and never sent again (VENUES 9).
"""

from __future__ import annotations

import enum

from pipeline.wire.binance_answers import ApiAnswer
from pipeline.wire.fields import clean_text

CLOCK = -1021
NO_SUCH_ORDER = -2013
CANCEL_REFUSED = -2011
_NEW_ORDER_REJECTED = -2010
_OVERLOADED = -1008
_TOO_MANY = -1003
_DUPLICATE = "Duplicate order sent."

_REFUSED = (
    -1002,  # not authorised
    _TOO_MANY,
    _OVERLOADED,  # says itself that the request was not processed
    -1013,  # a filter
    -1014,
    -1015,  # too many orders
    -1016,
    -1020,
    CLOCK,
    -1022,  # signature
    *range(-1139, -1099),  # a parameter is missing, malformed or out of range
    -2014,  # key
    -2015,
)
_BAD_KEY = (-1002, -1022, -2008, -2014, -2015)
_WORDS = {
    "Account has insufficient balance for requested action.": "NO_BALANCE",
    "Order would immediately match and take.": "POST_ONLY_WOULD_TAKE",
    "Market is closed.": "MARKET_CLOSED",
}
_SERVER_ERROR = 500
_TOO_MANY_STATUS = 429
_BANNED_STATUS = 418


class Outcome(enum.Enum):
    """What is known of a request after its error."""

    REFUSED = enum.auto()
    """It was not carried out."""
    UNKNOWN = enum.auto()
    """It may have been."""


def outcome_of(answer: ApiAnswer) -> Outcome:
    """Say what an error answer to a new order proves."""
    if answer.code == _NEW_ORDER_REJECTED:
        # The same id twice: the first send worked, whoever sent it.
        return Outcome.UNKNOWN if answer.message == _DUPLICATE else Outcome.REFUSED
    if answer.code not in _REFUSED:
        return Outcome.UNKNOWN
    server_error = answer.status >= _SERVER_ERROR and answer.code != _OVERLOADED
    return Outcome.UNKNOWN if server_error else Outcome.REFUSED


def reason_of(answer: ApiAnswer) -> str:
    """Give a short reason for the screen and the journal."""
    words = _WORDS.get(answer.message)
    return words if words is not None else clean_text(f"{answer.code} {answer.message}")


def is_ban(answer: ApiAnswer) -> bool:
    """Say whether the venue has stopped listening to this address."""
    return answer.status == _BANNED_STATUS


def is_throttled(answer: ApiAnswer) -> bool:
    """Say whether the venue wants fewer requests for a while."""
    return answer.status == _TOO_MANY_STATUS


def is_bad_key(answer: ApiAnswer) -> bool:
    """Say whether key or signature are at fault, which asking again does not mend."""
    return answer.code in _BAD_KEY
