"""Inputs from the order path: what a venue and its gateway say of our orders and of what is traded.

`inputs.py` has their union with everything else that can happen to the engine.
"""

from __future__ import annotations

import msgspec

from pipeline.core.types import OrderState


class ExecutionReport(msgspec.Struct, frozen=True, tag=True, omit_defaults=True):
    """What the venue says of one order; `filled_lots` is of this report alone (0 for a state change)."""

    symbol: str
    client_order_id: str
    venue_order_id: int
    status: OrderState
    """ACCEPTED, PARTIALLY_FILLED, FILLED, CANCELED, REJECTED or EXPIRED."""
    trade_id: int
    """-1 without a fill; with the symbol, the key fills are de-duplicated by."""
    filled_lots: int
    fill_price_ticks: int
    fee_quote_e8: int
    maker: bool
    reason: str
    ts_event_ns: int
    ts_ns: int
    fee_base_e8: int = 0
    """Commission that was taken from what was bought or sold, in 1e-8 of the base currency."""


class CancelRejected(msgspec.Struct, frozen=True, tag=True):
    """The venue refused a cancel; the order's own state is to be learnt from its reports."""

    symbol: str
    client_order_id: str
    reason: str
    ts_ns: int


class SendRefused(msgspec.Struct, frozen=True, tag=True):
    """The gateway did not send: the gate was closed after the risk checks. The order never left."""

    client_order_id: str
    reason: str
    ts_ns: int


class SendFailed(msgspec.Struct, frozen=True, tag=True):
    """The send broke or its answer was lost: whether the venue has the order is UNKNOWN."""

    client_order_id: str
    reason: str
    ts_ns: int


class OrderPathChanged(msgspec.Struct, frozen=True, tag=True):
    """The connection orders go by came up, every order on it known again, or went down."""

    up: bool
    reason: str
    ts_ns: int


class AccountRead(msgspec.Struct, frozen=True, tag=True):
    """The account at the start: what of it is home inventory, nobody's position, and the money it holds."""

    base_e8: tuple[tuple[str, int], ...]
    """Home inventory by symbol, in 1e-8 of its base currency: what was held less what our fills added."""
    quote_e8: int
    """As held."""
    ts_ns: int


class PositionBroke(msgspec.Struct, frozen=True, tag=True):
    """The account holds something else than home inventory and our fills add up to, seen twice at rest."""

    asset: str
    expected_e8: int
    found_e8: int
    ts_ns: int


class OpenOrdersListed(msgspec.Struct, frozen=True, tag=True):
    """How many orders stand at the venue on the session's symbols, by a list asked for at `asked_ns`."""

    ours: int
    foreign: int
    asked_ns: int
    ts_event_ns: int
    """The venue's time of the list."""
    ts_ns: int


class SymbolStatus(msgspec.Struct, frozen=True, tag=True):
    """The venue's trading status of a symbol."""

    symbol: str
    tradable: bool
    status: str
    ts_ns: int


class InstrumentDiffers(msgspec.Struct, frozen=True, tag=True):
    """A filter or fee the venue gives otherwise than the tables did; the session goes by the venue's."""

    symbol: str
    what: str
    table: str
    venue: str
    ts_ns: int
