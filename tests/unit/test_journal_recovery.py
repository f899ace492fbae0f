from __future__ import annotations

from pathlib import Path

from pipeline.runtime.journal_reader import read_journal, verify_journal
from pipeline.runtime.journal_recovery import recover_journal
from tests.fakes.journals import (
    append_frames,
    closed_journal,
    crashed_journal,
    names,
    payloads_of,
    writer,
)

FIRST = "0001-000001.journal"


def damage(path: Path, offset_from_used_end: int, data: bytes) -> None:
    raw = bytearray(path.read_bytes())
    used = len(raw.rstrip(b"\0"))
    raw[used + offset_from_used_end : used + offset_from_used_end + len(data)] = data
    path.write_bytes(raw)


def test_run_whose_writer_died_is_ended_where_its_last_record_ends(tmp_path: Path) -> None:
    crashed_journal(tmp_path / "j", [b"one", b"two"])
    before = verify_journal(tmp_path / "j")
    assert before.sound
    assert (before.complete, before.unsealed) == (False, 2)
    recovery = recover_journal(tmp_path / "j")
    assert (recovery.last_run, recovery.torn, recovery.problem) == (1, None, "")
    after = verify_journal(tmp_path / "j", expected_head=recovery.head.hex())
    assert after.sound
    assert (after.complete, after.unsealed, after.records) == (True, 0, 2)
    assert names(tmp_path / "j") == [FIRST]
    assert payloads_of(tmp_path / "j") == [b"one", b"two"]


def test_torn_tail_is_set_aside_and_reported(tmp_path: Path) -> None:
    crashed_journal(tmp_path / "j", [b"one", b"two"])
    whole = (tmp_path / "j" / FIRST).read_bytes().rstrip(b"\0")
    damage(tmp_path / "j" / FIRST, -1, b"X" * 10)
    _, records = read_journal(tmp_path / "j")
    assert [record.payload for record in records] == [b"one"]
    assert records.torn is not None
    assert records.torn.damage == "CRC"
    journal = writer(tmp_path / "j")
    torn = journal.recovery.torn
    assert torn is not None
    assert torn.size == 32 + len(b"two") + 9
    assert Path(torn.set_aside).read_bytes() == whole[-35:-1] + b"X" * 10
    append_frames(journal, [b"next run"])
    journal.close()
    report = verify_journal(tmp_path / "j")
    assert report.sound
    assert (report.runs, report.records) == (2, 2)


def test_tail_set_aside_before_is_kept(tmp_path: Path) -> None:
    crashed_journal(tmp_path / "j", [b"one", b"two"])
    damage(tmp_path / "j" / FIRST, -1, b"X")
    aside = tmp_path / "j" / f"{FIRST}.torn"
    aside.write_bytes(b"older")
    recover_journal(tmp_path / "j")
    assert aside.with_name(f"{FIRST}.torn.older").read_bytes() == b"older"


def test_crash_in_a_later_segment_ends_that_one(tmp_path: Path) -> None:
    payloads = [b"%03d" % number * 100 for number in range(40)]
    crashed_journal(tmp_path / "j", payloads)
    assert payloads_of(tmp_path / "j") == payloads
    recovery = recover_journal(tmp_path / "j")
    assert verify_journal(tmp_path / "j", expected_head=recovery.head.hex()).sound
    assert payloads_of(tmp_path / "j") == payloads


def test_crash_before_the_first_record_leaves_a_journal_that_goes_on(tmp_path: Path) -> None:
    crashed_journal(tmp_path / "j", [])
    (tmp_path / "j" / FIRST).write_bytes(bytes(4096))
    journal = writer(tmp_path / "j")
    append_frames(journal, [b"one"])
    journal.close()
    assert payloads_of(tmp_path / "j") == [b"one"]


def test_run_that_died_before_its_header_does_not_hide_the_run_before(tmp_path: Path) -> None:
    head = closed_journal(tmp_path, [b"one"])
    (tmp_path / "0002-000001.journal").write_bytes(bytes(4096))
    recovery = recover_journal(tmp_path)
    assert recovery.head.hex() == head
    assert names(tmp_path) == [FIRST]


def test_segment_that_is_no_journal_is_left_alone_and_reported(tmp_path: Path) -> None:
    (tmp_path / FIRST).write_bytes(b"somebody's notes" * 10)
    journal = writer(tmp_path)
    assert "not a journal" in journal.recovery.problem
    assert journal.run == 2
    append_frames(journal, [b"one"])
    journal.close()
    assert payloads_of(tmp_path) == [b"one"]
    assert (tmp_path / FIRST).read_bytes() == b"somebody's notes" * 10
    assert not verify_journal(tmp_path).sound


def test_what_a_dead_packer_left_is_removed(tmp_path: Path) -> None:
    closed_journal(tmp_path, [b"one"])
    plain = (tmp_path / FIRST).read_bytes()
    journal = writer(tmp_path, pack=True)
    journal.close()
    (tmp_path / "0002-000001.journal").write_bytes(plain)
    (tmp_path / "0002-000001.journal.zst.draft").write_bytes(b"half")
    recover_journal(tmp_path)
    assert names(tmp_path) == [FIRST, "0002-000001.journal.zst"]
    assert verify_journal(tmp_path).sound
