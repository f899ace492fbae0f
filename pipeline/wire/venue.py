"""What one venue is to the rest of the program: its codec, its kind of market, where its data are.

Everything here is text and pure functions; `runtime/feed*.py` opens the connections.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pipeline.core.types import Instrument
from pipeline.wire.codec import Codec


class ChannelKind(enum.Enum):
    """What a channel carries."""

    DEPTH = enum.auto()
    TICKER = enum.auto()
    TRADES = enum.auto()


@dataclass(frozen=True, slots=True)
class RouteForm:
    """One path of a venue's stream server and the channels it carries.

    In a channel's name `{symbol}` stands for the symbol and `{lower}` for the same in lower case.
    """

    name: str
    path: str
    channels: tuple[tuple[ChannelKind, str], ...]


class Requests(Protocol):
    """What is sent to a venue whose channels are subscribed by message; every message is a text frame."""

    def subscribe(self, channels: Sequence[str]) -> tuple[bytes, ...]:
        """Give the messages that subscribe to channels."""
        ...

    def renew(self, channel: str) -> tuple[bytes, ...]:
        """Give the messages after which a channel begins with its whole book again."""
        ...

    def heartbeat(self) -> bytes:
        """Give what has to be said every `heartbeat_s`."""
        ...


@dataclass(frozen=True, slots=True)
class VenueFeed:
    """A venue's public endpoints and limits."""

    stream_url: str
    rest_url: str
    routes: tuple[RouteForm, ...]
    most_channels: int
    """Of one connection."""
    channel_key: bytes = b'"stream":"'
    """What stands before the channel's name in a message."""
    requests: Requests | None = None
    """None where channels are named in the URL."""
    heartbeat_s: float = 0.0
    """0 where the venue asks and the protocol answers."""
    depth_path: str = ""
    """Of whole books by request; empty where they come in the stream."""
    depth_weights: tuple[tuple[int, int], ...] = ()
    """(levels at most, request weight), rising."""
    weight_per_minute: int = 0
    bridged: bool = True
    """Connections are cut once a day, and two at the same time deliver events of the same ids."""


@dataclass(frozen=True, slots=True)
class Traces:
    """What a frame tells of where it came from."""

    venues: tuple[str, ...]
    """Every venue that could have sent it."""
    symbol: str
    """Empty where it names none."""


class CodecMaker(Protocol):
    """A codec's class."""

    def __call__(
        self, instruments: Mapping[str, Instrument], *, max_frame_bytes: int, time_unit_ns: int
    ) -> Codec:
        """Make a codec for these instruments, by symbol."""
        ...


@dataclass(frozen=True, slots=True)
class Venue:
    """One product of one exchange."""

    name: str
    market: str
    """Kind of market, as model manifests name it."""
    cadence: str
    """Channels the features are computed from and their pace, as model manifests name them."""
    codec: CodecMaker
    feed: VenueFeed
    traces: Callable[[bytes], Traces | None]
    """Tells what a frame shows of its origin; None for a frame of another exchange. Never raises."""
