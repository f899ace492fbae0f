"""The shapes of Binance's market data messages, and which of them a frame is.

Unknown keys are skipped, known ones must have their type. Numbers stay the texts the venue printed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec

from pipeline.core.inputs import RefusalReason
from pipeline.wire.fields import WireError, clean_text, is_nested_too_deeply

TimeMs = Annotated[int, msgspec.Meta(ge=0, lt=2**43)]
"""Venue time; in ms below the year 2248, so that nanoseconds fit in 63 bits."""
UpdateId = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
PrintedLevels = tuple[tuple[str, str], ...]

_USED_KINDS = ("depthUpdate", "bookTicker", "trade", "aggTrade")
_USED_CHANNELS = ("depth", "bookTicker", "trade", "aggTrade")


class _Kind(msgspec.Struct):
    e: str = ""


class _Problem(msgspec.Struct):
    code: int


class Event(msgspec.Struct, gc=False):
    """Every field the engine reads of any event; a letter means another thing in each kind."""

    e: str = ""
    E: TimeMs | None = None
    T: TimeMs | None = None
    s: str = ""
    U: UpdateId | None = None
    u: UpdateId | None = None
    pu: UpdateId | None = None
    t: UpdateId | None = None
    p: str | None = None
    q: str | None = None
    m: bool | None = None
    X: str = "MARKET"
    b: PrintedLevels | str | int | None = None
    B: str | None = None
    a: PrintedLevels | str | int | None = None
    A: str | None = None
    lastUpdateId: UpdateId | None = None
    bids: PrintedLevels | None = None
    asks: PrintedLevels | None = None
    code: int | None = None
    error: _Problem | None = None
    event: _Kind | None = None


class _Envelope(msgspec.Struct, gc=False):
    stream: str
    data: Event


class _Answer(msgspec.Struct, gc=False):
    """The WebSocket API's answer to a request, or the answer to a subscription."""

    id: int | str | None
    status: int = 200
    result: Event | None = None


class _Outline(msgspec.Struct):
    """As much of a frame as tells its kind when its fields are not the expected ones."""

    stream: str = ""
    e: str = ""
    id: msgspec.Raw | None = None
    data: msgspec.Raw = msgspec.Raw(b"null")


@dataclass(frozen=True, slots=True)
class Ignorable:
    """A well-formed frame of no use to the engine."""

    kind: str


class FrameParser:
    """Tells what a frame is; stateless but for its decoders."""

    def __init__(self) -> None:
        self._event = msgspec.json.Decoder(Event)
        self._envelope = msgspec.json.Decoder(_Envelope)
        self._answer = msgspec.json.Decoder(_Answer)
        self._outline = msgspec.json.Decoder(_Outline)
        self._kind = msgspec.json.Decoder(_Kind)

    def parse(self, frame: bytes) -> tuple[str, Event] | Ignorable:
        """Give the stream's name ("" for raw frames and answers) and the event.

        Raises:
            WireError: TOO_DEEP, NOT_JSON, or BAD_FIELD for a kind the engine needs in another shape.
        """
        if is_nested_too_deeply(frame):
            raise WireError(RefusalReason.TOO_DEEP, "nested too deeply")
        try:
            return self._parse(frame)
        except msgspec.ValidationError as error:
            return self._unexpected(frame, str(error))
        except (msgspec.MsgspecError, ValueError) as error:
            raise WireError(RefusalReason.NOT_JSON, str(error)) from error
        except RecursionError as error:
            raise WireError(RefusalReason.TOO_DEEP, "nested too deeply for this caller") from error

    def _parse(self, frame: bytes) -> tuple[str, Event] | Ignorable:
        if frame.startswith(b'{"stream"'):
            envelope = self._envelope.decode(frame)
            return envelope.stream, envelope.data
        if frame.startswith((b'{"id"', b'{"result"')):
            answer = self._answer.decode(frame)
            if answer.result is None or answer.result.lastUpdateId is None:
                return Ignorable(f"answer {answer.status}")
            return "", answer.result
        event = self._event.decode(frame)
        problem = event.code if event.error is None else event.error.code
        if problem is not None:
            return Ignorable(f"error {problem}")
        return "", event

    def _unexpected(self, frame: bytes, problem: str) -> Ignorable:
        """Tell a badly formed frame of a kind we need, which is refused, from one of no use."""
        try:
            outline = self._outline.decode(frame)
            channel = outline.stream.partition("@")[2].partition("@")[0] or outline.stream
            data = bytes(outline.data)
            kind = self._kind.decode(data).e if data.startswith(b"{") else outline.e
        except msgspec.ValidationError:
            raise WireError(RefusalReason.BAD_FIELD, problem) from None
        except (msgspec.MsgspecError, ValueError) as error:
            raise WireError(RefusalReason.NOT_JSON, str(error)) from error
        if kind in _USED_KINDS or channel in _USED_CHANNELS or not (kind or channel):
            raise WireError(RefusalReason.BAD_FIELD, problem)
        return Ignorable(clean_text(kind or channel))
