from __future__ import annotations

from pathlib import Path

import msgspec

from pipeline.core.inputs import TimerBeat
from pipeline.runtime.journal import RecordKind
from pipeline.runtime.journal_text import dump_journal, export_frames
from tests.fakes.journals import crashed_journal, writer


def test_dump_gives_one_readable_line_per_record(tmp_path: Path) -> None:
    journal = writer(tmp_path)
    journal.append(RecordKind.FRAME, 11, b'{"u":1}\n\x1b[2J', epoch=3)
    journal.append(RecordKind.INPUT, 12, msgspec.msgpack.encode(TimerBeat(12)))
    journal.append(RecordKind.INPUT, 13, b"\xc1")
    journal.append(RecordKind.EFFECTS_HASH, 14, b"\x00\xff")
    journal.append(77, 15, b"z" * 50)
    journal.close()
    lines = list(dump_journal(tmp_path, limit=40))
    assert lines == [
        "# session demo-1, code 0.1.0, begun 1000",
        '1 11 FRAME 3 {"u":1}\ufffd\ufffd[2J',
        '2 12 INPUT 0 {"type":"TimerBeat","ts_ns":12,"loop_lag… (47 characters)',
        "3 13 INPUT 0 c1",
        "4 14 EFFECTS_HASH 0 00ff",
        f"5 15 KIND_77 0 {'7a' * 20}… (100 characters)",
    ]


def test_dump_says_where_it_is_torn(tmp_path: Path) -> None:
    crashed_journal(tmp_path / "j", [b"one", b"two"])
    path = tmp_path / "j" / "0001-000001.journal"
    raw = path.read_bytes()
    path.write_bytes(raw.rstrip(b"\0")[:-1] + b"?")
    assert list(dump_journal(tmp_path / "j"))[-1].startswith("# torn: 35 bytes at ")


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
