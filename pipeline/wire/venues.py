"""The register of venues: which there are, and which of them a frame or an address belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pipeline.core.types import Instrument
from pipeline.wire import binance_venues, bybit_venues
from pipeline.wire.codec import MAX_FRAME_BYTES, MS_NS, Codec
from pipeline.wire.venue import Traces, Venue

REGISTER: Final[Mapping[str, Venue]] = MappingProxyType(
    {
        venue.name: venue
        for venue in (binance_venues.SPOT, binance_venues.USDM, bybit_venues.LINEAR, bybit_venues.SPOT)
    }
)
"""Every venue by name; a new one is entered here."""

VENUES = tuple(REGISTER)
"""The venues market data can be read of."""

_TRACES = tuple(dict.fromkeys(venue.traces for venue in REGISTER.values()))


def codec_for(
    venue: str,
    instruments: Mapping[str, Instrument],
    *,
    max_frame_bytes: int = MAX_FRAME_BYTES,
    time_unit_ns: int = MS_NS,
) -> Codec:
    """Give a codec for a venue's frames of these instruments, by symbol.

    Raises:
        ValueError: a venue without codec; the message names the known ones.
    """
    known = REGISTER.get(venue)
    if known is None:
        raise ValueError(f"venue {venue!r} has no codec; known: {', '.join(VENUES)}")
    return known.codec(instruments, max_frame_bytes=max_frame_bytes, time_unit_ns=time_unit_ns)


def traces_of(frame: bytes) -> Traces | None:
    """Give what a frame tells of its venue and symbol; None where it tells nothing. Never raises."""
    for traces in _TRACES:
        found = traces(frame)
        if found is not None:
            return found
    return None


def venue_at(address: str) -> str:
    """Give the venue whose public streams are at an address; "" for an address of none."""
    for venue in REGISTER.values():
        if any(_is_under(address, venue.feed.stream_url + route.path) for route in venue.feed.routes):
            return venue.name
    return ""


def _is_under(address: str, path: str) -> bool:
    return address == path or address.startswith((path + "?", path + "/"))
