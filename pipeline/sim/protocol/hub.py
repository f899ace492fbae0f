"""Market streams: who listens to what, and the small talk of subscribing (VENUES 1.2).

As on the venue, a subscription to a stream that does not exist is accepted and stays silent.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pipeline.sim.protocol.dialect import SPOT, Dialect
from pipeline.sim.protocol.link import Link
from pipeline.sim.protocol.market_faults import MarketFaults

POLICY_VIOLATION = 1_008
_MOST_NAME = 100
_SECOND_NS = 1_000_000_000
_MOST_ID = 36
_INT64 = 1 << 63


class _Request(msgspec.Struct):
    method: str
    params: list[msgspec.Raw] = []
    id: int | str | None = None


class MarketSession:
    """One connection to the streams."""

    def __init__(
        self,
        hub: MarketHub,
        link: Link,
        faults: MarketFaults,
        *,
        combined: bool,
        channels: Sequence[str] = (),
        dialect: Dialect = SPOT,
        connection: int = 0,
    ) -> None:
        """Open a connection that listens to nothing yet; its route carries `channels`, all if empty."""
        self.connection = connection
        self._dialect = dialect
        self._hub = hub
        self.link = link
        self._faults = faults
        self._combined = combined
        self._channels = tuple(channels)
        self.streams: dict[str, None] = {}
        self._second = 0
        self._messages = 0

    def subscribe(self, streams: Sequence[str]) -> None:
        """Listen to streams as well."""
        for stream in streams:
            if stream and stream not in self.streams:
                self.streams[stream] = None
                if not self._channels or stream.partition("@")[2].partition("@")[0] in self._channels:
                    self._hub.listen(stream, self)

    def unsubscribe(self, streams: Sequence[str]) -> None:
        """Listen to streams no longer."""
        for stream in streams:
            if stream in self.streams:
                del self.streams[stream]
                self._hub.forget(stream, self)

    def say_goodbye(self, now_ns: int) -> None:
        """Announce that the venue will end this connection soon."""
        event = b'{"e":"serverShutdown","E":%d}' % (now_ns // 1_000_000)
        self.link.send(b'{"stream":"!serverShutdown","data":%s}' % event if self._combined else event)

    def deliver(self, stream: str, raw: bytes, combined: bytes, at_ns: int) -> None:
        """Send a frame of a stream this connection listens to."""
        for frame in self._faults.of(stream, combined if self._combined else raw, at_ns):
            self.link.send(frame)

    def receive(self, frame: bytes, now_ns: int) -> None:
        """Take a message of the client's."""
        if self.counts_too_many(now_ns):
            self.link.close(POLICY_VIOLATION, "Too many requests")
            return
        try:
            request = msgspec.json.decode(frame, type=_Request)
        except msgspec.ValidationError as error:
            self._refuse(2, f"Invalid request: {error}", None)
            return
        except (msgspec.MsgspecError, ValueError, RecursionError):
            self._refuse(3, "Invalid JSON", None)
            return
        if not _is_id(request.id):
            self._refuse(2, "Invalid request: id is an int64, a string of at most 36, or null", None)
            return
        self._answer(request)

    def counts_too_many(self, now_ns: int) -> bool:
        """Count a message or ping of the client's; say whether it was one too many for this second."""
        second = now_ns // _SECOND_NS
        if second != self._second:
            self._second, self._messages = second, 0
        self._messages += 1
        return self._messages > self._dialect.messages_per_second

    def _answer(self, request: _Request) -> None:
        result: object = None
        try:
            match request.method:
                case "SUBSCRIBE":
                    self.subscribe(self._names(request, len(self.streams)))
                case "UNSUBSCRIBE":
                    self.unsubscribe(self._names(request, 0))
                case "LIST_SUBSCRIPTIONS":
                    result = list(self.streams)
                case "GET_PROPERTY":
                    result = self._combined
                case "SET_PROPERTY":
                    self._combined = msgspec.json.decode(request.params[-1], type=bool)
                case _:
                    raise ValueError(f"unknown method {request.method[:40]}")
        except (msgspec.MsgspecError, ValueError, IndexError) as error:
            self._refuse(2, f"Invalid request: {error}", request.id)
            return
        self.link.send(msgspec.json.encode({"result": result, "id": request.id}))

    def _names(self, request: _Request, already: int) -> list[str]:
        names = [msgspec.json.decode(raw, type=str) for raw in request.params]
        if len(names) + already > self._dialect.most_streams or any(len(name) > _MOST_NAME for name in names):
            raise ValueError("too many streams, or a name too long")
        return names

    def _refuse(self, code: int, text: str, request_id: int | str | None) -> None:
        self.link.send(msgspec.json.encode({"code": code, "msg": text, "id": request_id}))


def _is_id(given: int | str | None) -> bool:
    if isinstance(given, int):
        return -_INT64 <= given < _INT64
    return given is None or len(given) <= _MOST_ID


class MarketHub:
    """Passes each frame to the connections that listen to its stream."""

    def __init__(self) -> None:
        self._listeners: dict[str, dict[MarketSession, None]] = {}
        self.sessions: dict[MarketSession, None] = {}

    def open(
        self,
        link: Link,
        faults: MarketFaults,
        path: str,
        streams: Sequence[str],
        *,
        dialect: Dialect = SPOT,
        connection: int = 0,
    ) -> MarketSession:
        """Open a connection by its path: `/ws` and `/ws/NAME` are raw, `/stream` is combined."""
        session = MarketSession(
            self,
            link,
            faults,
            combined=path.rstrip("/").endswith("/stream"),
            channels=dialect.channels_of(path),
            dialect=dialect,
            connection=connection,
        )
        self.sessions[session] = None
        session.subscribe(streams[: dialect.most_streams])
        return session

    def leave(self, session: MarketSession) -> None:
        """Forget a connection that is gone."""
        session.unsubscribe(list(session.streams))
        self.sessions.pop(session, None)

    def listen(self, stream: str, session: MarketSession) -> None:
        """Let a connection listen to a stream."""
        self._listeners.setdefault(stream, {})[session] = None

    def forget(self, stream: str, session: MarketSession) -> None:
        """Let a connection listen to a stream no longer."""
        listeners = self._listeners.get(stream)
        if listeners is not None:
            listeners.pop(session, None)
            if not listeners:
                del self._listeners[stream]

    def wants(self, stream: str) -> bool:
        """Say whether anybody listens to a stream."""
        return stream in self._listeners

    def variants(self, stream: str) -> list[str]:
        """Give the streams somebody listens to that are this one or this one at some speed."""
        return [name for name in self._listeners if name == stream or name.startswith(stream + "@")]

    def publish(self, stream: str, frame: str, at_ns: int) -> None:
        """Send a frame to everybody who listens to its stream."""
        listeners = self._listeners.get(stream)
        if not listeners:
            return
        raw = frame.encode()
        combined = b'{"stream":"' + stream.encode() + b'","data":' + raw + b"}"
        for session in list(listeners):
            session.deliver(stream, raw, combined, at_ns)
