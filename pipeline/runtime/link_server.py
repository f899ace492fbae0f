"""The session's side of the link: consoles attach here, get pictures, send commands.

A client that does not read is not waited for: while its socket still holds the last picture, newer ones
are dropped for it (newest wins, one picture in flight a client). Only the session's own user and root may
connect; a frame over the size limit, one that does not decode, or answers nobody reads end that client's
connection and nothing else. Between two messages of a client everybody else has a turn.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from pipeline.core.inputs import Command
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
    StartRequest,
    StatusAnswer,
    StatusRequest,
    StopSession,
)
from pipeline.runtime.locks import InstanceLock
from pipeline.runtime.unix_socket import bind_unix_socket, peer_of

_LENGTH = struct.Struct(">I")
MAX_CLIENTS = 16
MAX_UNREAD_BYTES = 1024 * 1024
"""Answers a client may leave unread, one picture aside; beyond it the connection ends."""
MAX_NAME = 128
"""Characters of a console's own words on who and where it is; they are kept with each permit."""
FASTEST_HZ = 20.0
SLOWEST_HZ = 0.2

_LAST_LOOKS = 20
_LAST_LOOK_S = 0.01

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(FromConsole).decode


@dataclass(slots=True, eq=False)
class Client:
    """One attached console."""

    writer: asyncio.StreamWriter
    uid: int
    pid: int = -1
    who: str = ""
    tty: str = ""
    watch: bool = True
    frame_hz: float = 4.0
    symbol: str = ""
    next_frame_s: float = 0.0
    dropped: int = 0
    detached: bool = False
    alerts_shown: int = 0
    attached: bool = False

    def send(self, message: FromSession) -> None:
        """Queue one message on the socket's own buffer; never waits."""
        payload = _encode(message)
        self.writer.write(_LENGTH.pack(len(payload)) + payload)

    @property
    def unread_bytes(self) -> int:
        """Give what has not left yet."""
        return self.writer.transport.get_write_buffer_size()

    @property
    def is_behind(self) -> bool:
        """Say whether the last message has not left yet."""
        return self.unread_bytes > 0


class LinkHost(Protocol):
    """What the session does for its consoles."""

    def hello(self) -> Hello:
        """Describe the session."""
        ...

    def snapshot(self, symbol: str) -> ConsoleSnapshot:
        """Build one picture of a symbol; empty means the session's first."""
        ...

    def command(self, request: CommandRequest, client: Client) -> CommandResult:
        """Carry out one command."""
        ...

    def settle_start(self, request_id: int, command: Command, client: Client) -> CommandResult:
        """Carry out a person's word on what an earlier session left."""
        ...

    def model(self, request: ModelRequest, who: tuple[str, str], reply: Callable[[bool, str], None]) -> None:
        """Begin an act on the models of a person by name and terminal; `reply` hears once how it ended."""
        ...

    def replay(self, request: ReplayControl) -> CommandResult:
        """Steer the replay."""
        ...

    def stop(self, request: StopSession) -> CommandResult:
        """End the session."""
        ...

    def status_json(self) -> bytes:
        """Give the summary as it stands."""
        ...

    def consoles_changed(self, attached: int, *, detached_on_purpose: bool) -> None:
        """Learn how many consoles there are."""
        ...


class LinkServer:
    """Listens on the session's socket; `tick` sends the pictures that are due."""

    def __init__(
        self,
        host: LinkHost,
        path: Path,
        lock: InstanceLock,
        note: Callable[[Client, str], None] = lambda *_: None,
    ) -> None:
        """Serve `host`; `note` is told what goes on record of a console beside its commands."""
        self._host = host
        self._note = note
        self._lock = lock
        self._path = path
        self._clients: list[Client] = []
        self._server: asyncio.Server | None = None
        self.dropped_frames = 0
        self.refused_clients = 0

    @property
    def attached(self) -> int:
        """Count attached consoles."""
        return sum(1 for client in self._clients if client.attached)

    @property
    def controllers(self) -> int:
        """Count attached consoles that may do more than watch."""
        return sum(1 for client in self._clients if client.attached and not client.watch)

    async def start(self) -> None:
        """Bind the socket (0600) and listen."""
        listener = bind_unix_socket(self._path, self._lock)
        self._server = await asyncio.start_unix_server(self._serve, sock=listener)

    async def stop(self, reason: str, exit_status: int, head: str = "") -> None:
        """Tell every console why, then close."""
        for client in list(self._clients):
            client.send(SessionEnding(reason, exit_status, head))
        if self._server is not None:
            self._server.close()
        for client in list(self._clients):
            with contextlib.suppress(OSError, TimeoutError):
                await asyncio.wait_for(client.writer.drain(), 0.2)
            client.writer.close()
        await self._until_gone()
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()

    async def _until_gone(self) -> None:
        """Let the clients' tasks end; whoever does not take the last words in time is cut off."""
        for _ in range(_LAST_LOOKS):
            if not self._clients:
                return
            await asyncio.sleep(_LAST_LOOK_S)
        for client in self._clients:
            client.writer.transport.abort()
        while self._clients:
            await asyncio.sleep(0)

    def tick(self, now_s: float) -> None:
        """Send a picture to each client whose turn it is and who has taken the last one."""
        pictures: dict[str, bytes] = {}
        for client in self._clients:
            if not client.attached or now_s < client.next_frame_s:
                continue
            period_s = 1.0 / client.frame_hz
            due_s = client.next_frame_s + period_s
            client.next_frame_s = due_s if due_s > now_s else now_s + period_s
            if client.is_behind:
                client.dropped += 1
                self.dropped_frames += 1
                continue
            if client.symbol not in pictures:
                payload = _encode(SnapshotFrame(self._host.snapshot(client.symbol)))
                pictures[client.symbol] = _LENGTH.pack(len(payload)) + payload
            client.writer.write(pictures[client.symbol])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = peer_of(writer.get_extra_info("socket"))
        uid = peer.uid
        if uid not in (os.getuid(), 0) or len(self._clients) >= MAX_CLIENTS:
            self.refused_clients += 1
            writer.close()
            return
        client = Client(writer, uid, peer.pid)
        self._clients.append(client)
        try:
            client.send(self._host.hello())
            await _read_messages(reader, lambda message: self._take(client, message))
        except (msgspec.MsgspecError, ConnectionError, asyncio.IncompleteReadError, ValueError):
            pass  # a console that goes away or talks nonsense is gone; the session goes on
        finally:
            self._clients.remove(client)
            # Not `close`, which would wait for ever for a client that reads nothing to read it all.
            writer.transport.abort()
            if client.attached:
                self._note(client, "detached on purpose" if client.detached else "gone")
                self._host.consoles_changed(self.attached, detached_on_purpose=client.detached)

    async def _take(self, client: Client, message: FromConsole) -> None:
        match message:
            case Attach():
                if message.protocol != PROTOCOL_VERSION:
                    client.send(CommandResult(0, ok=False, text=_other_version(message.protocol)))
                client.who, client.tty = message.who[:MAX_NAME], message.tty[:MAX_NAME]
                client.watch = message.watch
                client.frame_hz = _clamped_hz(message.frame_hz)
                client.attached = True
                self._note(client, "attached")
                self._host.consoles_changed(self.attached, detached_on_purpose=False)
            case SetFrameRate():
                client.frame_hz = _clamped_hz(message.frame_hz)
            case SelectSymbol():
                client.symbol = message.symbol
            case DetachNotice():
                client.detached = True
            case CommandRequest():
                client.send(self._host.command(message, client))
            case AlertsShown():
                self._alerts_shown(client, message.alert_id)
            case StartRequest():
                client.send(self._settle(client, message))
            case ModelRequest() if client.attached and client.watch:
                client.send(CommandResult(message.request_id, ok=False, text="watching only"))
            case ModelRequest():
                self._model(client, message)
            case ReplayControl() | StopSession() if client.watch:
                self._note(client, f"{type(message).__name__} refused: watching only")
                client.send(CommandResult(message.request_id, ok=False, text="watching only"))
            case ReplayControl():
                client.send(self._host.replay(message))
            case StopSession():
                self._note(client, f"asked the session to stop: {message.how[:20]}")
                client.send(self._host.stop(message))
            case StatusRequest():
                client.send(StatusAnswer(message.request_id, self._host.status_json()))
        if client.unread_bytes > MAX_UNREAD_BYTES:
            raise ValueError("answers are left unread")

    def _alerts_shown(self, client: Client, alert_id: int) -> None:
        """Put on record which alerts a terminal has drawn; each once."""
        if client.attached and alert_id > client.alerts_shown:
            client.alerts_shown = alert_id
            self._note(client, f"alerts up to {alert_id} shown")

    def _settle(self, client: Client, message: StartRequest) -> CommandResult:
        """Hand a person's word on what was left before to the host."""
        if client.attached and client.watch:
            return CommandResult(message.request_id, ok=False, text="watching only")
        if message.command not in (Command.ADOPT, Command.CANCEL_EARLIER):
            return CommandResult(message.request_id, ok=False, text="wanted ADOPT or CANCEL_EARLIER")
        if not client.attached:
            client.who, client.tty = message.who[:MAX_NAME], message.tty[:MAX_NAME]
        self._note(client, f"{message.command.value} from a shell")
        return self._host.settle_start(message.request_id, message.command, client)

    def _model(self, client: Client, message: ModelRequest) -> None:
        """Let the host begin; who asked may be gone when it has ended."""

        def reply(ok: bool, text: str) -> None:
            self._note(client, f"model {message.act} {'done' if ok else 'refused'}: {text}")
            if client in self._clients:
                client.send(CommandResult(message.request_id, ok=ok, text=text))

        if not client.attached:
            client.who, client.tty = message.who[:MAX_NAME], message.tty[:MAX_NAME]
        self._host.model(message, (client.who, client.tty), reply)


async def _read_messages(
    reader: asyncio.StreamReader, take: Callable[[FromConsole], Awaitable[None]]
) -> None:
    while True:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        if length > MAX_FRAME_BYTES:
            raise ValueError(f"frame of {length} bytes")
        await take(_decode(await reader.readexactly(length)))
        # Reading what is buffered already does not suspend: a flood of messages would hold the loop.
        await asyncio.sleep(0)


def _clamped_hz(frame_hz: float) -> float:
    return min(max(frame_hz, SLOWEST_HZ), FASTEST_HZ) if frame_hz == frame_hz else SLOWEST_HZ


def _other_version(protocol: int) -> str:
    return f"this session speaks link protocol {PROTOCOL_VERSION}, the console {protocol}: halt and kill work"
