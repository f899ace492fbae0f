"""The shapes of Bybit v5's public messages, and which of them a frame is.

Unknown keys are skipped, known ones must have their type, in any order: it differs between products. Numbers
stay the texts the venue printed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

import msgspec

from pipeline.core.inputs import RefusalReason
from pipeline.wire.fields import WireError, clean_text, is_nested_too_deeply

TimeMs = Annotated[int, msgspec.Meta(ge=0, lt=2**43)]
"""Venue time in ms, below the year 2248, so that nanoseconds fit in 63 bits."""
UpdateId = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
PrintedLevels = tuple[tuple[str, str], ...]
TradeId = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]

_TOPIC = re.compile(r"(orderbook\.[0-9]{1,4}|publicTrade)\.(.+)", re.ASCII)


class Book(msgspec.Struct, gc=False):
    """Levels of one symbol; `seq` only orders books of different depths and is not used."""

    s: str
    b: PrintedLevels
    a: PrintedLevels
    u: UpdateId
    seq: UpdateId | None = None


class Print(msgspec.Struct, gc=False):
    """One trade; `S` is the taker's side, `BT` marks a block trade."""

    T: TimeMs
    s: str
    S: str
    v: str
    p: str
    i: TradeId
    BT: bool = False
    L: str | None = None
    """Direction of the tick; printed by derivatives alone."""


class Message(msgspec.Struct, gc=False):
    """What surrounds the data of a topic, and the whole of an answer."""

    topic: str = ""
    type: str = ""
    ts: TimeMs | None = None
    cts: TimeMs | None = None
    data: msgspec.Raw = msgspec.Raw(b"null")
    op: str = ""
    success: bool | None = None
    retCode: int | None = None


@dataclass(frozen=True, slots=True)
class BookMessage:
    """A whole book or a change of one; `symbol` is the topic's."""

    symbol: str
    is_snapshot: bool
    time_ms: int
    book: Book


@dataclass(frozen=True, slots=True)
class PrintsMessage:
    """Trades in the order of the frame; `symbol` is the topic's."""

    symbol: str
    prints: tuple[Print, ...]


@dataclass(frozen=True, slots=True)
class Ignorable:
    """A well-formed frame of no use to the engine."""

    kind: str


def is_used(topic: str) -> bool:
    """Say whether a topic carries something the engine reads."""
    return _TOPIC.fullmatch(topic) is not None


class FrameParser:
    """Tells what a frame is; stateless but for its decoders."""

    def __init__(self) -> None:
        self._message = msgspec.json.Decoder(Message)
        self._book = msgspec.json.Decoder(Book)
        self._prints = msgspec.json.Decoder(tuple[Print, ...])

    def parse(self, frame: bytes) -> BookMessage | PrintsMessage | Ignorable:
        """Give what the frame says.

        Raises:
            WireError: TOO_DEEP, NOT_JSON, or BAD_FIELD for a topic the engine needs in another shape.
        """
        if is_nested_too_deeply(frame):
            raise WireError(RefusalReason.TOO_DEEP, "nested too deeply")
        try:
            return self._parse(frame)
        except WireError:
            raise
        except msgspec.ValidationError as error:
            raise WireError(RefusalReason.BAD_FIELD, str(error)) from error
        except (msgspec.MsgspecError, ValueError) as error:
            raise WireError(RefusalReason.NOT_JSON, str(error)) from error
        except RecursionError as error:
            raise WireError(RefusalReason.TOO_DEEP, "nested too deeply for this caller") from error

    def _parse(self, frame: bytes) -> BookMessage | PrintsMessage | Ignorable:
        message = self._message.decode(frame)
        if not message.topic:
            return Ignorable(_answer(message))
        topic = _TOPIC.fullmatch(message.topic)
        if topic is None:
            return Ignorable(clean_text(message.topic.partition(".")[0]))
        if topic[1] == "publicTrade":
            return PrintsMessage(topic[2], self._prints.decode(message.data))
        return self._book_message(topic[2], message)

    def _book_message(self, symbol: str, message: Message) -> BookMessage:
        time_ms = message.ts if message.cts is None else message.cts
        if time_ms is None:
            raise WireError(RefusalReason.BAD_FIELD, "ts: missing")
        if message.type not in ("snapshot", "delta"):
            raise WireError(RefusalReason.BAD_FIELD, f"type: {message.type!r:.40} is no snapshot or delta")
        book = self._book.decode(message.data)
        # The first id of a restarted service is a whole book, whatever it is called.
        return BookMessage(symbol, message.type == "snapshot" or book.u == 1, time_ms, book)


def _answer(message: Message) -> str:
    """Name an answer to a request or to a ping: its shapes differ between products and services."""
    if message.success is False or message.retCode:
        return clean_text(f"error {message.op or message.retCode}")
    name = (message.op or message.type).strip()
    if name or message.success is not None or message.retCode is not None:
        return clean_text(f"answer {name}".strip())
    raise WireError(RefusalReason.BAD_FIELD, "an object of no known kind")
