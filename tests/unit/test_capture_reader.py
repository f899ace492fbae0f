"""Stamped lines, packed or not, and what is said of files that are none."""

import gzip
import os
import random
import tracemalloc
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
import zstandard

from pipeline.runtime.capture import (
    CapturedFrame,
    CaptureError,
    CaptureInfo,
    capture_length_ns,
    is_journal,
    open_capture,
    probe,
)
from pipeline.runtime.packed_lines import CUT_LINE_BYTES, MAX_LINE_BYTES
from pipeline.wire.codec import MAX_FRAME_BYTES
from tests.fakes.market_builders import compact, depth_message, enveloped, ticker_message

PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "a": bytes,
    "a.gz": gzip.compress,
    "a.zst": zstandard.ZstdCompressor().compress,
}
T_US = 1_680_652_700_423_575
T_NS = 1_723_161_253_937_085_768
FRAME = b'{"e":"x"}'
SPOT_TICKER = enveloped(ticker_message(7, (100, 5), (101, 6)), "btcusdt@bookTicker")
SNAPSHOT = compact({"lastUpdateId": 1, "bids": [], "asks": []})


def lines(*stamps: int, frame: bytes = FRAME) -> bytes:
    return b"".join(b"%d %s\n" % (stamp, frame) for stamp in stamps)


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def times(*paths: Path) -> list[int]:
    return [frame.ts_recv_ns for frame in open_capture(paths)]


def error(*paths: Path) -> str:
    with pytest.raises(CaptureError) as caught:
        list(open_capture(paths))
    message = str(caught.value)
    assert "\n" not in message
    return message


# --- what is read -----------------------------------------------------------------------------------------


def test_line_is_stamp_and_frame(tmp_path: Path) -> None:
    path = written(tmp_path / "a", b'%d {"a": [1, 2]}\n' % T_NS)
    assert list(open_capture([path])) == [CapturedFrame(T_NS, b'{"a": [1, 2]}', 1, str(path))]


def test_microseconds_and_nanoseconds_are_told_by_magnitude(tmp_path: Path) -> None:
    assert times(written(tmp_path / "a", lines(T_US, T_US + 1))) == [T_US * 1_000, (T_US + 1) * 1_000]
    assert times(written(tmp_path / "b", lines(T_NS, T_NS + 1))) == [T_NS, T_NS + 1]


def test_packed_files_read_like_plain_ones(tmp_path: Path) -> None:
    content = lines(*range(T_NS, T_NS + 20_000))
    plain = written(tmp_path / "a", content)
    gz = written(tmp_path / "a.gz", gzip.compress(content[:500_000]) + gzip.compress(content[500_000:]))
    pack = zstandard.ZstdCompressor().compress
    zst = written(tmp_path / "a.zst", pack(content[:300_001]) + pack(content[300_001:]))
    unnamed = written(tmp_path / "b", gzip.compress(content))
    wanted = list(range(T_NS, T_NS + 20_000))
    for path in (plain, gz, zst, unnamed):
        frames = list(open_capture([path]))
        assert [frame.ts_recv_ns for frame in frames] == wanted
        assert [frame.line for frame in frames] == list(range(1, 20_001))


def test_several_files_are_one_stream(tmp_path: Path) -> None:
    first = written(tmp_path / "a", lines(T_NS, T_NS + 5))
    second = written(tmp_path / "b.gz", gzip.compress(lines(T_NS + 9)))
    frames = list(open_capture([first, second]))
    assert [(f.ts_recv_ns - T_NS, f.line, Path(f.path).name) for f in frames] == [
        (0, 1, "a"),
        (5, 2, "a"),
        (9, 1, "b.gz"),
    ]


def test_time_never_runs_backwards_and_repairs_are_counted(tmp_path: Path) -> None:
    reader = open_capture([written(tmp_path / "a", lines(T_NS + 5, T_NS, T_NS + 5, T_NS + 6, T_NS + 1))])
    assert [frame.ts_recv_ns - T_NS for frame in reader] == [5, 5, 5, 6, 6]
    assert reader.repaired_times == 2


def test_blank_lines_are_passed_over_but_counted(tmp_path: Path) -> None:
    path = written(tmp_path / "a", b"\n" + lines(T_NS) + b"  \n" + lines(T_NS + 1).rstrip(b"\n"))
    assert [frame.line for frame in open_capture([path])] == [2, 4]


def test_frame_is_not_judged_here(tmp_path: Path) -> None:
    path = written(tmp_path / "a", b"%d \xff\x00{]\n" % T_NS)
    assert next(open_capture([path])).payload == b"\xff\x00{]"


def test_frame_longer_than_a_chunk_is_whole(tmp_path: Path) -> None:
    frame = b'{"x":"' + b"y" * 3_000_000 + b'"}'
    path = written(tmp_path / "a.gz", gzip.compress(lines(T_NS, T_NS + 1, frame=frame)))
    assert [f.payload for f in open_capture([path])] == [frame, frame]


def too_long(byte: bytes) -> bytes:
    """Give a frame three MiB over the limit; `byte` stands in its last part."""
    return b"{" + b"x" * (MAX_LINE_BYTES + 3_000_000) + byte + b"}"


@pytest.mark.parametrize("name", ["a", "a.gz", "a.zst"])
def test_line_over_the_limit_is_cut_and_the_rest_is_digested(tmp_path: Path, name: str) -> None:
    pack = PACKINGS[name]
    bodies = [b"%d " % T_NS + too_long(byte) for byte in (b"y", b"z")]
    frames = list(open_capture([written(tmp_path / name, pack(b"\n".join([*bodies, lines(T_NS)])))]))
    assert [frame.line for frame in frames] == [1, 2, 3]
    digests = [sha256(body[CUT_LINE_BYTES:]).hexdigest().encode() for body in bodies]
    stamp_bytes = len(b"%d " % T_NS)
    for frame, body, digest in zip(frames, bodies, digests, strict=False):
        assert frame.payload == body[stamp_bytes:CUT_LINE_BYTES] + digest
    assert MAX_FRAME_BYTES < len(frames[0].payload) < MAX_LINE_BYTES
    assert frames[2].payload == FRAME


def test_endless_line_needs_no_more_memory_than_the_limit(tmp_path: Path) -> None:
    packer = zstandard.ZstdCompressor().compressobj()
    with (tmp_path / "a.zst").open("wb") as file:
        file.write(packer.compress(b"%d " % T_NS))
        for _ in range(40):
            file.write(packer.compress(b"x" * 10_000_000))
        file.write(packer.flush())
    tracemalloc.start()
    try:
        assert len(list(open_capture([tmp_path / "a.zst"]))) == 1
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < 8 * MAX_LINE_BYTES


def test_reader_streams(tmp_path: Path) -> None:
    path = written(tmp_path / "a", lines(*range(T_NS, T_NS + 50_000)) + b"no stamp\n")
    reader = open_capture([path])
    assert next(reader).line == 1
    assert next(iter(reader)).line == 2


# --- what is no capture -----------------------------------------------------------------------------------


def test_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "none"
    assert str(path) in error(path)
    assert "No such file" in error(path)


def test_directory(tmp_path: Path) -> None:
    assert "found a directory" in error(tmp_path)


def test_empty_file_plain_and_packed(tmp_path: Path) -> None:
    assert "line 1: expected stamped lines" in error(written(tmp_path / "a", b""))
    assert "found no frame" in error(written(tmp_path / "a.gz", gzip.compress(b"")))
    assert "found no frame" in error(written(tmp_path / "b", b"\n\n"))


def test_no_path_at_all() -> None:
    assert "no capture file given" in error()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file(tmp_path: Path) -> None:
    path = written(tmp_path / "a", lines(T_NS))
    path.chmod(0)
    assert "Permission denied" in error(path)


@pytest.mark.parametrize("name", ["a.gz", "a.zst"])
def test_truncated_packed_file_names_the_line_it_ends_at(tmp_path: Path, name: str) -> None:
    content = lines(*range(T_NS, T_NS + 20_000))
    packed = gzip.compress(content) if name == "a.gz" else zstandard.ZstdCompressor().compress(content)
    path = written(tmp_path / name, packed[: len(packed) * 2 // 3])
    message = error(path)
    assert message.startswith(f"{path}: line ")
    assert "truncated" in message
    reader = open_capture([path])
    seen: list[int] = []
    with pytest.raises(CaptureError):
        seen.extend(frame.line for frame in reader)
    assert f"line {seen[-1] + 1}:" in message


def test_damaged_gzip(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(lines(*range(T_NS, T_NS + 20_000))))
    packed[len(packed) // 2] ^= 0xFF
    message = error(written(tmp_path / "a.gz", bytes(packed)))
    assert "damage" in message or "expected stamped lines" in message


@pytest.mark.parametrize("name", ["a", "a.gz", "a.zst", "a.jsonl"])
def test_random_bytes(tmp_path: Path, name: str) -> None:
    content = random.Random(name).randbytes(200_000)
    message = error(written(tmp_path / name, content))
    assert message.startswith(f"{tmp_path / name}: line 1: expected ")


def test_name_that_promises_a_packing(tmp_path: Path) -> None:
    assert "expected gzip data, as the name says" in error(written(tmp_path / "a.gz", lines(T_NS)))


@pytest.mark.parametrize("stamp", [2**63 - 1, 2**63 - 10**10, 7_258_118_400 * 10**9, 10**17 - 1])
def test_a_stamp_centuries_away_is_no_stamp(tmp_path: Path, stamp: int) -> None:
    path = written(tmp_path / "a", lines(T_NS, stamp, T_NS))
    assert error(path).startswith(f"{path}: line 2: expected stamped lines")


@pytest.mark.parametrize("years", [-2, 2])
def test_a_stamp_years_from_the_line_before_would_hold_the_rest(tmp_path: Path, years: int) -> None:
    stamp = T_NS + years * 366 * 86_400 * 10**9
    path = written(tmp_path / "a", lines(T_NS, stamp, T_NS))
    wanted = f"{path}: line 2: expected a time within a year of the line before it, found {stamp}"
    assert error(path) == wanted


def test_files_of_different_years_may_be_joined_in_order(tmp_path: Path) -> None:
    late_ns = T_NS + 2 * 366 * 86_400 * 10**9
    first, second = written(tmp_path / "a", lines(T_NS)), written(tmp_path / "b", lines(late_ns))
    assert times(first, second) == [T_NS, late_ns]
    assert error(second, first).startswith(f"{first}: line 1: expected a time within a year")


@pytest.mark.parametrize(
    "line",
    [
        b'{"t":"recv","ts":1.5,"data":"{}"}',
        b"1680652700 {}",
        b"1680652700423 {}",
        b"99999999999999999999 {}",
        b"-1723161253937085768 {}",
        b"17231612539370857\xd9\xa1 {}",
        b"1723161253937085768",
        b"hello world",
    ],
)
def test_line_without_a_time_we_know(tmp_path: Path, line: bytes) -> None:
    path = written(tmp_path / "a", lines(T_NS, T_NS) + line + b"\n" + lines(T_NS))
    assert error(path).startswith(f"{path}: line 3: expected stamped lines")


def test_journal_of_ours_is_told_apart(tmp_path: Path) -> None:
    journal = written(tmp_path / "a", b"LOBDECKJ" + bytes(100))
    packed = written(tmp_path / "b.zst", zstandard.ZstdCompressor().compress(b"LOBDECKJ" + bytes(100)))
    assert is_journal(journal)
    assert is_journal(packed)
    assert not is_journal(written(tmp_path / "c", lines(T_NS)))
    assert not is_journal(tmp_path / "none")
    assert "found a lobdeck journal" in error(journal)


# --- probing ----------------------------------------------------------------------------------------------


def test_probe_finds_venue_symbols_and_start(tmp_path: Path) -> None:
    other = enveloped(depth_message(1, 2, [], []) | {"s": "ETHUSDT"}, "ethusdt@depth")
    content = (
        b"%d %s\n" % (T_NS, SNAPSHOT) + lines(T_NS + 1, frame=other) + lines(T_NS + 2, frame=SPOT_TICKER)
    )
    path = written(tmp_path / "a", content)
    assert probe([path]) == CaptureInfo("binance", ("ETHUSDT", "BTCUSDT"), T_NS)
    assert probe([path], "binance").venue == "binance"


def test_probe_refuses_another_venue(tmp_path: Path) -> None:
    path = written(tmp_path / "a", lines(T_NS, frame=SPOT_TICKER))
    with pytest.raises(CaptureError, match="line 1: expected frames of binance-usdm, found binance$"):
        probe([path], "binance-usdm")
    unknown = written(tmp_path / "b", lines(T_NS, frame=b'{"channel":"l2Book","data":{}}'))
    with pytest.raises(
        CaptureError, match="expected frames of binance, binance-usdm, .* or bybit-spot, found no"
    ):
        probe([unknown])


def test_length_is_known_of_plain_and_packed_files(tmp_path: Path) -> None:
    plain = written(tmp_path / "a", lines(T_NS, T_NS + 500) + b"\n")
    micro = written(tmp_path / "b", lines(T_US, T_US + 7))
    packed = written(tmp_path / "c.gz", gzip.compress(lines(T_NS)))
    assert capture_length_ns([plain]) == 500
    assert capture_length_ns([micro]) == 7_000
    assert capture_length_ns([packed, plain]) == 500
    assert capture_length_ns([plain, packed]) == 0
    assert capture_length_ns([tmp_path / "none"]) is None
    assert capture_length_ns([written(tmp_path / "d", b"garbage\n")]) is None
