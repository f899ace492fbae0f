"""`lobdeck journal verify`, `dump` and `export` on small journals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.cli import run
from app.journal_command import ExportError, dump, export, verify
from pipeline.runtime.capture import open_capture
from pipeline.runtime.journal_format import JournalError, RecordKind
from tests.fakes.journals import append_frames, closed_journal, crashed_journal, writer

FRAMES = [b'{"u":%d}' % number for number in range(5)]
STAMP = 1_700_000_000_000_000_000


def stamped_journal(directory: Path) -> Path:
    """Write a journal whose receive times a capture reader believes."""
    journal = writer(directory)
    for number, frame in enumerate(FRAMES):
        journal.append(RecordKind.FRAME, STAMP + number, frame)
    journal.close()
    return directory


def test_sound_journal_says_so_with_its_head(tmp_path: Path) -> None:
    head = closed_journal(tmp_path / "j", FRAMES)
    text, sound = verify(tmp_path / "j")
    assert sound
    assert text.splitlines() == [
        f"{tmp_path}/j: sound; 1 run, 1 segment, 5 records; ended in good order",
        f"head {head}",
    ]


class TestHeadKeptElsewhere:
    def test_older_one_proves_what_stands_before_it(self, tmp_path: Path) -> None:
        journal = writer(tmp_path / "j")
        append_frames(journal, FRAMES)
        journal.beat(10**12)
        older = journal.head()
        append_frames(journal, FRAMES)
        journal.close()
        text, sound = verify(tmp_path / "j", older.upper())
        assert sound
        assert "stands at run 1, record 5: nothing before it was changed" in text

    def test_rewritten_journal_has_it_nowhere(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        head = closed_journal(tmp_path / "j", FRAMES)
        closed_journal(tmp_path / "forged", [*FRAMES[:-1], b'{"u":9}'])
        assert run(["journal", "verify", str(tmp_path / "j"), "--head", head]) == 0
        assert run(["journal", "verify", str(tmp_path / "forged"), "--head", head]) == 3
        assert "the end was cut off or rewritten" in capsys.readouterr().out

    @pytest.mark.parametrize("head", ["ab", "no hex at all", "0" * 64])
    def test_no_head_at_all_is_found_nowhere(self, tmp_path: Path, head: str) -> None:
        closed_journal(tmp_path / "j", FRAMES)
        assert not verify(tmp_path / "j", head)[1]


def test_session_directory_stands_for_its_journal(tmp_path: Path) -> None:
    closed_journal(tmp_path / "demo-1" / "journal", FRAMES)
    assert verify(tmp_path / "demo-1")[1]
    assert len(list(dump(tmp_path / "demo-1"))) == 6


def test_one_changed_byte_is_not_sound(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    closed_journal(tmp_path / "j", FRAMES)
    segment = tmp_path / "j" / "0001-000001.journal"
    segment.write_bytes(segment.read_bytes().replace(b'{"u":3}', b'{"u":4}'))
    assert run(["journal", "verify", str(tmp_path / "j")]) == 3
    lines = capsys.readouterr().out.splitlines()
    assert ": NOT SOUND; " in lines[0]
    assert any("torn: " in line and "(CRC)" in line for line in lines)


def test_torn_tail_is_reported(tmp_path: Path) -> None:
    crashed_journal(tmp_path / "j", FRAMES)
    segment = tmp_path / "j" / "0001-000001.journal"
    segment.write_bytes(segment.read_bytes().rstrip(b"\0")[:-1] + b"?")
    text, sound = verify(tmp_path / "j")
    assert not sound
    assert "not ended: its session runs or died" in text
    assert "torn: " in text


def test_dump_is_json_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    closed_journal(tmp_path / "j", FRAMES)
    assert run(["journal", "dump", str(tmp_path / "j")]) == 0
    kinds = [json.loads(line)["kind"] for line in capsys.readouterr().out.splitlines()]
    assert kinds == ["HEADER"] + ["FRAME"] * 5


@pytest.mark.parametrize("name", ["frames.txt", "frames.gz", "frames.zst"])
def test_exported_frames_are_a_capture(tmp_path: Path, name: str) -> None:
    output = tmp_path / name
    assert export(stamped_journal(tmp_path / "j"), output) == f"wrote 5 frames to {output}"
    frames = list(open_capture([output]))
    assert [frame.payload for frame in frames] == FRAMES
    assert [frame.ts_recv_ns for frame in frames] == [STAMP + number for number in range(5)]


def test_export_overwrites_nothing(tmp_path: Path) -> None:
    output = tmp_path / "frames.txt"
    output.write_text("mine")
    with pytest.raises(ExportError, match="exists already"):
        export(stamped_journal(tmp_path / "j"), output)
    assert output.read_text() == "mine"


def test_export_of_a_torn_journal_says_that_frames_are_missing(tmp_path: Path) -> None:
    stamped_journal(tmp_path / "j")
    segment = tmp_path / "j" / "0001-000001.journal"
    segment.write_bytes(segment.read_bytes().replace(b'{"u":3}', b'{"u":4}'))
    said = export(tmp_path / "j", tmp_path / "frames.txt")
    assert said.startswith("wrote 3 frames to ")
    assert "NOT SOUND" in said


def test_export_of_a_damaged_journal_leaves_no_half(tmp_path: Path) -> None:
    closed_journal(tmp_path / "j", [b"z" * 1_000] * 8)
    segment = tmp_path / "j" / "0001-000001.journal"
    segment.write_bytes(segment.read_bytes().replace(b"zzz", b"yzz", 1))
    with pytest.raises(JournalError, match="damaged"):
        export(tmp_path / "j", tmp_path / "frames.txt")
    assert not (tmp_path / "frames.txt").exists()


def test_export_to_nowhere_is_one_line_and_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stamped_journal(tmp_path / "j")
    assert run(["journal", "export", str(tmp_path / "j"), str(tmp_path / "no" / "frames.txt")]) == 2
    assert (
        capsys.readouterr().err
        == f"lobdeck: {tmp_path}/no/frames.txt: cannot be written: No such file or directory\n"
    )


def test_no_journal_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="no journal here"):
        verify(tmp_path)
