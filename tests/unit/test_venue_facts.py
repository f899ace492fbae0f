"""What the venue says of filters and fees is used, said and refused as it must be."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.types import Fees
from pipeline.runtime.venue_facts import VenueFactsError, as_the_venue_says, same_filters
from pipeline.runtime.venue_preflight import read_facts
from pipeline.wire.binance_info import commission_of, symbols_of
from pipeline.wire.fields import WireError
from tests.fakes.engines import engine_params
from tests.fakes.feeds import FakeVenue
from tests.fakes.trading import SPOT
from tests.fakes.venue_bench import KEY, quick

FILTERS = [
    {"filterType": "PRICE_FILTER", "tickSize": "0.01000000"},
    {"filterType": "LOT_SIZE", "stepSize": "0.00001000", "maxQty": "9000.00000000"},
    {"filterType": "NOTIONAL", "minNotional": "5.00000000"},
]


def info(status: str = "TRADING", **changes: Any) -> bytes:
    """An answer to exchangeInfo with some filter values changed."""
    filters = [{**one, **{k: v for k, v in changes.items() if k in one}} for one in FILTERS]
    return json.dumps({"symbols": [{"symbol": "BTCUSDT", "status": status, "filters": filters}]}).encode()


def commission(maker: str = "0.00100000", taker: str = "0.00100000", **more: Any) -> bytes:
    """An answer to account.commission."""
    return json.dumps(
        {"symbol": "BTCUSDT", "standardCommission": {"maker": maker, "taker": taker}, **more}
    ).encode()


def test_rates_are_added_up_and_never_rounded_down() -> None:
    assert commission_of(commission("0.00075000", "0.00100000"), "BTCUSDT") == (750, 1_000)
    assert commission_of(commission("0.00000001", "-0.00005000"), "BTCUSDT") == (1, -50)
    tax: dict[str, Any] = {
        "taxCommission": {"maker": "0.00010000", "taker": "0.00020000", "buyer": "0.00001", "seller": "0"}
    }
    assert commission_of(commission(**tax), "BTCUSDT") == (1_110, 1_210)


def test_the_venues_value_is_used_and_the_difference_said() -> None:
    start = engine_params(instruments=(SPOT,))

    facts = symbols_of(info(stepSize="0.00010000", minNotional="10.00000000"))
    found, differs = as_the_venue_says(start, facts, {"BTCUSDT": (750, 1_000)})
    new = found.instruments[0]
    assert new.fees == Fees(750, 1_000, "venue")
    assert new.min_notional_quote_e8 == 10 * 10**8
    assert new.qty_text(1) == "0.0001"
    assert new.max_qty_lots == 90_000_000
    assert {one.what for one in differs} >= {"lot", "min notional", "fees"}
    limits, before = found.limits["BTCUSDT"], start.limits["BTCUSDT"]
    assert limits.max_qty_lots * new.lot_units <= before.max_qty_lots * SPOT.lot_units


@pytest.mark.parametrize("status", ["HALT", "BREAK", "END_OF_DAY", ""])
def test_a_symbol_that_does_not_trade_is_refused(status: str) -> None:
    with pytest.raises(VenueFactsError, match="wanted TRADING"):
        as_the_venue_says(engine_params(), symbols_of(info(status)), {"BTCUSDT": (0, 0)})


def test_a_symbol_the_venue_does_not_have_is_refused() -> None:
    with pytest.raises(VenueFactsError, match="no such symbol"):
        as_the_venue_says(engine_params(), {}, {"BTCUSDT": (0, 0)})


def test_a_lot_finer_than_the_book_counts_is_refused_and_is_no_same_filter() -> None:
    facts = symbols_of(info(stepSize="0.000000000001"))
    with pytest.raises(VenueFactsError, match="wanted at most"):
        as_the_venue_says(engine_params(), facts, {"BTCUSDT": (0, 0)})
    assert not same_filters(SPOT, facts["BTCUSDT"])


def test_filters_are_the_same_only_while_nothing_changed() -> None:
    venue, _ = as_the_venue_says(engine_params(), symbols_of(info()), {"BTCUSDT": (0, 0)})
    mine = replace(venue.instruments[0], fees=Fees(3, 4, "venue"))
    assert same_filters(mine, symbols_of(info())["BTCUSDT"])
    assert same_filters(mine, symbols_of(info("HALT"))["BTCUSDT"])
    assert not same_filters(mine, symbols_of(info(tickSize="0.10000000"))["BTCUSDT"])
    assert not same_filters(mine, symbols_of(info(maxQty="1.00000000"))["BTCUSDT"])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "symbols",
                    "symbol",
                    "status",
                    "filters",
                    "filterType",
                    "tickSize",
                    "standardCommission",
                    "maker",
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_garbage_is_refused_by_its_own_error(garbage: bytes) -> None:
    for read in (symbols_of, lambda raw: commission_of(raw, "BTCUSDT")):
        try:
            read(garbage)
        except WireError:
            continue


async def _read(answers: dict[str, tuple[int, bytes]]) -> Any:
    venue = FakeVenue()
    task = asyncio.ensure_future(
        read_facts(
            quick(api_url="ws://venue/x", ready_ms=400, backoff_first_ms=1, answer_ms=100),
            KEY,
            ("BTCUSDT",),
            connect=venue.connect,
        )
    )
    answered: set[int] = set()
    while not task.done():
        await asyncio.sleep(0.002)
        for socket in venue.sockets:
            for number, frame in enumerate(socket.sent):
                if (key := id(socket) * 1_000 + number) in answered:
                    continue
                answered.add(key)
                asked = json.loads(frame)
                status, result = answers[asked["method"]]
                body = {"result": json.loads(result)} if status == 200 else {"error": json.loads(result)}
                socket.receiver.on_message(
                    json.dumps({"id": asked["id"], "status": status, **body}).encode(), 0, 0
                )
    return task.result()


TOLD = {
    "time": (200, b'{"serverTime": 1700000000000}'),
    "exchangeInfo": (200, info()),
    "account.commission": (200, commission()),
}


def test_filters_and_fees_are_read_over_one_connection() -> None:
    facts, fees = asyncio.run(_read(TOLD))
    assert fees == {"BTCUSDT": (1_000, 1_000)}
    assert facts["BTCUSDT"].trades


@pytest.mark.parametrize("method", list(TOLD))
def test_a_venue_that_refuses_or_talks_nonsense_starts_nothing(method: str) -> None:
    refused = {**TOLD, method: (400, b'{"code": -1008, "msg": "Server is overloaded"}')}
    nonsense = {**TOLD, method: (200, b'{"symbols": 3}')}
    for answers in (refused, nonsense):
        with pytest.raises(VenueFactsError, match="did not tell its filters and fees"):
            asyncio.run(_read(answers))


@pytest.mark.parametrize("code", [-1022, -2014, -2015])
def test_a_key_the_venue_does_not_take_is_not_tried_again(code: int) -> None:
    bad = json.dumps({"code": code, "msg": "Invalid API-key"}).encode()
    with pytest.raises(VenueFactsError, match=f"the venue does not take the key: {code} Invalid API-key"):
        asyncio.run(_read({**TOLD, "account.commission": (401, bad)}))
