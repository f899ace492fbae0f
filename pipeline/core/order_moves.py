"""The legal moves of an order's life, in one table; `orders.py` walks it, the reference page is made from it.

An order is *live* while the venue has it or may have it: its open quantity then counts as if it were filled.
UNKNOWN is live. A cancel that was asked for changes nothing until the venue says so: PENDING_CANCEL takes
fills like any other live state. Fills after an end are real money: they are counted, and complete the order
when the last lot has come. What is not in the table is illegal: counted, shown, and the state stays.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pipeline.core.types import OrderState


class OrderEvent(enum.StrEnum):
    """What can happen to an order, as the table names it."""

    SENT = "SENT"
    DENIED = "DENIED"
    ACCEPTED = "ACCEPTED"
    """Acknowledged, and nothing filled yet; an acknowledgement after a fill moves nothing."""
    PART_FILLED = "PART_FILLED"
    """A fill that leaves something open."""
    WHOLE_FILLED = "WHOLE_FILLED"
    """The fill that completes the quantity."""
    CANCEL_ASKED = "CANCEL_ASKED"
    CANCEL_REFUSED = "CANCEL_REFUSED"
    """The venue refused a cancel of an order it had acknowledged and not filled."""
    CANCEL_REFUSED_PART = "CANCEL_REFUSED_PART"
    """The same, for an order with fills."""
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    SEND_REFUSED = "SEND_REFUSED"
    """Our own gate held it back: it never left."""
    LOST = "LOST"
    """Nobody can say what the venue has: a broken send, missing fills, no answer, refused cancels."""


_S = OrderState
_E = OrderEvent

LIVE_STATES: Final = (_S.SUBMITTED, _S.ACCEPTED, _S.PARTIALLY_FILLED, _S.PENDING_CANCEL, _S.UNKNOWN)
"""States in which the open quantity is exposure."""

_FILLS: Final = {_E.PART_FILLED: _S.PARTIALLY_FILLED, _E.WHOLE_FILLED: _S.FILLED}
_ENDS: Final = {_E.CANCELED: _S.CANCELED, _E.EXPIRED: _S.EXPIRED}
_WORKING: Final = _FILLS | _ENDS | {_E.CANCEL_ASKED: _S.PENDING_CANCEL, _E.LOST: _S.UNKNOWN}


def _ended(state: OrderState) -> dict[OrderEvent, OrderState]:
    """Give the moves of an ended order: late news changes nothing, the last missing fill completes it."""
    late = (_E.ACCEPTED, _E.PART_FILLED, _E.CANCEL_REFUSED, _E.CANCEL_REFUSED_PART)
    return {**dict.fromkeys(late, state), _E.WHOLE_FILLED: _S.FILLED}


MOVES: Final[Mapping[OrderState, Mapping[OrderEvent, OrderState]]] = MappingProxyType(
    {
        _S.INITIALIZED: {_E.SENT: _S.SUBMITTED, _E.DENIED: _S.DENIED},
        _S.SUBMITTED: _WORKING
        | {_E.ACCEPTED: _S.ACCEPTED, _E.REJECTED: _S.REJECTED, _E.SEND_REFUSED: _S.DENIED},
        _S.ACCEPTED: _WORKING | {_E.ACCEPTED: _S.ACCEPTED, _E.CANCEL_REFUSED: _S.ACCEPTED},
        _S.PARTIALLY_FILLED: _WORKING | {_E.CANCEL_REFUSED_PART: _S.PARTIALLY_FILLED},
        _S.PENDING_CANCEL: _WORKING
        | {
            _E.ACCEPTED: _S.PENDING_CANCEL,
            _E.PART_FILLED: _S.PENDING_CANCEL,
            _E.CANCEL_REFUSED: _S.ACCEPTED,
            _E.CANCEL_REFUSED_PART: _S.PARTIALLY_FILLED,
            _E.REJECTED: _S.REJECTED,
            _E.SEND_REFUSED: _S.DENIED,
        },
        _S.UNKNOWN: _WORKING
        | {
            _E.ACCEPTED: _S.ACCEPTED,
            _E.CANCEL_ASKED: _S.UNKNOWN,
            _E.CANCEL_REFUSED: _S.UNKNOWN,
            _E.CANCEL_REFUSED_PART: _S.UNKNOWN,
            _E.REJECTED: _S.REJECTED,
        },
        _S.FILLED: {_E.WHOLE_FILLED: _S.FILLED, _E.CANCEL_REFUSED_PART: _S.FILLED},
        _S.CANCELED: _ended(_S.CANCELED) | {_E.CANCELED: _S.CANCELED},
        _S.EXPIRED: _ended(_S.EXPIRED) | {_E.EXPIRED: _S.EXPIRED},
        _S.REJECTED: {_E.REJECTED: _S.REJECTED, _E.CANCEL_REFUSED: _S.REJECTED},
        _S.DENIED: {_E.CANCEL_REFUSED: _S.DENIED},
    }
)
"""From state and event to the next state; an event that is missing is illegal there."""
