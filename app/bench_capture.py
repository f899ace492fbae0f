"""The frames `bench` measures on: captures the user names, the real ones where they are, else the shipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from app.bench_tools import BenchError
from app.replay_command import sample_capture
from app.shadow import ROOT
from pipeline.core.types import Instrument
from pipeline.runtime.capture import open_capture, probe
from pipeline.runtime.instruments import load_instruments

_REAL = ROOT.parent / "shared" / "data" / "hftbacktest"
REAL_CAPTURES = (_REAL / "spot_btcusdt_20240808.gz", _REAL / "spot_btcusdt_20240809.gz")
VENUE = "binance"
SYNTHETIC = "shipped synthetic capture"


class _Id(msgspec.Struct):
    u: int


class _Envelope(msgspec.Struct):
    data: _Id


class _SnapshotId(msgspec.Struct):
    lastUpdateId: int


@dataclass(frozen=True, slots=True)
class DepthFrames:
    """What a depth book is built from: one REST snapshot, and the depth frames that reach past it."""

    instrument: Instrument
    snapshot: bytes
    frames: list[bytes]


def choose_captures(given: Sequence[Path]) -> tuple[tuple[Path, ...], str]:
    """Give the captures to measure on, and what they are.

    Raises:
        CaptureError: what was given is no capture of Binance spot.
    """
    if [path.resolve() for path in given] == [sample_capture().resolve()]:
        return (sample_capture(),), SYNTHETIC
    if given:
        probe(given, VENUE)
        return tuple(given), ", ".join(path.name for path in given)
    if all(path.exists() for path in REAL_CAPTURES):
        return REAL_CAPTURES, "real spot capture"
    return (sample_capture(),), SYNTHETIC


def depth_frames(captures: Sequence[Path]) -> DepthFrames:
    """Read snapshot and depth frames of a capture of one symbol.

    Raises:
        BenchError: there is no snapshot, or no depth frame after it.
    """
    info = probe(captures, VENUE)
    (instrument,) = load_instruments(info.venue, info.symbols[:1])
    payloads = [frame.payload for frame in open_capture(captures)]
    snapshot = next((one for one in payloads if one.startswith(b'{"lastUpdateId"')), None)
    if snapshot is None:
        raise BenchError(f"{captures[0].name} holds no snapshot of the book")
    last_id = msgspec.json.decode(snapshot, type=_SnapshotId).lastUpdateId
    newest_id = msgspec.json.Decoder(_Envelope).decode
    depth = [one for one in payloads if b'"depthUpdate"' in one[:100]]
    frames = [one for one in depth if newest_id(one).data.u > last_id]
    if not frames:
        raise BenchError(f"{captures[0].name} holds no depth update after its snapshot")
    return DepthFrames(instrument, snapshot, frames)
