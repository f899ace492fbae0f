"""Frames that cannot be believed, inside a good capture: refused and counted, and the engine goes on."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.types import BookState
from pipeline.runtime.capture import open_capture
from pipeline.runtime.capture_run import CaptureRun, Progress
from pipeline.runtime.gateway import PaperGateway
from pipeline.runtime.instruments import load_instruments
from pipeline.runtime.journal import JournalHeader, JournalWriter, RecordKind
from pipeline.runtime.packed_lines import MAX_LINE_BYTES
from pipeline.sim.paper import PaperVenue
from pipeline.wire.codec import MAX_FRAME_BYTES
from pipeline.wire.venues import codec_for
from tests.fakes.engines import MS, engine_params
from tests.fakes.runs import Watched
from tests.fakes.sessions import replayed, run_lobdeck, synthetic_lines, write_capture

LINES = 1_500
AT = 700
"""Line the garbage is put at; the book is long ok there."""


def run_over(path: Path, lines: list[bytes]) -> Watched:
    """Drive an engine without a model over stamped lines."""
    instruments = load_instruments("binance", ("BTCUSDT",))
    engine = Watched(engine_params(instruments=instruments, model=None))
    venue = PaperVenue(instruments, ack_latency_ns=12 * MS, cancel_latency_ns=12 * MS)
    run = CaptureRun(
        engine=engine,
        codec=codec_for("binance", {"BTCUSDT": instruments[0]}),
        frames=open_capture([write_capture(path, lines)]),
        gateway=PaperGateway(venue, None),
        pool=None,
        journal=None,
        inference_latency_ns=2 * MS,
        sources=("BTCUSDT",),
    )
    while run.advance(None, 10.0) is not Progress.ENDED:
        pass
    assert run.frames_done == len(lines)
    return engine


@cache
def good_lines() -> tuple[bytes, ...]:
    return tuple(synthetic_lines(LINES))


def is_depth(line: bytes) -> bool:
    return b'"depthUpdate"' in line


def first_depth() -> int:
    return next(number for number in range(AT, LINES) if is_depth(good_lines()[number]))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return run_over(tmp_path_factory.mktemp("good") / "good.txt", list(good_lines())).counts()


GARBAGE = {
    "not JSON": b"certainly {not json",
    "nothing but a stamp": b"{}",
    "cut": b'{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","s":"BTCUSDT","U":1,"u"',
    "a number": b"17",
    "a list": b"[1,2,3]",
    "null": b"null",
    "binary": bytes(range(11, 256)),
    "nested 10,000 deep": b'{"data":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "objects nested 10,000 deep": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "over the size limit": b'{"stream":"' + b"x" * MAX_FRAME_BYTES + b'"}',
    "over the limit of a line": b'{"stream":"' + b"x" * (MAX_LINE_BYTES + 100) + b'"}',
    "a surrogate alone": b'{"stream":"\\ud800","data":{"e":"depthUpdate","s":"BTCUSDT"}}',
}


@pytest.mark.parametrize("what", GARBAGE)
def test_garbage_is_refused_and_nothing_else_changes(
    tmp_path: Path, undisturbed: dict[str, Any], what: str
) -> None:
    lines = list(good_lines())
    stamp = lines[AT].partition(b" ")[0]
    lines.insert(AT, stamp + b" " + GARBAGE[what])
    counts = run_over(tmp_path / "garbled.txt", lines).counts()
    assert counts["wire_errors"] + counts["ignored"] == 1 + undisturbed["ignored"]
    assert counts["wire_errors"] == 1 or what in ("nothing but a stamp", "a surrogate alone")
    kept = ("updates", "trades", "gaps", "resyncs", "crossed", "bookticker")
    assert {name: counts[name] for name in kept} == {name: undisturbed[name] for name in kept}


def bent(old: str, new: str) -> Callable[[bytes], bytes]:
    def bend(line: bytes) -> bytes:
        start = line.index(old.encode()) + len(old)
        end = line.index(b'"', start)
        return line[:start] + new.encode() + line[end:]

    return bend


NUMBERS = {
    "NaN": "NaN",
    "Infinity": "Infinity",
    "negative": "-61000.00",
    "absurd": "9" * 40,
    "an exponent": "1e5",
    "an underscore": "61_000.00",
    "Arabic digits": "٦١٠٠٠",
    "off the tick": "61000.001",
    "zero": "0.00",
    "empty": "",
}


@pytest.mark.parametrize("what", NUMBERS)
def test_a_number_that_cannot_be_loses_its_update_and_shows_one_gap(
    tmp_path: Path, undisturbed: dict[str, Any], what: str
) -> None:
    lines = list(good_lines())
    number = first_depth()
    side = '"b":[["' if b'"b":[["' in lines[number] else '"a":[["'
    lines[number] = bent(side, NUMBERS[what])(lines[number])
    engine = run_over(tmp_path / "number.txt", lines)
    counts = engine.counts()
    assert counts["wire_errors"] == 1
    assert counts["gaps"] == 1
    assert counts["updates"] < undisturbed["updates"]
    book = engine.synced_book("BTCUSDT")
    assert book is not None
    # The capture has one snapshot, near its start: the book stays unbelieved, and says so.
    assert book.state is BookState.GAP


def test_a_number_of_the_wrong_type_is_refused(tmp_path: Path) -> None:
    lines = list(good_lines())
    number = first_depth()
    lines[number] = lines[number].replace(b'"u":', b'"u":"x', 1).replace(b',"b":', b'","b":', 1)
    counts = run_over(tmp_path / "type.txt", lines).counts()
    assert (counts["wire_errors"], counts["gaps"]) == (1, 1)


def test_one_depth_line_removed_is_one_gap(tmp_path: Path) -> None:
    lines = list(good_lines())
    del lines[first_depth()]
    counts = run_over(tmp_path / "removed.txt", lines).counts()
    assert (counts["gaps"], counts["wire_errors"]) == (1, 0)


def test_one_level_corrupted_is_seen_by_the_tickers(tmp_path: Path, undisturbed: dict[str, Any]) -> None:
    assert undisturbed["bookticker"]["equal"] == undisturbed["bookticker"]["shared"] > 0
    lines = list(good_lines())
    for number in range(AT, LINES):
        if is_depth(lines[number]) and b'"b":[["' in lines[number]:
            # A size at the best bid that the venue never printed stays in the book until it is set again.
            lines[number] = corrupted_best(lines[number])
    counts = run_over(tmp_path / "level.txt", lines).counts()
    assert counts["wire_errors"] == 0
    assert counts["bookticker"]["equal"] < counts["bookticker"]["shared"]


def corrupted_best(line: bytes) -> bytes:
    """Change the size of the first bid of a depth update."""
    start = line.index(b'"b":[["') + len(b'"b":[["')
    size = line.index(b'","', start) + 3
    digit = line[size : size + 1]
    return line[:size] + (b"8" if digit != b"8" else b"7") + line[size + 1 :]


@pytest.mark.parametrize(("limit_bytes", "refused"), [(MAX_FRAME_BYTES, 1), (2 * MAX_FRAME_BYTES, 0)])
def test_a_journal_is_replayed_with_the_limit_its_frames_were_read_with(
    tmp_path: Path, limit_bytes: int, refused: int
) -> None:
    """Live data may be configured to bring larger frames than a capture's."""
    journal = tmp_path / "journal"
    journal.mkdir(mode=0o700)
    params = engine_params(instruments=load_instruments("binance", ("BTCUSDT",)), model=None)
    header = JournalHeader("one", "0.1.0", 1, params, codecs=("binance",), max_frame_bytes=limit_bytes)
    writer = JournalWriter.create(journal, header)
    writer.append(RecordKind.FRAME, 10**18, b'{"result":null,"id":1,"x":"' + b"x" * MAX_FRAME_BYTES + b'"}')
    writer.close()
    (tmp_path / "home").mkdir()
    counts = replayed(tmp_path / "home", str(journal))
    assert (counts["frames"], counts["wire_errors"], counts["ignored"]) == (1, refused, 1 - refused)


def test_a_stamp_at_the_end_of_time_ends_the_command_in_one_line(tmp_path: Path) -> None:
    lines = list(good_lines())
    lines[AT] = b"%d " % (2**63 - 1) + lines[AT].partition(b" ")[2]
    path = write_capture(tmp_path / "late.txt", lines)
    done = run_lobdeck(tmp_path / "home", "replay", str(path), "--headless", "--speed", "max")
    assert done.returncode == 2
    assert done.stderr.startswith(f"lobdeck: {path}: line {AT + 1}: expected stamped lines")
    assert done.stderr.count("\n") == 1
