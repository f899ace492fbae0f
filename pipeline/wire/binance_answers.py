"""What comes over Binance spot's WebSocket API: answers to requests and user events, as our own values.

Total: `read_message` gives a value for whatever bytes came, `Unreadable` for what cannot be believed; the
`*_of` functions read the result of an answer for whoever knows what was asked, and raise `WireError`.
Orders of symbols the session does not trade are told apart by `OtherSymbol`: they have no lots here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from pipeline.core.inputs import RefusalReason
from pipeline.core.types import Instrument, OrderState, Side
from pipeline.wire.binance_api_shapes import (
    NO_TRADE,
    Account,
    AccountPosition,
    EventKind,
    Found,
    Limit,
    Message,
    OfSymbol,
    Report,
    ServerTime,
    Traded,
)
from pipeline.wire.fields import PriceReader, WireError, clean_text, is_nested_too_deeply, scaled_int

MS_NS = 1_000_000
MOST_BYTES = 4 * 1024 * 1024
_E8_DECIMALS = 8
_Shape = TypeVar("_Shape")

_SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}

STATES = {
    "NEW": OrderState.ACCEPTED,
    "PENDING_NEW": OrderState.ACCEPTED,
    "PENDING_CANCEL": OrderState.ACCEPTED,
    "PARTIALLY_FILLED": OrderState.PARTIALLY_FILLED,
    "FILLED": OrderState.FILLED,
    "CANCELED": OrderState.CANCELED,
    "REJECTED": OrderState.REJECTED,
    "EXPIRED": OrderState.EXPIRED,
    "EXPIRED_IN_MATCH": OrderState.EXPIRED,
}


@dataclass(frozen=True, slots=True)
class UsedLimit:
    """How much of one of the venue's limits is used in the window that runs."""

    kind: str
    """REQUEST_WEIGHT, ORDERS or RAW_REQUESTS."""
    window_s: int
    limit: int
    count: int


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """The answer to one request."""

    request_id: str
    """Empty where the venue could not read the request's own."""
    status: int
    """As of HTTP; 200 is a result, anything else an error."""
    result: bytes
    code: int
    """The venue's negative error code; 0 with a result."""
    message: str
    retry_after_ms: int
    """Venue time from which requests are wanted again; 0 where none is named."""
    limits: tuple[UsedLimit, ...]


@dataclass(frozen=True, slots=True)
class VenueFill:
    """One trade of an order."""

    trade_id: int
    lots: int
    price_ticks: int
    fee_e8: int
    """In 1e-8 of `fee_asset`; negative is a rebate."""
    fee_asset: str
    maker: bool


@dataclass(frozen=True, slots=True)
class OrderNews:
    """What the venue says of one order at one moment; newer news may have come before."""

    symbol: str
    client_order_id: str
    """The order's own, on a cancel too."""
    venue_order_id: int
    status: OrderState
    """ACCEPTED, PARTIALLY_FILLED, FILLED, CANCELED, REJECTED or EXPIRED."""
    lots: int
    """As ordered."""
    filled_lots: int
    """Of the whole order so far, `fills` among them."""
    fills: tuple[VenueFill, ...]
    """The trades this message tells of, perhaps told before; a query names none."""
    reason: str
    ts_event_ns: int
    side: Side | None = None
    price_text: str = ""
    """Both of an answer to a query; read by `AnswerReader.price_of` where they matter."""


@dataclass(frozen=True, slots=True)
class OtherSymbol:
    """News of an order on a symbol this session does not trade."""

    symbol: str


@dataclass(frozen=True, slots=True)
class BalanceNews:
    """Balances, free and locked together, in 1e-8 of each asset."""

    totals_e8: Mapping[str, int]
    ts_event_ns: int


@dataclass(frozen=True, slots=True)
class StreamEnded:
    """The user stream is over, or the connection soon will be; what comes after this may be lost."""

    reason: str


@dataclass(frozen=True, slots=True)
class OtherEvent:
    """An event of no use here."""

    kind: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message nobody can believe."""

    reason: RefusalReason
    detail: str


ApiMessage = ApiAnswer | OrderNews | OtherSymbol | BalanceNews | StreamEnded | OtherEvent | Unreadable


_SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3_600, "DAY": 86_400}


class AnswerReader:
    """Reads messages about the instruments of one session."""

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        self._instruments = dict(instruments)
        self._prices = {symbol: PriceReader(one) for symbol, one in instruments.items()}

    def read_message(self, frame: bytes) -> ApiMessage:
        """Give what a frame says; never raises."""
        try:
            if len(frame) > MOST_BYTES:
                raise WireError(RefusalReason.TOO_LARGE, f"{len(frame)} bytes")
            if is_nested_too_deeply(frame):
                raise WireError(RefusalReason.TOO_DEEP, "nested too deeply")
            message = _decoded(frame, Message)
            if message.event:
                return self._event(bytes(message.event))
            return _answer(message)
        except WireError as problem:
            return Unreadable(problem.reason, problem.detail)

    def order_of(self, result: bytes) -> OrderNews | OtherSymbol:
        """Read the order in the result of order.place, order.cancel or order.status.

        Raises:
            WireError: it is no order.
        """
        return self._found(_decoded(result, Found))

    def orders_of(self, result: bytes) -> tuple[OrderNews | OtherSymbol, ...]:
        """Read the orders in the result of openOrders.status or openOrders.cancelAll.

        Raises:
            WireError: it is no list of orders.
        """
        return tuple(self._found(one) for one in _decoded(result, list[Found]))

    def trades_of(self, result: bytes, symbol: str) -> tuple[VenueFill, ...]:
        """Read the fills in the result of myTrades.

        Raises:
            WireError: it is no list of fills.
        """
        return tuple(
            self._fill(symbol, one.id, one.qty, one.price, one.commission, one.commissionAsset, one.isMaker)
            for one in _decoded(result, list[Traded])
        )

    def _event(self, event: bytes) -> ApiMessage:
        kind = _decoded(event, EventKind).e
        match kind:
            case "executionReport":
                return self._report(_decoded(event, Report))
            case "outboundAccountPosition":
                position = _decoded(event, AccountPosition)
                totals = {one.a: _amount(one.f) + _amount(one.l) for one in position.B}
                return BalanceNews(totals, position.E * MS_NS)
            case "eventStreamTerminated" | "serverShutdown":
                return StreamEnded(kind)
            case _:
                return OtherEvent(clean_text(kind))

    def _report(self, report: Report) -> OrderNews | OtherSymbol:
        if report.s not in self._instruments:
            return OtherSymbol(clean_text(report.s))
        fills: tuple[VenueFill, ...] = ()
        if report.t != NO_TRADE and report.x == "TRADE":
            fee, asset = report.n or "0", report.N or ""
            fills = (self._fill(report.s, report.t, report.l, report.L, fee, asset, report.m),)
        reason = report.r if report.r != "NONE" else "" if report.eR is None else str(report.eR)
        return OrderNews(
            report.s,
            clean_text(report.C or report.c),
            report.i,
            _state(report.X),
            self._lots(report.s, report.q),
            self._lots(report.s, report.z),
            fills,
            clean_text(reason),
            (report.T or report.E) * MS_NS,
        )

    def _found(self, found: Found) -> OrderNews | OtherSymbol:
        if found.symbol not in self._instruments:
            return OtherSymbol(clean_text(found.symbol))
        return OrderNews(
            found.symbol,
            clean_text(found.origClientOrderId or found.clientOrderId),
            found.orderId,
            _state(found.status),
            self._lots(found.symbol, found.origQty),
            self._lots(found.symbol, found.executedQty),
            # What fills while it is placed takes from the book.
            tuple(
                self._fill(
                    found.symbol, one.tradeId, one.qty, one.price, one.commission, one.commissionAsset, False
                )
                for one in found.fills
            ),
            "",
            (found.transactTime or found.updateTime or found.time) * MS_NS,
            _SIDES.get(found.side),
            found.price,
        )

    def price_of(self, news: OrderNews) -> int:
        """Give the limit price of an order in ticks.

        Raises:
            WireError: the venue printed none of the symbol's.
        """
        return self._prices[news.symbol][news.price_text]

    def _fill(
        self, symbol: str, trade_id: int, qty: str, price: str, fee: str, fee_asset: str, maker: bool
    ) -> VenueFill:
        lots = self._lots(symbol, qty)
        if lots == 0:
            raise WireError(RefusalReason.BAD_NUMBER, "a fill of quantity zero")
        return VenueFill(
            trade_id, lots, self._prices[symbol][price], _amount(fee), clean_text(fee_asset), maker
        )

    def _lots(self, symbol: str, text: str) -> int:
        instrument = self._instruments[symbol]
        lots, rest = divmod(scaled_int(text, instrument.size_decimals), instrument.lot_units)
        if rest:
            raise WireError(RefusalReason.OFF_GRID, f"quantity {text} lies between lots")
        return lots


def open_symbols_of(result: bytes) -> tuple[str, ...]:
    """Give the symbols of the orders in the result of openOrders.status, each once.

    Raises:
        WireError: it is no list of orders.
    """
    return tuple(dict.fromkeys(one.symbol for one in _decoded(result, list[OfSymbol])))


def balances_of(result: bytes) -> BalanceNews:
    """Read the balances in the result of account.status.

    Raises:
        WireError: it is no account.
    """
    account = _decoded(result, Account)
    totals = {one.asset: _amount(one.free) + _amount(one.locked) for one in account.balances}
    return BalanceNews(totals, account.updateTime * MS_NS)


def server_time_ms_of(result: bytes) -> int:
    """Read the venue's time in the result of time.

    Raises:
        WireError: it is no time.
    """
    return _decoded(result, ServerTime).serverTime


def _answer(message: Message) -> ApiAnswer | Unreadable:
    if message.status == 0 or (message.status != 200 and message.error is None):
        return Unreadable(RefusalReason.BAD_FIELD, "an answer without status or error")
    error = message.error
    return ApiAnswer(
        "" if message.id is None else clean_text(str(message.id)),
        message.status,
        bytes(message.result) if error is None else b"null",
        error.code if error is not None else 0,
        clean_text(error.msg) if error is not None else "",
        error.data.retryAfter if error is not None and error.data is not None else 0,
        tuple(_limit(one) for one in message.rateLimits if one.interval in _SECONDS),
    )


def _limit(limit: Limit) -> UsedLimit:
    window_s = _SECONDS[limit.interval] * max(1, limit.intervalNum)
    return UsedLimit(clean_text(limit.rateLimitType), window_s, limit.limit, limit.count)


def _state(status: str) -> OrderState:
    state = STATES.get(status)
    if state is None:
        raise WireError(RefusalReason.BAD_FIELD, f"order status {status!r:.40}")
    return state


def _amount(text: str) -> int:
    """Give an amount of an asset in 1e-8; a commission may be a rebate."""
    if text.startswith("-"):
        return -scaled_int(text[1:], _E8_DECIMALS)
    return scaled_int(text, _E8_DECIMALS)


def _decoded(raw: bytes, shape: type[_Shape]) -> _Shape:
    try:
        found: _Shape = msgspec.json.decode(raw, type=shape)
    except msgspec.ValidationError as problem:
        raise WireError(RefusalReason.BAD_FIELD, str(problem)) from None
    except (msgspec.MsgspecError, ValueError, RecursionError) as problem:
        raise WireError(RefusalReason.NOT_JSON, str(problem)) from None
    return found
