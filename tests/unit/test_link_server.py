"""The link's server against a host that only takes notes: who is let in, what is sent, what is dropped."""

from __future__ import annotations

import asyncio
import os
import struct
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipeline.core.inputs import Command, OperatorCommand
from pipeline.core.snapshot import ConsoleSnapshot
from pipeline.runtime import link_server
from pipeline.runtime.link_messages import (
    PROTOCOL_VERSION,
    Attach,
    CommandRequest,
    CommandResult,
    DetachNotice,
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
from pipeline.runtime.link_server import Client, LinkServer
from pipeline.runtime.locks import InstanceLock
from pipeline.runtime.unix_socket import Peer
from tests.fakes.engines import Floor

_LENGTH = struct.Struct(">I")
_decoder: msgspec.msgpack.Decoder[FromSession] = msgspec.msgpack.Decoder(FromSession)


class Host:
    """A session that does nothing but remember."""

    def __init__(self) -> None:
        self.picture = Floor().picture()
        self.asked: list[str] = []
        self.commands: list[tuple[CommandRequest, Client]] = []
        self.changes: list[tuple[int, bool]] = []
        self.acts: list[tuple[str, ...]] = []
        self.settled: list[tuple[Command, str, str]] = []
        self.replies: list[Callable[[bool, str], None]] = []

    def hello(self) -> Hello:
        return Hello(PROTOCOL_VERSION, "1", "test", 1, "/gate", True)

    def snapshot(self, symbol: str) -> ConsoleSnapshot:
        self.asked.append(symbol)
        return self.picture

    def command(self, request: CommandRequest, client: Client) -> CommandResult:
        self.commands.append((request, client))
        return CommandResult(request.request_id, ok=True, text="done")

    def replay(self, request: ReplayControl) -> CommandResult:
        return CommandResult(request.request_id, ok=True, text=request.action)

    def settle_start(self, request_id: int, command: Command, client: Client) -> CommandResult:
        self.settled.append((command, client.who, client.tty))
        return CommandResult(request_id, ok=True, text="adopted")

    def model(self, request: ModelRequest, who: tuple[str, str], reply: Callable[[bool, str], None]) -> None:
        self.acts.append((request.act, request.name, *who))
        self.replies.append(reply)

    def stop(self, request: StopSession) -> CommandResult:
        return CommandResult(request.request_id, ok=True, text=request.how)

    def status_json(self) -> bytes:
        return b'{"frames": 1}'

    def consoles_changed(self, attached: int, *, detached_on_purpose: bool) -> None:
        self.changes.append((attached, detached_on_purpose))


class Console:
    """The other end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, message: Any) -> None:
        payload = msgspec.msgpack.encode(message)
        self.writer.write(_LENGTH.pack(len(payload)) + payload)

    async def receive(self) -> FromSession:
        (length,) = _LENGTH.unpack(await asyncio.wait_for(self.reader.readexactly(_LENGTH.size), 5))
        return _decoder.decode(await self.reader.readexactly(length))

    async def until(self, kind: type[Any]) -> Any:
        while True:
            message = await self.receive()
            if isinstance(message, kind):
                return message

    async def attach(
        self, *, watch: bool = False, frame_hz: float = 10.0, protocol: int = PROTOCOL_VERSION
    ) -> None:
        self.send(Attach(protocol, "ada", "/dev/pts/1", watch, frame_hz))
        self.send(StatusRequest(1))
        await self.until(StatusAnswer)

    async def is_closed(self) -> bool:
        try:
            return await asyncio.wait_for(self.reader.read(-1), 5) is not None
        except ConnectionError:
            return True


class Room:
    """A running server with its host."""

    def __init__(self, folder: Path) -> None:
        folder.chmod(0o700)
        self.path = folder / "link.sock"
        self.lock = InstanceLock.acquire(folder / "lock", "test", 1)
        self.host = Host()
        self.server = LinkServer(self.host, self.path, self.lock)

        self.consoles: list[Console] = []

    async def console(self) -> Console:
        self.consoles.append(Console(*await asyncio.open_unix_connection(str(self.path))))
        return self.consoles[-1]


@asynccontextmanager
async def room(folder: Path) -> AsyncIterator[Room]:
    made = Room(folder)
    await made.server.start()
    try:
        yield made
    finally:
        for console in made.consoles:
            console.writer.transport.abort()
        await asyncio.sleep(0)  # where no client is left, stopping alone lets no aborted end close
        await made.server.stop("over", 0)
        made.lock.release()


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(500):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came true")


async def test_a_console_is_greeted_and_counted_when_it_attaches(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        console = await here.console()
        assert isinstance(await console.receive(), Hello)
        assert here.server.attached == 0
        await console.attach()
        assert (here.server.attached, here.server.controllers) == (1, 1)
        console.writer.close()
        await until(lambda: here.server.attached == 0)
        assert here.host.changes == [(1, False), (0, False)]


async def test_a_watcher_is_attached_and_controls_nothing(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        console = await here.console()
        await console.attach(watch=True)
        assert (here.server.attached, here.server.controllers) == (1, 0)
        for message in (ReplayControl(5, "pause", 0.0), StopSession(5, "cancel")):
            console.send(message)
            assert (await console.until(CommandResult)).ok is False


async def test_what_was_left_before_is_settled_by_a_shell_that_never_attached(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        shell = await here.console()
        shell.send(StartRequest(7, Command.ADOPT, "eve", "/dev/pts/2"))
        assert await shell.until(CommandResult) == CommandResult(7, ok=True, text="adopted")
        shell.send(StartRequest(8, Command.RESUME, "eve", ""))
        assert not (await shell.until(CommandResult)).ok
        watcher = await here.console()
        await watcher.attach(watch=True)
        watcher.send(StartRequest(9, Command.ADOPT))
        assert not (await watcher.until(CommandResult)).ok
        assert here.host.settled == [(Command.ADOPT, "eve", "/dev/pts/2")]
        assert here.server.attached == 1


async def test_a_console_that_leaves_on_purpose_is_told_apart(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        console = await here.console()
        await console.attach()
        console.send(DetachNotice())
        await console.writer.drain()
        console.writer.close()
        await until(lambda: here.server.attached == 0)
        assert here.host.changes[-1] == (0, True)


async def test_a_question_needs_no_attaching_and_changes_nothing(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        console = await here.console()
        console.send(StatusRequest(9))
        answer = await console.until(StatusAnswer)
        assert (answer.request_id, answer.summary_json) == (9, b'{"frames": 1}')
        console.writer.close()
        await asyncio.sleep(0.05)
        assert here.host.changes == []


async def test_a_command_carries_who_sent_it(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        console = await here.console()
        await console.attach()
        console.send(CommandRequest(3, OperatorCommand(Command.HALT, "eve", "", "BTCUSDT", 0, 0, 0)))
        assert (await console.until(CommandResult)).request_id == 3
        ((request, client),) = here.host.commands
        assert request.command.command is Command.HALT
        assert (client.who, client.tty, client.watch) == ("ada", "/dev/pts/1", False)


async def test_names_are_cut_to_a_length_a_person_has(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        console = await here.console()
        console.send(Attach(PROTOCOL_VERSION, "a" * 100_000, "t" * 100_000, False, 5.0))
        console.send(CommandRequest(3, OperatorCommand(Command.HALT, "", "", "", 0, 0, 0)))
        await console.until(CommandResult)
        ((_, client),) = here.host.commands
        assert (len(client.who), len(client.tty)) == (link_server.MAX_NAME, link_server.MAX_NAME)


async def test_another_protocol_may_still_attach_and_is_told(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        console = await here.console()
        console.send(Attach(99, "ada", "", False, 5.0))
        result = await console.until(CommandResult)
        assert not result.ok
        assert "halt and kill work" in result.text
        await until(lambda: here.server.attached == 1)


async def test_a_stranger_is_sent_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with room(tmp_path) as here:
        monkeypatch.setattr(link_server, "peer_of", lambda _: Peer(1, 4711, 4711))
        console = await here.console()
        assert await console.is_closed()
        assert here.server.refused_clients == 1


ASK_AS = """
import os, socket, sys
os.setuid(int(sys.argv[2]))
with socket.socket(socket.AF_UNIX) as client:
    client.settimeout(5)
    client.connect(sys.argv[1])
    print(len(client.recv(1000)))
"""


async def greeting_for(uid: int, path: Path) -> int:
    """Give how many bytes a process of another user is greeted with."""
    asking = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ASK_AS, str(path), str(uid), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await asyncio.wait_for(asking.communicate(), 10)
    return int(said)


@pytest.mark.skipif(os.geteuid() != 0, reason="another user takes root")
async def test_the_kernel_is_asked_who_a_stranger_is() -> None:
    """The doors stand open here: the peer's uid alone keeps the stranger out."""
    with tempfile.TemporaryDirectory() as name:
        async with room(Path(name)) as here:
            Path(name).chmod(0o711)
            here.path.chmod(0o666)
            assert await greeting_for(65_534, here.path) == 0
            assert here.server.refused_clients == 1
            assert await greeting_for(0, here.path) > 0


class TestPictures:
    async def test_go_to_each_console_at_its_own_pace(self, tmp_path: Path) -> None:
        async with room(tmp_path) as here:
            console = await here.console()
            await console.attach(frame_hz=10.0)
            here.server.tick(100.0)
            here.server.tick(100.05)
            here.server.tick(100.11)
            assert here.host.asked == ["", ""]
            await console.until(SnapshotFrame)
            await console.until(SnapshotFrame)

    async def test_are_made_once_for_all_who_look_at_the_same(self, tmp_path: Path) -> None:
        async with room(tmp_path) as here:
            consoles = [await here.console() for _ in range(3)]
            for console in consoles:
                await console.attach()
            consoles[2].send(SelectSymbol("ETHUSDT"))
            consoles[2].send(StatusRequest(1))
            await consoles[2].until(StatusAnswer)
            here.server.tick(100.0)
            assert sorted(here.host.asked) == ["", "ETHUSDT"]

    async def test_are_not_made_for_who_has_not_attached(self, tmp_path: Path) -> None:
        async with room(tmp_path) as here:
            console = await here.console()
            await console.receive()
            here.server.tick(100.0)
            assert here.host.asked == []

    async def test_are_dropped_for_who_has_not_taken_the_last(self, tmp_path: Path) -> None:
        async with room(tmp_path) as here:
            console = await here.console()
            await console.attach(frame_hz=20.0)
            for number in range(2_000):
                here.server.tick(100.0 + number)
            assert here.server.dropped_frames > 1_000
            assert len(here.host.asked) + here.server.dropped_frames == 2_000
            # What is there when it reads again is the newest it could be sent, and the next one comes.
            for _ in range(len(here.host.asked)):
                await console.until(SnapshotFrame)
            await asyncio.sleep(0.05)
            here.server.tick(5_000.0)
            await console.until(SnapshotFrame)

    @pytest.mark.parametrize(
        ("asked_hz", "frames"), [(1e9, 20), (float("nan"), 1), (-5.0, 1), (0.0, 1), (2.0, 2)]
    )
    async def test_come_no_faster_and_no_slower_than_is_sane(
        self, tmp_path: Path, asked_hz: float, frames: int
    ) -> None:
        async with room(tmp_path) as here:
            console = await here.console()
            await console.attach(frame_hz=1.0)
            console.send(SetFrameRate(asked_hz))
            console.send(StatusRequest(1))
            await console.until(StatusAnswer)
            for tick in range(200):
                here.server.tick(100.0 + tick / 200)
                await asyncio.sleep(0)
            assert abs(len(here.host.asked) + here.server.dropped_frames - frames) <= 1


async def test_the_end_is_told_to_everybody_and_the_socket_goes(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        console = await here.console()
        await console.attach()
        await here.server.stop("quit from the console", 4)
        ending = await console.until(SessionEnding)
        assert (ending.reason, ending.exit_status) == ("quit from the console", 4)
        assert not here.path.exists()


async def test_answers_left_unread_end_the_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_server, "MAX_UNREAD_BYTES", 50_000)
    async with room(tmp_path) as here:
        monkeypatch.setattr(here.host, "status_json", lambda: b"x" * 40_000)
        console = await here.console()
        for _ in range(200):
            console.send(StatusRequest(1))
        await until(lambda: not here.server._clients)
