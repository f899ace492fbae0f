"""Any bytes as a capture: read to the end, or refused in one line that names file and line; never a crash."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import zstandard
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.errors import one_line
from pipeline.runtime.capture import CaptureError, capture_length_ns, open_capture, probe
from pipeline.runtime.capture_run import CaptureRun, Progress
from pipeline.runtime.gateway import PaperGateway
from pipeline.runtime.instruments import InstrumentError, load_instruments
from pipeline.sim.paper import PaperVenue
from pipeline.wire.venues import codec_for
from tests.fakes.engines import MS, engine_params
from tests.fakes.runs import Watched
from tests.fakes.sessions import synthetic_lines

LINES = 250
Edit = Callable[[list[bytes]], None]
PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "c.txt": bytes,
    "c.gz": gzip.compress,
    "c.zst": zstandard.ZstdCompressor().compress,
}
HEADS = (b"", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"1680652700423575 ")
UNHURRIED = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@cache
def good_lines() -> tuple[bytes, ...]:
    return tuple(synthetic_lines(LINES))


def outcome(path: Path) -> str:
    """Do what `lobdeck replay` does with a capture, but for the model: "" or the line that refuses it."""
    refused = ""
    try:
        capture_length_ns([path])
        info = probe([path])
        drive(path, info.venue, info.symbols)
    except CaptureError as problem:
        refused = str(problem)
    except InstrumentError as problem:
        return one_line(problem)
    assert not refused or re.fullmatch(rf"{re.escape(str(path))}: line \d+: expected .+", refused)
    return refused


def drive(path: Path, venue: str, symbols: tuple[str, ...]) -> None:
    instruments = load_instruments(venue, symbols)
    run = CaptureRun(
        engine=Watched(engine_params(instruments=instruments)),
        codec=codec_for(venue, {each.symbol: each for each in instruments}),
        frames=open_capture([path]),
        gateway=PaperGateway(
            PaperVenue(instruments, ack_latency_ns=12 * MS, cancel_latency_ns=12 * MS), None
        ),
        pool=None,
        journal=None,
        inference_latency_ns=2 * MS,
        sources=symbols,
    )
    while run.advance(None, 60.0) is not Progress.ENDED:
        pass


def place() -> st.SearchStrategy[int]:
    return st.integers(0, LINES - 1)


def restamped() -> st.SearchStrategy[Edit]:
    def make(at: int, stamp: int) -> Edit:
        def edit(lines: list[bytes]) -> None:
            lines[at] = b"%d " % stamp + lines[at].partition(b" ")[2]

        return edit

    edges = st.sampled_from([0, -1, 10**14, 10**17 - 1, 10**17, 2**63 - 1, 2**63, 2**64, 10**30])
    return st.builds(make, place(), edges | st.integers(0, 2**65))


def overwritten() -> st.SearchStrategy[Edit]:
    def make(at: int, start: int, dropped: int, added: bytes) -> Edit:
        def edit(lines: list[bytes]) -> None:
            line = lines[at]
            lines[at] = line[:start] + added + line[start + dropped :]

        return edit

    pieces = st.binary(max_size=20) | st.sampled_from([b"\n", b"\r\n", b"\0", b"[" * 5_000, b"9" * 400, b"-"])
    return st.builds(make, place(), st.integers(0, 300), st.integers(0, 40), pieces)


def reordered() -> st.SearchStrategy[Edit]:
    def make(first: int, second: int) -> Edit:
        def edit(lines: list[bytes]) -> None:
            lines[first], lines[second] = lines[second], lines[first]

        return edit

    return st.builds(make, place(), place())


def stamp_of(at: int, stamp: int) -> list[Edit]:
    def edit(lines: list[bytes]) -> None:
        lines[at] = b"%d " % stamp + lines[at].partition(b" ")[2]

    return [edit]


@UNHURRIED
@given(st.lists(restamped() | overwritten() | reordered(), max_size=6), st.sampled_from(sorted(PACKINGS)))
@example(stamp_of(100, 2**63 - 1), "c.txt")
@example(stamp_of(0, 2**63 - 1), "c.gz")
def test_any_damage_to_a_good_capture_is_counted_or_refused(
    tmp_path: Path, edits: list[Edit], name: str
) -> None:
    lines = list(good_lines())
    for edit in edits:
        edit(lines)
    path = tmp_path / name
    path.write_bytes(PACKINGS[name](b"\n".join(lines) + b"\n"))
    refused = outcome(path)
    assert edits or not refused


@UNHURRIED
@given(
    st.sampled_from(sorted(PACKINGS)), st.integers(0, 10_000), st.binary(max_size=8), st.integers(0, 10_000)
)
def test_any_damage_to_a_packed_capture_is_counted_or_refused(
    tmp_path: Path, name: str, start: int, added: bytes, dropped: int
) -> None:
    packed = PACKINGS[name](b"\n".join(good_lines()) + b"\n")
    path = tmp_path / name
    path.write_bytes(packed[:start] + added + packed[start + dropped :])
    outcome(path)


@UNHURRIED
@given(
    st.binary(max_size=400), st.sampled_from([b"", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"1680652700423575 "])
)
def test_any_bytes_are_refused(tmp_path: Path, content: bytes, head: bytes) -> None:
    path = tmp_path / "any"
    path.write_bytes(head + content)
    assert outcome(path)
