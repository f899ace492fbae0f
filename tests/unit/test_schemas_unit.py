"""Order requests and report records at the edge."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.core.types import DenyReason, OrderState, OrderType, Origin, RiskApproved, RiskDenied, Side
from pipeline.runtime.schemas import OrderRequest, ReportRecord
from tests.fakes.trading import ETH, PERP, POLICY, SPOT, START, approved, fill, intent, report

CLIENT_ID = "t000000100000001"

GARBAGE = st.one_of(
    st.floats(),
    st.decimals(),
    st.text(max_size=8),
    st.booleans(),
    st.none(),
    st.integers(max_value=0),
    st.sampled_from(["1_000", "١٢٣", "NaN", "1e308", 1e308, -0.0, Decimal("sNaN"), Decimal("1E+999")]),
)


def test_approved_order_is_printed_exactly() -> None:
    request = OrderRequest.from_approved(approved(CLIENT_ID, qty_lots=1_234), SPOT)
    assert (request.quantity, request.price) == ("0.01234", "60000.00")
    assert (request.side, request.order_type, request.client_order_id) == (
        "BUY",
        OrderType.POST_ONLY,
        CLIENT_ID,
    )
    assert (request.venue, request.permit_id, request.policy_hash) == ("binance", 7, POLICY)


def test_tick_of_a_tenth_is_printed_with_one_decimal() -> None:
    order = approved(CLIENT_ID, side=Side.SELL, price_ticks=639_439, qty_lots=5)
    request = OrderRequest.from_approved(order, PERP)
    assert (request.side, request.price, request.quantity) == ("SELL", "63943.9", "0.005")


@settings(max_examples=120, deadline=None)
@given(lots=st.integers(1, SPOT.max_qty_lots), ticks=st.integers(1, 10**12))
def test_text_gives_the_same_numbers_back(lots: int, ticks: int) -> None:
    request = OrderRequest.from_approved(approved(CLIENT_ID, qty_lots=lots, price_ticks=ticks), SPOT)
    assert Decimal(request.quantity) == Decimal(lots) / 100_000
    assert Decimal(request.price) == Decimal(ticks) / 100


@settings(max_examples=150, deadline=None)
@given(garbage=GARBAGE)
def test_what_is_no_positive_whole_number_never_makes_a_request(garbage: Any) -> None:
    for field in ("qty_lots", "price_ticks"):
        with pytest.raises(ValueError, match="is no positive whole number"):
            OrderRequest.from_approved(approved(CLIENT_ID, **{field: garbage}), SPOT)


def test_numbers_too_large_to_print_never_make_a_request() -> None:
    with pytest.raises(ValueError, match="above the venue's"):
        OrderRequest.from_approved(approved(CLIENT_ID, qty_lots=SPOT.max_qty_lots + 1), SPOT)
    with pytest.raises(ValidationError):
        OrderRequest.from_approved(approved(CLIENT_ID, price_ticks=10**23), SPOT)


@settings(max_examples=60, deadline=None)
@given(garbage=GARBAGE.filter(lambda value: type(value) is not int))
def test_permit_id_that_is_no_number_never_makes_a_request(garbage: Any) -> None:
    with pytest.raises(ValidationError):
        OrderRequest.from_approved(approved(CLIENT_ID, permit_id=garbage), SPOT)


def test_denied_order_makes_no_request() -> None:
    denied: Any = RiskDenied(intent(), DenyReason.MAX_QTY, 1, 2)
    with pytest.raises(ValueError, match="no approved order of BTCUSDT"):
        OrderRequest.from_approved(denied, SPOT)
    with pytest.raises(ValueError, match="no approved order of ETHUSDT"):
        OrderRequest.from_approved(approved(CLIENT_ID), ETH)


def test_request_cannot_be_made_of_anything_else() -> None:
    fields = OrderRequest.from_approved(approved(CLIENT_ID), SPOT).model_dump()
    with pytest.raises(ValidationError, match="made of an approved order and of nothing else"):
        OrderRequest(**fields)
    with pytest.raises(ValidationError, match="nothing else"):
        OrderRequest.model_validate(fields)
    with pytest.raises(ValidationError, match="nothing else"):
        OrderRequest.model_validate(fields, context=object())
    text = OrderRequest.from_approved(approved(CLIENT_ID), SPOT).model_dump_json()
    with pytest.raises(ValidationError, match="nothing else"):
        OrderRequest.model_validate_json(text)


@pytest.mark.parametrize(
    "client_id", ["c1", CLIENT_ID.upper(), CLIENT_ID + "0", "x" + CLIENT_ID[1:], CLIENT_ID + "\n"]
)
def test_client_id_of_another_form_is_refused(client_id: str) -> None:
    with pytest.raises(ValidationError):
        OrderRequest.from_approved(approved(client_id), SPOT)


def test_policy_hash_of_another_form_is_refused() -> None:
    with pytest.raises(ValidationError):
        OrderRequest.from_approved(RiskApproved(intent(), CLIENT_ID, "short"), SPOT)


def test_request_is_frozen() -> None:
    request = OrderRequest.from_approved(approved(CLIENT_ID), SPOT)
    with pytest.raises(ValidationError):
        request.quantity = "9"
    assert request.origin is Origin.MODEL


def test_report_is_printed_exactly() -> None:
    record = ReportRecord.from_report(fill(CLIENT_ID, 25, trade_id=8, fee_quote_e8=-60), SPOT)
    assert (record.quantity, record.price, record.fee_quote) == ("0.00025", "60000.00", "-0.00000060")
    assert (record.trade_id, record.status, record.maker) == (8, OrderState.PARTIALLY_FILLED, True)
    assert ReportRecord.model_validate_json(record.model_dump_json()) == record


def test_hostile_text_of_a_venue_is_cut_and_cleaned() -> None:
    hostile = "\x1b]0;x\x07\u202e" + "y" * 300
    record = ReportRecord.from_report(report(CLIENT_ID, OrderState.REJECTED, reason=hostile), SPOT)
    assert len(record.reason) == 120
    assert record.reason.isprintable()
    assert record.reason.startswith("\ufffd]0;x\ufffd\ufffdy")


@pytest.mark.parametrize("changes", [{"filled_lots": -1}, {"fill_price_ticks": -1}, {"trade_id": -2}])
def test_numbers_no_venue_can_mean_make_no_record(changes: dict[str, int]) -> None:
    strange = msgspec.structs.replace(report(CLIENT_ID, OrderState.ACCEPTED, ts_ns=START), **changes)
    with pytest.raises(ValidationError):
        ReportRecord.from_report(strange, SPOT)
