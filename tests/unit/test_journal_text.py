from __future__ import annotations

import json
from pathlib import Path

import msgspec

from pipeline.core.inputs import TimerBeat
from pipeline.runtime.journal import RecordKind
from pipeline.runtime.journal_text import dump_journal, export_frames
from tests.fakes.journals import crashed_journal, writer


def test_dump_gives_one_json_line_per_record(tmp_path: Path) -> None:
    journal = writer(tmp_path)
    journal.append(RecordKind.FRAME, 11, b'{"u":1}\n\x1b[2J\xc2\x9b', epoch=3)
    journal.append(RecordKind.INPUT, 12, msgspec.msgpack.encode(TimerBeat(12)))
    journal.append(RecordKind.INPUT, 13, b"\xc1")
    journal.append(RecordKind.EFFECTS_HASH, 14, b"\x00\xff")
    journal.append(77, 15, b"z")
    journal.close()
    header, *records = (json.loads(line) for line in dump_journal(tmp_path))
    assert (header["kind"], header["session"], header["params"]["mode"]) == ("HEADER", "demo-1", "REPLAY")
    assert records == [
        {"sequence": 1, "ts_ns": 11, "kind": "FRAME", "epoch": 3, "frame": '{"u":1}\n\x1b[2J\x9b'},
        {
            "sequence": 2,
            "ts_ns": 12,
            "kind": "INPUT",
            "epoch": 0,
            "value": {"type": "TimerBeat", "ts_ns": 12, "loop_lag_ns": 0},
        },
        {"sequence": 3, "ts_ns": 13, "kind": "INPUT", "epoch": 0, "hex": "c1"},
        {"sequence": 4, "ts_ns": 14, "kind": "EFFECTS_HASH", "epoch": 0, "hex": "00ff"},
        {"sequence": 5, "ts_ns": 15, "kind": "KIND_77", "epoch": 0, "hex": "7a"},
    ]


def test_dump_steers_no_terminal(tmp_path: Path) -> None:
    journal = writer(tmp_path)
    journal.append(RecordKind.FRAME, 11, "\x1b[2J\u009b2J\u202e".encode())
    journal.close()
    assert all(line.isascii() and line.isprintable() for line in dump_journal(tmp_path))


def test_dump_says_where_it_is_torn(tmp_path: Path) -> None:
    crashed_journal(tmp_path / "j", [b"one", b"two"])
    path = tmp_path / "j" / "0001-000001.journal"
    raw = path.read_bytes()
    path.write_bytes(raw.rstrip(b"\0")[:-1] + b"?")
    torn = json.loads(list(dump_journal(tmp_path / "j"))[-1])
    assert (torn["kind"], torn["size"], torn["damage"]) == ("TORN", 35, "CRC")


def test_export_gives_the_frames_alone_as_stamped_lines(tmp_path: Path) -> None:
    journal = writer(tmp_path)
    journal.append(RecordKind.FRAME, 1_700_000_000_000_000_000, b'{"u":1}')
    journal.append(RecordKind.INPUT, 5, b"\x80")
    journal.append(RecordKind.FRAME, 1_700_000_000_000_000_001, b'{\r\n"u":2}')
    journal.close()
    assert list(export_frames(tmp_path)) == [
        b'1700000000000000000 {"u":1}\n',
        b'1700000000000000001 {  "u":2}\n',
    ]
