"""Real session processes for tests, without a console, and a bare client for their link socket."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from app.launch import start_session
from app.replay_command import ReplayOptions, build_session, sample_capture
from pipeline.core.inputs import Command, OperatorCommand
from pipeline.runtime.link_messages import (
    PROTOCOL_VERSION,
    Attach,
    CommandRequest,
    CommandResult,
    FromConsole,
    FromSession,
    Hello,
    StatusAnswer,
    StatusRequest,
)
from pipeline.runtime.places import SessionPlace
from pipeline.runtime.unix_socket import connect_unix_socket

_LENGTH = struct.Struct(">I")
_decoder: msgspec.msgpack.Decoder[FromSession] = msgspec.msgpack.Decoder(FromSession)


class LiveSession:
    """A running session of the bundled market, in AUTO at no fees unless asked otherwise."""

    def __init__(self, process: subprocess.Popen[bytes], place: SessionPlace) -> None:
        self.process = process
        self.place = place

    def status(self) -> dict[str, Any]:
        """Ask for the summary as it stands."""
        with LinkClient(self.place) as client:
            return client.status()

    def until(self, holds: Callable[[dict[str, Any]], bool], timeout_s: float = 20.0) -> dict[str, Any]:
        """Wait until the summary says what is wanted, and give it."""
        deadline_s = time.monotonic() + timeout_s
        while True:
            content = self.status()
            if holds(content):
                return content
            assert time.monotonic() < deadline_s, f"not within {timeout_s} s: {content}"
            time.sleep(0.05)

    def wait(self, timeout_s: float = 15.0) -> int:
        """Wait for its end and give the exit status."""
        return self.process.wait(timeout_s)

    def summary(self) -> dict[str, Any]:
        """Read the summary it left behind."""
        content: dict[str, Any] = json.loads((self.place.root / "summary.json").read_text())
        return content


@contextlib.contextmanager
def live_session(
    name: str | None = None, *, model: bool = True, spec_changes: dict[str, Any] | None = None, **options: Any
) -> Iterator[LiveSession]:
    """Start a session and see to it that it is gone afterwards; LOBDECK_HOME says where."""
    chosen: dict[str, Any] = {
        "paths": (sample_capture(),),
        "prefix": "demo",
        "loop": True,
        "authority": "auto",
        "fees": "0/0",
        "workers": 1,
        **options,
    }
    spec, place = build_session(ReplayOptions(name=name, **chosen))
    if not model:  # no workers: it starts in half the time
        bare = msgspec.structs.replace(spec.params, model=None)
        spec = msgspec.structs.replace(spec, model_path="", params=bare)
    spec = msgspec.structs.replace(spec, **(spec_changes or {}))
    session = LiveSession(start_session(spec, place), place)
    try:
        yield session
    finally:
        if session.process.poll() is None:
            os.kill(session.process.pid, signal.SIGKILL)
            session.process.wait(10)


class LinkClient:
    """A blocking client of the link socket that does only what it is told."""

    def __init__(self, place: SessionPlace) -> None:
        self.socket = connect_unix_socket(place.link_socket)
        self.socket.settimeout(10)
        self._requests = 0

    def __enter__(self) -> LinkClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, message: FromConsole) -> None:
        self.send_raw(msgspec.msgpack.encode(message))

    def send_raw(self, payload: bytes) -> None:
        self.socket.sendall(_LENGTH.pack(len(payload)) + payload)

    def receive(self) -> FromSession:
        """Give the next message; EOFError when the session closed the connection."""
        (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size))
        return _decoder.decode(self._exactly(length))

    def until(self, kind: type[Any]) -> Any:
        """Read on to the first message of a kind."""
        while True:
            message = self.receive()
            if isinstance(message, kind):
                return message

    def attach(self, *, watch: bool = False, frame_hz: float = 5.0, who: str = "ada") -> Hello:
        hello: Hello = self.until(Hello)
        self.send(Attach(PROTOCOL_VERSION, who, "/dev/pts/9", watch, frame_hz))
        return hello

    def status(self) -> dict[str, Any]:
        self.send(StatusRequest(1))
        answer: StatusAnswer = self.until(StatusAnswer)
        content: dict[str, Any] = json.loads(answer.summary_json)
        return content

    def command(self, command: Command, **fields: Any) -> CommandResult:
        """Send a command and give what became of it."""
        self._requests += 1
        values = {"who": "", "tty": "", "symbol": "BTCUSDT", "target_id": 0, "revision": 0, "ts_ns": 0}
        asked = OperatorCommand(command=command, **{**values, **fields})
        self.send(CommandRequest(self._requests, asked))
        result: CommandResult = self.until(CommandResult)
        return result

    def is_closed(self, within_s: float = 5.0) -> bool:
        """Say whether the session closed the connection, reading what is left."""
        self.socket.settimeout(within_s)
        try:
            while self.socket.recv(65536):
                pass
        except TimeoutError:
            return False
        except ConnectionError:
            return True
        return True

    def _exactly(self, count: int) -> bytes:
        data = bytearray()
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise EOFError
            data += piece
        return bytes(data)


def files_of(place: SessionPlace) -> list[str]:
    """Names in a session's directory."""
    return sorted(path.name for path in Path(place.root).iterdir())
