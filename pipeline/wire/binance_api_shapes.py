"""The shapes of Binance spot's WebSocket API, named as the venue names its fields.

Unknown keys are skipped, known ones must have their type. Numbers stay the texts the venue printed.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from pipeline.wire.binance_messages import TimeMs

NO_TRADE = -1

Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
TradeId = Annotated[int, msgspec.Meta(ge=-1, le=2**63 - 1)]


class RetryData(msgspec.Struct):
    """When requests are wanted again, in ms of venue time."""

    retryAfter: int = 0


class ApiError(msgspec.Struct):
    """Why a request failed."""

    code: int
    msg: str = ""
    data: RetryData | None = None


class Limit(msgspec.Struct):
    """One limit and what is used of it."""

    rateLimitType: str
    interval: str
    intervalNum: int
    limit: int
    count: int = 0


class Message(msgspec.Struct):
    """An answer to a request, or an envelope around a user event."""

    id: str | int | None = None
    status: int = 0
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: ApiError | None = None
    rateLimits: list[Limit] = []
    event: msgspec.Raw = msgspec.Raw(b"")


class EventKind(msgspec.Struct):
    """What tells the kind of an event."""

    e: str = ""


class Report(msgspec.Struct):
    """An `executionReport`; on a cancel `c` is the cancel's own id and `C` the order's."""

    s: str
    c: str
    i: Id
    X: str
    q: str
    z: str
    E: TimeMs
    T: TimeMs = 0
    C: str = ""
    x: str = ""
    r: str = "NONE"
    eR: int | str | None = None
    l: str = "0"  # noqa: E741  the venue's own letter
    L: str = "0"
    n: str | None = None
    N: str | None = None
    t: TradeId = NO_TRADE
    m: bool = False


class Balance(msgspec.Struct):
    """A balance in an `outboundAccountPosition`."""

    a: str
    f: str
    l: str  # noqa: E741  the venue's own letter


class AccountPosition(msgspec.Struct):
    """An `outboundAccountPosition`."""

    B: list[Balance]
    E: TimeMs


class PlacedFill(msgspec.Struct):
    """A fill in the full answer to a new order."""

    price: str
    qty: str
    commission: str
    commissionAsset: str
    tradeId: Id


class Found(msgspec.Struct):
    """An order in the answer to a new order, a cancel or a query."""

    symbol: str
    orderId: Id
    clientOrderId: str
    status: str
    origQty: str
    executedQty: str
    origClientOrderId: str = ""
    transactTime: TimeMs = 0
    updateTime: TimeMs = 0
    time: TimeMs = 0
    fills: list[PlacedFill] = []
    side: str = ""
    price: str = ""


class OfSymbol(msgspec.Struct):
    """Any order, of which only the symbol matters."""

    symbol: str


class Traded(msgspec.Struct):
    """A fill in the answer to `myTrades`."""

    id: Id
    price: str
    qty: str
    commission: str
    commissionAsset: str
    isMaker: bool


class Asset(msgspec.Struct):
    """A balance in the answer to `account.status`."""

    asset: str
    free: str
    locked: str


class Account(msgspec.Struct):
    """The answer to `account.status`."""

    balances: list[Asset]
    updateTime: TimeMs = 0
    canTrade: bool = True


class ServerTime(msgspec.Struct):
    """The answer to `time`."""

    serverTime: TimeMs
