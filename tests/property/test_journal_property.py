"""The journal gives back what it was given, whole or not at all, and every change to it shows."""

from __future__ import annotations

import os
import struct
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.runtime.journal_format import HEAD_BYTES, Chain, JournalError, Record, RecordKind, pack_record
from pipeline.runtime.journal_reader import read_journal, verify_journal
from pipeline.runtime.journal_recovery import recover_journal
from pipeline.runtime.journal_scan import open_segment, segment_files
from tests.fakes.journals import (
    append_frames,
    closed_journal,
    crashed_journal,
    payloads_of,
    records_of,
    writer,
)

FIRST = "0001-000001.journal"
PAYLOADS = [b"one", b"", b"three " * 20, b"4", b"five", b"six"]


@pytest.fixture(autouse=True)
def fast_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are about bytes: waiting for the disk thousands of times would test only patience."""
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)


records = st.lists(
    st.tuples(
        st.integers(16, 255),
        st.integers(-(2**63), 2**63 - 1),
        st.binary(max_size=300),
        st.integers(0, 2**32 - 1),
        st.integers(0, 255),
        st.integers(0, 65_535),
    ),
    max_size=120,
)


@settings(max_examples=60, deadline=None)
@given(batches=st.lists(records, min_size=1, max_size=2), pack=st.booleans())
def test_what_is_appended_comes_back_in_order(
    batches: list[list[tuple[int, int, bytes, int, int, int]]], pack: bool
) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for run, batch in enumerate(batches, start=1):
            journal = writer(directory, pack=pack)
            for kind, ts_ns, payload, epoch, codec, source in batch:
                assert journal.append(kind, ts_ns, payload, epoch, codec, source)
            journal.close()
            expected = [
                Record(kind, number, ts_ns, payload, epoch, codec, source)
                for number, (kind, ts_ns, payload, epoch, codec, source) in enumerate(batch, start=1)
            ]
            assert records_of(directory, run) == expected
        report = verify_journal(directory, expected_head=journal.head())
        assert report.sound, report
        assert report.records == sum(len(batch) for batch in batches)


def used_bytes(path: Path) -> bytes:
    return path.read_bytes().rstrip(b"\0")


def put_fresh(path: Path, content: bytes | bytearray) -> None:
    # A new file each time: file systems flush one that was cut and written again.
    path.unlink(missing_ok=True)
    path.write_bytes(content)


def whole_before(raw: bytes, cut: int) -> int:
    """Count the numbered records that end before `cut`, walking the lengths alone."""
    count, at = 0, 76
    while at + HEAD_BYTES <= cut:
        size, kind = struct.unpack_from("<IB", raw, at)
        at += HEAD_BYTES + size
        count += at <= cut and kind >= 16
    return count


@pytest.mark.parametrize("after", [b"", bytes(500)], ids=["file ends", "zeros follow"])
def test_every_torn_tail_gives_the_whole_records_before_it(tmp_path: Path, after: bytes) -> None:
    crashed_journal(tmp_path / "whole", PAYLOADS)
    raw = used_bytes(tmp_path / "whole" / FIRST)
    (tmp_path / "torn").mkdir()
    unreadable = 0
    for cut in range(1, len(raw) + 1):
        put_fresh(tmp_path / "torn" / FIRST, raw[:cut] + after)
        expected = PAYLOADS[: whole_before(raw, cut)]
        try:
            assert payloads_of(tmp_path / "torn") == expected, cut
        except JournalError:
            unreadable += 1
            assert not expected
    assert unreadable < len(raw) - len(b"".join(PAYLOADS))


@pytest.mark.parametrize("after", [b"", bytes(500)], ids=["file ends", "zeros follow"])
def test_recovery_of_a_torn_tail_keeps_the_whole_records_and_every_byte(tmp_path: Path, after: bytes) -> None:
    crashed_journal(tmp_path / "whole", PAYLOADS)
    raw = used_bytes(tmp_path / "whole" / FIRST)
    for cut in [*range(1, len(raw), 9), *range(len(raw) - 80, len(raw) + 1)]:
        directory = tmp_path / f"torn-{cut}"
        directory.mkdir(exist_ok=True)
        put_fresh(directory / FIRST, raw[:cut] + after)
        recovery = recover_journal(directory)
        if recovery.problem:
            assert cut <= 76
            continue
        if recovery.torn is not None:
            aside = Path(recovery.torn.set_aside).read_bytes()
            assert raw[recovery.torn.offset : cut] == aside.ljust(cut - recovery.torn.offset, b"\0")
        report = verify_journal(directory, expected_head=recovery.head.hex())
        assert report.sound, (cut, report)
        assert report.complete
        assert report.records == whole_before(raw, cut)


def test_every_flipped_bit_of_a_closed_journal_is_found(tmp_path: Path) -> None:
    head = closed_journal(tmp_path, PAYLOADS)
    path = tmp_path / FIRST
    raw = path.read_bytes()
    for position in range(len(raw)):
        changed = bytearray(raw)
        changed[position] ^= 1 << (position * 5 % 8)
        put_fresh(path, changed)
        assert not verify_journal(tmp_path, expected_head=head).sound, position


def test_flipped_bit_of_an_unfinished_journal_is_never_read_as_a_record(tmp_path: Path) -> None:
    crashed_journal(tmp_path / "j", PAYLOADS)
    path = tmp_path / "j" / FIRST
    raw = path.read_bytes()
    for position in range(0, len(raw), 3):
        changed = bytearray(raw)
        changed[position] ^= 1 << (position % 8)
        put_fresh(path, changed)
        assert not verify_journal(tmp_path / "j").sound, position
        try:
            _, found = read_journal(tmp_path / "j")
            read = [record.payload for record in found]
        except JournalError:
            continue
        assert read == PAYLOADS[: len(read)]
        assert found.torn is not None


@settings(max_examples=100, deadline=None)
@given(position=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_flipped_bit_of_a_packed_journal_never_changes_a_record(position: int, bit: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        closed_journal(directory, PAYLOADS, pack=True)
        path = directory / f"{FIRST}.zst"
        raw = bytearray(path.read_bytes())
        raw[position % len(raw)] ^= 1 << bit
        path.write_bytes(raw)
        # A bit that unpacks to the same bytes has changed nothing.
        if verify_journal(directory).sound:
            assert payloads_of(directory) == PAYLOADS
        else:
            with pytest.raises(JournalError):
                payloads_of(directory)


def raw_records(directory: Path) -> tuple[bytes, list[bytes]]:
    (file,) = segment_files(directory)
    with open_segment(file) as reader:
        return reader.header_bytes, [raw for _, raw in reader]


def with_right_crc(raw: bytes) -> bytes:
    head, payload = raw[: HEAD_BYTES - 4], raw[HEAD_BYTES:]
    return head + struct.pack("<I", zlib.crc32(payload, zlib.crc32(head))) + payload


def edit_payload(raws: list[bytes]) -> list[bytes]:
    return [with_right_crc(raw.replace(b"five", b"FIVE")) for raw in raws]


def cut_record(raws: list[bytes]) -> list[bytes]:
    return [raw for raw in raws if not raw.endswith(b"five")]


def cut_last_and_renumber(raws: list[bytes]) -> list[bytes]:
    kept = [raw for raw in raws if not raw.endswith(b"six")]
    return [
        with_right_crc(raw.replace(struct.pack("<Q", 6), struct.pack("<Q", 5))) if raw[4] < 16 else raw
        for raw in kept
    ]


def swap_payloads(raws: list[bytes]) -> list[bytes]:
    four, five = (next(i for i, raw in enumerate(raws) if raw.endswith(end)) for end in (b"4", b"five"))
    swapped = list(raws)
    swapped[four] = with_right_crc(struct.pack("<I", 4) + raws[four][4:HEAD_BYTES] + b"five")
    swapped[five] = with_right_crc(struct.pack("<I", 1) + raws[five][4:HEAD_BYTES] + b"4")
    return swapped


def reorder(raws: list[bytes]) -> list[bytes]:
    return [*raws[:3], raws[4], raws[3], *raws[5:]]


def shift_time(raws: list[bytes]) -> list[bytes]:
    changed = [raw[:20] + struct.pack("<q", 9) + raw[28:] if raw.endswith(b"five") else raw for raw in raws]
    return [with_right_crc(raw) for raw in changed]


def nothing(raws: list[bytes]) -> list[bytes]:
    return raws


@pytest.mark.parametrize(
    "forge", [edit_payload, cut_record, cut_last_and_renumber, swap_payloads, reorder, shift_time]
)
def test_forged_journal_with_right_crcs_is_found_by_the_chain(
    tmp_path: Path, forge: Callable[[list[bytes]], list[bytes]]
) -> None:
    closed_journal(tmp_path, PAYLOADS)
    header, raws = raw_records(tmp_path)
    assert forge(raws) != raws
    (tmp_path / FIRST).write_bytes(header + b"".join(nothing(raws)))
    assert verify_journal(tmp_path).sound
    (tmp_path / FIRST).write_bytes(header + b"".join(forge(raws)))
    report = verify_journal(tmp_path)
    assert report.problems, report


def chained_anew(header: bytes, raws: list[bytes], miscount: int = 0) -> bytes:
    """Seal changed records with right digests, as somebody would who knows the format."""
    chain, out = Chain(header), [header]
    for raw in raws:
        if raw[4] != RecordKind.SEAL:
            chain.add(raw)
            chain.records += 1
            out.append(raw)
            continue
        sequence, ts_ns = struct.unpack_from("<Qq", raw, 12)
        counted = chain.records + miscount
        out.append(pack_record(RecordKind.SEAL, sequence, ts_ns, chain.digest(), epoch=counted))
        chain.begin_block(out[-1])
    return b"".join(out)


def test_record_left_out_under_a_new_chain_is_missed_by_its_number(tmp_path: Path) -> None:
    closed_journal(tmp_path, PAYLOADS)
    header, raws = raw_records(tmp_path)
    (tmp_path / FIRST).write_bytes(chained_anew(header, raws))
    assert verify_journal(tmp_path).sound
    (tmp_path / FIRST).write_bytes(chained_anew(header, cut_record(raws)))
    problems = verify_journal(tmp_path).problems
    assert any("record 6 follows 4" in problem for problem in problems), problems


def test_seal_that_counts_otherwise_is_found(tmp_path: Path) -> None:
    closed_journal(tmp_path, PAYLOADS)
    header, raws = raw_records(tmp_path)
    (tmp_path / FIRST).write_bytes(chained_anew(header, raws, miscount=1))
    problems = verify_journal(tmp_path).problems
    assert problems
    assert all("has lost records" in problem for problem in problems), problems


@pytest.fixture
def many_segments(tmp_path: Path) -> list[Path]:
    closed_journal(tmp_path, [b"%03d" % number * 100 for number in range(60)])
    files = sorted(tmp_path.iterdir())
    assert len(files) > 4
    return files


def test_missing_segment_is_found(many_segments: list[Path]) -> None:
    directory = many_segments[0].parent
    for missing in many_segments[:-1]:
        hidden = missing.with_suffix(".hidden")
        missing.rename(hidden)
        assert verify_journal(directory).problems, missing
        with pytest.raises(JournalError):
            payloads_of(directory)
        hidden.rename(missing)
    assert verify_journal(directory).sound


def test_last_segment_missing_is_found_since_the_run_has_no_end(many_segments: list[Path]) -> None:
    assert verify_journal(many_segments[0].parent).complete
    many_segments[-1].unlink()
    assert not verify_journal(many_segments[0].parent).complete
    _, records = read_journal(many_segments[0].parent)
    assert len(list(records)) < 60
    assert not records.complete


def test_segments_changed_about_are_found(many_segments: list[Path]) -> None:
    second, third = many_segments[1], many_segments[2]
    content = second.read_bytes()
    second.write_bytes(third.read_bytes())
    third.write_bytes(content)
    assert verify_journal(second.parent).problems
    with pytest.raises(JournalError, match="does not follow"):
        payloads_of(second.parent)


def test_segment_cut_off_in_the_middle_of_the_run_is_found(many_segments: list[Path]) -> None:
    second = many_segments[1]
    second.write_bytes(second.read_bytes()[:-64])
    assert verify_journal(second.parent).problems
    with pytest.raises(JournalError, match="does not follow"):
        payloads_of(second.parent)


def test_end_cut_at_a_block_is_betrayed_by_the_head_kept_elsewhere(tmp_path: Path) -> None:
    journal = writer(tmp_path / "j")
    append_frames(journal, [b"early"])
    journal.beat(10**12)
    early = (tmp_path / "j" / FIRST).read_bytes()
    append_frames(journal, [b"the loss"])
    journal.close()
    (tmp_path / "j" / FIRST).write_bytes(early)
    assert verify_journal(tmp_path / "j").sound
    report = verify_journal(tmp_path / "j", expected_head=journal.head())
    assert report.problems[0].endswith("the end was cut off or rewritten")
