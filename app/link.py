"""The console's side of the link: the newest picture in, commands out; the app never waits for either.

`Link` is what the console needs of a session; `SocketLink` speaks to a session's process, `InlineLink`
(tests, `--inline`) to an object in this one. Pictures replace each other: `latest` is the newest.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
import time
from collections.abc import Callable
from typing import Protocol

import msgspec

from pipeline.core.inputs import ModelAct, OperatorCommand
from pipeline.core.snapshot import ConsoleSnapshot
from pipeline.runtime.link_messages import (
    MAX_FRAME_BYTES,
    PROTOCOL_VERSION,
    AlertsShown,
    Attach,
    CommandRequest,
    CommandResult,
    DetachNotice,
    FromConsole,
    FromSession,
    Hello,
    ModelRequest,
    ReplayControl,
    SelectSymbol,
    SessionEnding,
    SetFrameRate,
    SnapshotFrame,
    StopSession,
)
from pipeline.runtime.locks import is_held
from pipeline.runtime.places import PlacesError, SessionPlace
from pipeline.runtime.unix_socket import connect_unix_socket

_LENGTH = struct.Struct(">I")
_encode = msgspec.msgpack.Encoder().encode
_decoder: msgspec.msgpack.Decoder[FromSession] = msgspec.msgpack.Decoder(FromSession)

_LOOKS = 15
_LOOK_S = 0.01
"""A dying process gives up its socket a moment before its lock."""

MAX_UNSENT_BYTES = 64 * 1024
"""A session that reads nothing for so long is not sent more; the command is refused on the screen."""


class Link(Protocol):
    """What the console needs of a session."""

    latest: ConsoleSnapshot | None
    latest_at_s: float
    """Monotonic time the newest picture arrived; 0 before the first."""
    hello: Hello | None
    lost: str
    """Why the link is gone; empty while it stands."""
    died: bool
    """True once the session's process is no more and never said that it ends."""
    exit_status: int | None
    """Exit status of a session that ended by itself."""
    head: str
    """The last head of its journal; empty where there is none."""
    on_result: Callable[[CommandResult], None] | None

    def command(self, command: OperatorCommand) -> None:
        """Send a command."""
        ...

    def select_symbol(self, symbol: str) -> None:
        """Look at another symbol."""
        ...

    def frame_rate(self, frame_hz: float) -> None:
        """Ask for so many pictures a second."""
        ...

    def model(self, act: ModelAct, name: str) -> None:
        """Act on the models of the session."""
        ...

    def replay(self, action: str, value: float) -> None:
        """Steer the replay."""
        ...

    def stop_session(self, how: str) -> None:
        """Ask the session to end."""
        ...

    def detach(self) -> None:
        """Say that this console leaves on purpose."""
        ...

    def alerts_shown(self, alert_id: int) -> None:
        """Say that alerts up to this id have been drawn."""
        ...


class SocketLink:
    """A link over the session's socket; `run` reads until it is gone."""

    def __init__(self, place: SessionPlace, attach: Attach) -> None:
        self.latest: ConsoleSnapshot | None = None
        self.latest_at_s = 0.0
        self.hello: Hello | None = None
        self.lost = ""
        self.died = False
        self.exit_status: int | None = None
        self.head = ""
        self.on_result: Callable[[CommandResult], None] | None = None
        self._place = place
        self._attach = attach
        self._writer: asyncio.StreamWriter | None = None
        self._requests = 0

    async def run(self) -> None:
        """Connect, attach, and read until the session ends or the link breaks; sets `lost`."""
        try:
            connection = connect_unix_socket(self._place.link_socket)
            reader, self._writer = await asyncio.open_unix_connection(sock=connection)
            self._send(self._attach)
            while not self.lost:
                self._take(await _read(reader))
        except (OSError, EOFError, PlacesError, msgspec.MsgspecError, ValueError) as problem:
            await self._broke(problem)
        finally:
            if self._writer is not None:
                self._writer.close()
                with contextlib.suppress(OSError):
                    await self._writer.wait_closed()

    async def _broke(self, problem: Exception) -> None:
        """Find out whether the session died or only the link to it; a dead one's lock is free at once."""
        if self.lost:
            return
        for _ in range(_LOOKS):
            if not is_held(self._place.lock):
                self.died = True
                self.lost = "its process ended without a word"
                return
            await asyncio.sleep(_LOOK_S)
        how = "the session closed it" if isinstance(problem, EOFError) else str(problem)
        self.lost = f"the link to {self._place.name} broke: {how}"

    def command(self, command: OperatorCommand) -> None:
        """Send a command; the answer comes to `on_result`."""
        self._send(CommandRequest(self._next(), command))

    def select_symbol(self, symbol: str) -> None:
        """Look at another symbol."""
        self._send(SelectSymbol(symbol))

    def frame_rate(self, frame_hz: float) -> None:
        """Ask for so many pictures a second."""
        self._send(SetFrameRate(frame_hz))

    def model(self, act: ModelAct, name: str) -> None:
        """Act on the models of the session; how it ended comes to `on_result`."""
        self._send(ModelRequest(self._next(), act, name))

    def replay(self, action: str, value: float) -> None:
        """Steer the replay."""
        self._send(ReplayControl(self._next(), action, value))

    def stop_session(self, how: str) -> None:
        """Ask the session to end: `cancel` or `leave` our orders."""
        self._send(StopSession(self._next(), how))

    def detach(self) -> None:
        """Say that this console leaves on purpose and the session goes on."""
        self._send(DetachNotice())

    def alerts_shown(self, alert_id: int) -> None:
        """Say that alerts up to this id have been drawn, to a session that puts it on record."""
        if self.hello is not None and self.hello.keeps_shown and not self.lost:
            self._send(AlertsShown(alert_id))

    def _next(self) -> int:
        self._requests += 1
        return self._requests

    def _send(self, message: FromConsole) -> None:
        writer = self._writer
        if writer is None or self.lost:
            self._refused("not sent: there is no link to the session")
            return
        if writer.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self._refused("not sent: the session does not read; halt and kill work all the same")
            return
        payload = _encode(message)
        writer.write(_LENGTH.pack(len(payload)) + payload)

    def _refused(self, text: str) -> None:
        if self.on_result is not None:
            self.on_result(CommandResult(0, ok=False, text=text))

    def _take(self, message: FromSession) -> None:
        match message:
            case SnapshotFrame():
                self.latest, self.latest_at_s = message.snapshot, time.monotonic()
            case Hello():
                self.hello = message
                if message.protocol != PROTOCOL_VERSION:
                    self.lost = f"the session speaks link protocol {message.protocol}, not {PROTOCOL_VERSION}"
            case CommandResult():
                if self.on_result is not None:
                    self.on_result(message)
            case SessionEnding():
                self.exit_status, self.head = message.exit_status, message.head
                self.lost = message.reason or "the session has ended"
            case _:
                pass  # answers to questions this console does not ask


async def _read(reader: asyncio.StreamReader) -> FromSession:
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    if length > MAX_FRAME_BYTES:
        raise ValueError(f"a frame of {length} bytes")
    return _decoder.decode(await reader.readexactly(length))
