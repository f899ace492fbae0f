from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.runtime import journal_format
from pipeline.runtime.journal_format import JournalError, SegmentHeader, pack_record
from pipeline.runtime.journal_reader import read_journal, verify_journal
from pipeline.runtime.journal_scan import SegmentFile, scan_segment
from tests.fakes.journals import closed_journal, crashed_journal, payloads_of

FIRST, SECOND = "0001-000001.journal", "0001-000002.journal"
PAYLOADS = [b"%03d" % number * 100 for number in range(30)]


def problems(directory: Path) -> str:
    report = verify_journal(directory)
    assert not report.sound
    return "\n".join(report.problems)


def test_records_can_be_taken_one_by_one(tmp_path: Path) -> None:
    closed_journal(tmp_path, [b"one", b"two"])
    _, records = read_journal(tmp_path)
    assert next(records).payload == b"one"
    assert [record.payload for record in records] == [b"two"]
    with pytest.raises(StopIteration):
        next(records)


def test_segment_of_another_journal_that_fits_in_numbers_is_found(tmp_path: Path) -> None:
    closed_journal(tmp_path / "mine", PAYLOADS)
    closed_journal(tmp_path / "other", [payload[::-1] for payload in PAYLOADS])
    (tmp_path / "other" / FIRST).replace(tmp_path / "mine" / FIRST)
    assert f"{SECOND}: does not follow {FIRST} in the chain" in problems(tmp_path / "mine")
    with pytest.raises(JournalError, match=f"{SECOND}: does not follow the segment before"):
        payloads_of(tmp_path / "mine")


def test_damage_in_a_full_segment_stops_the_reading_there(tmp_path: Path) -> None:
    closed_journal(tmp_path, PAYLOADS)
    raw = bytearray((tmp_path / FIRST).read_bytes())
    place = raw.index(b"001001")
    raw[place] ^= 1
    (tmp_path / FIRST).write_bytes(raw)
    _, records = read_journal(tmp_path)
    read: list[bytes] = []
    with pytest.raises(JournalError, match=rf"{FIRST}: damaged at byte {place - 32} \(CRC\)"):
        read.extend(record.payload for record in records)
    assert f"{FIRST}: damaged at byte {place - 32} (CRC)" in problems(tmp_path)


def test_empty_segment_inside_a_run_is_found(tmp_path: Path) -> None:
    closed_journal(tmp_path, PAYLOADS)
    (tmp_path / SECOND).write_bytes(bytes(4096))
    assert f"{SECOND}: empty, but the journal goes on" in problems(tmp_path)
    with pytest.raises(JournalError, match="empty, but the run goes on"):
        payloads_of(tmp_path)


def test_segment_header_wiped_before_its_records_is_found(tmp_path: Path) -> None:
    closed_journal(tmp_path, [b"one"])
    raw = (tmp_path / FIRST).read_bytes()
    (tmp_path / FIRST).write_bytes(bytes(76) + raw[76:])
    assert "header is gone, but records follow" in problems(tmp_path)


def test_crashed_segment_before_others_is_cut_off(tmp_path: Path) -> None:
    closed_journal(tmp_path / "j", PAYLOADS)
    crashed_journal(tmp_path / "crashed", PAYLOADS[:2])
    (tmp_path / "crashed" / FIRST).replace(tmp_path / "j" / FIRST)
    assert f"{FIRST}: cut off at byte" in problems(tmp_path / "j")
    with pytest.raises(JournalError, match="does not follow|cut off"):
        payloads_of(tmp_path / "j")


def test_packed_segment_cut_short_is_found(tmp_path: Path) -> None:
    closed_journal(tmp_path, [b"one"], pack=True)
    packed = tmp_path / f"{FIRST}.zst"
    raw = packed.read_bytes()
    for size in (0, 10, len(raw) - 30):
        packed.write_bytes(raw[:size])
        assert problems(tmp_path)
        with pytest.raises(JournalError):
            payloads_of(tmp_path)


def test_renamed_segment_is_found(tmp_path: Path) -> None:
    closed_journal(tmp_path, [b"one"])
    (tmp_path / FIRST).rename(tmp_path / "0003-000001.journal")
    assert "renamed: it was segment 1 of run 1" in problems(tmp_path)


def test_run_without_its_first_segment_cannot_be_replayed(tmp_path: Path) -> None:
    closed_journal(tmp_path, PAYLOADS)
    (tmp_path / FIRST).unlink()
    with pytest.raises(JournalError, match="does not begin with the run's header"):
        read_journal(tmp_path)
    assert "segments before it are missing" in problems(tmp_path)


def test_header_this_version_cannot_read_is_said(tmp_path: Path) -> None:
    segment = SegmentHeader(1, 1, 1, 0, bytes(32)).pack()
    (tmp_path / FIRST).write_bytes(segment + pack_record(1, 0, 0, b"\x81\xa7session\x05"))
    with pytest.raises(JournalError, match="written by another version: .*session"):
        read_journal(tmp_path)


def test_later_format_is_refused_by_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_format, "JOURNAL_VERSION", 2)
    segment = SegmentHeader(1, 1, 1, 0, bytes(32)).pack()
    monkeypatch.undo()
    (tmp_path / FIRST).write_bytes(segment)
    with pytest.raises(JournalError, match="journal version 2, this program reads 1"):
        read_journal(tmp_path)


def test_absurd_length_is_damage_and_reads_nothing(tmp_path: Path) -> None:
    segment = SegmentHeader(1, 1, 1, 0, bytes(32)).pack()
    (tmp_path / FIRST).write_bytes(segment + b"\xff" * 64)
    scan = scan_segment(SegmentFile(tmp_path / FIRST, 1, 1, packed=False))
    assert scan is not None
    assert (scan.damage, scan.torn_bytes, scan.records) == (f"length {2**32 - 1}", 64, 0)


def test_segment_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / FIRST).mkdir()
    with pytest.raises(JournalError, match=f"cannot read .*{FIRST}: Is a directory"):
        read_journal(tmp_path)
    assert "Is a directory" in problems(tmp_path)


def test_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot read .*: No such file"):
        read_journal(tmp_path / "no" / FIRST)
