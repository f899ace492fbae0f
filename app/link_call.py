"""One question to a session over its link socket, for commands that need no screen."""

from __future__ import annotations

import socket
import struct
import time

import msgspec

from pipeline.core.inputs import Command, ModelAct
from pipeline.runtime.link_messages import (
    MAX_FRAME_BYTES,
    CommandResult,
    FromConsole,
    FromSession,
    ModelRequest,
    StartRequest,
    StatusAnswer,
    StatusRequest,
)
from pipeline.runtime.places import SessionPlace
from pipeline.runtime.private_dirs import Warn
from pipeline.runtime.unix_socket import connect_unix_socket

_LENGTH = struct.Struct(">I")
_decode = msgspec.msgpack.Decoder(FromSession).decode


class NoAnswerError(Exception):
    """The session did not answer in time, or talks another protocol."""


def ask_status(place: SessionPlace, timeout_s: float = 2.0, warn: Warn | None = None) -> bytes:
    """Give the session's summary as it stands, as JSON; `warn` as in `connect_unix_socket`.

    Raises:
        NoAnswerError: it did not answer within the time.
        PlacesError: nobody listens.
    """
    deadline_s = time.monotonic() + timeout_s
    connection = connect_unix_socket(place.link_socket, warn)
    with connection:
        connection.settimeout(timeout_s)
        try:
            _send(connection, StatusRequest(1))
            while time.monotonic() < deadline_s:
                message = _decode(_receive(connection))
                if isinstance(message, StatusAnswer):
                    return message.summary_json
        except (OSError, ValueError) as problem:
            raise NoAnswerError(f"session {place.name} did not answer: {problem}") from problem
    raise NoAnswerError(f"session {place.name} did not answer within {timeout_s:g} s")


def ask_model(
    place: SessionPlace, act: ModelAct, name: str, who: tuple[str, str], timeout_s: float
) -> CommandResult:
    """Act on the models of a session and wait until it is done or refused; `who` by name and terminal.

    Raises:
        NoAnswerError: it did not answer within the time.
        PlacesError: nobody listens.
    """
    connection = connect_unix_socket(place.link_socket)
    with connection:
        connection.settimeout(timeout_s)
        try:
            _send(connection, ModelRequest(1, act, name, *who))
            while True:
                message = _decode(_receive(connection))
                if isinstance(message, CommandResult):
                    return message
        except (OSError, msgspec.MsgspecError) as problem:
            raise NoAnswerError(f"session {place.name} did not answer: {problem}") from problem


def ask_start(
    place: SessionPlace, act: Command, who: tuple[str, str], timeout_s: float = 2.0
) -> CommandResult:
    """Settle what an earlier session left; give the session's answer.

    Raises:
        NoAnswerError: it did not answer within the time.
        PlacesError: nobody listens.
    """
    connection = connect_unix_socket(place.link_socket)
    with connection:
        connection.settimeout(timeout_s)
        try:
            _send(connection, StartRequest(1, act, *who))
            while True:
                message = _decode(_receive(connection))
                if isinstance(message, CommandResult):
                    return message
        except (OSError, msgspec.MsgspecError) as problem:
            raise NoAnswerError(f"session {place.name} did not answer: {problem}") from problem


def _send(connection: socket.socket, message: FromConsole) -> None:
    payload = msgspec.msgpack.encode(message)
    connection.sendall(_LENGTH.pack(len(payload)) + payload)


def _receive(connection: socket.socket) -> bytes:
    (length,) = _LENGTH.unpack(_exactly(connection, _LENGTH.size))
    if length > MAX_FRAME_BYTES:
        raise OSError(f"a frame of {length} bytes")
    return _exactly(connection, length)


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            raise OSError("it closed the connection")
        data += piece
    return bytes(data)
