"""What clients of the link socket may do to a session: nothing that holds it up or ends it."""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from pipeline.core.inputs import Command
from pipeline.runtime.link_messages import (
    MAX_FRAME_BYTES,
    CommandResult,
    ReplayControl,
    SnapshotFrame,
    StatusRequest,
    StopSession,
)
from pipeline.runtime.link_server import MAX_CLIENTS
from tests.fakes.session_processes import LinkClient, LiveSession, live_session


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSession]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOBDECK_HOME", str(tmp_path_factory.mktemp("home")))
        # Few cores: a loop that is late by 100 ms is no news here, and one held for a second is.
        with live_session("linked", model=False, spec_changes={"linger_s": 0.0}) as running:
            yield running


def goes_on(session: LiveSession) -> None:
    """Assert that the session plays on."""
    before = session.status()["frames"]
    session.until(lambda content: content["frames"] > before, timeout_s=5)


def test_a_console_gets_pictures_of_what_it_attached_to(session: LiveSession) -> None:
    with LinkClient(session.place) as client:
        hello = client.attach(frame_hz=20)
        assert (hello.session, hello.pid) == ("linked", session.process.pid)
        first, second = client.until(SnapshotFrame).snapshot, client.until(SnapshotFrame).snapshot
        assert second.seq > first.seq
        assert first.instrument.symbol == "BTCUSDT"
        assert second.header.controllers >= 1


def test_a_client_that_never_reads_holds_nothing_up(session: LiveSession) -> None:
    with LinkClient(session.place) as client, LinkClient(session.place) as reader:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        client.attach(frame_hz=20)
        reader.attach(frame_hz=20)
        before = session.status()
        started_s, pictures = time.monotonic(), 0
        while time.monotonic() - started_s < 3.0:
            reader.until(SnapshotFrame)
            pictures += 1
        after = session.status()
        assert after["frames"] > before["frames"]
        assert pictures >= 20
        late = after["latency_us"]["loop_lag"]["n"] - before["latency_us"]["loop_lag"]["n"]
        assert late > 50  # turns of the loop in three seconds


def test_a_flood_of_questions_left_unread_ends_that_client_alone(session: LiveSession) -> None:
    with LinkClient(session.place) as flooding, LinkClient(session.place) as other:
        request = msgspec.msgpack.encode(StatusRequest(7))
        batch = (struct.pack(">I", len(request)) + request) * 500
        flooding.socket.settimeout(0.2)
        deadline_s = time.monotonic() + 20
        sent_away = False
        while not sent_away and time.monotonic() < deadline_s:
            try:
                flooding.socket.sendall(batch)
            except TimeoutError:
                other.status()
            except ConnectionError:
                sent_away = True
        assert sent_away
        goes_on(session)


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xc1", id="no MessagePack"),
        pytest.param(os.urandom(300), id="random"),
        pytest.param(msgspec.msgpack.encode({"type": "Attach"}), id="fields missing"),
        pytest.param(msgspec.msgpack.encode({"type": "Unheard"}), id="unknown message"),
        pytest.param(msgspec.msgpack.encode([1, 2, 3]), id="another shape"),
        pytest.param(b"\x91" * 20_000, id="nested"),
        pytest.param(msgspec.msgpack.encode({"type": "SetFrameRate", "frame_hz": "fast"}), id="wrong type"),
    ],
)
def test_nonsense_ends_its_own_connection_alone(session: LiveSession, payload: bytes) -> None:
    with LinkClient(session.place) as client, LinkClient(session.place) as other:
        other.attach()
        client.send_raw(payload)
        assert client.is_closed()
        other.until(SnapshotFrame)
    goes_on(session)


def test_a_frame_over_the_limit_ends_the_connection_before_it_is_read(session: LiveSession) -> None:
    with LinkClient(session.place) as client:
        client.socket.sendall(struct.pack(">I", MAX_FRAME_BYTES + 1) + b"x" * 100)
        assert client.is_closed()
    goes_on(session)


def test_half_a_message_waits_without_harm(session: LiveSession) -> None:
    with LinkClient(session.place) as client:
        client.socket.sendall(struct.pack(">I", 1_000) + b"\x81")
        goes_on(session)


def test_one_client_too_many_is_sent_away_and_the_others_stay(session: LiveSession) -> None:
    clients = [LinkClient(session.place) for _ in range(MAX_CLIENTS)]
    try:
        for client in clients:
            client.attach(frame_hz=0.2)
        with LinkClient(session.place) as one_too_many:
            assert one_too_many.is_closed()
        assert clients[0].command(Command.NOTE_ALERT, target_id=999).text == "no alert to note"
    finally:
        for client in clients:
            client.socket.close()
    deadline_s = time.monotonic() + 5
    while time.monotonic() < deadline_s:
        try:
            goes_on(session)
            return
        except EOFError:
            time.sleep(0.05)
    pytest.fail("no client was let in again")


class TestWatcher:
    def test_may_halt_and_nothing_that_adds_risk(self, session: LiveSession) -> None:
        with LinkClient(session.place) as watcher, LinkClient(session.place) as controller:
            watcher.attach(watch=True, frame_hz=0.2)
            controller.attach(frame_hz=0.2)
            refused = watcher.command(Command.SET_AUTHORITY, authority=2)
            assert (refused.ok, refused.text) == (False, "watching only: halt and kill work here")
            assert watcher.command(Command.HALT).text == "HALTED"
            assert not watcher.command(Command.RESUME).ok
            assert controller.command(Command.RESUME).text == "ACTIVE"

    @pytest.mark.parametrize("message", [StopSession(3, "cancel"), ReplayControl(3, "pause", 0.0)])
    def test_steers_and_ends_nothing(
        self, session: LiveSession, message: StopSession | ReplayControl
    ) -> None:
        with LinkClient(session.place) as watcher:
            watcher.attach(watch=True, frame_hz=0.2)
            watcher.send(message)
            result = watcher.until(CommandResult)
            assert (result.request_id, result.ok) == (3, False)
        goes_on(session)


class TestReplay:
    def steer(self, client: LinkClient, action: str, value: float = 0.0) -> CommandResult:
        client.send(ReplayControl(9, action, value))
        result: CommandResult = client.until(CommandResult)
        return result

    def test_pauses_steps_seeks_and_goes_on(self, session: LiveSession) -> None:
        with LinkClient(session.place) as client:
            client.attach(frame_hz=20)
            assert self.steer(client, "pause").text == "paused"
            before = session.status()["frames"]
            assert self.steer(client, "step", 3).text == "stepped 3"
            session.until(lambda content: content["frames"] == before + 3)
            assert self.steer(client, "seek", 30_000).text == "seeking to 30 s"
            session.until(lambda content: content["frames"] > before + 100)
            assert self.steer(client, "seek", 0).ok
            session.until(lambda content: content["frames"] <= 1)
            assert self.steer(client, "resume").text == "running"
        goes_on(session)

    @pytest.mark.parametrize(
        ("action", "value"),
        [("speed", -1.0), ("speed", float("inf")), ("seek", -5.0), ("fly", 0.0), ("step", float("nan"))],
    )
    def test_refuses_what_cannot_be(self, session: LiveSession, action: str, value: float) -> None:
        with LinkClient(session.place) as client:
            client.attach(frame_hz=0.2)
            result = self.steer(client, action, value)
            assert not result.ok
            assert "wanted" in result.text


def test_a_stop_of_another_kind_is_refused(session: LiveSession) -> None:
    with LinkClient(session.place) as client:
        client.attach(frame_hz=0.2)
        client.send(StopSession(5, "explode"))
        assert client.until(CommandResult).text == "stop 'explode': wanted cancel or leave"
    goes_on(session)


def test_the_socket_is_for_its_owner(session: LiveSession) -> None:
    assert session.place.link_socket.stat().st_mode & 0o777 == 0o600
    assert Path(session.place.root).stat().st_mode & 0o777 == 0o700
