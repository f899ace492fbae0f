"""One connection to the simulated venue, without a socket: who is let in, who is alive, who says too much."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from pipeline.sim.connection import VenueConnection
from pipeline.sim.host import VenueHost
from pipeline.sim.opening import SimOptions, open_live
from tests.fakes.venue import T0


class Wire:
    """A transport that keeps what is written, as far as a connection uses one."""

    def __init__(self) -> None:
        self.written = b""
        self.closed = self.aborted = False

    def write(self, data: bytes) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return 0

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted = True


class Client:
    """A WebSocket client of one connection."""

    def __init__(self, host: VenueHost, path: str = "/stream") -> None:
        self.wire = Wire()
        self.connection = VenueConnection(host)
        transport: Any = self.wire
        self.connection.connection_made(transport)
        self.protocol = ClientProtocol(parse_uri(f"ws://127.0.0.1{path}"))
        self.protocol.send_request(self.protocol.connect())
        self.flush()

    def flush(self) -> list[Frame]:
        """Exchange what both sides have to say; give the frames that came."""
        for data in self.protocol.data_to_send():
            self.connection.data_received(data)
        written, self.wire.written = self.wire.written, b""
        self.protocol.receive_data(written)
        return [event for event in self.protocol.events_received() if isinstance(event, Frame)]

    def pong(self, payload: bytes) -> None:
        self.protocol.send_pong(payload)
        # What the client's own protocol answers to pings by itself is not wanted here.
        for data in self.protocol.data_to_send():
            self.connection.data_received(data)


@pytest.fixture
def host() -> VenueHost:
    return VenueHost(open_live(SimOptions(), T0), lambda: T0)


async def test_only_a_copy_of_the_newest_ping_is_a_sign_of_life(host: VenueHost) -> None:
    client = Client(host)
    client.connection.ping()
    client.connection.ping()
    assert client.connection.unanswered_pings == 2
    client.pong(b"lobdeck 1")
    client.pong(b"")
    assert client.connection.unanswered_pings == 2, "old or unsolicited"
    client.pong(b"lobdeck 2")
    assert client.connection.unanswered_pings == 0


async def test_an_ordinary_client_answers_pings_by_itself(host: VenueHost) -> None:
    client = Client(host)
    client.connection.ping()
    assert [frame.opcode for frame in client.flush()] == [Opcode.PING]
    client.flush()
    assert client.connection.unanswered_pings == 0


async def test_pings_and_pongs_count_as_messages(host: VenueHost) -> None:
    client = Client(host)
    for _ in range(5):
        client.pong(b"")
    assert not [frame for frame in client.flush() if frame.opcode is Opcode.CLOSE]
    client.pong(b"")
    (closed,) = [frame for frame in client.flush() if frame.opcode is Opcode.CLOSE]
    assert b"Too many requests" in closed.data


async def test_the_connection_after_the_last_allowed_is_answered_429(host: VenueHost) -> None:
    clients = [Client(host) for _ in range(301)]
    assert [client.protocol.state.name for client in clients[:300]] == ["OPEN"] * 300
    assert clients[300].protocol.handshake_exc is not None
    assert "429" in str(clients[300].protocol.handshake_exc)
    await asyncio.sleep(0)
