"""What a venue sends: market data, answers to orders, facts, and the guard's REST side."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pipeline.models.protobuf
import pipeline.runtime.journal_scan
import pipeline.runtime.link_server
import pipeline.runtime.venue_keys
import pipeline.wire.binance
import pipeline.wire.binance_answers
import pipeline.wire.binance_info
import pipeline.wire.bybit
import pipeline.wire.http_text
from pipeline.core.types import OrderState
from pipeline.wire.binance_answers import AnswerReader, balances_of, server_time_ms_of
from pipeline.wire.binance_info import commission_of, symbols_of
from pipeline.wire.binance_rest import open_orders_of, refusal_code_of
from pipeline.wire.binance_rest import server_time_ms_of as rest_time_ms_of
from pipeline.wire.fields import WireError
from pipeline.wire.http_text import HttpTextError, take_answer
from pipeline.wire.venues import codec_for
from tests.fakes import bybit_market
from tests.fakes.market_builders import SPOT, USDM, compact, depth_message, enveloped, ticker_message
from tests.fuzz.target import Read, Target


def _codec(venue: str, instrument: Any) -> Read:
    codec = codec_for(venue, {"BTCUSDT": instrument})
    return lambda data: codec.decode(data, 1, 2)


def _binance_seeds(instrument: Any, *, previous: int = -1) -> tuple[bytes, ...]:
    depth = depth_message(5, 9, [(6_000_000, 5)], [(6_000_100, 7)], instrument, previous=previous)
    trade = {"e": "trade", "E": 1, "s": "BTCUSDT", "t": 4, "p": "60000.10", "q": "0.10000000", "T": 1}
    spot = enveloped(depth)
    ticker = enveloped(ticker_message(8, (6_000_000, 5), (6_000_100, 7), instrument), "btcusdt@bookTicker")
    snapshot = {"lastUpdateId": 8, "bids": [["60000.10", "0.1"]], "asks": [["60000.20", "0.1"]]}
    prints = enveloped({**trade, "m": True, "X": "MARKET"}, "btcusdt@trade")
    return spot, compact(depth), ticker, prints, compact(snapshot), b'{"result":null,"id":1}'


def _bybit_seeds(trade_id: str) -> tuple[bytes, ...]:
    trade = bybit_market.trade_frame([(trade_id, "Buy")], linear=not trade_id.isdigit())
    return (
        bybit_market.book_frame(9, [(100, 5)], [(101, 4)]),
        bybit_market.book_frame(9, [(100, 5)], kind="snapshot"),
        trade,
        b'{"success":true,"ret_msg":"","op":"subscribe","conn_id":"x"}',
    )


REPORT = (
    b'{"event":{"e":"executionReport","E":1,"s":"BTCUSDT","c":"t1","X":"PARTIALLY_FILLED","x":"TRADE","q":"1.0",'
    b'"z":"0.5","i":1,"l":"0.5","L":"60000.01","n":"0.1","N":"BNB","t":4,"m":true}}'
)
ANSWER = (
    b'{"id":"1","status":200,"result":{"symbol":"BTCUSDT","orderId":1,"clientOrderId":"t1","status":"NEW",'
    b'"origQty":"1","executedQty":"0","fills":[]},"rateLimits":[{"rateLimitType":"ORDERS","interval":"DAY",'
    b'"intervalNum":1,"limit":9,"count":1}]}'
)
HELD = b'{"event":{"e":"outboundAccountPosition","E":5,"u":5,"B":[{"a":"BTC","f":"1.5","l":"0.5"}]}}'
RATES = b'{"maker":"0.00100000","taker":"0.00100000","buyer":"0.00000000","seller":"0.00000000"}'
FEES = (
    b'{"symbol":"BTCUSDT","standardCommission":'
    + RATES
    + b',"specialCommission":'
    + RATES
    + b',"taxCommission":'
    + RATES
    + b"}"
)
INFO = (
    b'{"symbols":[{"symbol":"BTCUSDT","status":"TRADING","filters":[{"filterType":"PRICE_FILTER","tickSize":'
    b'"0.01000000"},{"filterType":"LOT_SIZE","stepSize":"0.00001000","maxQty":"9000.00000000"},'
    b'{"filterType":"NOTIONAL","minNotional":"5.00000000"}]}]}'
)
LISTED = b'[{"symbol":"BTCUSDT","orderId":1,"clientOrderId":"t1","price":"1"}]'


def _answers(data: bytes) -> None:
    reader = AnswerReader({"BTCUSDT": SPOT})
    reader.read_message(data)
    for read in (reader.order_of, reader.orders_of, balances_of, server_time_ms_of):
        with suppress(WireError):
            read(data)
    with suppress(WireError):
        reader.trades_of(data, "BTCUSDT")


def _facts(data: bytes) -> None:
    with suppress(WireError):
        symbols_of(data)
    with suppress(WireError):
        commission_of(data, "BTCUSDT")


def _rest(data: bytes) -> None:
    try:
        answer, _ = take_answer(data)
    except HttpTextError:
        return
    body = data if answer is None else answer.body
    open_orders_of(body)
    rest_time_ms_of(body)
    refusal_code_of(body)


def _http(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nRetry-After: 3\r\n\r\n%b" % (len(body), body)


def _chunked(body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


def wire_targets() -> Iterator[Target]:
    binance, bybit = pipeline.wire.binance, pipeline.wire.bybit
    yield Target(
        "binance", _codec("binance", SPOT), _binance_seeds(SPOT), (binance, "_missing", lambda _: None)
    )
    yield Target(
        "binance-usdm",
        _codec("binance-usdm", USDM),
        _binance_seeds(USDM, previous=3),
        (binance.BinanceCodec, "_instrument", lambda self, symbol: self._instruments[symbol]),
    )
    yield Target(
        "bybit-linear",
        _codec("bybit-linear", bybit_market.LINEAR),
        _bybit_seeds("2f5d8c1e-0000-4000-8000-1234567890ab"),
        (bybit.BybitCodec, "_symbol", lambda _self, _topic, of_data: of_data),
    )
    yield Target(
        "bybit-spot",
        _codec("bybit-spot", bybit_market.LINEAR),
        _bybit_seeds("290000000712345678"),
        (bybit, "trade_number", int),
    )
    answers = pipeline.wire.binance_answers
    states = {"NEW": OrderState.ACCEPTED, "PARTIALLY_FILLED": OrderState.PARTIALLY_FILLED}
    yield Target("answers", _answers, (REPORT, ANSWER, HELD), (answers, "_state", states.__getitem__))
    info = pipeline.wire.binance_info
    yield Target("facts", _facts, (INFO, FEES), (info, "_e18", lambda text: int(Decimal(text) * 10**18)))
    rest = (_http(LISTED), _chunked(LISTED), _http(b'{"serverTime":1}'), _http(b'{"code":-1003,"msg":"x"}'))
    yield Target("rest", _rest, rest, (pipeline.wire.http_text, "_chunk_size", lambda line: int(line, 16)))
