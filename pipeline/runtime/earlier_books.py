"""The books of an account, folded from what was sent and told: home inventory, positions, live orders.

A journal holds what was sent (`SubmitOrder`, on record before the order leaves) and what the venue told of
it, so the books follow from it without an engine; frames are passed over unread. A session's first input is
the books of the one before, so the newest journal of an account is enough. A session folds its own as well
and puts them on record each minute (`BooksKept`), so that its end is enough of a long journal.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import get_args

import msgspec
from msgspec.structs import replace

from pipeline.core.earlier import (
    BalancesCompared,
    BooksCarried,
    BooksKept,
    EarlierOrder,
    EarlierPosition,
    OrderFound,
)
from pipeline.core.effects import SubmitOrder
from pipeline.core.inputs import AccountRead, Command, ExecutionReport, OperatorCommand, SendRefused
from pipeline.core.position import Position
from pipeline.core.types import Instrument, OrderState
from pipeline.runtime.journal_format import JournalError, Record, RecordKind

_Kept = (
    AccountRead
    | BalancesCompared
    | BooksCarried
    | BooksKept
    | ExecutionReport
    | OperatorCommand
    | OrderFound
    | SendRefused
)
_TAGS = frozenset(
    one.encode()
    for one in (
        *("AccountRead", "BalancesCompared", "BooksCarried", "BooksKept", "ExecutionReport"),
        *("OperatorCommand", "OrderFound", "SendRefused"),
    )
)
KEPT_INPUTS = get_args(_Kept)
_input = msgspec.msgpack.Decoder(_Kept).decode
_submit = msgspec.msgpack.Decoder(SubmitOrder).decode
_NAME = b"\xa4type"
_ENDED_KEPT = 2_048
KEPT_TAG = b"BooksKept"
_LIVE = (OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED)
_STRANGE = "the journal has fills of orders it does not have"
_UNADOPTED = "fills that came to light at the last start were never adopted"


@dataclass(slots=True, eq=False)
class _Order:
    """An order as the journal tells of it."""

    order: EarlierOrder
    live: bool = True
    earlier: bool = False


class BooksFold:
    """Folds the records of one run into the books at its end."""

    def __init__(self, session: str, instruments: Iterable[Instrument]) -> None:
        self._session = session
        self._instruments = {one.symbol: one for one in instruments}
        self._positions = {symbol: Position(one) for symbol, one in self._instruments.items()}
        self._home_e8: dict[str, int] = {}
        self._flow_e8 = dict.fromkeys(self._instruments, 0)
        self._others: tuple[EarlierPosition, ...] = ()
        self._orders: dict[str, _Order] = {}
        self._trouble = ""
        self._missed = self._compared = False
        self._ended_ns = 0

    def take(self, record: Record) -> None:
        """Take one record, in order.

        Raises:
            JournalError: it is not one of this version's.
        """
        self._ended_ns = record.ts_ns
        try:
            if record.kind == RecordKind.EFFECT:
                self.sent(_submit(record.payload))
            elif is_for_books(record):
                self.see(_input(record.payload))
        except msgspec.MsgspecError as problem:
            raise JournalError(f"record {record.sequence} is none of this version: {problem}") from problem

    def kept(self, now_ns: int) -> BooksKept | None:
        """Give the books to be put on record now; None before the account was compared."""
        books = self.books(now_ns) if self._compared else None
        return None if books is None else BooksKept(replace(books, ended_ns=now_ns), now_ns)

    def books(self, now_ns: int, trouble: str = "") -> BooksCarried | None:
        """Give the books; None where the run knew no account yet, so that nothing happened in it."""
        if not self._home_e8 and not self._others and not trouble:
            return None
        own = tuple(self._position(symbol) for symbol in self._instruments if symbol in self._home_e8)
        live = tuple(one.order for one in self._orders.values() if one.live)
        trouble = trouble or self._trouble or (_UNADOPTED if self._missed else "")
        return BooksCarried(self._session, self._ended_ns, own + self._others, live, trouble, now_ns)

    # --- inputs -------------------------------------------------------------------------------------------

    def see(self, event: object) -> None:
        """Take an input; most have nothing to do with the books."""
        match event:
            case ExecutionReport():
                self._reported(event)
            case SendRefused():
                self._end(event.client_order_id)
            case AccountRead():
                self._home_e8.update(event.base_e8)
            case BooksCarried():
                self._carried(event)
            case BooksKept():
                self._carried(event.books)
                self._compared = True
            case OrderFound():
                self._orders.setdefault(event.order.client_order_id, _Order(event.order, earlier=True))
            case BalancesCompared():
                self._compared = True
            case OperatorCommand() if event.command is Command.ADOPT and self._compared:
                self._trouble, self._missed = "", False
            case _:
                pass

    def sent(self, effect: SubmitOrder) -> None:
        """Take an order that goes out."""
        intent, client_order_id = effect.approved.intent, effect.approved.client_order_id
        order = EarlierOrder(
            symbol=intent.symbol,
            client_order_id=client_order_id,
            venue_order_id=0,
            side=intent.side,
            qty_lots=intent.qty_lots,
            price_ticks=intent.price_ticks,
            order_type=intent.order_type,
            filled_lots=0,
            filled_tick_lots=0,
            trades=(),
            sent_ns=effect.ts_ns,
        )
        self._orders[client_order_id] = _Order(order)
        self._forget_ended()

    def _carried(self, books: BooksCarried) -> None:
        self._trouble = books.trouble
        others = []
        for one in books.positions:
            position = self._positions.get(one.symbol)
            if position is None:
                others.append(one)
                continue
            self._home_e8[one.symbol], self._flow_e8[one.symbol] = one.home_e8, one.flow_e8
            position.carry(one)
        self._others = tuple(others)
        self._orders = {one.client_order_id: _Order(one, earlier=True) for one in books.orders}

    def _reported(self, report: ExecutionReport) -> None:
        held = self._orders.get(report.client_order_id)
        if held is None:
            self._trouble = self._trouble or (_STRANGE if report.filled_lots else "")
            return
        held.order = replace(held.order, venue_order_id=report.venue_order_id or held.order.venue_order_id)
        if report.filled_lots and report.trade_id not in held.order.trades:
            self._filled(held, report)
        whole = held.order.filled_lots >= held.order.qty_lots
        held.live = report.status in _LIVE and not whole if held.live else self._revives(report, whole)

    def _revives(self, report: ExecutionReport, whole: bool) -> bool:
        """Say whether an order that was given up stands at the venue after all."""
        return report.status is OrderState.ACCEPTED and not whole

    def _filled(self, held: _Order, report: ExecutionReport) -> None:
        order, lots, ticks = held.order, report.filled_lots, report.fill_price_ticks
        held.order = replace(
            order,
            filled_lots=order.filled_lots + lots,
            filled_tick_lots=order.filled_tick_lots + lots * ticks,
            trades=(*order.trades, report.trade_id),
        )
        self._missed = self._missed or (held.earlier and not self._compared)
        instrument, position = self._instruments[order.symbol], self._positions[order.symbol]
        position.take(order.side, lots, ticks, report.ts_ns)
        position.fees_quote_e8 += report.fee_quote_e8
        lot_e8 = instrument.lot_units * 10**8 // int(10**instrument.size_decimals)
        self._flow_e8[order.symbol] += order.side * lots * lot_e8 - report.fee_base_e8

    def _end(self, client_order_id: str) -> None:
        held = self._orders.get(client_order_id)
        if held is not None:
            held.live = False

    def _forget_ended(self) -> None:
        """Keep the newest ended orders for late fills; a fill of an older one makes the books doubtful."""
        if len(self._orders) <= 2 * _ENDED_KEPT:
            return
        ended = [one for one, held in self._orders.items() if not held.live]
        for one in ended[: max(0, len(ended) - _ENDED_KEPT)]:
            del self._orders[one]

    def _position(self, symbol: str) -> EarlierPosition:
        position = self._positions[symbol]
        cost = position.cost_tick_lots
        return EarlierPosition(
            symbol=symbol,
            home_e8=self._home_e8[symbol],
            flow_e8=self._flow_e8[symbol],
            lots=position.lots,
            cost=f"{cost.numerator}/{cost.denominator}",
            cash_tick_lots=position.cash_tick_lots,
            fees_quote_e8=position.fees_quote_e8,
            opened_ns=position.opened_ns,
        )


def is_for_books(record: Record) -> bool:
    """Say whether a record says anything of the books."""
    if record.kind == RecordKind.EFFECT:
        return True
    return record.kind == RecordKind.INPUT and input_tag(record.payload) in _TAGS


def input_tag(payload: bytes) -> bytes:
    """Give the name an input's MessagePack begins with, without reading the rest; empty for none."""
    at = 1 if payload[1:6] == _NAME else 3
    if payload[at : at + 5] != _NAME:
        return b""
    length = payload[at + 5] & 0x1F
    return payload[at + 6 : at + 6 + length]
