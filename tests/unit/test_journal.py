from __future__ import annotations

import os
import select
import stat
import threading
from pathlib import Path

import pytest

from pipeline.runtime import journal_keeper, journal_segment
from pipeline.runtime.journal import JournalError, JournalState, JournalWriter, RecordKind, SyncPolicy
from pipeline.runtime.journal_format import NO_HEAD
from pipeline.runtime.journal_reader import is_journal, read_journal, verify_journal
from pipeline.runtime.journal_segment import Segment
from tests.fakes.journals import (
    MS,
    append_frames,
    closed_journal,
    header,
    names,
    payloads_of,
    records_of,
    writer,
)


def wait_for_notice(journal: JournalWriter) -> None:
    ready, _, _ = select.select([journal.fileno()], [], [], 5.0)
    assert ready, "the journal's thread gave no notice within 5 s"
    journal.clear_notice()


def test_records_come_back_with_everything_they_were_given(tmp_path: Path) -> None:
    journal = writer(tmp_path)
    assert journal.append(RecordKind.FRAME, 5, b'{"u":1}', epoch=7, codec=1, source=300) == 1
    assert journal.append(RecordKind.INPUT, 6, memoryview(b"\x80")) == 2
    assert journal.append(99, 7, b"") == 3
    journal.close()
    read_header, records = read_journal(tmp_path)
    assert read_header == header()
    first, second, third = records
    assert (first.kind, first.sequence, first.ts_ns, first.payload) == (RecordKind.FRAME, 1, 5, b'{"u":1}')
    assert (first.epoch, first.codec, first.source) == (7, 1, 300)
    assert (second.kind, second.payload, third.kind) == (RecordKind.INPUT, b"\x80", 99)
    assert records.torn is None
    assert records.complete


def test_head_changes_with_the_content_and_verify_finds_the_same(tmp_path: Path) -> None:
    heads = {closed_journal(tmp_path / name, [name.encode()]) for name in ("a", "b")}
    again = closed_journal(tmp_path / "c", [b"a"])
    assert len(heads) == 2
    assert again in heads
    report = verify_journal(tmp_path / "c", expected_head=again)
    assert report.sound
    assert (report.complete, report.records, report.unsealed, report.runs) == (True, 1, 0, 1)


def test_block_is_sealed_after_64_records_or_100_ms(tmp_path: Path) -> None:
    journal = writer(tmp_path, segment_bytes=64 * 1024)
    heads = [journal.head()]
    for sequence in range(1, 65):
        journal.append(RecordKind.FRAME, 1_000, b"x")
        if sequence in (63, 64):
            heads.append(journal.head())
    assert heads[0] == heads[1] != heads[2]
    journal.append(RecordKind.FRAME, 2_000, b"x")
    journal.beat(2_000 + 99 * MS)
    assert journal.head() == heads[2]
    journal.beat(2_000 + 100 * MS)
    heads.append(journal.head())
    journal.append(RecordKind.FRAME, 500 * MS, b"x")
    journal.append(RecordKind.FRAME, 600 * MS, b"x")
    heads.append(journal.head())
    assert len(set(heads)) == 4
    assert verify_journal(tmp_path).unsealed == 0
    journal.append(RecordKind.FRAME, 600 * MS, b"x")
    assert verify_journal(tmp_path).unsealed == 1
    journal.close()
    assert verify_journal(tmp_path).sound


@pytest.mark.parametrize("pack", [False, True])
def test_full_segment_is_followed_by_the_next(tmp_path: Path, pack: bool) -> None:
    payloads = [b"%03d" % number * 100 for number in range(60)]
    closed_journal(tmp_path, payloads, pack=pack)
    suffix = ".journal.zst" if pack else ".journal"
    assert len(names(tmp_path)) > 3
    assert all(name.endswith(suffix) for name in names(tmp_path))
    assert payloads_of(tmp_path) == payloads
    report = verify_journal(tmp_path)
    assert report.sound
    assert report.segments == len(names(tmp_path))


def test_files_are_private_whatever_the_umask(tmp_path: Path) -> None:
    previous = os.umask(0)
    try:
        closed_journal(tmp_path, [b"x" * 300] * 30, pack=True)
        journal = writer(tmp_path)
    finally:
        os.umask(previous)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    journal.close()


def test_open_journal_can_be_read_while_it_is_written(tmp_path: Path) -> None:
    journal = writer(tmp_path, segment_bytes=64 * 1024)
    append_frames(journal, [b"one", b"two"])
    assert payloads_of(tmp_path) == [b"one", b"two"]
    report = verify_journal(tmp_path)
    assert report.sound
    assert (report.complete, report.records) == (False, 2)
    journal.close()


def test_closed_journal_takes_nothing_more(tmp_path: Path) -> None:
    journal = writer(tmp_path)
    append_frames(journal, [b"one"])
    journal.close()
    journal.close()
    assert journal.append(RecordKind.FRAME, 9, b"late") == 0
    journal.beat(10**12)
    assert journal.lost == 1
    assert payloads_of(tmp_path) == [b"one"]


def test_second_run_continues_the_chain_and_is_the_one_read(tmp_path: Path) -> None:
    first_head = closed_journal(tmp_path, [b"first"])
    journal = writer(tmp_path)
    assert journal.run == 2
    assert journal.recovery.head.hex() == first_head
    assert append_frames(journal, [b"second"]) == [1]
    journal.close()
    assert payloads_of(tmp_path) == [b"second"]
    assert payloads_of(tmp_path, run=1) == [b"first"]
    assert payloads_of(tmp_path / "0001-000001.journal") == [b"first"]
    report = verify_journal(tmp_path)
    assert report.sound
    assert (report.runs, report.records) == (2, 2)


def test_barrier_is_durable_after_a_sync_when_orders_wait(tmp_path: Path) -> None:
    journal = writer(tmp_path, policy=SyncPolicy.ORDER, interval_s=60.0)
    append_frames(journal, [b"order"])
    token = journal.barrier()
    while not journal.durable(token):
        wait_for_notice(journal)
    assert journal.durable(token)
    append_frames(journal, [b"another"])
    assert not journal.durable(journal.sequence)
    journal.close()


def test_grouped_barrier_waits_for_nothing(tmp_path: Path) -> None:
    journal = writer(tmp_path, policy=SyncPolicy.GROUPED, interval_s=60.0)
    append_frames(journal, [b"order"])
    assert journal.durable(journal.barrier())
    journal.close()


@pytest.mark.parametrize("policy", SyncPolicy)
def test_nothing_is_durable_once_records_are_lost(tmp_path: Path, policy: SyncPolicy) -> None:
    journal = writer(tmp_path, policy=policy)
    append_frames(journal, [b"order"])
    token = journal.barrier()
    append_frames(journal, [b"x" * 5_000])
    assert not journal.durable(token)
    assert not journal.healthy
    journal.close()


def test_grouped_records_are_synced_at_the_interval(tmp_path: Path) -> None:
    journal = writer(tmp_path, policy=SyncPolicy.GROUPED, interval_s=0.01)
    append_frames(journal, [b"x"])
    while journal._keeper.durable < 1:
        wait_for_notice(journal)
    assert journal.stats().syncs >= 1
    assert journal.stats().sync_max_ns > 0
    journal.close()


def test_barrier_covers_records_of_the_segment_before(tmp_path: Path) -> None:
    journal = writer(tmp_path, policy=SyncPolicy.ORDER, interval_s=60.0)
    append_frames(journal, [b"x" * 1_000] * 10)
    token = journal.barrier()
    while not journal.durable(token):
        wait_for_notice(journal)
    journal.close()
    assert len(payloads_of(tmp_path)) == 10


def test_sync_that_fails_is_visible_and_never_durable_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = writer(tmp_path, policy=SyncPolicy.ORDER, interval_s=60.0)
    wait_for_notice(journal)

    def broken(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", broken)
    append_frames(journal, [b"order"])
    token = journal.barrier()
    wait_for_notice(journal)
    assert journal.state is JournalState.FAILED
    assert not journal.healthy
    assert not journal.durable(token)
    assert "Input/output error" in journal.stats().reason
    monkeypatch.undo()
    assert append_frames(journal, [b"cancel"]) == [2]
    assert not journal.durable(journal.barrier())
    journal.close()
    assert payloads_of(tmp_path) == [b"order", b"cancel"]


def no_space_after(monkeypatch: pytest.MonkeyPatch, segments: int) -> threading.Event:
    """Let only so many segments be reserved; gives an event that frees the disk again."""
    freed = threading.Event()
    reserve = os.posix_fallocate
    left = iter(range(segments))

    def limited(descriptor: int, offset: int, size: int) -> None:
        if next(left, None) is None and not freed.is_set():
            raise OSError(28, "No space left on device")
        reserve(descriptor, offset, size)

    monkeypatch.setattr(os, "posix_fallocate", limited)
    return freed


def until_state(journal: JournalWriter, state: JournalState) -> None:
    turn = threading.Event()
    for _ in range(500):
        if journal.state is state:
            return
        journal._keeper.wake()
        turn.wait(0.01)
    raise AssertionError(f"the journal stays {journal.state}")


def test_disk_too_full_for_the_next_segment_warns_while_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_keeper, "RETRY_S", 0.01)
    freed = no_space_after(monkeypatch, 1)
    journal = writer(tmp_path)
    until_state(journal, JournalState.LOW)
    assert not journal.healthy
    assert "No space left" in journal.stats().reason
    assert append_frames(journal, [b"cancel"]) == [1]
    freed.set()
    until_state(journal, JournalState.OK)
    journal.close()
    assert verify_journal(tmp_path).sound


def test_full_disk_loses_records_in_the_open_and_keeps_what_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_space_after(monkeypatch, 1)
    journal = writer(tmp_path)
    kept = [number for number in append_frames(journal, [b"x" * 500] * 20) if number]
    assert journal.state is JournalState.FAILED
    assert journal.lost == 20 - len(kept) > 0
    assert journal.stats().lost == journal.lost
    assert append_frames(journal, [b"small"]) == [0]
    head = journal.head()
    journal.close()
    assert [record.sequence for record in records_of(tmp_path)] == kept
    report = verify_journal(tmp_path, expected_head=head)
    assert report.sound
    assert not report.complete


def test_start_on_a_full_disk_is_refused_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_space_after(monkeypatch, 0)
    with pytest.raises(JournalError, match=r"cannot reserve .* MiB .*No space left on device; free some"):
        writer(tmp_path)
    assert names(tmp_path) == []


def test_record_larger_than_a_segment_fails_the_journal(tmp_path: Path) -> None:
    journal = writer(tmp_path)
    assert append_frames(journal, [b"x" * 5_000]) == [0]
    assert journal.state is JournalState.FAILED
    assert "does not fit" in journal.stats().reason
    journal.close()


def test_segment_too_small_for_the_header_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="too small, the header needs"):
        writer(tmp_path, segment_bytes=512)


def test_packing_that_fails_leaves_the_segment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_source: str, _target: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "rename", broken)
    journal = writer(tmp_path, pack=True)
    append_frames(journal, [b"one"])
    journal.close()
    assert journal.stats().unpacked == 1
    assert names(tmp_path) == ["0001-000001.journal"]
    assert payloads_of(tmp_path) == [b"one"]


def test_retention_is_called_after_each_packed_segment(tmp_path: Path) -> None:
    calls: list[int] = []
    closed_journal(tmp_path, [b"x" * 500] * 20, pack=True, after_pack=lambda: calls.append(1))
    assert len(calls) == len(names(tmp_path))


def test_new_journal_begins_with_no_head(tmp_path: Path) -> None:
    journal = writer(tmp_path)
    assert journal.recovery.head == NO_HEAD
    assert (journal.recovery.last_run, journal.recovery.torn, journal.recovery.problem) == (0, None, "")
    assert journal.stats().appended == 0
    journal.close()


def test_segment_that_is_already_there_is_never_overwritten(tmp_path: Path) -> None:
    Segment.prepare(tmp_path, 1, 1, 4096).drop()
    with pytest.raises(JournalError, match="File exists"):
        Segment.prepare(tmp_path, 1, 1, 4096)


def test_segment_that_cannot_be_mapped_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_directory: Path) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(journal_segment, "sync_directory", broken)
    with pytest.raises(JournalError, match="Input/output error"):
        Segment.prepare(tmp_path, 1, 1, 4096)
    assert names(tmp_path) == []


def test_journal_is_told_by_its_names(tmp_path: Path) -> None:
    assert not is_journal(tmp_path)
    closed_journal(tmp_path, [b"x"])
    assert is_journal(tmp_path)
    assert is_journal(tmp_path / "0001-000001.journal")
    assert not is_journal(tmp_path / "capture.json.gz")


@pytest.mark.parametrize("what", ["missing", "empty"])
def test_no_journal_is_said_in_one_line(tmp_path: Path, what: str) -> None:
    path = tmp_path / what
    if what == "empty":
        path.mkdir()
    for call in (read_journal, verify_journal):
        with pytest.raises(JournalError, match="no journal here; expected a directory"):
            call(path)


def test_unknown_run_is_said(tmp_path: Path) -> None:
    closed_journal(tmp_path, [b"x"])
    with pytest.raises(JournalError, match="no run 7"):
        read_journal(tmp_path, run=7)
