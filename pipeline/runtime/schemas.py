"""Orders and reports as they cross the edge: exact decimal text, strict, frozen, nothing unknown.

An `OrderRequest` can be built from a `RiskApproved` and in no other way: not from a dictionary, not from a
journal line, not from a number somebody typed. A `ReportRecord` is a report as a person or another program
reads it.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, model_validator

from pipeline.core.inputs import ExecutionReport
from pipeline.core.types import (
    QUOTE_SCALE,
    Instrument,
    OrderState,
    OrderType,
    Origin,
    RiskApproved,
    scaled_text,
)
from pipeline.runtime.exact_text import EXACT_PATTERN

Exact = Annotated[str, Field(pattern=EXACT_PATTERN)]
"""A non-negative decimal number as text."""

Symbol = Annotated[str, Field(min_length=1, max_length=40)]
ClientOrderId = Annotated[str, Field(pattern=r"^t[0-9a-v]{15}$")]

_REASON_LENGTH = 120
_QUOTE_DECIMALS = len(str(QUOTE_SCALE)) - 1
_APPROVED = object()
"""Passed as validation context by `from_approved` alone."""


class _Edge(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class OrderRequest(_Edge):
    """One limit order for a venue, and on whose authority it goes."""

    client_order_id: ClientOrderId
    venue: Symbol
    symbol: Symbol
    side: Literal["BUY", "SELL"]
    order_type: OrderType
    quantity: Exact
    price: Exact
    reduce_only: bool
    origin: Origin
    permit_id: Annotated[int, Field(ge=0)]
    idea_id: Annotated[int, Field(ge=0)]
    feature_seq: Annotated[int, Field(ge=0)]
    model_id: Annotated[str, Field(max_length=128)]
    generation: Annotated[int, Field(ge=0)]
    policy_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

    @model_validator(mode="before")
    @classmethod
    def _only_from_approved(cls, data: object, info: ValidationInfo) -> object:
        if info.context is not _APPROVED:
            raise ValueError("an order request is made of an approved order and of nothing else")
        return data

    @classmethod
    def from_approved(cls, approved: RiskApproved, instrument: Instrument) -> Self:
        """Print an approved order for its venue, exactly.

        Raises:
            ValueError: not an approved order of this instrument in whole positive lots and ticks, or too
                large to print; `pydantic.ValidationError` is one too. Either is a fault of ours.
        """
        intent = approved.intent if isinstance(approved, RiskApproved) else None
        if intent is None or intent.symbol != instrument.symbol:
            raise ValueError(f"no approved order of {instrument.symbol}")
        qty_lots, price_ticks = _whole("quantity", intent.qty_lots), _whole("price", intent.price_ticks)
        if qty_lots > instrument.max_qty_lots:
            raise ValueError(f"quantity {qty_lots} lots is above the venue's {instrument.max_qty_lots}")
        fields = {
            "client_order_id": approved.client_order_id,
            "venue": instrument.venue,
            "symbol": instrument.symbol,
            "side": intent.side.name,
            "order_type": intent.order_type,
            "quantity": instrument.qty_text(qty_lots),
            "price": instrument.price_text(price_ticks),
            "reduce_only": intent.reduce_only,
            "origin": intent.origin,
            "permit_id": intent.permit_id,
            "idea_id": intent.idea_id,
            "feature_seq": intent.feature_seq,
            "model_id": intent.model_id,
            "generation": intent.generation,
            "policy_hash": approved.policy_hash,
        }
        return cls.model_validate(fields, context=_APPROVED)


class ReportRecord(_Edge):
    """One execution report in decimal text; amounts are those of this report alone."""

    client_order_id: Annotated[str, Field(max_length=64)]
    venue_order_id: int
    symbol: Symbol
    status: OrderState
    trade_id: Annotated[int, Field(ge=-1)]
    quantity: Exact
    price: Exact
    fee_quote: Annotated[str, Field(pattern=r"^-?[0-9]{1,20}\.[0-9]{8}$")]
    """Negative for a rebate."""
    maker: bool
    reason: Annotated[str, Field(max_length=_REASON_LENGTH)]
    ts_event_ns: int
    ts_ns: int

    @classmethod
    def from_report(cls, report: ExecutionReport, instrument: Instrument) -> Self:
        """Print a report; text of the venue is cut and loses what is not printable.

        Raises:
            pydantic.ValidationError: numbers no venue can mean.
        """
        return cls(
            client_order_id=_clean(report.client_order_id)[:64],
            venue_order_id=report.venue_order_id,
            symbol=report.symbol,
            status=report.status,
            trade_id=report.trade_id,
            quantity=instrument.qty_text(report.filled_lots),
            price=instrument.price_text(report.fill_price_ticks),
            fee_quote=scaled_text(report.fee_quote_e8, _QUOTE_DECIMALS),
            maker=report.maker,
            reason=_clean(report.reason)[:_REASON_LENGTH],
            ts_event_ns=report.ts_event_ns,
            ts_ns=report.ts_ns,
        )


def _whole(name: str, value: object) -> int:
    if type(value) is not int or value <= 0:
        raise ValueError(f"{name} {value!r:.40} is no positive whole number")
    return value


def _clean(text: str) -> str:
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
