"""From the parameters of an order request to the exchange's own types."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from pipeline.sim.exchange.errors import VenueError, missing
from pipeline.sim.exchange.order import NewOrder, OrderKind, SelfTrade, TimeInForce
from pipeline.sim.exchange.rules import exact_e8, side_of
from pipeline.sim.protocol.parameters import Parameters

_Word = TypeVar("_Word", bound=StrEnum)

SPOT_TIMES = (TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK)
ANSWERS = ("ACK", "RESULT", "FULL")


def new_order(params: Parameters) -> NewOrder:
    """Read a new order.

    Raises:
        VenueError: a mandatory parameter is missing, a word unknown, a number no number.
    """
    symbol, side = params.text("symbol"), side_of(params.text("side"))
    kind = word(OrderKind, params.text("type"), -1116, "Invalid orderType.")
    tif = params.optional("timeInForce")
    if kind is OrderKind.LIMIT and not tif:
        raise missing("timeInForce")
    in_force = word(TimeInForce, tif or "GTC", -1115, "Invalid timeInForce.")
    if in_force not in SPOT_TIMES:
        raise VenueError(-1115, "Invalid timeInForce.")
    return NewOrder(
        symbol=symbol,
        side=side,
        kind=kind,
        time_in_force=in_force,
        price_e8=amount(params, "price"),
        quantity_e8=amount(params, "quantity"),
        quote_quantity_e8=amount(params, "quoteOrderQty"),
        client_order_id=params.optional("newClientOrderId"),
        self_trade=word(
            SelfTrade,
            params.optional("selfTradePreventionMode", SelfTrade.EXPIRE_MAKER.value),
            -1130,
            "Invalid data sent for parameter 'selfTradePreventionMode'.",
        ),
    )


def answer_form(params: Parameters, kind: OrderKind) -> str:
    """Give how much the answer to a new order is to tell: ACK, RESULT or FULL.

    Raises:
        VenueError: another word.
    """
    form = params.optional("newOrderRespType", "ACK" if kind is OrderKind.LIMIT_MAKER else "FULL")
    if form not in ANSWERS:
        raise VenueError(-1130, "Invalid data sent for parameter 'newOrderRespType'.")
    return form


def order_reference(params: Parameters) -> tuple[int, str]:
    """Give the venue's id of an order a request names, 0 where it names the client's, and that.

    Raises:
        VenueError: it names neither.
    """
    order_id, client_id = params.optional_number("orderId"), params.optional("origClientOrderId")
    if not order_id and not client_id:
        raise VenueError(
            -1102,
            "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!",
        )
    return order_id, client_id


def amount(params: Parameters, name: str) -> int:
    """Give a decimal in 1e-8, 0 where none was sent.

    Raises:
        VenueError: it is no such number.
    """
    text = params.optional(name)
    return exact_e8(name, text) if text else 0


def word(words: type[_Word], text: str, code: int, refusal: str) -> _Word:
    """Give the word of that name.

    Raises:
        VenueError: there is none; with this code and text.
    """
    found = words.__members__.get(text)
    if found is None:
        raise VenueError(code, refusal)
    return found
