from __future__ import annotations

import os
import threading
from pathlib import Path

import msgspec
import pytest

from pipeline.runtime import places
from pipeline.runtime.journal import JournalWriter
from pipeline.runtime.journal_reader import verify_journal
from pipeline.runtime.journal_retention import Retention, prune_journals
from pipeline.runtime.locks import InstanceLock
from tests.fakes.journals import closed_journal, header, names


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path))


def session(name: str, age_rank: int) -> places.SessionPlace:
    place = places.make_session(name)
    closed_journal(place.journal_dir, [os.urandom(1_000)] * 20)
    for path in place.journal_dir.iterdir():
        os.utime(path, ns=(age_rank * 10**9, age_rank * 10**9))
    return place


def disk_bytes(*sessions: places.SessionPlace) -> int:
    return sum(path.stat().st_blocks * 512 for place in sessions for path in place.journal_dir.iterdir())


def test_oldest_ended_session_goes_first_and_whole() -> None:
    newest, oldest, middle = session("a", 3), session("b", 1), session("c", 2)
    pruned = prune_journals(disk_bytes(newest, middle))
    assert pruned.removed == ("b",)
    assert names(oldest.journal_dir) == []
    assert pruned.kept_bytes == disk_bytes(newest, middle)
    assert verify_journal(middle.journal_dir).sound


def test_open_session_is_never_touched_even_above_the_limit() -> None:
    oldest, newer = session("a", 1), session("b", 2)
    size = disk_bytes(oldest)
    with InstanceLock.acquire(oldest.lock, "ann", 1):
        pruned = prune_journals(0)
    assert pruned.removed == ("b",)
    assert pruned.kept_bytes == size
    assert names(newer.journal_dir) == []
    assert verify_journal(oldest.journal_dir).sound


def test_the_newest_journals_of_an_account_stay_and_its_older_ones_go() -> None:
    older = account("a", 1, "main")
    newest = [account(name, rank, "main") for rank, name in enumerate("bcd", 2)]
    other = account("e", 5, "")
    pruned = prune_journals(0)
    assert pruned.removed == ("a", "e")
    assert pruned.kept_bytes == disk_bytes(*newest) > 0
    assert names(older.journal_dir) == names(other.journal_dir) == []
    assert all(verify_journal(one.journal_dir).sound for one in newest)


def account(name: str, age_rank: int, alias: str) -> places.SessionPlace:
    place = places.make_session(name)
    notes = {"account": alias, "orders_url": "wss://venue"} if alias else {}
    about = msgspec.structs.replace(header(name), notes=notes)
    JournalWriter.create(place.journal_dir, about, segment_bytes=1 << 16, pack=False).close()
    for path in place.journal_dir.iterdir():
        os.utime(path, ns=(age_rank * 10**9, age_rank * 10**9))
    return place


class TestBesideASession:
    def test_it_prunes_at_the_start_and_says_what_went(self, capsys: pytest.CaptureFixture[str]) -> None:
        place = session("a", 1)
        retention = Retention(1)
        retention._max_bytes = 1
        retention.start()
        for thread in threading.enumerate():
            if thread.name == "journal-retention":
                thread.join(5)
        assert names(place.journal_dir) == []
        assert "removed the journals of a" in capsys.readouterr().err

    def test_nothing_is_pruned_where_all_is_kept(self) -> None:
        place = session("a", 1)
        Retention(0).start()
        Retention(0).prune()
        assert names(place.journal_dir)

    def test_trouble_is_a_line_and_no_more(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tmp_path.chmod(0o777)
        monkeypatch.setenv("LOBDECK_HOME", str(tmp_path))
        Retention(1).prune()
        assert "journals were not pruned" in capsys.readouterr().err


def test_nothing_goes_below_the_limit() -> None:
    place = session("a", 1)
    places.make_session("empty").journal_dir.rmdir()
    places.make_session("shared").root.chmod(0o777)
    assert prune_journals(disk_bytes(place)).removed == ()
