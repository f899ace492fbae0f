"""cryptofeed's raw files: connections, venues, order of time, and what is said of lines that are none."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import zstandard

from pipeline.runtime.capture import (
    CapturedFrame,
    CaptureError,
    CaptureInfo,
    capture_length_ns,
    open_capture,
    probe,
)
from tests.fakes.bybit_market import book_frame, trade_frame

LINEAR = "wss://stream.bybit.com/v5/public/linear"
SPOT = "wss://stream.bybit.com/v5/public/spot"
HEADER = {"t": "header", "format": 2, "exchange": "BYBIT", "config": {"ticker": ["BTC-USDT"]}}
HTTP = {
    "t": "http",
    "conn": "h.1",
    "ts": 1786310817.6,
    "url": "https://api.bybit.com/x",
    "data": '{"retCode":0}',
}
BOOK = book_frame(1, kind="snapshot")
START_NS = 1_786_310_819_000_000_000


def connect(conn: str, addr: str, at: float = 1.0) -> dict[str, Any]:
    return {"t": "connect", "conn": conn, "ts": 1786310818 + at, "addr": addr}


def recv(conn: str, at: str, frame: bytes = BOOK) -> str:
    return f'{{"t":"recv","conn":"{conn}","ts":1786310819.{at},"data":{json.dumps(frame.decode())}}}'


def written(path: Path, *lines: dict[str, Any] | str) -> Path:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(texts) + "\n")
    return path


def read(path: Path, venue: str = "") -> list[tuple[int, int]]:
    return [(frame.ts_recv_ns - START_NS, frame.line) for frame in open_capture([path], venue)]


def error(path: Path, venue: str = "") -> str:
    with pytest.raises(CaptureError) as caught:
        list(open_capture([path], venue))
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path}: line ")
    return message.removeprefix(f"{path}: ")


# --- what is read -----------------------------------------------------------------------------------------


def test_only_what_was_received_is_played_back_verbatim_and_with_exact_times(tmp_path: Path) -> None:
    send = {"t": "send", "conn": "ws.2", "ts": 1786310818.9, "addr": LINEAR, "data": '{"op":"subscribe"}'}
    odd = b'{"topic" : "orderbook.200.BTCUSDT", "x":"\xc3\xa9\\u0041"}'
    lines = HEADER, HTTP, connect("ws.2", LINEAR), send, recv("ws.2", "5264041", odd), "", recv("ws.2", "6")
    path = written(tmp_path / "a.jsonl", *lines)
    assert list(open_capture([path])) == [
        CapturedFrame(START_NS + 526_404_100, odd, 5, str(path)),
        CapturedFrame(START_NS + 600_000_000, BOOK, 7, str(path)),
    ]


def test_packed_files_read_alike_and_are_told_by_content(tmp_path: Path) -> None:
    plain = written(tmp_path / "a", HEADER, connect("ws.2", LINEAR), recv("ws.2", "5"), recv("ws.2", "6"))
    content = plain.read_bytes()
    (tmp_path / "b").write_bytes(gzip.compress(content))
    (tmp_path / "c").write_bytes(zstandard.ZstdCompressor().compress(content))
    for name in "abc":
        assert read(tmp_path / name) == [(500_000_000, 3), (600_000_000, 4)]


def test_connections_of_a_venue_are_merged_by_time(tmp_path: Path) -> None:
    blocks: tuple[dict[str, Any] | str, ...] = (
        connect("ws.2", LINEAR),
        *(recv("ws.2", at) for at in ("1", "4", "5")),
        connect("ws.3", LINEAR + "?x=1"),
        *(recv("ws.3", at) for at in ("0", "4", "6")),
    )
    path = written(tmp_path / "a.jsonl", HEADER, *blocks)
    assert [ns // 100_000_000 for ns, _ in read(path)] == [0, 1, 4, 4, 5, 6]
    assert open_capture([path]).repaired_times == 0


def two_venues(path: Path) -> Path:
    linear, spot = trade_frame([("1", "Buy")]), trade_frame([("1", "Buy")], linear=False)
    return written(
        path,
        *(HEADER, connect("ws.2", LINEAR), recv("ws.2", "1"), recv("ws.2", "9", linear)),
        *(connect("ws.3", SPOT), recv("ws.3", "2", spot)),
    )


def test_the_frames_of_one_venue_are_read_the_first_unless_another_is_named(tmp_path: Path) -> None:
    path = two_venues(tmp_path / "a.jsonl")
    assert read(path) == read(path, "bybit-linear") == [(100_000_000, 3), (900_000_000, 4)]
    assert read(path, "bybit-spot") == [(200_000_000, 6)]
    assert probe([path]) == CaptureInfo("bybit-linear", ("BTCUSDT",), START_NS + 100_000_000, ("bybit-spot",))
    assert probe([path], "bybit-spot").others == ("bybit-linear",)


def test_a_connection_without_address_is_told_by_its_first_frame_of_one_venue(tmp_path: Path) -> None:
    spot = trade_frame([("1", "Buy")], linear=False)
    lines = recv("ws.9", "1"), recv("ws.9", "2", spot), recv("ws.9", "3", trade_frame([("1", "Buy")]))
    path = written(tmp_path / "a.jsonl", HEADER, *lines)
    assert probe([path]).venue == "bybit-spot"
    assert len(read(path)) == 3


def test_several_files_are_read_one_after_the_other(tmp_path: Path) -> None:
    first = written(tmp_path / "a.jsonl", connect("ws.2", LINEAR), recv("ws.2", "5"))
    second = written(tmp_path / "b.jsonl", connect("ws.2", LINEAR), recv("ws.2", "4"), recv("ws.2", "6"))
    reader = open_capture([first, second])
    assert [frame.ts_recv_ns % 10**9 // 10**8 for frame in reader] == [5, 5, 6]
    assert reader.repaired_times == 1


def test_length_is_told_over_all_connections(tmp_path: Path) -> None:
    path = two_venues(tmp_path / "a.jsonl")
    assert capture_length_ns([path]) == 800_000_000
    broken = written(tmp_path / "b.jsonl", connect("ws.2", LINEAR), recv("ws.2", "1"), "{")
    assert capture_length_ns([broken]) is None


def test_stamped_lines_of_bybit_need_their_venue_named_where_the_frames_do_not_tell(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"%d %s\n" % (START_NS, BOOK))
    with pytest.raises(CaptureError, match="found bybit-linear or bybit-spot; name the venue with --venue"):
        probe([path])
    assert probe([path], "bybit-spot").venue == "bybit-spot"
    path.write_bytes(b"%d %s\n%d %s\n" % (START_NS, BOOK, START_NS, trade_frame([("1", "Buy")])))
    assert probe([path]).venue == "bybit-linear"
    with pytest.raises(CaptureError, match="expected frames of bybit-spot, found bybit-linear"):
        probe([path], "bybit-spot")


# --- what is refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("garbage", "found b'garbage'"),
        ('{"t":"recv","conn":"ws.2","ts":17863', 'found b\'{"t":"recv"'),
        ("[1]", "found b'[1]'"),
        ('{"conn":"ws.2"}', 'found b\'{"conn"'),
        ('{"t":"told","conn":"ws.2"}', "found t 'told'"),
        ('{"t":"recv","ts":1.0,"data":"x"}', "found no conn in"),
        ('{"t":"recv","conn":"ws.2","ts":1.0}', "found no data"),
        ('{"t":"recv","conn":"ws.2","ts":1.0,"data":{}}', 'found b\'{"t"'),
        ('{"t":"recv","conn":"ws.2","data":"x"}', "found ts b''"),
        ('{"t":"recv","conn":"ws.2","ts":-1.0,"data":"x"}', "found ts b'-1.0'"),
        ('{"t":"recv","conn":"ws.2","ts":1e300,"data":"x"}', "found ts b'1e300'"),
        ('{"t":"recv","conn":"ws.2","ts":17863108190.5,"data":"x"}', "found ts b'17863108190.5'"),
        ('{"t":"recv","conn":"ws.2","ts":"1","data":"x"}', "found ts b'\"1\"'"),
        ('{"t":"recv","conn":"ws.2","ts":null,"data":"x"}', "found ts b'null'"),
        ("[" * 10_000, "found b'[[["),
    ],
)
def test_a_line_that_is_none_is_named(tmp_path: Path, line: str, found: str) -> None:
    path = written(tmp_path / "a.jsonl", HEADER, connect("ws.2", LINEAR), recv("ws.2", "1"), line)
    wanted = "line 4: expected cryptofeed lines (a JSON object with t, conn, ts and data), "
    assert error(path).startswith(wanted + found)


def test_files_without_a_frame_to_read_are_refused(tmp_path: Path) -> None:
    header_only = written(tmp_path / "a.jsonl", HEADER)
    assert "found no connection to a known venue" in error(header_only)
    other = written(tmp_path / "b.jsonl", connect("ws.2", "wss://ws.kraken.com"), recv("ws.2", "1", b"[1]"))
    assert error(other).startswith("line 1: expected frames of binance, binance-usdm, ")
    silent = written(tmp_path / "c.jsonl", connect("ws.2", LINEAR))
    assert "found no frame" in error(silent)
    only_linear = written(tmp_path / "d.jsonl", connect("ws.2", LINEAR), recv("ws.2", "1"))
    assert error(only_linear, "bybit-spot") == "line 1: expected frames of bybit-spot, found bybit-linear"


def test_a_truncated_packed_file_is_refused_at_the_line_it_ends_in(tmp_path: Path) -> None:
    plain = written(tmp_path / "a", connect("ws.2", LINEAR), *(recv("ws.2", str(at)) for at in range(10, 99)))
    packed = tmp_path / "b.jsonl.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes())[:-20])
    assert "expected more gzip data, found the end of the file: it is truncated" in error(packed)


def test_more_connections_than_are_merged_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", *(connect(f"ws.{number}", LINEAR) for number in range(65)))
    assert "line 65: " in error(path)
    assert "found more than 64 connections" in error(path)
